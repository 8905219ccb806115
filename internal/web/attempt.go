package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// attemptLife is how long somebody may take between the two halves of a sign-in that has two: to touch a key, to type a
// password at the provider.
const attemptLife = 10 * time.Minute

var errNoAttempt = errors.New("it was not begun in this browser, or too long ago: begin again")

// remember keeps what the second half of a sign-in has to be held against, under a token that only this browser has. It
// lies in the node's store, so that another replica can go on with it.
func (s *Screens) remember(w http.ResponseWriter, r *http.Request, purpose string, data any) error {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return err
	}
	token := base64.RawURLEncoding.EncodeToString(raw)
	body, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if err := s.node.PutSession(r.Context(), attemptID(purpose, token), body, time.Now().Add(attemptLife)); err != nil {
		return err
	}
	http.SetCookie(w, s.attemptCookie(purpose, token, int(attemptLife/time.Second)))
	return nil
}

// recall gives back what was remembered, once.
func (s *Screens) recall(w http.ResponseWriter, r *http.Request, purpose string, into any) error {
	cookie, err := r.Cookie(s.attemptCookie(purpose, "", 0).Name)
	if err != nil || len(cookie.Value) > 100 {
		return errNoAttempt
	}
	http.SetCookie(w, s.attemptCookie(purpose, "", -1))
	id := attemptID(purpose, cookie.Value)
	body, found, err := s.node.Session(r.Context(), id)
	if err != nil || !found {
		return errors.Join(errNoAttempt, err)
	}
	if err := s.node.EndSession(context.WithoutCancel(r.Context()), id); err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

func attemptID(purpose, token string) string {
	sum := sha256.Sum256([]byte(token))
	return purpose + "-" + hex.EncodeToString(sum[:])
}

func (s *Screens) attemptCookie(purpose, value string, age int) *http.Cookie {
	// Lax, because the provider's answer comes as a link from another site.
	return &http.Cookie{Name: s.sessions.Cookie.Name + "-" + purpose, // #nosec G124 -- Secure wherever the node speaks https, as the session itself
		Value: value, Path: "/session", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.sessions.Cookie.Secure}
}
