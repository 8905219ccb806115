package convert

import (
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/stix"
)

func TestSniff(t *testing.T) {
	for text, want := range map[string]string{
		`{"type":"bundle","id":"bundle--x","objects":[{"type":"report","name":"Event"}]}`: "stix",
		`{"type":"indicator","spec_version":"2.1"}`:                                       "stix",
		`[{"type":"indicator","spec_version":"2.1"}]`:                                     "stix",
		"\xef\xbb\xbf {\"Event\":{}}":                                                     "misp",
		`{"response":[{"Event":{}}]}`:                                                     "misp",
		`[{"Event":{"info":"x"}}]`:                                                        "misp",
		`{"uuid":"x","info":"y","Attribute":[]}`:                                          "misp",
		"[2001:db8::1]:443":                                                               "text",
		"[.]evil.example":                                                                 "text",
		"evil.example\n":                                                                  "text",
		"":                                                                                "text",
		"{broken":                                                                         "stix",
	} {
		if got := Sniff([]byte(text)); got != want {
			t.Errorf("%q looks like %s, want %s", text, got, want)
		}
	}
}

func TestRead(t *testing.T) {
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		text, format string
		bundles      int
	}{
		{`{"type":"bundle","id":"bundle--x","objects":[]}`, "stix", 1},
		{`{"response":[{"Event":{"info":"a","Attribute":[{"type":"domain","value":"a.example","to_ids":true}]}},{"Event":{"info":"b"}}]}`, "misp", 2},
		{"a.example\nb.example\n", "text", 1},
	} {
		n := 0
		format, _, err := Read([]byte(c.text), Options{Time: at, Name: "x"}, func(b Bundle) error {
			n++
			if c.format == "stix" && string(b.STIX) != c.text {
				t.Error("a STIX bundle was changed")
			}
			if c.format != "stix" && !stix.Validate(b.STIX, stix.Options{}).Valid {
				t.Errorf("%s gives no valid bundle: %s", c.text, b.STIX)
			}
			return nil
		})
		if format != c.format || n != c.bundles || err != nil {
			t.Errorf("%s: %s, %d bundles (%v)", c.text, format, n, err)
		}
	}
	for _, text := range []string{"nothing here", `{"Event":5}`, ""} {
		if _, _, err := Read([]byte(text), Options{Time: at}, func(Bundle) error { return nil }); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	if _, _, err := Read(nil, Options{Format: "pdf"}, nil); err == nil || !strings.Contains(err.Error(), "use stix") {
		t.Errorf("an unknown format: %v", err)
	}
}

func TestByteOrderMark(t *testing.T) {
	const bundle = `{"type":"bundle","id":"bundle--44af6c39-c09b-49c5-9de2-394224b04982","objects":[{}]}`
	format, _, err := Read([]byte("\xef\xbb\xbf"+bundle), Options{}, func(b Bundle) error {
		if string(b.STIX) != bundle {
			t.Errorf("%q", b.STIX)
		}
		return nil
	})
	if format != "stix" || err != nil {
		t.Errorf("%s, %v", format, err)
	}
}
