package zeek

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/exchangetest"
)

func TestNothingBreaksOutOfAColumn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		exchangetest.Write(t, NewWriter(&b, []string{exchangetest.Text().Draw(t, "banner")}))
		header := false
		for line := range strings.Lines(b.String()) {
			columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			switch {
			case strings.HasPrefix(line, "#fields\t") && !header:
				header = true
			case strings.HasPrefix(line, "# ") && !header:
			case len(columns) != 5 || !strings.HasPrefix(columns[1], "Intel::") || columns[0] == "" || columns[0][0] == '#' || strings.ContainsAny(line, "\r\x00"):
				t.Fatalf("this is no line of ours: %q", line)
			}
		}
	})
}

func TestTypes(t *testing.T) {
	for pattern, want := range map[string]string{
		"[ipv4-addr:value = '192.0.2.1']": "192.0.2.1\tIntel::ADDR", "[ipv4-addr:value ISSUBSET '192.0.2.0/24']": "192.0.2.0/24\tIntel::SUBNET",
		"[domain-name:value = 'A.example']": "a.example\tIntel::DOMAIN", "[url:value = 'https://A.example/x?y#z']": "a.example/x?y\tIntel::URL", "[email-addr:value = 'a@b.example']": "a@b.example\tIntel::EMAIL",
		"[file:hashes.'SHA-256' = 'AB']": "ab\tIntel::FILE_HASH", "[x509-certificate:hashes.'SHA-1' = 'AB']": "ab\tIntel::CERT_HASH", "[file:name = 'a\tb']": "a\\x09b\tIntel::FILE_NAME",
		"[domain-name:value LIKE '%.a.example']": "", "[mutex:name = 'x']": "", "[ipv4-addr:value ISSUBSET '0.0.0.0/0']": "",
	} {
		alternatives, err := exchange.Alternatives(pattern)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w := NewWriter(&b, nil)
		if err := w.Add(exchange.Indicator{ID: "indicator--x", Alternatives: alternatives}); err != nil {
			t.Fatal(err)
		}
		report, err := w.Close()
		if err != nil || (want == "") != (report.Lost() == 1) || !strings.Contains(b.String(), "\n"+want) {
			t.Errorf("%s: %q, %+v (%v)", pattern, b.String(), report, err)
		}
	}
}
