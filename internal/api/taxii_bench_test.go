package api

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/taxii"
)

// BenchmarkTAXIIPost posts envelopes of 1,000 indicators to a node, each durable and in its log when it is answered.
func BenchmarkTAXIIPost(b *testing.B) {
	ctx := b.Context()
	n, err := node.Init(ctx, filepath.Join(b.TempDir(), "node"), node.InitOptions{Names: map[string]string{"en": "Sahlan"}, Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = n.Close(ctx) }()
	made, err := n.CreateToken(ctx, node.TokenRequest{Name: "b", Scopes: []string{ScopeRead, ScopePublish}})
	if err != nil {
		b.Fatal(err)
	}
	h := New(n, Options{})
	id := 0
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		var body bytes.Buffer
		body.WriteString(`{"objects":[`)
		for i := range 1000 {
			if i > 0 {
				body.WriteByte(',')
			}
			id++
			fmt.Fprintf(&body, `{"type":"indicator","spec_version":"2.1","id":"indicator--%08x-0000-4000-8000-000000000000","created":"2024-03-01T12:00:00.000Z","modified":"2024-03-01T12:00:00.000Z","name":"Command and control, no. %d","description":"Seen as the second stage of a campaign against ministries; resolves for minutes at a time, and is then parked with the registrar until the next wave of messages goes out.","indicator_types":["malicious-activity"],"pattern":"[domain-name:value = 'c2-%d.example.net']","pattern_type":"stix","valid_from":"2024-03-01T12:00:00Z","object_marking_refs":["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"]}`, id, id, id)
		}
		body.WriteString("]}")
		r := httptest.NewRequest(http.MethodPost, "/taxii2/"+node.TAXIIRoot+"/collections/own/objects/", &body)
		r.Header.Set("Authorization", "Bearer "+made.Secret)
		r.Header.Set("Content-Type", taxii.MediaType)
		w := httptest.NewRecorder()
		b.StartTimer()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusAccepted {
			b.Fatal(w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "objects/s")
}
