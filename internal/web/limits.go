package web

import (
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How often somebody may try to sign in: a person who mistypes never waits, a program that guesses gets a few thousand
// tries a year at each name.
const (
	tries     = 8
	tryEvery  = 15 * time.Second
	maxLimits = 4096 // addresses and names that are remembered
)

// limits bounds attempts to sign in by address and by name.
type limits struct {
	now func() time.Time

	mu    sync.Mutex // guards what follows
	by    map[string]*rate.Limiter
	swept time.Time // when those who need not be remembered were last looked for
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, by: map[string]*rate.Limiter{}}
}

// take counts an attempt, by its address and by its name unless that is empty, and returns how long to wait instead; 0: none.
func (l *limits) take(host, name string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	var wait time.Duration
	keys := []string{"host " + host}
	if name != "" {
		keys = append(keys, "name "+name)
	}
	for _, key := range keys {
		r := l.limiter(key, now).ReserveN(now, 1)
		if delay := r.DelayFrom(now); delay > 0 {
			r.CancelAt(now)
			wait = max(wait, delay)
		}
	}
	return wait
}

func (l *limits) limiter(key string, now time.Time) *rate.Limiter {
	if known, ok := l.by[key]; ok {
		return known
	}
	if len(l.by) >= maxLimits {
		l.sweep(now)
		if len(l.by) >= maxLimits {
			key = "everybody else"
			if known, ok := l.by[key]; ok {
				return known
			}
		}
	}
	made := rate.NewLimiter(rate.Every(tryEvery), tries)
	l.by[key] = made
	return made
}

// sweep forgets those who have all their tries again. A try comes back no sooner than tryEvery, so looking more often would
// only let a flood of made-up names cost a look at all of them each.
func (l *limits) sweep(now time.Time) {
	if now.Sub(l.swept) < tryEvery {
		return
	}
	l.swept = now
	for k, old := range l.by {
		if old.TokensAt(now) >= tries {
			delete(l.by, k)
		}
	}
}

// wholeSeconds rounds up, for Retry-After.
func wholeSeconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}
