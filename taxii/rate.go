package taxii

import (
	"fmt"
	"sync"
	"time"
)

// Rate bounds how many requests each caller makes: Burst at once, PerSecond in the long run. The zero Rate bounds nothing.
type Rate struct {
	PerSecond float64
	Burst     int
	// Key names the caller whose requests are counted together; nil takes fmt.Sprint of it.
	Key func(Caller) string
}

// maxBuckets bounds the memory of a limiter. When more callers than this are active at once, those whose allowance is
// full again are forgotten first, and then a caller without a bucket is let through once.
const maxBuckets = 1 << 16

// limiter counts down a bucket for each caller.
type limiter struct {
	rate Rate

	mu      sync.Mutex
	buckets map[string]bucket // guarded by mu
}

type bucket struct {
	level float64 // requests left
	at    time.Time
}

func newLimiter(rate Rate) *limiter {
	if rate.PerSecond <= 0 {
		return nil
	}
	rate.Burst = max(rate.Burst, 1)
	if rate.Key == nil {
		rate.Key = func(c Caller) string { return fmt.Sprint(c) }
	}
	return &limiter{rate: rate, buckets: map[string]bucket{}}
}

// wait takes one request from the caller's allowance; over zero is how long to wait until there is one.
func (l *limiter) wait(caller Caller, now time.Time) time.Duration {
	if l == nil {
		return 0
	}
	key := l.rate.Key(caller)
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[key]
	if !ok {
		if len(l.buckets) >= maxBuckets {
			l.forget(now)
		}
		b = bucket{level: float64(l.rate.Burst), at: now}
	}
	b.level = l.refilled(b, now)
	b.at = now
	if b.level < 1 {
		l.buckets[key] = b
		return time.Duration((1 - b.level) / l.rate.PerSecond * float64(time.Second))
	}
	b.level--
	if ok || len(l.buckets) < maxBuckets {
		l.buckets[key] = b
	}
	return 0
}

func (l *limiter) refilled(b bucket, now time.Time) float64 {
	return min(float64(l.rate.Burst), b.level+max(0, now.Sub(b.at).Seconds())*l.rate.PerSecond)
}

// forget drops the buckets that are full again: a new one is the same.
func (l *limiter) forget(now time.Time) {
	for key, b := range l.buckets {
		if l.refilled(b, now) >= float64(l.rate.Burst) {
			delete(l.buckets, key)
		}
	}
}
