package node

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/store"
)

// Scopes that a token can carry.
const (
	ScopeAudit   = "audit"   // restricted logs and objects as they are served, sealed ones sealed; opens nothing
	ScopeRead    = "read"    // opened records as well
	ScopePublish = "publish" // sign and append
	ScopeMetrics = "metrics" // /metrics
	ScopeAdmin   = "admin"   // keys, tokens, erasure
)

var scopes = []string{ScopeAudit, ScopeRead, ScopePublish, ScopeMetrics, ScopeAdmin}

// tokenPrefix makes a leaked token recognisable to scanners.
const tokenPrefix = "mithaq_"

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// TokenRequest asks for a token.
type TokenRequest struct {
	Name    string     `json:"name" minLength:"1" maxLength:"100" doc:"What the token is for"`
	Scopes  []string   `json:"scopes" minItems:"1" doc:"audit, read, publish, metrics, admin"`
	Expires *time.Time `json:"expires,omitempty" doc:"From when it is no longer valid"`
}

// TokenView is a token without its secret.
type TokenView struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Scopes  []string   `json:"scopes"`
	Created time.Time  `json:"created"`
	Expires *time.Time `json:"expires,omitempty"`
	Revoked *time.Time `json:"revoked,omitempty"`
}

// NewToken is a token with its secret, which is not kept.
type NewToken struct {
	TokenView
	Secret string `json:"secret" doc:"Send it as 'Authorization: Bearer SECRET'"`
}

// CreateToken makes a token. Only the SHA-256 of its secret is stored.
func (n *Node) CreateToken(ctx context.Context, r TokenRequest) (NewToken, error) {
	for _, s := range r.Scopes {
		if !slices.Contains(scopes, s) {
			return NewToken{}, faultf(CodeInvalid, "use "+strings.Join(scopes, ", "), "creating a token: unknown scope %q", s)
		}
	}
	if r.Name == "" || len(r.Scopes) == 0 {
		return NewToken{}, faultf(CodeInvalid, "give a name and at least one scope", "creating a token: it has no name or no scope")
	}
	var secret [32]byte
	var id [5]byte
	for _, b := range [][]byte{secret[:], id[:]} {
		if _, err := io.ReadFull(n.rand, b); err != nil {
			return NewToken{}, fmt.Errorf("creating a token: %w", err)
		}
	}
	out := NewToken{Secret: tokenPrefix + lowerBase32.EncodeToString(secret[:])}
	t := store.Token{ID: "t-" + lowerBase32.EncodeToString(id[:]), Hash: sha256.Sum256([]byte(out.Secret)), Name: r.Name, Scopes: r.Scopes, Created: n.now()}
	if r.Expires != nil {
		if !r.Expires.After(t.Created) {
			return NewToken{}, faultf(CodeInvalid, "give a later time", "creating a token: it would have expired on %s", r.Expires.UTC().Format(time.RFC3339))
		}
		t.Expires = *r.Expires
	}
	if err := n.store.PutToken(ctx, t); err != nil {
		return NewToken{}, storeFault(err)
	}
	out.TokenView = viewToken(t)
	return out, nil
}

// Tokens lists all tokens, also revoked ones.
func (n *Node) Tokens(ctx context.Context) ([]TokenView, error) {
	tokens, err := n.store.Tokens(ctx)
	out := make([]TokenView, 0, len(tokens))
	for _, t := range tokens {
		out = append(out, viewToken(t))
	}
	return out, err
}

func viewToken(t store.Token) TokenView {
	return TokenView{ID: t.ID, Name: t.Name, Scopes: t.Scopes, Created: t.Created, Expires: optional(t.Expires), Revoked: optional(t.Revoked)}
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// RevokeToken makes a token invalid at once.
func (n *Node) RevokeToken(ctx context.Context, id string) error {
	err := n.store.RevokeToken(ctx, id, n.now())
	if errors.Is(err, store.ErrNotFound) {
		return faultf(CodeNotFound, "see 'mithaq token list'", "revoking a token: there is no valid token %q", id)
	}
	return storeFault(err)
}

// TokenScopes returns what the bearer of secret may do. An unknown, expired or revoked token is an error.
func (n *Node) TokenScopes(ctx context.Context, secret string) ([]string, error) {
	if !strings.HasPrefix(secret, tokenPrefix) || len(secret) > 200 {
		return nil, faultf(CodeForbidden, "", "checking a token: it is not one of this program's")
	}
	t, err := n.store.TokenByHash(ctx, sha256.Sum256([]byte(secret)))
	if err != nil {
		return nil, err
	}
	now := n.now()
	if !t.Revoked.IsZero() || (!t.Expires.IsZero() && !now.Before(t.Expires)) {
		return nil, faultf(CodeForbidden, "", "checking a token: it is no longer valid")
	}
	return t.Scopes, nil
}
