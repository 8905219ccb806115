package account

import (
	"slices"
	"strings"
)

// TAXIICaller is who makes a TAXII request: the owner of the node's socket, or a token.
type TAXIICaller struct {
	Owner  bool
	Token  string // id
	Party  string // the other party that the token was made for; empty: this node's own
	Scopes string // joined by spaces
}

// May says whether the caller has a scope, for all agreements or for this one.
func (c TAXIICaller) May(scope, agreement string) bool {
	return c.Owner || slices.ContainsFunc(strings.Fields(c.Scopes), func(s string) bool { return s == scope || s == scope+":"+agreement })
}

// Named says whether the caller has a scope for this agreement by name.
func (c TAXIICaller) Named(scope, agreement string) bool {
	return slices.Contains(strings.Fields(c.Scopes), scope+":"+agreement)
}
