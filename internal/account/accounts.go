package account

import (
	"io"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/store"
)

// Options is what accounts are of.
type Options struct {
	Store *store.DB
	Rand  io.Reader
	Now   func() time.Time
	// Party gives the id and the names, by language, of the party whose node it is.
	Party func() (id string, names map[string]string)
	// Emails says that the OpenID provider names people by their e-mail addresses, which are the same in any case.
	Emails bool
	// Certificates are the client certificates that stand for tokens over TAXII.
	Certificates []Certificate
}

// Accounts is everybody and everything that may use a node. It is safe for concurrent use.
type Accounts struct {
	opts      Options
	passwords *passwords
}

// New makes the accounts that a store holds.
func New(opts Options) *Accounts {
	return &Accounts{opts: opts, passwords: newPasswords(opts.Rand)}
}

// issuer is what a program that shows codes calls the node. Such programs split at colons.
func (a *Accounts) issuer() string {
	_, names := a.opts.Party()
	name := names["en"]
	for _, other := range names {
		if name == "" {
			name = other
		}
	}
	return strings.ReplaceAll(exchange.Clip(name), ":", " ")
}

func (a *Accounts) now() time.Time { return a.opts.Now() }

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
