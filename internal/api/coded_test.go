package api

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// askCoded sends a GET that takes gzip.
func askCoded(h http.Handler, target, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestOnlyWhatAnybodyMayHaveIsCompressed(t *testing.T) {
	n := testNode(t)
	outside, socket := New(n, Options{Version: "test"}), New(n, Options{Version: "test", Owner: true})
	w := askCoded(outside, "/openapi.json", "")
	zr, err := gzip.NewReader(w.Body)
	if err != nil || w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Vary") != "Accept-Encoding" {
		t.Fatalf("%v %v", w.Header(), err)
	}
	got, err := io.ReadAll(zr)
	if want := ask(outside, "GET", "/openapi.json", "", "").Body.Bytes(); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d, %v", len(got), len(want), err)
	}
	for what, w := range map[string]*httptest.ResponseRecorder{
		"the owner's socket": askCoded(socket, "/openapi.json", ""),
		"a token":            askCoded(outside, "/openapi.json", token(t, n, ScopeRead)),
	} {
		if w.Code != 200 || w.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: %d %v", what, w.Code, w.Header())
		}
	}
}
