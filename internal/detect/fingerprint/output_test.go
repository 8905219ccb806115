package fingerprint

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"strings"
	"testing"
)

// TestJSONNames holds the names that other programs read.
func TestJSONNames(t *testing.T) {
	events, _ := runBytes(t, captureOf(segmentsOf(handshake(t, tls.VersionTLS12, nil), 1460)), Options{})
	b, err := json.Marshal(events[0])
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(b, &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields("packet time src dst srcport dstport transport sni alpn ja3 ja4 ech version cipher ja3s established certificates cert_chain_fps subject issuer curve next_protocol resumed") {
		if _, ok := members[name]; !ok {
			t.Errorf("no %s in %s", name, b)
		}
	}
	certificate, ok := members["certificates"].([]any)[0].(map[string]any)
	for _, name := range strings.Fields("fingerprint sha1 serial subject issuer not_valid_before not_valid_after san_dns") {
		if _, there := certificate[name]; !ok || !there {
			t.Errorf("no %s in %v", name, certificate)
		}
	}
}

func TestTable(t *testing.T) {
	events, _ := runBytes(t, captureOf(segmentsOf(handshake(t, tls.VersionTLS13, nil), 1460)), Options{})
	var out bytes.Buffer
	table := NewTable(&out)
	table.Add(events[0])
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[1], "192.0.2.7:50123  198.51.100.9:8443  tcp   node.example  h2") || !strings.HasSuffix(lines[1], "established") {
		t.Errorf("%s", out.String())
	}
}
