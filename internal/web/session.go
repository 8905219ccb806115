package web

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/node"
)

// sessionLife is how long somebody stays signed in: a working day with its overtime.
const sessionLife = 12 * time.Hour

// Keys of what a session holds.
const (
	nameKey  = "name"
	stampKey = "stamp"
	begunKey = "begun" // Unix seconds
)

// newSessions keeps sessions in the node's local store. Their cookie is named for the party, because cookies do not tell
// two nodes on one host apart by their ports.
func newSessions(n *node.Node) *scs.SessionManager {
	// Not by scs.New, which begins a goroutine for a store in memory that is not used.
	return &scs.SessionManager{
		Store: sessionRows{n}, Codec: scs.GobCodec{}, Lifetime: sessionLife, HashTokenInStore: true,
		Cookie: scs.SessionCookie{
			Name: "mithaq-" + strings.TrimPrefix(n.Party().ID, "p-")[:12], Path: "/", Persist: true, HttpOnly: true,
			SameSite: http.SameSiteLaxMode, // a link to a record in a mail must find its reader signed in
			Secure:   n.Config().TLSCert != "" || strings.HasPrefix(n.Config().PublicURL, "https://"),
		},
	}
}

// sessionRows is the node's store as scs wants it.
type sessionRows struct{ node *node.Node }

func (s sessionRows) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	return s.node.Session(ctx, token)
}

func (s sessionRows) CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error {
	return s.node.PutSession(ctx, token, data, expires)
}

func (s sessionRows) DeleteCtx(ctx context.Context, token string) error {
	return s.node.EndSession(ctx, token)
}

func (s sessionRows) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

func (s sessionRows) Commit(token string, data []byte, expires time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expires)
}

func (s sessionRows) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// person finds who is signed in: a session that has not ended, of somebody who may still sign in and has the same password.
func (s *Screens) person(r *http.Request) (account.PersonView, bool) {
	p, _, ok := s.signedIn(r)
	return p, ok
}

// signedIn finds who is signed in, and since when.
func (s *Screens) signedIn(r *http.Request) (p account.PersonView, since time.Time, ok bool) {
	cookie, err := r.Cookie(s.sessions.Cookie.Name)
	if err != nil || len(cookie.Value) > 200 {
		return p, since, false
	}
	ctx, err := s.sessions.Load(r.Context(), cookie.Value)
	if err != nil {
		s.options.Logger.Warn("reading a session", "error", err)
		return p, since, false
	}
	name := s.sessions.GetString(ctx, nameKey)
	if name == "" {
		return p, since, false
	}
	p, err = s.node.Person(r.Context(), name)
	if err != nil || subtle.ConstantTimeCompare([]byte(p.Stamp), []byte(s.sessions.GetString(ctx, stampKey))) != 1 {
		return account.PersonView{}, since, false
	}
	return p, time.Unix(s.sessions.GetInt64(ctx, begunKey), 0), true
}

// Whoami is what the screens know of who looks at them before anything else.
type Whoami struct {
	Person *account.PersonView `json:"person,omitempty"`
	Party  *node.PartyView     `json:"party,omitempty"`
	Doors  []Door              `json:"doors,omitempty"`
	Demo   bool                `json:"demo,omitempty"`
	// OpenID is the name of the party's own way to sign in; empty: there is none.
	OpenID string `json:"openid,omitempty"`
}

func (s *Screens) who(w http.ResponseWriter, r *http.Request) {
	var v Whoami
	if s.options.Doors != nil {
		v.Demo, v.Doors = true, s.options.Doors()
	}
	if o := s.node.Config().OIDC; o.Issuer != "" {
		if v.OpenID = o.Name; v.OpenID == "" {
			v.OpenID = hostOf(o.Issuer)
		}
	}
	if p, ok := s.person(r); ok {
		party := s.node.Party()
		v.Person, v.Party = &p, &party
	}
	answer(w, http.StatusOK, v)
}

// begin opens a session under a new token, whatever cookie came with the request, and then answers.
func (s *Screens) begin(w http.ResponseWriter, r *http.Request, p account.PersonView, then func()) {
	ctx, err := s.sessions.Load(r.Context(), "")
	if err == nil {
		s.sessions.Put(ctx, nameKey, p.Name)
		s.sessions.Put(ctx, stampKey, p.Stamp)
		s.sessions.Put(ctx, begunKey, time.Now().Unix())
		var token string
		var expires time.Time
		if token, expires, err = s.sessions.Commit(ctx); err == nil {
			s.sessions.WriteSessionCookie(ctx, w, token, expires)
			r.Header.Set("Cookie", s.sessions.Cookie.Name+"="+token)
			s.options.Logger.Info("signed in", "person", p.Name)
			then()
			return
		}
	}
	s.options.Logger.Error("beginning a session", "error", err)
	fail(w, http.StatusServiceUnavailable, "unavailable", "signing in: the node could not keep the session: try again")
}

func (s *Screens) signOut(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(s.sessions.Cookie.Name); err == nil {
		ctx, err := s.sessions.Load(r.Context(), cookie.Value)
		if err == nil {
			err = s.sessions.Destroy(ctx)
		}
		if err != nil {
			s.options.Logger.Error("ending a session", "error", err)
			fail(w, http.StatusServiceUnavailable, "unavailable", "signing out: the node could not forget the session: try again")
			return
		}
		s.sessions.WriteSessionCookie(ctx, w, "", time.Time{})
	}
	w.WriteHeader(http.StatusNoContent)
}

// doorPerson is who comes in by a door of the demonstration.
const doorPerson = "visitor"

// enter is the door of the demonstration: whoever has its key is signed in with every role that a newcomer needs.
func (s *Screens) enter(w http.ResponseWriter, r *http.Request) {
	if s.options.Key == "" || subtle.ConstantTimeCompare([]byte(r.PathValue("key")), []byte(s.options.Key)) != 1 {
		fail(w, http.StatusNotFound, "not-found", "there is no such door: open the address that 'mithaq demo' printed")
		return
	}
	p, err := s.node.Person(r.Context(), doorPerson)
	if err != nil {
		var made account.NewPerson
		made, err = s.node.PutPerson(r.Context(), account.PersonRequest{Name: doorPerson, Roles: account.Roles()})
		p = made.PersonView
	}
	if err != nil {
		s.options.Logger.Error("opening the door", "error", err)
		fail(w, http.StatusServiceUnavailable, "unavailable", "signing in: the node could not open its door: try again")
		return
	}
	s.begin(w, r, p, func() { http.Redirect(w, r, "/", http.StatusSeeOther) })
}

// answer writes JSON that nobody else may keep.
func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the node's own fault", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller has gone: nothing is left to do
}

// fail writes an RFC 9457 problem as the API does.
func fail(w http.ResponseWriter, status int, code, detail string) {
	body, err := json.Marshal(map[string]any{"status": status, "title": http.StatusText(status), "detail": detail, "code": code})
	if err != nil {
		http.Error(w, detail, status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller has gone: nothing is left to do
}
