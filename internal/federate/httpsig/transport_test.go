package httpsig

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// A host that reads a request and then breaks the connection gets the next try signed anew: it never sees a signature twice,
// whatever the method, and the request arrives.
func TestTransportSignsEachTryAnew(t *testing.T) {
	b := newBench(t)
	var came, replayed atomic.Int64
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		_, err := b.guard.Verify(Question{Request: r, Content: content, Ours: func(string) bool { return true }, Key: b.key.public})
		if err != nil {
			t.Logf("refused: %v", err)
			replayed.Add(1)
		}
		if came.Add(1)%2 == 0 { // each connection serves one request, and dies of the second when it has come
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(append([]byte("got "), content...))
	}))
	defer host.Close()
	host.Config.ErrorLog = nil
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	client := &http.Client{Transport: &Transport{Signer: b.signer, Base: base}}
	for i, ask := range []func() (*http.Response, error){
		func() (*http.Response, error) { return client.Get(host.URL + "/a?b=c") },
		func() (*http.Response, error) { return client.Get(host.URL + "/a?b=c") },
		func() (*http.Response, error) { return client.Post(host.URL, "text/plain", strings.NewReader("words")) },
		func() (*http.Response, error) { return client.Get(host.URL) },
	} {
		resp, err := ask()
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !strings.HasPrefix(string(body), "got ") || i == 2 && string(body) != "got words" {
			t.Fatalf("request %d: %q, %v", i, body, err)
		}
	}
	if replayed.Load() > 0 || came.Load() != 7 {
		t.Fatalf("%d requests came, %d were refused", came.Load(), replayed.Load())
	}
	if _, err := client.Post(host.URL, "text/plain", io.MultiReader(strings.NewReader("once"))); err == nil {
		t.Fatal("content was sent that cannot be sent again")
	}
}
