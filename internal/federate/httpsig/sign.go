package httpsig

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	// label names the one signature of a node in the header fields.
	label = "mithaq"
	// tag says for what the signature was made (RFC 9421, section 2.3), so that one made for another purpose is worth
	// nothing here.
	tag = "mithaq/request/1"
	alg = "ed25519"
	// sessionSize is that of the random half of a nonce, in bytes.
	sessionSize = 16
)

// covered are the components that every request's signature covers; with content its digest too.
func covered(content bool) []string {
	c := []string{"@method", "@authority", "@path", "@query"}
	if content {
		c = append(c, "content-digest")
	}
	return c
}

// Key signs: a party's key of the role http.
type Key interface {
	KeyID() string
	Sign(ctx context.Context, msg []byte) ([]byte, error)
}

// Signer signs this node's requests. A nonce is the signer's random session and a number that counts up, so that who
// verifies remembers a few bits and not every nonce. Safe for concurrent use.
type Signer struct {
	key     Key
	now     func() time.Time
	session string
	count   atomic.Uint64
}

// NewSigner makes a signer with a session of its own.
func NewSigner(key Key, rand io.Reader, now func() time.Time) (*Signer, error) {
	var session [sessionSize]byte
	if _, err := io.ReadFull(rand, session[:]); err != nil {
		return nil, fmt.Errorf("making a request signer: %w", err)
	}
	return &Signer{key: key, now: now, session: base64.RawURLEncoding.EncodeToString(session[:])}, nil
}

// KeyID is the id of the key that signs.
func (s *Signer) KeyID() string { return s.key.KeyID() }

// Sign puts a signature on a request, which must have its final host, path and query. content is what it carries; nil for
// none.
func (s *Signer) Sign(req *http.Request, content []byte) error {
	if len(content) > 0 {
		req.Header.Set(digestField, contentDigest(content))
	}
	in := member{key: label, inner: true}
	for _, c := range covered(len(content) > 0) {
		in.list = append(in.list, item{value: bare{kind: 's', text: c}})
	}
	text := func(key, v string) param { return param{key, bare{kind: 's', text: v}} }
	in.params = []param{
		{"created", bare{kind: 'i', n: s.now().Unix()}},
		text("keyid", s.key.KeyID()), text("alg", alg),
		text("nonce", s.session+"."+strconv.FormatUint(s.count.Add(1), 10)), text("tag", tag),
	}
	base, err := signatureBase(messageOf(req), in)
	if err != nil {
		return fmt.Errorf("signing a request: %w", err)
	}
	sig, err := s.key.Sign(req.Context(), base)
	if err != nil {
		return fmt.Errorf("signing a request: %w", err)
	}
	req.Header.Set("Signature-Input", label+"="+in.innerString())
	req.Header.Set("Signature", label+"="+bare{kind: 'x', raw: sig}.String())
	return nil
}
