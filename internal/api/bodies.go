package api

import (
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"sync"

	"github.com/mithaq/mithaq/internal/node"
)

// Room for what other nodes send, while it is read and answered. Members never wait because of strangers.
const (
	memberRoom  = 256 << 20 // for all parties whose keys are known here
	partyRoom   = 64 << 20  // for one of them: two bundles
	strangeRoom = 64 << 20  // for everybody else
	addressRoom = 16 << 20  // for one address of theirs: two acts
)

// room bounds the bytes that requests of many callers hold at a time, in all and of each caller.
type room struct {
	all, each int64

	mu   sync.Mutex // guards all below
	held int64
	by   map[string]int64
}

func (m *room) take(who string, n int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held+n > m.all || m.by[who]+n > m.each {
		return false
	}
	if m.by == nil {
		m.by = map[string]int64{}
	}
	m.held += n
	m.by[who] += n
	return true
}

func (m *room) give(who string, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held -= n
	if m.by[who] -= n; m.by[who] <= 0 {
		delete(m.by, who)
	}
}

// reception reads the bodies that other nodes send.
type reception struct {
	members, strangers room
}

func newReception() *reception {
	return &reception{members: room{all: memberRoom, each: partyRoom}, strangers: room{all: strangeRoom, each: addressRoom}}
}

// form is what a route takes.
type form struct {
	limit int64
	types []string // media types; none: any
	known bool     // only of parties whose keys are known here: of others nothing is read
}

// refused is why a body was not read, for the caller and for counting.
type refused struct {
	status int
	kind   string
	words  string
}

// firstRoom is what a body takes at first, however long it says that it is: the rest is taken as it comes.
const firstRoom = 16 << 10

// read reads a request's body within the form's bounds. done gives its room back when the answer is made.
func (c *reception) read(w http.ResponseWriter, r *http.Request, f form, party string) (content []byte, done func(), why *refused) {
	if why := f.check(r); why != nil {
		return nil, nil, why
	}
	m, who := &c.members, party
	if party == "" {
		m, who = &c.strangers, addressOf(r.RemoteAddr)
	}
	held := int64(0)
	done = func() { m.give(who, held) }
	src := http.MaxBytesReader(w, r.Body, f.limit)
	for {
		if len(content) == cap(content) {
			more := min(max(2*int64(cap(content)), firstRoom), f.limit+1)
			if !m.take(who, more-int64(cap(content))) {
				done()
				return nil, nil, &refused{http.StatusServiceUnavailable, node.RequestCrowded, "too much is being received: try again later"}
			}
			held = more
			content = slices.Grow(content, int(more)-len(content))[:len(content):more]
		}
		n, err := src.Read(content[len(content):cap(content)])
		content = content[:len(content)+n]
		if errors.Is(err, io.EOF) {
			return content, done, nil
		}
		if err != nil {
			done()
			return nil, nil, brokenBody(err)
		}
	}
}

// check refuses what need not be read.
func (f form) check(r *http.Request) *refused {
	if r.Header.Get("Content-Encoding") != "" {
		return &refused{http.StatusUnsupportedMediaType, node.RequestCoded, "send the body as it is, in no coding"}
	}
	if said := r.Header.Get("Content-Type"); said != "" && len(f.types) > 0 {
		if t, _, err := mime.ParseMediaType(said); err != nil || !slices.Contains(f.types, t) {
			return &refused{http.StatusUnsupportedMediaType, node.RequestType, "send " + f.types[0]}
		}
	}
	if r.ContentLength > f.limit {
		return tooLong()
	}
	return nil
}

func tooLong() *refused {
	return &refused{http.StatusRequestEntityTooLarge, node.RequestTooLong, "the request is too long"}
}

func brokenBody(err error) *refused {
	var long *http.MaxBytesError
	var timeout net.Error
	switch {
	case errors.As(err, &long):
		return tooLong()
	case errors.As(err, &timeout) && timeout.Timeout():
		return &refused{http.StatusRequestTimeout, node.RequestTooSlow, "the request did not come in time"}
	}
	return &refused{http.StatusBadRequest, node.RequestBroken, "the request broke off"}
}

// addressOf is the host of a connection's other end.
func addressOf(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return host
}
