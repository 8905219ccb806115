package lists

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
)

var at = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// indicators reads a list and gives its indicators; every bundle has to be valid.
func indicators(t interface {
	Fatalf(string, ...any)
	Helper()
}, text string, opts Options) ([]exchange.Indicator, exchange.Report) {
	t.Helper()
	opts.Time = at
	var all []exchange.Indicator
	report, err := Read(strings.NewReader(text), opts, func(bundle []byte) error {
		if report := stix.Validate(bundle, stix.Options{}); !report.Valid {
			t.Fatalf("the bundle is not valid: %v\n%s", report.Findings, bundle)
		}
		b, err := stix.Parse(bundle)
		if err != nil {
			return err
		}
		for _, o := range b.Objects {
			if o.Type == "indicator" {
				in, err := exchange.ReadIndicator(o, exchange.Origin{})
				if err != nil {
					return err
				}
				all = append(all, in)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	if report.Made != len(all) || report.Read != report.Made+report.Lost() {
		t.Fatalf("%d read, %d made, %d lost, %d indicators", report.Read, report.Made, report.Lost(), len(all))
	}
	return all, report
}

func values(all []exchange.Indicator) string {
	var b strings.Builder
	for _, in := range all {
		for _, terms := range in.Alternatives {
			if terms[0].Below {
				b.WriteString("*.")
			}
			fmt.Fprintf(&b, "%s ", terms[0].Value)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestText(t *testing.T) {
	all, report := indicators(t, "\xef\xbb\xbf# comment\r\n; another\r\n// third\r\n\r\n192[.]0[.]2[.]1  # a server\r\nhxxps://evil[.]example/a\r\nEVIL.example\nevil.example\n"+
		"192.0.2.0/24\nuser(at)evil.example\nd41d8cd98f00b204e9800998ecf8427e\nt13d1516h2_8daaf6152771_e5627efa2ab1\n0.0.0.0 ads.example\n*.below.example\n"+
		"192.0.2.9:8080\nevil.example:8443\nnothing at all\n\xff\xfe\nبوابة.example\nevil.example/path\n"+strings.Repeat("x", maxLine+1)+"\n[2001:db8::1]:443", Options{})
	want := "192.0.2.1 https://evil.example/a evil.example 192.0.2.0/24 user@evil.example d41d8cd98f00b204e9800998ecf8427e t13d1516h2_8daaf6152771_e5627efa2ab1 ads.example *.below.example 192.0.2.9 xn--mgbbbe6m.example http://evil.example/path 2001:db8::1"
	if got := values(all); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var lost []string
	for _, l := range report.Losses {
		lost = append(lost, l.Place)
	}
	if got := strings.Join(lost, ","); got != "line 8,line 16,line 17,line 18,line 21" {
		t.Errorf("lost %s: %+v", got, report.Losses)
	}
	if all[0].Description != "a server" {
		t.Errorf("the description is %q", all[0].Description)
	}
	again, _ := indicators(t, "192.0.2.1", Options{})
	if again[0].ID != all[0].ID {
		t.Error("the same value of a list of the same name has another identifier")
	}
}

func TestTable(t *testing.T) {
	for _, c := range []struct{ name, text, want, lost string }{
		{"typed columns", "domain,ip,comment\na.example,192.0.2.1,\"x, y\"\n,192.0.2.2,z\n,,\n", "a.example 192.0.2.1 192.0.2.2", ""},
		{"value and type", "type;value;confidence\nja3;e7d705a3286e19ea42f587b344ee6865;80\nmd5;zz;1\nbad;x;1\nsha256;" + strings.Repeat("ab", 32) + ";101\n", "e7d705a3286e19ea42f587b344ee6865", "line 3,line 4,line 5"},
		{"no header", "a.example,1\nb.example,2\n3,4\n", "a.example b.example", "line 3"},
		{"tabs", "indicator\tvalid_from\na.example\t2026-01-01\nb.example\tyesterday\n", "a.example", "line 3"},
		{"a value over lines", "value,note\n\"a.example\",\"two\nlines\"\nb.example,x\n", "a.example b.example", ""},
	} {
		all, report := indicators(t, c.text, Options{})
		var lost []string
		for _, l := range report.Losses {
			lost = append(lost, l.Place)
		}
		if values(all) != c.want || strings.Join(lost, ",") != c.lost {
			t.Errorf("%s: got %q, lost %+v", c.name, values(all), report.Losses)
		}
	}
	all, _ := indicators(t, "h,x\ne7d705a3286e19ea42f587b344ee6865,1\n", Options{Columns: map[string]string{"h": "ja3"}})
	if all[0].Alternatives[0][0].Path != "network-traffic:x_ja3" {
		t.Errorf("a column's type is not heeded: %+v", all[0])
	}
	for _, columns := range []map[string]string{{"nope": "ja3"}, {"h": "nope"}} {
		if _, err := Read(strings.NewReader("h,x\na,b\n"), Options{Columns: columns, Time: at}, nil); err == nil {
			t.Errorf("%v is taken", columns)
		}
	}
}

// Whatever stands in a list becomes a valid indicator or a reported line, and what is written as a table is read again.
func TestEveryListIsAccountedFor(t *testing.T) {
	line := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"a.example", "192.0.2.1", "http://a.example/'x", "hxxp://[", "=cmd|x", "a@b.example", "*.x.example", "::1", "1.2.3", "x'y.example"}))
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(line).Draw(t, "lines"), rapid.SampledFrom([]string{"\n", "\r\n", ",", "\t"}).Draw(t, "end"))
		all, _ := indicators(t, text, Options{})
		var b bytes.Buffer
		w := NewWriter(&b, []string{"خيالي\nx"})
		for _, in := range all {
			if err := w.Add(in); err != nil {
				t.Fatalf("%v", err)
			}
		}
		if _, err := w.Close(); err != nil {
			t.Fatalf("%v", err)
		}
		again, report := indicators(t, b.String(), Options{})
		if values(again) != values(all) {
			t.Fatalf("%q became %q: %+v\n%s", values(all), values(again), report.Losses, b.String())
		}
	})
}

func TestBundlesAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 12 {
		fmt.Fprintf(&b, "h%d.example\n", i)
	}
	n := 0
	_, err := Read(strings.NewReader(b.String()), Options{Time: at, Objects: 5}, func([]byte) error { n++; return nil })
	if err != nil || n != 3 {
		t.Errorf("%d bundles (%v)", n, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("# x\na.example\nhxxp://b[.]example\n")
	f.Add("type,value\nmd5,d41d8cd98f00b204e9800998ecf8427e\n")
	f.Add("\"a\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
			return
		}
		indicators(t, text, Options{})
	})
}
