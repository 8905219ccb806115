package web

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
)

// maxCredentials bounds the body of a sign-in; a passkey's answer with its attestation is the longest.
const maxCredentials = 64 << 10

// signIn takes a name with a password, and a code where the person has codes.
func (s *Screens) signIn(w http.ResponseWriter, r *http.Request) {
	var in struct{ Name, Password, Code string }
	if !s.read(w, r, &in, "signing in: send {\"name\", \"password\"}") || !s.mayTry(w, r, in.Name) {
		return
	}
	p, err := s.node.SignIn(r.Context(), in.Name, in.Password, in.Code)
	s.admit(w, r, p, err)
}

// read decodes the body of a request, or answers that it cannot.
func (s *Screens) read(w http.ResponseWriter, r *http.Request, into any, otherwise string) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCredentials)).Decode(into); err != nil {
		fail(w, http.StatusBadRequest, "invalid", otherwise)
		return false
	}
	return true
}

// mayTry counts an attempt to sign in by its address and, where one is given, its name, or answers that there were too many.
func (s *Screens) mayTry(w http.ResponseWriter, r *http.Request, name string) bool {
	wait := s.limits.take(remoteHost(r), name)
	if wait > 0 {
		w.Header().Set("Retry-After", wholeSeconds(wait))
		fail(w, http.StatusTooManyRequests, "too-many", "signing in: too many attempts: wait "+wholeSeconds(wait)+" seconds")
	}
	return wait == 0
}

func remoteHost(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr) // a listener's own address: it parses
	return host
}

// admit begins a session for whoever has shown who they are, or says why not.
func (s *Screens) admit(w http.ResponseWriter, r *http.Request, p account.PersonView, err error) {
	switch code := fault.CodeOf(err); {
	case code == fault.Forbidden || code == fault.Second:
		s.options.Logger.Info("sign-in refused", "from", remoteHost(r), "why", code)
		fail(w, http.StatusForbidden, string(code), err.Error())
	case err != nil:
		s.options.Logger.Error("signing in", "error", err)
		fail(w, http.StatusServiceUnavailable, "unavailable", "signing in: the node could not check it: try again")
	default:
		s.begin(w, r, p, func() { s.who(w, r) })
	}
}

// refuse answers with an error of the node's.
func (s *Screens) refuse(w http.ResponseWriter, err error) {
	status := map[fault.Code]int{fault.Invalid: http.StatusUnprocessableEntity, fault.Forbidden: http.StatusForbidden, fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict}[fault.CodeOf(err)]
	if status == 0 {
		s.options.Logger.Error("changing how a person signs in", "error", err)
		fail(w, http.StatusServiceUnavailable, "unavailable", "the node could not do it now: try again")
		return
	}
	fail(w, status, string(fault.CodeOf(err)), err.Error())
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Hostname()
}
