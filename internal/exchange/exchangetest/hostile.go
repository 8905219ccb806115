// Package exchangetest makes indicators that try to break out of the formats they are written in. It is for tests alone.
// Start reading at [Indicators].
package exchangetest

import (
	"time"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/exchange"
)

// Text is what somebody may write into a name or value: quotes, semicolons, line ends, direction marks, and what rules and
// zones take for more.
func Text() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		`x"; sid:1; rev:9;)` + "\nalert ip any any -> any any (sid:2;)", "a;b", `a\`, `|41 42|`, "a\nb", "a\r\nb", "a\u2028b", "\u202eexe.a", "a\tb", "-", "(empty)", "#x", "a,b",
		"x CNAME .\ny CNAME .", "$INCLUDE /etc/passwd", "a.example", "192.0.2.1", "192.0.2.0/24", "2001:db8::1", "2001:db8::/32", "0.0.0.0/0", "::/0", "::ffff:192.0.2.1",
		"http://a.example/x?y=z;w", "https://[2001:db8::1]:8443/", "http://a.example:99999/", "d41d8cd98f00b204e9800998ecf8427e", "a=b|c\\d", "CEF:0|x", `","x":"`, "=cmd()", "\xff\xfe", "é.example", "*.a.example", "a..b",
		"xn--.example", "a.example.", "a b.example", "a\x00b.example",
	}))
}

// Indicators makes indicators whose every text may be hostile.
func Indicators() *rapid.Generator[exchange.Indicator] {
	paths := []string{"ipv4-addr:value", "ipv6-addr:value", "domain-name:value", "url:value", "email-addr:value", "file:hashes.MD5", "file:hashes.'SHA-256'", "file:name", "network-traffic:x_ja3",
		"network-traffic:x_ja4", exchange.UserAgentPath, "x509-certificate:hashes.'SHA-1'", "network-traffic:dst_ref.value", "network-traffic:dst_port", "network-traffic:protocols[*]", "mutex:name", "process:name"}
	term := rapid.Custom(func(t *rapid.T) exchange.Term {
		return exchange.Term{Path: rapid.SampledFrom(paths).Draw(t, "path"), Value: Text().Draw(t, "value"), Below: rapid.IntRange(0, 9).Draw(t, "below") == 0}
	})
	return rapid.Custom(func(t *rapid.T) exchange.Indicator {
		in := exchange.Indicator{ID: "indicator--" + exchange.UUID(rapid.StringN(0, 3, 9).Draw(t, "id")), Name: Text().Draw(t, "name"), Description: Text().Draw(t, "description"),
			Labels: rapid.SliceOfN(Text(), 0, 2).Draw(t, "labels"), Confidence: rapid.IntRange(-1, 100).Draw(t, "confidence"), PatternType: rapid.SampledFrom([]string{"stix", "stix", "stix", "yara"}).Draw(t, "type"),
			Pattern: Text().Draw(t, "pattern"), From: time.Unix(1_700_000_000, 0), Modified: time.Unix(1_700_000_000, 0)}
		in.Alternatives = rapid.SliceOfN(rapid.SliceOfN(term, 1, 2), 1, 3).Draw(t, "alternatives")
		if in.PatternType != "stix" {
			in.Alternatives, in.Inexpressible = nil, "its pattern is of type yara"
		}
		in.Origin = exchange.Origin{Agreement: Text().Draw(t, "agreement"), Record: "r-1", Author: "p-1", Name: Text().Draw(t, "author"), TLP: "TLP:GREEN", PAP: "PAP:AMBER", Mark: "خيالي · Fictional · Fictif"}
		return in
	})
}

// Write gives a writer some indicators and checks that each is written or reported.
func Write(t *rapid.T, w exchange.Writer) exchange.Report {
	all := rapid.SliceOfN(Indicators(), 0, 5).Draw(t, "indicators")
	for _, in := range all {
		if err := w.Add(in); err != nil {
			t.Fatalf("%v", err)
		}
	}
	report, err := w.Close()
	if err != nil {
		t.Fatalf("%v", err)
	}
	if report.Read != len(all) {
		t.Fatalf("%d of %d indicators were read", report.Read, len(all))
	}
	return report
}
