package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/node"
)

// answerOf is all that a caller can tell two answers apart by.
func answerOf(t *testing.T, client *http.Client, method, url string, body []byte) string {
	t.Helper()
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Header.Del("Date")
	return fmt.Sprintf("%d %v %s", resp.StatusCode, resp.Header, content)
}

// TestWhoIsNotEntitledLearnsNothing asks by every route for what is there and for what is not. Who may have neither cannot tell
// them apart: status, head and body are the same.
func TestWhoIsNotEntitledLearnsNothing(t *testing.T) {
	two := pairOfNodes(t)
	srv := httptest.NewServer(New(two.keeper, Options{Version: "test"}))
	defer srv.Close()
	const noLog, noAgreement = "l-aaaaaaaaaaaaaaaaaaaaaaaaaa", "a-aaaaaaaaaaaaaaaaaaaaaaaaaa"
	noObject := strings.Repeat("ab", 32)
	var there, missing string
	card, err := two.outsider.Card(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	cardBytes, err := json.Marshal(card)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint := func(origin string) []byte {
		return fmt.Appendf(nil, "old 0\n\n%s\n3\n%s\n\n— %s AAAAAAAA\n", origin, strings.Repeat("A", 43)+"=", origin)
	}
	routes := []struct {
		method, there, missing string
		body, other            []byte
	}{
		{"POST", "/acts", "/acts", []byte(`{"agreement":"` + two.agreement + `"}`), []byte(`{"agreement":"` + noAgreement + `"}`)},
		{"POST", "/bundles", "/bundles", cardBytes, []byte("PK")},
		{"POST", "/holds", "/holds", []byte(`{"format":"mithaq-hold/1","agreement":"` + two.agreement + `","log":"` + two.log + `"}`), []byte(`{"format":"mithaq-hold/1","agreement":"` + noAgreement + `","log":"` + noLog + `"}`)},
		{"POST", "/witness/add-checkpoint", "/witness/add-checkpoint", checkpoint("mithaq/" + two.log), checkpoint("mithaq/" + noLog)},
		{"GET", "/object/" + two.object, "/object/" + noObject, nil, nil},
		{"HEAD", "/object/" + two.object, "/object/" + noObject, nil, nil},
		{"GET", "/changes?after=" + two.log, "/changes?after=" + noLog, nil, nil},
		{"GET", "/taxii2/" + two.agreement + "/collections/", "/taxii2/" + noAgreement + "/collections/", nil, nil},
		{"GET", "/api/v1/agreements/" + two.agreement, "/api/v1/agreements/" + noAgreement, nil, nil},
		{"GET", "/api/v1/logs/" + two.log + "/records/0/proof", "/api/v1/logs/" + noLog + "/records/0/proof", nil, nil},
	}
	for _, what := range []string{"/checkpoint", "/keyrings", "/evidence", "/tile/0/000.p/1", "/tile/entries/000.p/1", "/tile/0/000", "/tile/9/x001/000", "/tile/0/%30%30%30", "/../x"} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			routes = append(routes, struct {
				method, there, missing string
				body, other            []byte
			}{method, "/log/" + two.log + what, "/log/" + noLog + what, nil, nil})
		}
	}
	clients := map[string]*http.Client{"a stranger": {}, "a peer that is no member": two.outsider.SignedClient()}
	for who, client := range clients {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		for _, r := range routes {
			there = answerOf(t, client, r.method, srv.URL+r.there, r.body)
			missing = answerOf(t, client, r.method, srv.URL+r.missing, r.other)
			hidden := strings.NewReplacer(two.log, "LOG", noLog, "LOG", two.agreement, "AGREEMENT", noAgreement, "AGREEMENT", two.object, "OBJECT", noObject, "OBJECT")
			if hidden.Replace(there) != hidden.Replace(missing) || strings.HasPrefix(there, "200") && !strings.HasPrefix(r.there, "/changes") {
				t.Errorf("%s: %s %s\n there   %s\n missing %s", who, r.method, r.there, there, missing)
			}
		}
	}
	// The member may, by the same ways.
	if got := answerOf(t, two.member.SignedClient(), "GET", srv.URL+"/log/"+two.log+"/checkpoint", nil); !strings.HasPrefix(got, "200") {
		t.Errorf("the member: %s", got)
	}
	if counts := two.keeper.Counts().RefusedRequests; counts[node.RequestStranger] == 0 {
		t.Errorf("nobody counted: %v", counts)
	}
}
