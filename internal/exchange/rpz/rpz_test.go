package rpz

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/exchangetest"
)

var form = regexp.MustCompile(`^(\*\.)?[a-z0-9_.-]+ CNAME (\.|\*\.|rpz-[a-z]+\.) ; indicator--[0-9a-f-]+ TLP:[A-Z+]+$`)

func zone(t *rapid.T) string {
	var b bytes.Buffer
	w, err := NewWriter(&b, Options{Serial: time.Unix(1_700_000_000, 0), Banner: []string{exchangetest.Text().Draw(t, "banner")}})
	if err != nil {
		t.Fatal(err)
	}
	exchangetest.Write(t, w)
	return b.String()
}

func TestNothingBreaksOutOfARecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for i, line := range strings.Split(strings.TrimSuffix(zone(t), "\n"), "\n") {
			if i > 4 && !form.MatchString(line) {
				t.Fatalf("this is no record of ours: %q", line)
			}
		}
	})
}

// TestNamedCheckzone has BIND's own checker read zones, where it is installed.
func TestNamedCheckzone(t *testing.T) {
	program, err := exec.LookPath("named-checkzone")
	if err != nil {
		t.Skip("named-checkzone is not installed (Debian: bind9-utils)")
	}
	file := filepath.Join(t.TempDir(), "zone")
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		if n++; n > 40 { // each run starts a program
			return
		}
		text := zone(rt)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			rt.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), program, "-k", "ignore", "mithaq.rpz", file).CombinedOutput(); err != nil {
			rt.Fatalf("named-checkzone refuses the zone: %v\n%s\n%s", err, out, text)
		}
	})
}

func TestTriggers(t *testing.T) {
	for pattern, want := range map[string]string{
		"[domain-name:value = 'Evil.example.']": "evil.example CNAME .", "[domain-name:value LIKE '%.evil.example']": "*.evil.example CNAME .", "[domain-name:value = 'بوابة.example']": "xn--mgbbbe6m.example CNAME .",
		"[ipv4-addr:value = '192.0.2.1']": "32.1.2.0.192.rpz-ip CNAME .", "[ipv4-addr:value ISSUBSET '192.0.2.7/24']": "24.0.2.0.192.rpz-ip CNAME .", "[ipv6-addr:value = '2001:db8::1']": "128.1.zz.db8.2001.rpz-ip CNAME .",
		"[ipv6-addr:value ISSUBSET '2001:db8::/32']": "32.zz.db8.2001.rpz-ip CNAME .", "[url:value = 'http://a.example/']": "", "[domain-name:value = 'a b']": "",
	} {
		alternatives, err := exchange.Alternatives(pattern)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w, _ := NewWriter(&b, Options{})
		if err := w.Add(exchange.Indicator{ID: "indicator--x", Alternatives: alternatives}); err != nil {
			t.Fatal(err)
		}
		report, err := w.Close()
		if err != nil || (want == "") != (report.Lost() == 1) || !strings.Contains(b.String(), "\n"+want) {
			t.Errorf("%s: %q, %+v (%v)", pattern, b.String(), report, err)
		}
	}
	for _, o := range []Options{{Action: "block"}, {Zone: "a b"}} {
		if _, err := NewWriter(&bytes.Buffer{}, o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
