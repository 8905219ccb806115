package suricata

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/exchangetest"
)

// form is everything that a rule may look like: no text can bring in an option, a quote or a line of its own.
var form = regexp.MustCompile(`^alert (ip|tcp|udp|dns|tls|http|smtp) any any (->|<>) [0-9a-f.:/any]+ (any|[0-9]+) \(msg:"mithaq [^";:\\|()]*"; ` +
	`((dns\.query|tls\.sni|http\.host|http\.uri\.raw|http\.user_agent|tls\.cert_fingerprint|ja3s?\.hash|ja4\.hash|ip\.(src|dst)|nocase|endswith|dotprefix|to_lowercase|bsize:[0-9]+|` +
	`content:"[A-Za-z0-9._/ |-]*"|dataset:isset,mithaq-[a-z0-9-]+,type (string|ip),load mithaq-[a-z0-9-]+\.lst|file(md5|sha1|sha256):mithaq-[a-z0-9]+\.lst); )*` +
	`metadata:[A-Za-z0-9._+ ,-]*; sid:1[0-9]{6}; rev:1;\)$`)

func checkRules(t interface{ Fatalf(string, ...any) }, text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if !utf8.ValidString(line) || !strings.HasPrefix(line, "# ") && !form.MatchString(line) {
			t.Fatalf("this is no rule of ours: %q", line)
		}
	}
	sids := regexp.MustCompile(`sid:[0-9]+`).FindAllString(text, -1)
	seen := map[string]bool{}
	for _, sid := range sids {
		if seen[sid] {
			t.Fatalf("%s is there twice", sid)
		}
		seen[sid] = true
	}
}

func TestNothingBreaksOutOfARule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		w, err := NewWriter(&b, Options{Banner: []string{exchangetest.Text().Draw(t, "banner")}})
		if err != nil {
			t.Fatal(err)
		}
		exchangetest.Write(t, w)
		checkRules(t, b.String())
	})
}

// unpack reads an archive's files.
func unpack(t interface{ Fatalf(string, ...any) }, b []byte) map[string]string {
	files := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(b)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%v", err)
		}
		files[h.Name] = string(text)
	}
}

func TestNothingBreaksOutOfADataset(t *testing.T) {
	line := map[string]*regexp.Regexp{"md5": regexp.MustCompile(`^[0-9a-f]{32}$`), "sha1": regexp.MustCompile(`^[0-9a-f]{40}$`), "sha256": regexp.MustCompile(`^[0-9a-f]{64}$`), "addresses": regexp.MustCompile(`^[0-9a-f.:]+$`)}
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		w, err := NewDatasets(&b, Options{})
		if err != nil {
			t.Fatal(err)
		}
		exchangetest.Write(t, w)
		for name, text := range unpack(t, b.Bytes()) {
			if name == "mithaq.rules" {
				checkRules(t, text)
				continue
			}
			form := line[strings.TrimSuffix(strings.TrimPrefix(name, "mithaq-"), ".lst")]
			for one := range strings.Lines(text) {
				one = strings.TrimSuffix(one, "\n")
				if form == nil {
					if v, err := base64.StdEncoding.DecodeString(one); err != nil || len(v) == 0 {
						t.Fatalf("%s: %q is no Base64", name, one)
					}
				} else if !form.MatchString(one) {
					t.Fatalf("%s: %q", name, one)
				}
			}
		}
	})
}

func add(t *testing.T, w exchange.Writer, patterns ...string) exchange.Report {
	t.Helper()
	for _, text := range patterns {
		alternatives, err := exchange.Alternatives(text)
		in := exchange.Indicator{ID: "indicator--" + exchange.UUID(text), Name: "n", PatternType: "stix", Pattern: text, Alternatives: alternatives, Confidence: -1}
		if err != nil {
			in.Inexpressible = err.Error()
		}
		if err := w.Add(in); err != nil {
			t.Fatal(err)
		}
	}
	report, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func patterns() []string {
	return []string{"[domain-name:value = 'Evil.example']", "[domain-name:value LIKE '%.evil.example']", "[ipv4-addr:value = '192.0.2.1']", "[ipv6-addr:value ISSUBSET '2001:db8::/32']",
		"[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443]", "[url:value = 'http://evil.example/a;b\"c']", "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']",
		"[network-traffic:x_ja3 = 'e7d705a3286e19ea42f587b344ee6865']", "[domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']"}
}

func TestRules(t *testing.T) {
	var b, again bytes.Buffer
	w, _ := NewWriter(&b, Options{Banner: []string{"خيالي"}})
	report := add(t, w, patterns()...)
	for _, want := range []string{"# خيالي\n", `dns.query; content:"evil.example"; nocase; bsize:12;`, `dotprefix; content:".evil.example"; nocase; endswith;`, "alert ip any any <> 192.0.2.1 any (",
		"alert ip any any <> 2001:db8::/32 any (", "alert tcp any any -> 192.0.2.1 443 (", `http.uri.raw; content:"/a|3B|b|25|22c"; bsize:8;`, `ja3.hash; content:"e7d705a3286e19ea42f587b344ee6865"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
	if report.Lost() != 2 { // the hash without a list, the sequence
		t.Errorf("losses: %+v", report.Losses)
	}
	w, _ = NewWriter(&again, Options{Banner: []string{"خيالي"}})
	add(t, w, patterns()[2:]...)
	for line := range strings.Lines(again.String()) {
		if !strings.Contains(b.String(), line) {
			t.Errorf("with other indicators beside it, a rule changed: %s", line)
		}
	}
	if _, err := NewWriter(&b, Options{First: 9, Last: 3}); err == nil {
		t.Error("a range that is none is taken")
	}
	w, _ = NewWriter(&again, Options{First: 5, Last: 6})
	if report := add(t, w, patterns()[0]); report.Made != 2 || report.Lost() != 1 {
		t.Errorf("a full range: %+v", report)
	}
}

// TestSuricata has Suricata itself load what is written, where it is installed.
func TestSuricata(t *testing.T) {
	program, err := exec.LookPath("suricata")
	if err != nil {
		t.Skip("suricata is not installed")
	}
	var b bytes.Buffer
	w, _ := NewDatasets(&b, Options{})
	add(t, w, patterns()...)
	dir := t.TempDir()
	for name, text := range unpack(t, b.Bytes()) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), program, "-T", "-S", filepath.Join(dir, "mithaq.rules"), "-l", dir, "--set", "default-rule-path="+dir, "--set", "app-layer.protocols.tls.ja3-fingerprints=yes")
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("suricata refuses the rules: %v\n%s", err, out)
	}
}
