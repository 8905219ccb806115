package web

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
)

// What an attempt is about.
const (
	addingPasskey = "key"
	usingPasskey  = "pass"
)

// holder is a person as the library wants one.
type holder struct {
	person      account.PersonView
	credentials []webauthn.Credential
}

// WebAuthnID is the handle under which a key finds its person: the same for all keys of one, and no name.
func (h holder) WebAuthnID() []byte {
	sum := sha256.Sum256([]byte("mithaq passkey\x00" + h.person.Name))
	return sum[:]
}
func (h holder) WebAuthnName() string                       { return h.person.Name }
func (h holder) WebAuthnDisplayName() string                { return h.person.Shown }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// relying is this node as the browser sees it: keys are bound to its host name. An address of the configuration goes
// before the one that the browser asked for.
func (s *Screens) relying(r *http.Request) (*webauthn.WebAuthn, error) {
	origin := s.node.Config().PublicURL
	if origin == "" {
		origin = "http://" + r.Host
		if r.TLS != nil {
			origin = "https://" + r.Host
		}
	}
	u, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	return webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: "mithaq", RPOrigins: []string{u.Scheme + "://" + u.Host}})
}

func (s *Screens) holder(r *http.Request, p account.PersonView) (holder, error) {
	kept, err := s.node.Passkeys(r.Context(), p.Name)
	h := holder{person: p, credentials: make([]webauthn.Credential, len(kept))}
	for i, text := range kept {
		err = errors.Join(err, json.Unmarshal(text, &h.credentials[i]))
	}
	return h, err
}

// offerPasskey begins to add a key of the person who is signed in.
func (s *Screens) offerPasskey(w http.ResponseWriter, r *http.Request, p account.PersonView) {
	rp, err := s.relying(r)
	var h holder
	if err == nil {
		h, err = s.holder(r, p)
	}
	if err != nil {
		s.refuse(w, err)
		return
	}
	exclude := make([]protocol.CredentialDescriptor, len(h.credentials))
	for i, c := range h.credentials {
		exclude[i] = c.Descriptor()
	}
	options, attempt, err := rp.BeginRegistration(h, webauthn.WithExclusions(exclude), webauthn.WithConveyancePreference(protocol.PreferNoAttestation),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired}))
	if err == nil {
		err = s.remember(w, r, addingPasskey, attempt)
	}
	if err != nil {
		s.refuse(w, err)
		return
	}
	answer(w, http.StatusOK, options)
}

// addPasskey ends to add a key.
func (s *Screens) addPasskey(w http.ResponseWriter, r *http.Request, p account.PersonView) {
	var attempt webauthn.SessionData
	if err := s.recall(w, r, addingPasskey, &attempt); err != nil {
		fail(w, http.StatusForbidden, "forbidden", "adding a passkey: "+err.Error())
		return
	}
	rp, err := s.relying(r)
	var h holder
	if err == nil {
		h, err = s.holder(r, p)
	}
	if err != nil {
		s.refuse(w, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxCredentials)
	made, err := rp.FinishRegistration(h, attempt, r)
	if err != nil {
		s.options.Logger.Info("a passkey was refused", "person", p.Name, "error", err)
		fail(w, http.StatusForbidden, "forbidden", "adding a passkey: what the browser sent does not prove it: begin again")
		return
	}
	if err := s.node.AddPasskey(r.Context(), p.Name, base64.RawURLEncoding.EncodeToString(made.ID), r.URL.Query().Get("label"), made); err != nil {
		s.refuse(w, err)
		return
	}
	s.options.Logger.Info("a passkey was added", "person", p.Name)
	s.factors(w, r, p)
}

// askPasskey begins to sign somebody in by whichever key they have.
func (s *Screens) askPasskey(w http.ResponseWriter, r *http.Request) {
	if !s.mayTry(w, r, "") {
		return
	}
	rp, err := s.relying(r)
	if err == nil {
		var options *protocol.CredentialAssertion
		var attempt *webauthn.SessionData
		if options, attempt, err = rp.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired)); err == nil {
			err = s.remember(w, r, usingPasskey, attempt)
		}
		if err == nil {
			answer(w, http.StatusOK, options)
			return
		}
	}
	s.refuse(w, err)
}

// usePasskey signs somebody in by a key.
func (s *Screens) usePasskey(w http.ResponseWriter, r *http.Request) {
	var attempt webauthn.SessionData
	if err := s.recall(w, r, usingPasskey, &attempt); err != nil {
		fail(w, http.StatusForbidden, "forbidden", "signing in: "+err.Error())
		return
	}
	rp, err := s.relying(r)
	if err != nil {
		s.refuse(w, err)
		return
	}
	var found account.Passkey
	var refused error
	who := func(id, handle []byte) (webauthn.User, error) {
		var err error
		if found, err = s.node.PasskeyByID(r.Context(), base64.RawURLEncoding.EncodeToString(id)); err != nil {
			refused = err
			return nil, err
		}
		h, err := s.holder(r, found.Person)
		if err == nil && string(h.WebAuthnID()) != string(handle) {
			err = errors.New("the key is another person's")
		}
		return h, err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxCredentials)
	_, credential, err := rp.FinishPasskeyLogin(who, attempt, r)
	switch {
	case refused != nil:
		err = refused
	case err != nil || credential.Authenticator.CloneWarning:
		s.options.Logger.Info("a passkey was refused", "from", remoteHost(r), "error", err)
		err = &fault.Fault{Code: fault.Forbidden, What: "signing in: what the browser sent does not prove the passkey", Remedy: "begin again"}
	default:
		err = s.node.UsePasskey(r.Context(), found, credential)
	}
	s.admit(w, r, found.Person, err)
}
