package httpsig

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How far from this node's clock a signature's may be.
const (
	maxAge  = 5 * time.Minute
	maxSkew = time.Minute // into the future
)

const (
	windowBits  = 8192 // how far behind the newest number of a session another may come in
	maxSessions = 64   // of one key, within maxAge
	maxKeys     = 16384
)

// ErrUnsigned says that a request carries no signature of a node.
var ErrUnsigned = errors.New("the request is not signed")

// Reason is what is wrong with a signature, for counting.
type Reason string

// The reasons.
const (
	Malformed  Reason = "malformed"   // no signature of the form that nodes make
	OutOfTime  Reason = "out-of-time" // signed too long ago, in the future, or expired
	Elsewhere  Reason = "other-host"  // made for another host
	Uncovered  Reason = "uncovered"   // it leaves out a part of the request, or the content is other
	UnknownKey Reason = "unknown-key"
	BadKeyUse  Reason = "bad-signature"
	Replayed   Reason = "replayed" // let through before, or perhaps
	Crowded    Reason = "sessions" // more signers at once than are remembered
)

// Reasons lists all reasons.
func Reasons() []Reason {
	return []Reason{Malformed, OutOfTime, Elsewhere, Uncovered, UnknownKey, BadKeyUse, Replayed, Crowded}
}

// Refusal says why a signed request is not believed. Its words are for this node's log and never for the caller.
type Refusal struct {
	Reason Reason
	Err    error
}

func (r *Refusal) Error() string { return "refusing a signed request: " + r.Err.Error() }

func (r *Refusal) Unwrap() error { return r.Err }

func refuse(r Reason, format string, args ...any) error {
	return &Refusal{r, fmt.Errorf(format, args...)}
}

// Guard verifies requests and remembers which it has let through. Safe for concurrent use.
type Guard struct {
	now   func() time.Time
	start time.Time

	mu    sync.Mutex // guards all below
	keys  map[string]map[string]*session
	swept time.Time // when keys were last looked through
}

// session is what is remembered of one signer: which of its last numbers have been seen.
type session struct {
	last time.Time
	top  uint64
	seen [windowBits / 64]uint64
}

// NewGuard makes a guard that has seen nothing. It refuses what was signed before it was made, since it cannot know
// whether that was let through by a guard before it.
func NewGuard(now func() time.Time) *Guard {
	return &Guard{now: now, start: now().Truncate(time.Second), keys: map[string]map[string]*session{}}
}

// Question is a request to be verified.
type Question struct {
	Request *http.Request
	Content []byte // all of its body; nil where it has none
	// Ours says whether an authority (host, or host:port) is this node. A signature for another host is not for us: that
	// host may have passed it on.
	Ours func(authority string) bool
	// Key finds the public key of a key id.
	Key func(id string) (ed25519.PublicKey, bool)
}

// Verify returns the id of the key that signed a request. The error is [ErrUnsigned], or a [*Refusal].
func (g *Guard) Verify(q Question) (string, error) {
	c, err := g.judge(q)
	if err != nil {
		return "", err
	}
	if q.carries() {
		if err := checkDigest(q.Request.Header, q.Content); err != nil {
			return "", &Refusal{Uncovered, err}
		}
	}
	return c.keyID, g.remember(c, g.now())
}

// Foresee is Verify before the content is read: the signature covers the content's digest, so that who signed is known without it.
// Whether the content is the one, and whether the request was let through before, only Verify finds out.
func (g *Guard) Foresee(q Question) (string, error) {
	c, err := g.judge(q)
	return c.keyID, err
}

// judge verifies all that can be without the content.
func (g *Guard) judge(q Question) (c claim, err error) {
	in, sig, err := ourSignature(q.Request.Header)
	if err != nil {
		return c, err
	}
	if c, err = readClaim(in); err != nil {
		return c, err
	}
	now := g.now()
	switch {
	case c.created.After(now.Add(maxSkew)), c.created.Before(now.Add(-maxAge)):
		return c, refuse(OutOfTime, "it was signed at %s, and it is %s now: set the clocks", c.created.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case c.created.Before(g.start):
		return c, refuse(OutOfTime, "it was signed before this node started")
	case !c.expires.IsZero() && !now.Before(c.expires):
		return c, refuse(OutOfTime, "it has expired")
	}
	m := messageOf(q.Request)
	if !q.Ours(m.authority) {
		return c, refuse(Elsewhere, "it is for the host %q", m.authority)
	}
	if err := checkCovered(q, in); err != nil {
		return c, &Refusal{Uncovered, err}
	}
	key, ok := q.Key(c.keyID)
	if !ok || len(key) != ed25519.PublicKeySize {
		return c, refuse(UnknownKey, "the key %q is not known here", c.keyID)
	}
	base, err := signatureBase(m, in)
	if err != nil {
		return c, &Refusal{Malformed, err}
	}
	if !ed25519.Verify(key, base, sig) {
		return c, refuse(BadKeyUse, "the signature does not verify with the key %s", c.keyID)
	}
	return c, nil
}

// carries says whether the request has content.
func (q Question) carries() bool { return len(q.Content) > 0 || q.Request.ContentLength != 0 }

// checkCovered wants the components that a node's signature covers.
func checkCovered(q Question, in member) error {
	for _, want := range covered(q.carries()) {
		if !slices.ContainsFunc(in.list, func(it item) bool { return it.value.text == want && len(it.params) == 0 }) {
			return fmt.Errorf("it does not cover %s", want)
		}
	}
	return nil
}

// ourSignature finds the signature with our tag among those on a request; others, say of a proxy, are passed over.
func ourSignature(h http.Header) (in member, sig []byte, err error) {
	if h.Get("Signature-Input") == "" {
		return in, nil, ErrUnsigned
	}
	inputs, err := parseDictionary(strings.Join(h.Values("Signature-Input"), ", "))
	if err != nil {
		return in, nil, &Refusal{Malformed, err}
	}
	i := slices.IndexFunc(inputs, func(m member) bool {
		t, _ := m.param("tag")
		return m.inner && t.kind == 's' && t.text == tag
	})
	if i < 0 {
		return in, nil, ErrUnsigned
	}
	signatures, err := parseDictionary(strings.Join(h.Values("Signature"), ", "))
	if err != nil {
		return in, nil, &Refusal{Malformed, err}
	}
	j := slices.IndexFunc(signatures, func(m member) bool { return m.key == inputs[i].key })
	if j < 0 || signatures[j].inner || signatures[j].value.kind != 'x' {
		return in, nil, refuse(Malformed, "there is no signature %s", inputs[i].key)
	}
	return inputs[i], signatures[j].value.raw, nil
}

// claim is what a signature says of itself.
type claim struct {
	keyID, session   string
	number           uint64
	created, expires time.Time
}

func readClaim(in member) (c claim, err error) {
	text := func(key string) string {
		v, ok := in.param(key)
		if err == nil && (!ok || v.kind != 's' || v.text == "") {
			err = refuse(Malformed, "it has no %s", key)
		}
		return v.text
	}
	c.keyID = text("keyid")
	nonce := text("nonce")
	if a := text("alg"); err == nil && a != alg {
		err = refuse(Malformed, "its algorithm is %q, not %s", a, alg)
	}
	if err != nil {
		return c, err
	}
	var number string
	c.session, number, _ = strings.Cut(nonce, ".")
	if c.number, err = strconv.ParseUint(number, 10, 63); err != nil || len(c.session) < 22 || len(c.session) > 64 || c.number == 0 {
		return c, refuse(Malformed, "its nonce is not a session and a number")
	}
	created, ok := in.param("created")
	if !ok || created.kind != 'i' {
		return c, refuse(Malformed, "it does not say when it was made")
	}
	c.created = time.Unix(created.n, 0)
	if expires, ok := in.param("expires"); ok {
		if expires.kind != 'i' {
			return c, refuse(Malformed, "it does not say rightly when it expires")
		}
		c.expires = time.Unix(expires.n, 0)
	}
	return c, nil
}

// remember marks a signature's nonce as seen, or refuses it because it was, or because it may have been.
func (g *Guard) remember(c claim, now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	sessions := g.keys[c.keyID]
	if sessions == nil {
		if len(g.keys) >= maxKeys && !g.forget(now) {
			return refuse(Crowded, "over %d keys sign at once", maxKeys)
		}
		sessions = map[string]*session{}
		g.keys[c.keyID] = sessions
	}
	s := sessions[c.session]
	if s == nil {
		forgetOld(sessions, now)
		if len(sessions) >= maxSessions {
			return refuse(Crowded, "the key %s signs in over %d places at once", c.keyID, maxSessions)
		}
		s = &session{}
		sessions[c.session] = s
	}
	s.last = now
	return s.take(c.number)
}

// forget drops the keys that have not signed for so long that their signatures would be refused by their date, and says whether
// there were any.
func (g *Guard) forget(now time.Time) bool {
	if now.Sub(g.swept) < maxSkew {
		return false // a flood does not make each request look through all
	}
	g.swept = now
	for id, sessions := range g.keys {
		if forgetOld(sessions, now); len(sessions) == 0 {
			delete(g.keys, id)
		}
	}
	return len(g.keys) < maxKeys
}

func forgetOld(sessions map[string]*session, now time.Time) {
	for id, old := range sessions { // what is this old is refused by its date
		if now.Sub(old.last) > maxAge+maxSkew {
			delete(sessions, id)
		}
	}
}

func (s *session) take(n uint64) error {
	if n+windowBits <= s.top {
		return refuse(Replayed, "its number %d is too far behind %d", n, s.top)
	}
	if n > s.top {
		if n-s.top >= windowBits {
			s.seen = [windowBits / 64]uint64{}
		} else {
			for i := s.top + 1; i <= n; i++ {
				s.seen[i%windowBits/64] &^= 1 << (i % 64)
			}
		}
		s.top = n
	}
	bit := uint64(1) << (n % 64)
	if s.seen[n%windowBits/64]&bit != 0 {
		return refuse(Replayed, "it was let through before")
	}
	s.seen[n%windowBits/64] |= bit
	return nil
}
