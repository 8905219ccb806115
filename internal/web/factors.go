package web

import (
	"net/http"
	"time"

	"github.com/mithaq/mithaq/internal/account"
)

// freshFor is how long after signing in somebody may change how they sign in: who finds an open screen cannot make it
// theirs.
const freshFor = 10 * time.Minute

// mine lets the person who is signed in do something; fresh wants that they signed in lately.
func (s *Screens) mine(fresh bool, do func(http.ResponseWriter, *http.Request, account.PersonView)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, since, ok := s.signedIn(r)
		switch {
		case !ok:
			fail(w, http.StatusUnauthorized, "unauthorized", "nobody is signed in: sign in")
		case fresh && time.Since(since) > freshFor:
			fail(w, http.StatusUnauthorized, "stale", "changing how you sign in: sign in again first")
		default:
			do(w, r, p)
		}
	}
}

// factors lists what the person signs in with besides a password.
func (s *Screens) factors(w http.ResponseWriter, r *http.Request, p account.PersonView) {
	list, err := s.node.Factors(r.Context(), p.Name)
	if err != nil {
		s.refuse(w, err)
		return
	}
	answer(w, http.StatusOK, list)
}

func (s *Screens) removeFactor(w http.ResponseWriter, r *http.Request, p account.PersonView) {
	kind := r.PathValue("kind")
	if kind == account.FactorOIDC {
		fail(w, http.StatusForbidden, "forbidden", "the administrator binds people to the provider's names: ask there")
		return
	}
	if err := s.node.RemoveFactor(r.Context(), p.Name, kind, r.PathValue("id")); err != nil {
		s.refuse(w, err)
		return
	}
	s.options.Logger.Info("a way to sign in was removed", "person", p.Name, "kind", kind)
	s.factors(w, r, p)
}

// offerCodes makes a secret for a program that shows codes; addCodes takes it with a first code.
func (s *Screens) offerCodes(w http.ResponseWriter, _ *http.Request, p account.PersonView) {
	offer, err := s.node.OfferCodes(p.Name)
	if err != nil {
		s.refuse(w, err)
		return
	}
	answer(w, http.StatusOK, offer)
}

func (s *Screens) addCodes(w http.ResponseWriter, r *http.Request, p account.PersonView) {
	var in struct{ Secret, Code string }
	if !s.read(w, r, &in, "adding codes: send {\"secret\", \"code\"}") || !s.mayTry(w, r, p.Name) {
		return
	}
	if err := s.node.AddCodes(r.Context(), p.Name, in.Secret, in.Code); err != nil {
		s.refuse(w, err)
		return
	}
	s.options.Logger.Info("codes were added", "person", p.Name)
	s.factors(w, r, p)
}
