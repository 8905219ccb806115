package foreign

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/fetch"
)

// What a feed's server may do to the one who reads it: send on a few times, and with credentials only within itself.
func TestFeedFilesAreReadWithinBounds(t *testing.T) {
	var secret string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secret = r.Header.Get("Authorization")
		_, _ = io.WriteString(w, "elsewhere")
	}))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/file":
			w.Header().Set("ETag", `"1"`)
			if r.Header.Get("If-None-Match") == `"1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			_, _ = io.WriteString(w, "here")
		case "/moved":
			http.Redirect(w, r, "/file", http.StatusFound)
		case "/away":
			http.Redirect(w, r, elsewhere.URL+"/", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/huge":
			w.Header().Set("Content-Length", "1000000000")
		case "/secret":
			w.WriteHeader(http.StatusForbidden)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	stranger, known := newGetter(""), newGetter("Bearer s")
	defer stranger.client.CloseIdleConnections()
	defer known.client.CloseIdleConnections()
	for _, c := range []struct {
		get  getter
		path string
		want string // the body, or what the error says
	}{
		{stranger, "/file", "here"}, {stranger, "/moved", "here"}, {stranger, "/away", "elsewhere"}, {known, "/moved", "here"},
		{known, "/away", "the credentials are not for it"}, {stranger, "/round", "redirects more than 5 times"},
		{stranger, "/huge", "announces 1000000000 bytes"}, {stranger, "/secret", "403 Forbidden"}, {stranger, "/nothing", "404 Not Found"},
	} {
		got, err := c.get.get(t.Context(), server.URL+c.path, "")
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %s", c.path, err, c.want)
			}
			if c.path == "/nothing" && !errors.Is(err, fs.ErrNotExist) || strings.HasSuffix(c.path, "away") && fetch.KindOf(err) != fetch.Redirected {
				t.Errorf("%s: %v is of another kind", c.path, err)
			}
			continue
		}
		body, err := io.ReadAll(got.Body)
		_ = got.Body.Close()
		if err != nil || string(body) != c.want {
			t.Errorf("%s: %q, %v, want %q", c.path, body, err, c.want)
		}
	}
	if got, err := stranger.get(t.Context(), server.URL+"/file", `"1"`); err != nil || !got.Unchanged {
		t.Errorf("the version that is here: %+v, %v", got, err)
	}
	if secret != "" {
		t.Errorf("credentials were carried to another host: %q", secret)
	}
}
