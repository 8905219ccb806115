package taxii

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
)

// Authenticate tells who makes a request. ErrUnauthenticated (or an error that wraps it) becomes a 401 with the
// challenges of Options; any other error a 500. What it returns goes to the backend as it is.
type Authenticate func(r *http.Request) (Caller, error)

// Basic authenticates by user name and password (RFC 7617), which section 8.5 has every server support. check answers
// ErrUnauthenticated for a pair it does not know, and takes as long for an unknown name as for a wrong password.
func Basic(check func(ctx context.Context, user, password string) (Caller, error)) Authenticate {
	return func(r *http.Request) (Caller, error) {
		user, password, ok := r.BasicAuth()
		if !ok {
			return nil, ErrUnauthenticated
		}
		return check(r.Context(), user, password)
	}
}

// Bearer authenticates by a bearer token (RFC 6750) in the Authorization header.
func Bearer(check func(ctx context.Context, token string) (Caller, error)) Authenticate {
	return func(r *http.Request) (Caller, error) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		token = strings.TrimSpace(token)
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			return nil, ErrUnauthenticated
		}
		return check(r.Context(), token)
	}
}

// Certificate authenticates by the client's certificate. Only a chain that the TLS server has verified counts
// (tls.Config.ClientAuth of VerifyClientCertIfGiven or more).
func Certificate(check func(ctx context.Context, leaf *x509.Certificate) (Caller, error)) Authenticate {
	return func(r *http.Request) (Caller, error) {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || len(r.TLS.VerifiedChains[0]) == 0 {
			return nil, ErrUnauthenticated
		}
		return check(r.Context(), r.TLS.VerifiedChains[0][0])
	}
}

// FirstOf tries ways to authenticate in turn and takes the first that does not answer ErrUnauthenticated.
func FirstOf(ways ...Authenticate) Authenticate {
	return func(r *http.Request) (Caller, error) {
		for _, way := range ways {
			caller, err := way(r)
			if !errors.Is(err, ErrUnauthenticated) {
				return caller, err
			}
		}
		return nil, ErrUnauthenticated
	}
}
