package fetch_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/fetch"
)

// Whoever cannot be trusted is told apart by what is wrong, as net/http gives it and as this package does.
func TestDistrustSaysWhatIsWrong(t *testing.T) {
	known := httptest.NewTLSServer(http.NotFoundHandler())
	defer known.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	pool := x509.NewCertPool()
	pool.AddCert(known.Certificate())
	for what, c := range map[string]struct {
		url    string
		config *tls.Config
		want   string
	}{
		"nobody's":     {known.URL, &tls.Config{}, "authority"},
		"another name": {known.URL, &tls.Config{RootCAs: pool, ServerName: "node.example.net"}, "another name"},
		"expired":      {known.URL, &tls.Config{RootCAs: pool, Time: func() time.Time { return known.Certificate().NotAfter.Add(time.Hour) }}, "out of its time"},
		"no TLS":       {strings.Replace(plain.URL, "http:", "https:", 1), &tls.Config{}, "does not speak TLS"},
	} {
		c.config.MinVersion = tls.VersionTLS12
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: c.config}}
		resp, err := client.Get(c.url) //nolint:noctx // a test server
		if err == nil {
			_ = resp.Body.Close()
			t.Fatalf("%s: it answered", what)
		}
		for _, e := range []error{err, fmt.Errorf("reading: %w", err), &fetch.Error{Kind: fetch.BadTLS, Err: err}} {
			if got := fetch.Distrust(e); !strings.Contains(got, c.want) {
				t.Errorf("%s: %q for %v", what, got, e)
			}
		}
		client.CloseIdleConnections()
	}
	if got := fetch.Distrust(errors.New("connection refused")); got != "" {
		t.Errorf("%q for another fault", got)
	}
}
