package siem

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/exchangetest"
	"github.com/mithaq/mithaq/stix"
)

// extension reads the fields of a CEF extension as a SIEM does: a key is what stands before an equal sign that is not escaped.
func extension(s string) map[string]string {
	out := map[string]string{}
	keys := regexp.MustCompile(`(^| )([A-Za-z0-9]+)=`)
	places := keys.FindAllStringSubmatchIndex(s, -1)
	for i, p := range places {
		end := len(s)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		out[s[p[4]:p[5]]] = strings.NewReplacer(`\\`, `\`, `\=`, `=`, `\n`, "\n").Replace(s[p[1]:end])
	}
	return out
}

func TestNothingBreaksOutOfALine(t *testing.T) {
	known := map[string]bool{}
	for _, k := range strings.Fields("externalId rt start end cnt src spt dst dpt request dhost fileHash fname cs1 cs1Label cs2 cs2Label cs3 cs3Label cs4 cs4Label cs5 cs5Label cs6 cs6Label cn1 cn1Label msg") {
		known[k] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		e := OfIndicator(exchangetest.Indicators().Draw(t, "indicator"))
		line := e.CEF(Device{Host: exchangetest.Text().Draw(t, "host"), Version: exchangetest.Text().Draw(t, "version")})
		if strings.ContainsAny(line, "\n\r\u2028\u202e\x00") {
			t.Fatalf("a CEF line is more than one line: %q", line)
		}
		_, cef, _ := strings.Cut(line, "CEF:0")
		bars := regexp.MustCompile(`(\\\\|\\\||[^|])*`).Split(cef, -1)
		if len(bars) < 8 {
			t.Fatalf("the header has %d bars: %q", len(bars)-1, line)
		}
		fields := regexp.MustCompile(`^((?:\\.|[^|\\])*\|){7}`).FindString(cef)
		got := extension(strings.TrimPrefix(cef, fields))
		for key := range got {
			if !known[key] {
				t.Fatalf("a text brought in the field %q: %q", key, line)
			}
		}
		if got["cs2"] != "" && got["cs2"] != strings.TrimRight(cut(joined(e.Value.Value)), "") {
			t.Fatalf("the value %q came out as %q", e.Value.Value, got["cs2"])
		}
		doc, err := e.ECS()
		if err != nil {
			t.Fatal(err)
		}
		var parsed map[string]any
		if err := json.Unmarshal(doc, &parsed); err != nil || strings.ContainsAny(string(doc), "\n\r") {
			t.Fatalf("an ECS line is no JSON line: %q (%v)", doc, err)
		}
	})
}

// joined is a text as cefValue carries it, before it is escaped.
func joined(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	for i := range lines {
		lines[i] = exchange.OneLine(lines[i])
	}
	return strings.Join(lines, "\n")
}

func TestSighting(t *testing.T) {
	o, err := stix.ParseObject([]byte(`{"type":"sighting","spec_version":"2.1","id":"sighting--00000000-0000-4000-8000-000000000001","created":"2026-11-22T00:00:00.000Z","modified":"2026-11-22T00:00:00.000Z",
	 "sighting_of_ref":"indicator--00000000-0000-4000-8000-000000000002","count":3,"first_seen":"2026-11-20T00:00:00Z","last_seen":"2026-11-21T00:00:00Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	alternatives, _ := exchange.Alternatives("[domain-name:value = 'evil.example']")
	in := exchange.Indicator{ID: "indicator--00000000-0000-4000-8000-000000000002", Name: "Evil", Alternatives: alternatives, Confidence: -1}
	e, err := OfSighting(o, &in, exchange.Origin{TLP: "TLP:GREEN", Agreement: "a-1", Name: "CERT-Sahlan"})
	if err != nil {
		t.Fatal(err)
	}
	want := "<134>1 2026-11-21T00:00:00.000Z node mithaq - sighting - CEF:0|mithaq|mithaq|1|sighting|Evil|5|externalId=sighting--00000000-0000-4000-8000-000000000001 rt=1795219200000 start=1795132800000 end=1795219200000 cnt=3 " +
		"dhost=evil.example cs1=indicator--00000000-0000-4000-8000-000000000002 cs1Label=indicator cs2=evil.example cs2Label=value cs3=TLP:GREEN cs3Label=marking cs4=a-1 cs4Label=agreement cs5=CERT-Sahlan cs5Label=author"
	if got := e.CEF(Device{Host: "node", Version: "1"}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	doc, err := e.ECS()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"@timestamp":"2026-11-21T00:00:00.000Z"`, `"kind":"alert"`, `"marking":{"tlp":"GREEN","tlp_version":"2.0"}`, `"sightings":3`, `"url":{"domain":"evil.example"}`, `"type":"domain-name"`} {
		if !strings.Contains(string(doc), part) {
			t.Errorf("no %s in %s", part, doc)
		}
	}
	if e.Time != time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC) {
		t.Errorf("the time is %s", e.Time)
	}
}
