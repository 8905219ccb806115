package api

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/taxii"
)

// taxiiPrefix is where TAXII 2.1, section 4.1, puts discovery.
const taxiiPrefix = "/taxii2/"

// newTAXII is the node as a TAXII 2.1 server. The prefix without its slash belongs to it too: clients ask for both.
func (s *server) newTAXII() (http.Handler, error) {
	key, err := s.node.TAXIICursorKey()
	if err != nil {
		return nil, err
	}
	party := s.node.Party()
	title := party.Names["en"]
	if title == "" {
		title = party.ID
	}
	rate := s.node.Config().TAXIIRate
	return taxii.NewServer(taxii.Options{
		Backend:      s.node.TAXII(),
		Authenticate: s.authenticateTAXII,
		Challenges:   []string{`Basic realm="TAXII", charset="UTF-8"`, `Bearer realm="TAXII"`},
		Prefix:       taxiiPrefix,
		Title:        title,
		Description:  "Threat intelligence under the agreements of " + title + ". The password is a token, whatever the user's name; a bearer token does as well.",
		MaxUnlisted:  node.MaxUnlisted,
		Rate:         taxii.Rate{PerSecond: float64(rate), Burst: 2 * rate, Key: taxiiBucket},
		CursorKey:    key,
		Logger:       s.logger,
	})
}

// taxiiBucket counts the requests of a token together.
func taxiiBucket(c taxii.Caller) string {
	who, ok := c.(account.TAXIICaller)
	if !ok || who.Owner {
		return "owner"
	}
	return who.Token
}

// authenticateTAXII lets in the owner at the node's socket, and whoever brings a token (as a bearer token, or as the password
// of Basic), a certificate that the configuration names, or the signature of another party's node.
func (s *server) authenticateTAXII(r *http.Request) (taxii.Caller, error) {
	if s.owner {
		return account.TAXIICaller{Owner: true}, nil
	}
	var who account.TAXIICaller
	var err error
	scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	_, password, basic := r.BasicAuth()
	switch {
	case basic:
		who, err = s.node.TokenForTAXII(r.Context(), password)
	case strings.EqualFold(scheme, "Bearer"):
		who, err = s.node.TokenForTAXII(r.Context(), strings.TrimSpace(bearer))
	case r.TLS != nil && len(r.TLS.PeerCertificates) > 0:
		who, err = s.node.CertificateForTAXII(r.Context(), r.TLS.PeerCertificates[0].Raw)
	default:
		party := callerOf(r.Context()).party // whose node signed the request
		if party == "" {
			return nil, taxii.ErrUnauthenticated
		}
		return account.TAXIICaller{Token: party, Party: party, Scopes: account.ScopeRead}, nil
	}
	if fault.CodeOf(err) == fault.Forbidden {
		return nil, taxii.ErrUnauthenticated
	}
	return who, err
}

// mountTAXII adds the TAXII server to the node's routes; where it cannot start, its routes say that it is not there.
func (s *server) mountTAXII(mux *http.ServeMux) {
	h, err := s.newTAXII()
	if err != nil {
		s.logger.Error("TAXII is not served", slog.Any("error", err))
		h = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			writeProblem(w, http.StatusServiceUnavailable, "TAXII is not served here: see the node's log")
		})
	}
	mux.Handle(taxiiPrefix, h)
}
