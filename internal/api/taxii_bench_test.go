package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/taxii"
)

// benchTAXII is a node's handler and a way to ask it with a token.
func benchTAXII(b *testing.B) (*node.Node, func(method, target string, body []byte) *httptest.ResponseRecorder) {
	b.Helper()
	ctx := b.Context()
	n, err := node.Init(ctx, filepath.Join(b.TempDir(), "node"), node.InitOptions{Names: map[string]string{"en": "Sahlan"}, Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = n.Close(context.Background()) })
	made, err := n.CreateToken(ctx, account.TokenRequest{Name: "b", Scopes: []string{ScopeRead, ScopePublish}})
	if err != nil {
		b.Fatal(err)
	}
	caller, err := n.TokenForTAXII(ctx, made.Secret)
	if err != nil {
		b.Fatal(err)
	}
	server, err := taxii.NewServer(taxii.Options{Backend: n.TAXII(), Authenticate: func(*http.Request) (taxii.Caller, error) { return caller, nil }})
	if err != nil {
		b.Fatal(err)
	}
	return n, func(method, target string, body []byte) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/taxii2/"+node.TAXIIRoot+"/collections/own/objects/"+target, bytes.NewReader(body))
		if body != nil {
			r.Header.Set("Content-Type", taxii.MediaType)
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		return w
	}
}

func benchEnvelope(from int) []byte {
	var body bytes.Buffer
	body.WriteString(`{"objects":[`)
	for id := from; id < from+1000; id++ {
		if id > from {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"type":"indicator","spec_version":"2.1","id":"indicator--%08x-0000-4000-8000-000000000000","created":"2024-03-01T12:00:00.000Z","modified":"2024-03-01T12:00:00.000Z","name":"Command and control, no. %d","description":"Seen as the second stage of a campaign against ministries; resolves for minutes at a time, and is then parked with the registrar until the next wave of messages goes out.","indicator_types":["malicious-activity"],"pattern":"[domain-name:value = 'c2-%d.example.net']","pattern_type":"stix","valid_from":"2024-03-01T12:00:00Z","object_marking_refs":["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"]}`, id, id, id)
	}
	body.WriteString("]}")
	return body.Bytes()
}

// BenchmarkTAXIIPost posts envelopes of 1,000 indicators to a node, each durable and in its log when it is answered.
func BenchmarkTAXIIPost(b *testing.B) {
	_, ask := benchTAXII(b)
	id := 0
	for b.Loop() {
		b.StopTimer()
		body := benchEnvelope(id)
		id += 1000
		b.StartTimer()
		if w := ask(http.MethodPost, "", body); w.Code != http.StatusAccepted {
			b.Fatal(w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "objects/s")
}

// BenchmarkTAXIIPage reads pages of 1,000 objects, each from a record that was not opened before.
func BenchmarkTAXIIPage(b *testing.B) {
	_, ask := benchTAXII(b)
	const pages = 200
	for i := range pages {
		if w := ask(http.MethodPost, "", benchEnvelope(1000*i)); w.Code != http.StatusAccepted {
			b.Fatal(w.Code, w.Body)
		}
	}
	ask(http.MethodGet, "?limit=1", nil)
	next := ""
	for b.Loop() {
		w := ask(http.MethodGet, "?limit=1000"+next, nil)
		var page struct{ Next string }
		head, _, _ := bytes.Cut(w.Body.Bytes(), []byte(`,"objects"`))
		next = ""
		if json.Unmarshal(append(head, '}'), &page) == nil && page.Next != "" {
			next = "&next=" + page.Next
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "objects/s")
}
