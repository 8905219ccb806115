package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/mithaq/mithaq/internal/node"
)

const atProvider = "oidc"

// providerTimeout bounds one request to the provider.
const providerTimeout = 10 * time.Second

// providers holds the party's OpenID provider once it has answered.
type providers struct {
	mu    sync.Mutex
	found *oidc.Provider
}

// oidcAttempt is what the provider's answer is held against.
type oidcAttempt struct {
	State, Nonce, Verifier string
}

func (s *Screens) providerContext(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, &http.Client{Timeout: providerTimeout})
}

// provider asks the issuer of the configuration who it is, until it has answered once.
func (s *Screens) provider(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	o := s.node.Config().OIDC
	s.openID.mu.Lock()
	defer s.openID.mu.Unlock()
	if s.openID.found == nil {
		found, err := oidc.NewProvider(s.providerContext(context.WithoutCancel(ctx)), o.Issuer)
		if err != nil {
			return nil, nil, err
		}
		s.openID.found = found
	}
	secret := ""
	if o.SecretFile != "" {
		text, err := os.ReadFile(node.Within(s.node.Dir(), o.SecretFile)) // #nosec G304 -- the operator names the file
		if err != nil {
			return nil, nil, fmt.Errorf("reading the client's secret: %w", err)
		}
		secret = strings.TrimSpace(string(text))
	}
	scopes := []string{oidc.ScopeOpenID}
	if o.Claim == node.ClaimEmail {
		scopes = append(scopes, "email")
	}
	return s.openID.found, &oauth2.Config{ClientID: o.Client, ClientSecret: secret, Endpoint: s.openID.found.Endpoint(), RedirectURL: s.node.Config().BaseURL() + "/session/oidc/return", Scopes: scopes}, nil
}

// toProvider sends somebody who wants to sign in to the provider.
func (s *Screens) toProvider(w http.ResponseWriter, r *http.Request) {
	if s.node.Config().OIDC.Issuer == "" {
		fail(w, http.StatusNotFound, "not-found", "this node knows no OpenID provider: 'oidc' in mithaq.toml names one")
		return
	}
	if !s.mayTry(w, r, "") {
		return
	}
	_, client, err := s.provider(r.Context())
	attempt := oidcAttempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
	if err == nil {
		err = s.remember(w, r, atProvider, attempt)
	}
	if err != nil {
		s.options.Logger.Error("asking the OpenID provider", "error", err)
		fail(w, http.StatusServiceUnavailable, "unavailable", "signing in: the OpenID provider does not answer: try again, or sign in with the password")
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, client.AuthCodeURL(attempt.State, oidc.Nonce(attempt.Nonce), oauth2.S256ChallengeOption(attempt.Verifier)), http.StatusSeeOther)
}

// fromProvider takes the provider's answer.
func (s *Screens) fromProvider(w http.ResponseWriter, r *http.Request) {
	var attempt oidcAttempt
	if err := s.recall(w, r, atProvider, &attempt); err != nil {
		s.turnAway(w, r, err)
		return
	}
	subject, err := s.vouchedFor(r, attempt)
	if err != nil {
		s.turnAway(w, r, err)
		return
	}
	p, err := s.node.SignInSubject(r.Context(), subject)
	if err != nil {
		s.turnAway(w, r, err)
		return
	}
	s.begin(w, r, p, func() { http.Redirect(w, r, "/", http.StatusSeeOther) })
}

// turnAway sends somebody back to the sign-in. The log says why; the screen that it did not work.
func (s *Screens) turnAway(w http.ResponseWriter, r *http.Request, err error) {
	s.options.Logger.Warn("sign-in by the OpenID provider refused", "from", remoteHost(r), "error", err)
	http.Redirect(w, r, "/sign-in?refused=openid", http.StatusSeeOther)
}

// vouchedFor is the name that the provider gives whoever sent the request.
func (s *Screens) vouchedFor(r *http.Request, attempt oidcAttempt) (string, error) {
	query := r.URL.Query()
	if code := query.Get("error"); code != "" {
		return "", fmt.Errorf("the provider answered %q", code)
	}
	if query.Get("state") != attempt.State {
		return "", errNoAttempt
	}
	provider, client, err := s.provider(r.Context())
	if err != nil {
		return "", err
	}
	ctx := s.providerContext(r.Context())
	tokens, err := client.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(attempt.Verifier))
	if err != nil {
		return "", err
	}
	raw, _ := tokens.Extra("id_token").(string)
	token, err := provider.Verifier(&oidc.Config{ClientID: client.ClientID}).Verify(ctx, raw)
	if err != nil {
		return "", err
	}
	if token.Nonce != attempt.Nonce {
		return "", errNoAttempt
	}
	if s.node.Config().OIDC.Claim != node.ClaimEmail {
		return token.Subject, nil
	}
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := token.Claims(&claims); err != nil {
		return "", err
	}
	if claims.Email == "" || !claims.Verified {
		return "", fmt.Errorf("the provider has not verified an e-mail address of %q", token.Subject)
	}
	return strings.ToLower(claims.Email), nil
}
