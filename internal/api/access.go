package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

// caller is who stands behind a request: its scopes, all of them for the node's own socket; or the party whose node signed it.
type caller struct {
	scopes []string
	owner  bool
	party  string
	person *account.PersonView // who signed in to the screens; nil for a token or the socket
}

// may reports whether the caller has a scope. Who may read opened records may have them sealed as well.
func (c caller) may(scope string) bool {
	return c.owner || scope == "" || slices.Contains(c.scopes, scope) || scope == ScopeAudit && slices.Contains(c.scopes, ScopeRead)
}

type callerKey struct{}

// As gives a request to somebody who signed in: the handler of [New] then serves it with the person's scopes. Whoever
// calls it has checked the session.
func As(r *http.Request, p account.PersonView) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, caller{scopes: p.Scopes, person: &p}))
}

// identify finds the caller of a request. A token that is not known gives no scopes: what is public stays readable.
func (s *server) identify(r *http.Request) caller {
	if s.owner {
		return caller{owner: true}
	}
	if c := callerOf(r.Context()); c.person != nil {
		return c
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return s.identifyNode(r)
	}
	scopes, err := s.node.TokenScopes(r.Context(), token)
	if err != nil {
		return caller{}
	}
	return caller{scopes: scopes}
}

// identifyNode finds the party whose node signed a request that carries nothing. What carries something is read, within
// bounds, before it is verified.
func (s *server) identifyNode(r *http.Request) caller {
	if r.ContentLength != 0 {
		return caller{}
	}
	party, err := s.node.CallerOf(r, nil)
	if err != nil {
		s.logger.Debug("a signed request was treated as a stranger's", "from", r.RemoteAddr, "path", r.URL.Path, "error", err)
		return caller{}
	}
	return caller{party: party}
}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// viewer is on whose behalf the caller reads records: the owner at the node's socket, a machine of its party behind a token,
// or a stranger.
func viewer(ctx context.Context, n *node.Node) node.Viewer {
	c := callerOf(ctx)
	if c.owner {
		return n.Owner()
	}
	v := node.Viewer{Own: c.may(ScopeRead)}
	if c.person != nil {
		v.Person = c.person.Officer
	}
	return v
}

// carrier is on whose behalf the caller fetches logs and objects as they are served: the party whose node signed the request;
// behind a token of scope audit this party's own auditor, to whom nothing is opened.
func carrier(ctx context.Context, n *node.Node) node.Viewer {
	c := callerOf(ctx)
	if c.owner {
		return n.Owner()
	}
	return node.Viewer{Own: c.may(ScopeAudit), Party: c.party}
}

// Where an operation's metadata names the scope that a caller needs, and the roles of which a person must have one.
const (
	scopeKey = "scope"
	rolesKey = "roles"
)

// byRoles leaves an operation to people of certain roles. Tokens and the socket are held to its scope alone.
func byRoles(o huma.Operation, roles ...string) huma.Operation {
	o.Metadata[rolesKey] = roles
	return o
}

// actors are the roles that speak for the party under an agreement.
func actors(o huma.Operation) huma.Operation {
	return byRoles(o, account.RoleDiplomat, account.RoleDutyOfficer)
}

// requireScope refuses a caller without the operation's scope before the handler sees the request.
func requireScope(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		scope, _ := ctx.Operation().Metadata[scopeKey].(string)
		c := callerOf(ctx.Context())
		if c.may(scope) {
			if roles, ok := ctx.Operation().Metadata[rolesKey].([]string); ok && c.person != nil && !slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(c.person.Roles, r) }) {
				_ = huma.WriteErr(api, ctx, http.StatusForbidden, "this is for the roles "+strings.Join(roles, " and ")+": ask somebody who has one")
				return
			}
			next(ctx)
			return
		}
		status, msg := http.StatusUnauthorized, "no valid token: send 'Authorization: Bearer TOKEN' (make one with 'mithaq token create')"
		if len(c.scopes) > 0 {
			status, msg = http.StatusForbidden, "the token or role lacks the scope "+scope
		} else {
			ctx.SetHeader("WWW-Authenticate", "Bearer")
		}
		_ = huma.WriteErr(api, ctx, status, msg)
	}
}

// problem turns an error of the node into the status and words of an HTTP problem.
func problem(err error) error {
	if err == nil {
		return nil
	}
	code := fault.CodeOf(err)
	status, ok := map[fault.Code]int{
		fault.Invalid:     http.StatusUnprocessableEntity,
		fault.Forbidden:   http.StatusForbidden,
		fault.NotFound:    http.StatusNotFound,
		fault.Gone:        http.StatusGone,
		fault.Conflict:    http.StatusConflict,
		fault.NoLog:       http.StatusConflict,
		fault.Behind:      http.StatusConflict,
		fault.Busy:        http.StatusTooManyRequests,
		fault.Unavailable: http.StatusServiceUnavailable,
	}[code]
	if !ok {
		status = http.StatusInternalServerError
	}
	return &Problem{ErrorModel: huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: err.Error()}, Code: string(code)}
}

// Problem is an RFC 9457 problem with the code of [fault.Fault] beside it.
type Problem struct {
	huma.ErrorModel
	Code string `json:"code,omitempty" doc:"What the caller can do about it: invalid, forbidden, not-found, gone, conflict, no-log, behind, busy, unavailable"`
}
