package ledger

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// tessera's client asks for gzip and undoes it silently. A log of which every resource comes compressed, because a proxy
// between the two takes nothing else, passes its audit all the same.
func TestAnotherProgramAuditsWhatComesCompressed(t *testing.T) {
	f := openFixture(t, t.TempDir())
	mustCreate(t, f.Ledger, "l-gz", true)
	growTo(t, f, "l-gz", 300)
	h := NewHandler(f.Ledger, newTestGate(t), slog.New(slog.DiscardHandler))
	var coded atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("%s: asked with %q", r.URL.Path, r.Header.Values("Accept-Encoding"))
		}
		r.Header.Set("Accept-Encoding", "gzip, identity;q=0")
		h.ServeHTTP(w, r)
		if w.Header().Get("Content-Encoding") == "gzip" {
			coded.Add(1)
		}
	}))
	defer s.Close()
	if err := runFsck(t, s.URL, "l-gz", ""); err != nil {
		t.Errorf("fsck: %v", err)
	}
	if coded.Load() < 5 { // the checkpoint, two bundles, their tiles
		t.Errorf("%d answers were compressed", coded.Load())
	}
}

// What is served without being forced stays as it is: hashes and objects do not get smaller, and a small checkpoint fits
// one packet. Our own source asks for no coding.
func TestLogsAreServedPlainWhereCompressionDoesNotPay(t *testing.T) {
	f := openFixture(t, t.TempDir())
	mustCreate(t, f.Ledger, "l-p", true)
	growTo(t, f, "l-p", 300)
	var asked atomic.Int64
	h := NewHandler(f.Ledger, newTestGate(t), slog.New(slog.DiscardHandler))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header.Values("Accept-Encoding")) > 0 {
			asked.Add(1)
		}
		h.ServeHTTP(w, r)
	}))
	defer s.Close()
	for _, path := range []string{"checkpoint", "tile/0/000", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"} {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.URL+"/log/l-p/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "gzip, zstd")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Error(err)
		}
		_ = resp.Body.Close()
		if tag := resp.Header.Get("ETag"); resp.StatusCode != 200 || resp.Header.Get("Content-Encoding") != "" ||
			resp.Header.Get("Vary") != "Accept-Encoding" || !strings.HasPrefix(tag, `"`) || resp.Header.Get("Accept-Ranges") != "bytes" {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
	}
	asked.Store(0)
	src, err := HTTPSource(s.URL+"/log/l-p", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Audit(context.Background(), src, AuditOptions{Origin: "mithaq/l-p", Verifier: testVerifier(t, "mithaq/l-p")}); err != nil {
		t.Error(err)
	}
	if asked.Load() != 0 {
		t.Errorf("our own source asked %d times for a coding", asked.Load())
	}
}
