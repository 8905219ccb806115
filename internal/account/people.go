package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// Roles of people who sign in to the screens.
const (
	RoleDutyOfficer   = "duty-officer"  // reads, publishes, acts: whoever is on watch
	RoleAnalyst       = "analyst"       // reads and shares threat information
	RolePublisher     = "publisher"     // reads, publishes, recalls
	RoleDiplomat      = "diplomat"      // reads, reports, acts on agreements
	RoleAuditor       = "auditor"       // reads, changes nothing
	RoleAdministrator = "administrator" // people, tokens, keys; publishes nothing
)

// roleScopes is what each role may do.
func roleScopes(role string) []string {
	switch role {
	case RoleDutyOfficer, RoleAnalyst, RolePublisher, RoleDiplomat:
		return []string{ScopeAudit, ScopeRead, ScopePublish}
	case RoleAuditor:
		return []string{ScopeAudit, ScopeRead}
	case RoleAdministrator:
		return []string{ScopeAudit, ScopeRead, ScopeAdmin}
	}
	return nil
}

// Roles lists every role.
func Roles() []string {
	return []string{RoleDutyOfficer, RoleAnalyst, RolePublisher, RoleDiplomat, RoleAuditor, RoleAdministrator}
}

// PersonRequest adds a person, or changes one.
type PersonRequest struct {
	Name       string   `json:"name" minLength:"1" maxLength:"64" doc:"What the person types to sign in"`
	Shown      string   `json:"shown,omitempty" maxLength:"200" doc:"The name that others see; absent: the name"`
	Roles      []string `json:"roles" minItems:"1" doc:"duty-officer, analyst, publisher, diplomat, auditor, administrator"`
	Officer    string   `json:"officer,omitempty" doc:"Key id under which the person signs; absent: the first whose key is here"`
	Password   string   `json:"password,omitempty" maxLength:"1024" doc:"12 bytes at least; absent: the node makes one and tells it once"`
	NoPassword bool     `json:"no_password,omitempty" doc:"The person signs in elsewhere (OpenID Connect) and has no password here"`
}

// PersonView is a person without the password.
type PersonView struct {
	Name    string     `json:"name"`
	Shown   string     `json:"shown"`
	Roles   []string   `json:"roles"`
	Scopes  []string   `json:"scopes" doc:"What the roles allow"`
	Officer string     `json:"officer,omitempty" doc:"Key id under which the person signs"`
	Created time.Time  `json:"created"`
	Ended   *time.Time `json:"ended,omitempty" doc:"Since when the person may no longer sign in"`
	// Stamp changes with the password and ends the sessions that were begun with the one before.
	Stamp string `json:"-"`
}

// NewPerson is a person with the password that the node made.
type NewPerson struct {
	PersonView
	Password string `json:"password,omitempty" doc:"Told this once, where the node made it"`
}

// personName is what a person can be called at sign-in.
var personName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])?$`)

// PutPerson adds a person, or gives the one of that name new roles and a new password.
func (a *Accounts) PutPerson(ctx context.Context, r PersonRequest) (NewPerson, error) {
	if !personName.MatchString(r.Name) {
		return NewPerson{}, fault.New(fault.Invalid, "use up to 64 of a–z, 0–9, and . _ @ - inside", "adding a person: %s is no name to sign in by", fault.Clip(r.Name))
	}
	if len(r.Roles) == 0 {
		return NewPerson{}, fault.New(fault.Invalid, "give at least one of "+strings.Join(Roles(), ", "), "adding %s: no role is given", r.Name)
	}
	for _, role := range r.Roles {
		if roleScopes(role) == nil {
			return NewPerson{}, fault.New(fault.Invalid, "use "+strings.Join(Roles(), ", "), "adding %s: there is no role %s", r.Name, fault.Clip(role))
		}
	}
	if r.Officer != "" && !record.IsID(r.Officer, record.PrefixKey) {
		return NewPerson{}, fault.New(fault.Invalid, "see 'mithaq key list'", "adding %s: %s is not a key id", r.Name, fault.Clip(r.Officer))
	}
	if r.Shown == "" {
		r.Shown = r.Name
	}
	if !utf8.ValidString(r.Shown) || len(r.Shown) > 400 {
		return NewPerson{}, fault.New(fault.Invalid, "shorten it", "adding %s: the name that others see is longer than 400 bytes", r.Name)
	}
	if r.NoPassword && r.Password != "" {
		return NewPerson{}, fault.New(fault.Invalid, "leave one of them out", "adding %s: a password and none are asked for", r.Name)
	}
	var out NewPerson
	if r.Password == "" && !r.NoPassword {
		var raw [15]byte
		if _, err := io.ReadFull(a.opts.Rand, raw[:]); err != nil {
			return NewPerson{}, fmt.Errorf("making a password: %w", err)
		}
		r.Password = record.Base32.EncodeToString(raw[:])
		out.Password = r.Password
	}
	secret := ""
	if !r.NoPassword {
		var err error
		if secret, err = a.newSecret(ctx, r.Password); err != nil {
			return NewPerson{}, err
		}
	}
	roles := slices.Clone(r.Roles)
	slices.Sort(roles)
	p := store.Person{Name: r.Name, Shown: r.Shown, Secret: secret, Roles: slices.Compact(roles), Officer: r.Officer, Created: a.now().Truncate(time.Microsecond)}
	if before, err := a.opts.Store.Person(ctx, r.Name); err == nil {
		p.Created = before.Created
	}
	if err := a.opts.Store.PutPerson(ctx, p); err != nil {
		return NewPerson{}, fault.OfStore(err)
	}
	out.PersonView = viewPerson(p)
	return out, nil
}

func (a *Accounts) newSecret(ctx context.Context, password string) (string, error) {
	if len(password) < minPassword || len(password) > maxPassword {
		return "", fault.New(fault.Invalid, "take a few words", "setting a password: it must have %d to %d bytes", minPassword, maxPassword)
	}
	return a.passwords.hash(ctx, password)
}

// People lists everybody who can sign in, or could.
func (a *Accounts) People(ctx context.Context) ([]PersonView, error) {
	people, err := a.opts.Store.People(ctx)
	out := make([]PersonView, 0, len(people))
	for _, p := range people {
		out = append(out, viewPerson(p))
	}
	return out, fault.OfStore(err)
}

// EndPerson keeps a person from signing in and ends the sessions there are.
func (a *Accounts) EndPerson(ctx context.Context, name string) error {
	p, err := a.opts.Store.Person(ctx, name)
	if errors.Is(err, store.ErrNotFound) || err == nil && !p.Ended.IsZero() {
		return fault.New(fault.NotFound, "see 'mithaq user list'", "ending a person's access: nobody named %s may sign in", fault.Clip(name))
	}
	if err != nil {
		return err
	}
	p.Ended = a.now()
	return fault.OfStore(a.opts.Store.PutPerson(ctx, p))
}

// Person returns somebody who may sign in.
func (a *Accounts) Person(ctx context.Context, name string) (PersonView, error) {
	p, err := a.opts.Store.Person(ctx, name)
	if errors.Is(err, store.ErrNotFound) || err == nil && !p.Ended.IsZero() {
		return PersonView{}, fault.New(fault.NotFound, "", "looking a person up: nobody of this name may sign in")
	}
	return viewPerson(p), err
}

// SignIn checks a person's password, and a code where the person has codes: fault.Second says that it is missing. Whether the
// name or the password is wrong is not told, nor shown by the time it takes.
func (a *Accounts) SignIn(ctx context.Context, name, password, code string) (PersonView, error) {
	p, err := a.opts.Store.Person(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return PersonView{}, err
	}
	if len(password) > maxPassword {
		password = ""
	}
	ok, err := a.passwords.matches(ctx, password, p.Secret)
	if err != nil {
		return PersonView{}, err
	}
	if !ok || !p.Ended.IsZero() {
		return PersonView{}, fault.New(fault.Forbidden, "try again", "signing in: the name or the password is wrong")
	}
	return viewPerson(p), a.checkCode(ctx, p.Name, code)
}

func viewPerson(p store.Person) PersonView {
	v := PersonView{Name: p.Name, Shown: p.Shown, Roles: p.Roles, Officer: p.Officer, Created: p.Created, Ended: optional(p.Ended)}
	for _, role := range p.Roles {
		for _, scope := range roleScopes(role) {
			if !slices.Contains(v.Scopes, scope) {
				v.Scopes = append(v.Scopes, scope)
			}
		}
	}
	stamp := sha256.Sum256([]byte(p.Secret))
	v.Stamp = hex.EncodeToString(stamp[:8])
	return v
}

// Session returns the data of a session by the hash of its token; found is false when it has ended.
func (a *Accounts) Session(ctx context.Context, hash string) (data []byte, found bool, err error) {
	data, err = a.opts.Store.Session(ctx, hash, a.now())
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// PutSession keeps a session's data until it expires.
func (a *Accounts) PutSession(ctx context.Context, hash string, data []byte, expires time.Time) error {
	return fault.OfStore(a.opts.Store.PutSession(ctx, hash, data, expires, a.now()))
}

// EndSession forgets a session.
func (a *Accounts) EndSession(ctx context.Context, hash string) error {
	return fault.OfStore(a.opts.Store.EndSession(ctx, hash))
}
