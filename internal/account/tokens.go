package account

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// Scopes that a token can carry.
const (
	ScopeAudit   = "audit"   // restricted logs and objects as they are served, sealed ones sealed; opens nothing
	ScopeRead    = "read"    // opened records as well
	ScopePublish = "publish" // sign and append
	ScopeMetrics = "metrics" // /metrics
	ScopeSense   = "sense"   // pull indicators for detection, hand sightings in; publishes nothing
	ScopeAdmin   = "admin"   // keys, tokens, erasure
)

var scopes = []string{ScopeAudit, ScopeRead, ScopePublish, ScopeMetrics, ScopeSense, ScopeAdmin}

// tokenPrefix makes a leaked token recognisable to scanners.
const tokenPrefix = "mithaq_"

// TokenRequest asks for a token.
type TokenRequest struct {
	Name    string     `json:"name" minLength:"1" maxLength:"100" doc:"What the token is for"`
	Scopes  []string   `json:"scopes" minItems:"1" doc:"audit, read, publish, metrics, sense, admin; over TAXII also read:AGREEMENT and publish:AGREEMENT, for one agreement"`
	Party   string     `json:"party,omitempty" doc:"Party id: the token reads over TAXII what this other party may have, and nothing else"`
	Expires *time.Time `json:"expires,omitempty" doc:"From when it is no longer valid"`
}

// TokenView is a token without its secret.
type TokenView struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Scopes  []string   `json:"scopes"`
	Party   string     `json:"party,omitempty" doc:"The other party on whose behalf it reads"`
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
func (a *Accounts) CreateToken(ctx context.Context, r TokenRequest) (NewToken, error) {
	for _, s := range r.Scopes {
		if !knownScope(s) {
			return NewToken{}, fault.New(fault.Invalid, "use "+strings.Join(scopes, ", ")+", or read or publish with :AGREEMENT after it", "creating a token: unknown scope %q", s)
		}
		if what, _, _ := strings.Cut(s, ":"); r.Party != "" && what != ScopeRead {
			return NewToken{}, fault.New(fault.Invalid, "give it the scope read, or read:AGREEMENT", "creating a token: another party's token cannot have the scope %s", s)
		}
	}
	if r.Name == "" || len(r.Scopes) == 0 {
		return NewToken{}, fault.New(fault.Invalid, "give a name and at least one scope", "creating a token: it has no name or no scope")
	}
	if r.Party != "" && !record.IsID(r.Party, record.PrefixParty) {
		return NewToken{}, fault.New(fault.Invalid, "see 'mithaq party'", "creating a token: %s is not a party id", fault.Clip(r.Party))
	}
	if own, _ := a.opts.Party(); r.Party == own {
		r.Party = ""
	}
	var secret [32]byte
	var id [5]byte
	for _, b := range [][]byte{secret[:], id[:]} {
		if _, err := io.ReadFull(a.opts.Rand, b); err != nil {
			return NewToken{}, fmt.Errorf("creating a token: %w", err)
		}
	}
	out := NewToken{Secret: tokenPrefix + record.Base32.EncodeToString(secret[:])}
	t := store.Token{ID: "t-" + record.Base32.EncodeToString(id[:]), Hash: sha256.Sum256([]byte(out.Secret)), Name: r.Name, Scopes: r.Scopes, Party: r.Party, Created: a.now()}
	if r.Expires != nil {
		if !r.Expires.After(t.Created) {
			return NewToken{}, fault.New(fault.Invalid, "give a later time", "creating a token: it would have expired on %s", r.Expires.UTC().Format(time.RFC3339))
		}
		t.Expires = *r.Expires
	}
	if err := a.opts.Store.PutToken(ctx, t); err != nil {
		return NewToken{}, fault.OfStore(err)
	}
	out.TokenView = viewToken(t)
	return out, nil
}

// Tokens lists all tokens, also revoked ones.
func (a *Accounts) Tokens(ctx context.Context) ([]TokenView, error) {
	tokens, err := a.opts.Store.Tokens(ctx)
	out := make([]TokenView, 0, len(tokens))
	for _, t := range tokens {
		out = append(out, viewToken(t))
	}
	return out, err
}

func viewToken(t store.Token) TokenView {
	return TokenView{ID: t.ID, Name: t.Name, Scopes: t.Scopes, Party: t.Party, Created: t.Created, Expires: optional(t.Expires), Revoked: optional(t.Revoked)}
}

// RevokeToken makes a token invalid at once.
func (a *Accounts) RevokeToken(ctx context.Context, id string) error {
	err := a.opts.Store.RevokeToken(ctx, id, a.now())
	if errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.NotFound, "see 'mithaq token list'", "revoking a token: there is no valid token %q", id)
	}
	return fault.OfStore(err)
}

// knownScope says whether a token can carry a scope. read and publish can be limited to one agreement.
func knownScope(s string) bool {
	what, id, limited := strings.Cut(s, ":")
	if limited {
		return (what == ScopeRead || what == ScopePublish) && record.IsAgreementID(id)
	}
	return slices.Contains(scopes, s)
}

// TokenScopes returns what the bearer of secret may do over the API. An unknown, expired or revoked token is an error, and so
// is one that reads on behalf of another party: over TAXII alone is decided for whom.
func (a *Accounts) TokenScopes(ctx context.Context, secret string) ([]string, error) {
	t, err := a.token(ctx, secret)
	if err == nil && t.Party != "" {
		err = fault.New(fault.Forbidden, "", "checking a token: it is for TAXII alone")
	}
	return t.Scopes, err
}

// TokenForTAXII returns who the bearer of secret is to TAXII.
func (a *Accounts) TokenForTAXII(ctx context.Context, secret string) (TAXIICaller, error) {
	t, err := a.token(ctx, secret)
	if err != nil {
		return TAXIICaller{}, err
	}
	return taxiiCaller(t), nil
}

func taxiiCaller(t store.Token) TAXIICaller {
	return TAXIICaller{Token: t.ID, Party: t.Party, Scopes: strings.Join(t.Scopes, " ")}
}

// CertificateForTAXII returns who the holder of a client certificate is to TAXII, as the configuration says.
func (a *Accounts) CertificateForTAXII(ctx context.Context, der []byte) (TAXIICaller, error) {
	sum := sha256.Sum256(der)
	for _, c := range a.opts.Certificates {
		if raw, err := hex.DecodeString(c.SHA256); err != nil || !bytes.Equal(raw, sum[:]) {
			continue
		}
		t, err := a.opts.Store.TokenByID(ctx, c.Token)
		if err != nil {
			return TAXIICaller{}, err
		}
		return taxiiCaller(t), a.inForce(t)
	}
	return TAXIICaller{}, fault.New(fault.Forbidden, "", "checking a certificate: it is not in the configuration")
}

// token finds the token in force that a secret is of.
func (a *Accounts) token(ctx context.Context, secret string) (store.Token, error) {
	if !strings.HasPrefix(secret, tokenPrefix) || len(secret) > 200 {
		return store.Token{}, fault.New(fault.Forbidden, "", "checking a token: it is not one of this program's")
	}
	t, err := a.opts.Store.TokenByHash(ctx, sha256.Sum256([]byte(secret)))
	if errors.Is(err, store.ErrNotFound) {
		err = fault.New(fault.Forbidden, "", "checking a token: it is not known here")
	}
	if err != nil {
		return store.Token{}, err
	}
	return t, a.inForce(t)
}

func (a *Accounts) inForce(t store.Token) error {
	if !t.Revoked.IsZero() || (!t.Expires.IsZero() && !a.now().Before(t.Expires)) {
		return fault.New(fault.Forbidden, "", "checking a token: it is no longer valid")
	}
	return nil
}

// Certificate lets the holder of a client certificate in over TAXII with the rights of a token.
type Certificate struct {
	SHA256 string `toml:"sha256"` // of the certificate in DER, hexadecimal
	Token  string `toml:"token"`  // a token's id
}

// CheckCertificates says what is wrong with a list of certificates.
func CheckCertificates(list []Certificate) error {
	for _, c := range list {
		raw, err := hex.DecodeString(c.SHA256)
		if err != nil || len(raw) != sha256.Size || !strings.HasPrefix(c.Token, "t-") {
			return fmt.Errorf("taxii_certificates: sha256 %q with token %q: give 64 hexadecimal digits and an id that 'mithaq token list' prints", c.SHA256, c.Token)
		}
	}
	return nil
}
