package exchange

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/stix"
)

func TestAlternatives(t *testing.T) {
	for _, c := range []struct {
		pattern, why string
		want         []string // path=value of each alternative, its terms joined by &
	}{
		{"[domain-name:value = 'a.example']", "", []string{"domain-name:value=a.example"}},
		{"[ipv4-addr:value ISSUBSET '192.0.2.0/24'] OR [url:value = 'http://a.example/']", "", []string{"ipv4-addr:value=192.0.2.0/24", "url:value=http://a.example/"}},
		{"[file:hashes.sha256 IN ('aa', 'bb')]", "", []string{"file:hashes.'SHA-256'=aa", "file:hashes.'SHA-256'=bb"}},
		{"[file:name = 'x' AND (file:hashes.MD5 = 'a' OR file:hashes.MD5 = 'b')]", "", []string{"file:name=x&file:hashes.MD5=a", "file:name=x&file:hashes.MD5=b"}},
		{"[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443]", "",
			[]string{"network-traffic:dst_ref.value=192.0.2.1&network-traffic:dst_port=443"}},
		{"[domain-name:value LIKE '%.a.example']", "", []string{"domain-name:value=*.a.example"}},
		{"[domain-name:value LIKE 'a%']", "LIKE", nil},
		{"[domain-name:value != 'a']", "compares by", nil},
		{"[domain-name:value NOT = 'a']", "negates", nil},
		{"[url:value MATCHES 'a']", "MATCHES", nil},
		{"[url:value = 'a'] AND [url:value = 'b']", "several observations", nil},
		{"[url:value = 'a'] FOLLOWEDBY [url:value = 'b']", "sequence", nil},
		{"[url:value = 'a'] WITHIN 5 SECONDS", "span of time", nil},
		{"[EXISTS url:value]", "exists", nil},
		{"[url", "cannot be read", nil},
	} {
		got, err := Alternatives(c.pattern)
		if (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want an error about %q", c.pattern, err, c.why)
		}
		var texts []string
		for _, terms := range got {
			var parts []string
			for _, term := range terms {
				value := term.Value
				if term.Below {
					value = "*." + value
				}
				parts = append(parts, term.Path+"="+value)
			}
			texts = append(texts, strings.Join(parts, "&"))
		}
		if !slices.Equal(texts, c.want) {
			t.Errorf("%s gives %q, want %q", c.pattern, texts, c.want)
		}
	}
	if _, err := Alternatives("[a:b IN (" + strings.Repeat("'x',", 99_999) + "'y') AND a:c IN ('1','2')]"); err == nil {
		t.Error("a product of sets is not bounded")
	}
}

// A value cannot break out of the pattern it is written into, and comes out of it as it was.
func TestPatternKeepsValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		term := Term{Path: rapid.SampledFrom([]string{"url:value", "file:name", "domain-name:value", "ipv4-addr:value"}).Draw(t, "path"), Value: rapid.String().Draw(t, "value")}
		text, err := Pattern([]Term{term})
		if err != nil {
			return
		}
		got, err := Alternatives(text)
		if err != nil || len(got) != 1 || len(got[0]) != 1 || got[0][0] != term {
			t.Fatalf("%q was written as %s and read as %v (%v)", term.Value, text, got, err)
		}
	})
}

func TestKinds(t *testing.T) {
	for path, want := range map[string]Kind{
		"ipv4-addr:value=192.0.2.1": Address, "ipv4-addr:value=192.0.2.0/24": Network, "ipv6-addr:value=2001:db8::/128": Address,
		"domain-name:value=a.example": Domain, "domain-name:value=192.0.2.1": Address, "network-traffic:dst_ref.value=a.example": Domain,
		"network-traffic:x_ja3=x": JA3, "network-traffic:extensions.'tls-ext'.ja3s_hash=x": JA3S, "network-traffic:x_ja4=x": JA4,
		"x-misp-object:ja3-fingerprint-md5=x": JA3, "file:hashes.MD5=x": FileHash, "x509-certificate:hashes.'SHA-1'=x": CertHash, "process:name=x": Other,
	} {
		p, value, _ := strings.Cut(path, "=")
		if got := (Term{Path: p, Value: value}).Kind(); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}

// Observables made of terms are valid, and give the terms back.
func TestObservables(t *testing.T) {
	for _, terms := range [][]Term{
		{{Path: "ipv4-addr:value", Value: "192.0.2.1"}},
		{{Path: "domain-name:value", Value: "a.example"}, {Path: "domain-name:resolves_to_refs[*].value", Value: "2001:db8::1"}},
		{{Path: "file:name", Value: "a"}, {Path: "file:hashes.MD5", Value: "d41d8cd98f00b204e9800998ecf8427e"}},
		{{Path: "network-traffic:dst_ref.value", Value: "192.0.2.1"}, {Path: "network-traffic:dst_port", Value: "443", Number: true}},
		{{Path: "windows-registry-key:key", Value: `HKEY_LOCAL_MACHINE\a`}, {Path: "windows-registry-key:values[*].data", Value: "x"}},
		{{Path: "autonomous-system:number", Value: "65000", Number: true}},
	} {
		objects, ok, err := Observables(terms)
		if !ok || err != nil {
			t.Errorf("%v: no observables (%v)", terms, err)
			continue
		}
		byID := map[string]stix.Value{}
		var last stix.Value
		for _, o := range objects {
			raw, err := o.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if report := stix.Validate(raw, stix.Options{}); !report.Valid {
				t.Errorf("%s: %v", raw, report.Findings)
			}
			if last, err = stix.OpenValue(raw, stix.Limits{}); err != nil {
				t.Fatal(err)
			}
			byID[o.ID()] = last
		}
		if got := TermsOf(last, func(id string) stix.Value { return byID[id] }); !slices.Equal(got, terms) {
			t.Errorf("%v came back as %v", terms, got)
		}
	}
	if _, ok, _ := Observables([]Term{{Path: "network-traffic:x_ja3", Value: "x"}}); ok {
		t.Error("traffic between nobody was made")
	}
}

func TestClip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := Clip(rapid.String().Draw(t, "text"))
		if len(got) > maxClip+len("…") || strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
			t.Fatalf("%q is not fit for a line", got)
		}
	})
}

func FuzzAlternatives(f *testing.F) {
	f.Add("[file:name = 'x' AND (file:hashes.MD5 = 'a' OR file:hashes.MD5 = 'b')]")
	f.Add("[domain-name:value LIKE '%.a.example'] OR [ipv4-addr:value ISSUBSET '192.0.2.0/24']")
	f.Fuzz(func(t *testing.T, text string) {
		alternatives, err := Alternatives(text)
		if err != nil || len(alternatives) > 50 {
			return
		}
		for _, terms := range alternatives {
			for _, term := range terms {
				_ = term.Kind()
			}
		}
	})
}
