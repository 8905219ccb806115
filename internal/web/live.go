package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/node"
)

const (
	// lookEvery is how often the index is asked for new arrivals, once for all who listen and only while somebody does.
	lookEvery = 500 * time.Millisecond
	// beatEvery keeps proxies from closing a quiet connection, and tells the screens that the node is there.
	beatEvery = 20 * time.Second
	// sendWithin is how long a listener may take to read one event.
	sendWithin = 10 * time.Second
	// maxListeners bounds the open connections.
	maxListeners = 4000
)

// news are two numbers: of the newest arrival, and one that differs whenever what people here work on (drafts, sightings) did.
type news struct{ arrivals, local int64 }

// live tells listeners the number of the newest arrival, and that something people here work on has changed. An event
// carries nothing else: what arrived is fetched over the API, where it is decided on. So a listener that was away has missed
// nothing: the number it last saw says where it stopped.
type live struct {
	node   *node.Node
	logger *slog.Logger
	ctx    context.Context //nolint:containedctx // the hub's own life, which no request bounds
	stop   context.CancelFunc

	mu        sync.Mutex // guards what follows
	listeners map[chan news]struct{}
	looking   bool
	looked    sync.WaitGroup
}

func newLive(n *node.Node, logger *slog.Logger) *live {
	ctx, stop := context.WithCancel(context.Background())
	return &live{node: n, logger: logger, ctx: ctx, stop: stop, listeners: map[chan news]struct{}{}}
}

func (l *live) close() {
	l.stop()
	l.looked.Wait()
}

// join adds a listener, or returns nil when there are too many or the hub was closed. The channel holds the newest
// numbers that the listener has not taken yet.
func (l *live) join() chan news {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.listeners) >= maxListeners || l.ctx.Err() != nil {
		return nil
	}
	c := make(chan news, 1)
	l.listeners[c] = struct{}{}
	if !l.looking {
		l.looking = true
		l.looked.Go(l.look)
	}
	return c
}

func (l *live) leave(c chan news) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.listeners, c)
}

// look asks for the newest arrival and tells it, until nobody listens.
func (l *live) look() {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	told := news{-1, -1}
	for {
		newest, err := l.now(l.ctx)
		if err != nil && l.ctx.Err() == nil {
			l.logger.Warn("looking for arrivals", "error", err)
		}
		if !l.tell(newest, err == nil && newest != told) {
			return
		}
		if err == nil {
			told = newest
		}
		select {
		case <-ticker.C:
		case <-l.ctx.Done():
			return
		}
	}
}

// now asks the node for both numbers.
func (l *live) now(ctx context.Context) (now news, err error) {
	if now.arrivals, err = l.node.NewestArrival(ctx); err == nil {
		now.local, err = l.node.LocalNews(ctx)
	}
	return now, err
}

// tell hands news to every listener; those who have not taken the last ones get these instead. It reports whether
// anybody listens.
func (l *live) tell(newest news, differs bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.listeners) == 0 {
		l.looking = false
		return false
	}
	if differs {
		for c := range l.listeners {
			select {
			case <-c:
			default:
			}
			c <- newest
		}
	}
	return true
}

// serveLive streams events to somebody who is signed in (HTML Living Standard, 9.2). An event's id is the number of the
// newest arrival; a browser that comes back sends the last one it saw.
func (s *Screens) serveLive(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.person(r); !ok {
		fail(w, http.StatusUnauthorized, "session", "you are not signed in any longer: sign in again")
		return
	}
	c := s.live.join()
	if c == nil {
		w.Header().Set("Retry-After", "30")
		fail(w, http.StatusServiceUnavailable, "unavailable", "too many live connections: the screens still work, reload to see news")
		return
	}
	defer s.live.leave(c)
	seen, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil {
		seen = -1
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	s.stream(w, r, c, seen)
}

func (s *Screens) stream(w http.ResponseWriter, r *http.Request, c chan news, arrived int64) {
	control := http.NewResponseController(w)
	send := func(event string) bool {
		if err := control.SetWriteDeadline(time.Now().Add(sendWithin)); err != nil {
			return false
		}
		if _, err := w.Write([]byte(event)); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	seen, err := s.live.now(r.Context())
	if err != nil {
		seen = news{arrivals: arrived}
	}
	first := "retry: 2000\n" + seen.since(news{arrived, -1})                          // what came while the listener was away
	if err := control.SetReadDeadline(time.Time{}); err != nil || !send(first+"\n") { // the request was read; it may take hours now
		return
	}
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		event := ": still here\n\n"
		select {
		case newest := <-c:
			if newest == seen {
				continue
			}
			seen, event = newest, newest.since(seen)
		case <-beat.C:
			if _, ok := s.person(r); !ok {
				send("event: ended\ndata: {}\n\n")
				return
			}
		case <-r.Context().Done():
			return
		case <-s.live.ctx.Done():
			return
		}
		if !send(event) {
			return
		}
	}
}

// since writes the events that tell what is new. Only arrivals have an id: they are what a listener resumes from.
func (n news) since(seen news) string {
	out := ""
	if n.arrivals != seen.arrivals {
		out += fmt.Sprintf("id: %d\nevent: arrivals\ndata: {\"newest\":%d}\n\n", n.arrivals, n.arrivals)
	}
	if n.local != seen.local {
		out += fmt.Sprintf("event: local\ndata: {\"number\":%d}\n\n", n.local)
	}
	return out
}
