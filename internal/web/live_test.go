package web

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/node"
)

// events reads the stream line by line until it has seen want events of arrivals, and returns their ids.
func events(t *testing.T, url string, amal func(*http.Request), last string, want int) (ids []string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	amal(r)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Content-Encoding") != "" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	lines := bufio.NewScanner(resp.Body)
	for len(ids) < want && lines.Scan() {
		if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

func TestNewsComesAndResumes(t *testing.T) {
	s, h := stage(t, Options{})
	srv := httptest.NewServer(h)
	defer srv.Close()
	defer srv.Client().CloseIdleConnections()
	defer http.DefaultClient.CloseIdleConnections()
	amal := signIn(t, h)
	publish := func() {
		t.Helper()
		r, err := s.node.Publish(context.Background(), "own", node.Draft{Kind: "report", Body: []byte(`{"period":{"from":"2026-10-01","to":"2026-10-31"},"summary":{"en":"Quiet."}}`)})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.node.WaitIndexed(context.Background(), r.Log, r.Size); err != nil {
			t.Fatal(err)
		}
	}
	publish()
	first := events(t, srv.URL, amal, "", 1)
	publish() // while nobody listens
	second := events(t, srv.URL, amal, first[0], 1)
	if len(second) != 1 || second[0] == first[0] {
		t.Errorf("%v, then %v", first, second)
	}
	done := make(chan []string)
	go func() { done <- events(t, srv.URL, amal, second[0], 1) }()
	publish()
	if third := <-done; len(third) != 1 || third[0] == second[0] {
		t.Errorf("%v, then %v", second, third)
	}
	if w := ask(h, "GET", "/live", ""); w.Code != 401 {
		t.Errorf("a stranger listens: %d", w.Code)
	}
	s.Close()
	if w := ask(h, "GET", "/live", "", amal); w.Code != 503 {
		t.Errorf("after the end: %d", w.Code)
	}
}
