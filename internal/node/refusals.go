package node

import (
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/federate/httpsig"
	"github.com/mithaq/mithaq/internal/fetch"
)

// refusals counts what other nodes answered and asked, and was refused: in all by kind, and for each host and each followed log.
// The zero value has counted nothing.
type refusals struct {
	mu       sync.Mutex // guards all below
	answers  map[string]int64
	requests map[string]int64
	notices  map[string]int64
	by       map[string]*blame // by a host's address, or a log's id
}

// blame is what one host, or one log, was refused for.
type blame struct {
	kinds map[string]int64
	last  string // in words
	at    time.Time
}

// maxBlamed bounds the hosts and logs that are counted one by one.
const maxBlamed = 20_000

// Refusals is what was refused of one host or log since this process began.
type Refusals struct {
	Kinds map[string]int64 `json:"kinds" doc:"How often, by kind: docs/federation.md lists them"`
	Last  string           `json:"last" doc:"Why, the last time"`
	At    time.Time        `json:"at"`
}

func bump(m *map[string]int64, kind string) {
	if *m == nil {
		*m = map[string]int64{}
	}
	(*m)[kind]++
}

// answer counts an answer that was refused, for its host and its log; an error that is not the host's is passed over.
func (r *refusals) answer(err error, now time.Time, whose ...string) {
	kind := string(fetch.KindOf(err))
	if kind == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	bump(&r.answers, kind)
	for _, name := range whose {
		b := r.by[name]
		if b == nil {
			if name == "" || len(r.by) >= maxBlamed {
				continue
			}
			if r.by == nil {
				r.by = map[string]*blame{}
			}
			b = &blame{}
			r.by[name] = b
		}
		bump(&b.kinds, kind)
		b.last, b.at = oneLine(err.Error()), now
	}
}

// request counts a request that was refused.
func (r *refusals) request(kind string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	bump(&r.requests, kind)
}

// notice counts what a person was told.
func (r *refusals) notice(kind string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	bump(&r.notices, kind)
}

// of is what was refused of a host or log; nil: nothing.
func (r *refusals) of(name string) *Refusals {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.by[name]
	if b == nil {
		return nil
	}
	return &Refusals{Kinds: maps.Clone(b.kinds), Last: b.last, At: b.at}
}

func (r *refusals) counts() (answers, requests, notices map[string]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.answers), maps.Clone(r.requests), maps.Clone(r.notices)
}

// Kinds of requests that are refused, beside the reasons of package httpsig.
const (
	RequestStranger = "not-entitled" // signed or not, by nobody who may ask this
	RequestTooLong  = "too-long"
	RequestTooMany  = "too-many"
	RequestBadForm  = "malformed-body"
	RequestType     = "type"         // a body of another media type than the route takes
	RequestCoded    = "compressed"   // a body in a coding: nobody needs one
	RequestTooSlow  = "too-slow"     // its body did not come in time
	RequestBroken   = "broken-off"   // its body ended before its end
	RequestCrowded  = "crowded"      // no room for its body beside those of others, or of the same caller
	RequestSilent   = "silent"       // a connection on which no whole request came
	RequestConnects = "connections"  // more connections than are held, in all or from one address
	RequestCosigns  = "not-cosigned" // a checkpoint that the witness does not sign
)

// RequestKinds lists why requests of other nodes are refused.
func RequestKinds() []string {
	kinds := []string{RequestStranger, RequestTooLong, RequestTooMany, RequestBadForm, RequestType, RequestCoded, RequestTooSlow, RequestBroken,
		RequestCrowded, RequestSilent, RequestConnects, RequestCosigns}
	for _, r := range httpsig.Reasons() {
		kinds = append(kinds, string(r))
	}
	return kinds
}

// RefusedRequest counts a request of another node that was refused.
func (n *Node) RefusedRequest(kind string) { n.refusals.request(kind) }

// distrusted counts a signature that was not believed.
func (n *Node) distrusted(err error) {
	var refusal *httpsig.Refusal
	if errors.As(err, &refusal) {
		n.refusals.request(string(refusal.Reason))
	}
}
