package record

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/policy"
)

// payloadWith returns a valid payload in which one string is replaced by another.
func payloadWith(t testing.TB, body Body, from, to string) []byte {
	p := stableParty(t, "corpus")
	payload, err := p.record(t, body, TLPGreen).Payload()
	check(t, err)
	if !strings.Contains(string(payload), from) {
		t.Fatalf("%q is not in %s", from, payload)
	}
	return []byte(strings.Replace(string(payload), from, to, 1))
}

func TestParsePayloadNamesThePlace(t *testing.T) {
	intel := &Intel{Bundle: jsontext.Value(testBundle)}
	deep := strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70)
	for _, c := range []struct {
		name     string
		body     Body
		from, to string
		code     Code
		at       string
	}{
		{"unknown member", report(), `"v":1`, `"v":1,"w":2`, CodeUnknown, "/w"},
		{"unknown member in the body", report(), `"summary"`, `"smry":{},"summary"`, CodeEmpty, "/body/smry"},
		{"unknown member deep in the body", report(), `"from"`, `"form":"x","from"`, CodeUnknown, "/body/period/form"},
		{"case of a name", report(), `"author"`, `"Author"`, CodeUnknown, "/Author"},
		{"duplicate member", report(), `"v":1`, `"v":1,"v":1`, CodeDuplicate, "/v"},
		{"duplicate in the bundle", intel, `"confidence":55`, `"confidence":55,"confidence":56`, CodeDuplicate, "/body/bundle/objects/0/confidence"},
		{"duplicate by escape", report(), `"v":1`, `"v":1,"\u0076":1`, CodeDuplicate, "/v"},
		{"missing member", report(), `"marking":{"tlp":"TLP:GREEN"},`, ``, CodeMissing, "/marking/tlp"},
		{"missing body", report(), `"body":{`, `"boby":{`, CodeUnknown, "/boby"},
		{"missing in the body", report(), `"to":`, `"from":`, CodeDuplicate, "/body/period/from"},
		{"version", report(), `"v":1`, `"v":2`, CodeValue, "/v"},
		{"null", report(), `"v":1`, `"v":1,"expires":null`, CodeEmpty, "/expires"},
		{"empty list", report(), `"v":1`, `"v":1,"refs":[]`, CodeEmpty, "/refs"},
		{"big integer in the bundle", intel, `"confidence":55`, `"confidence":9007199254740993`, CodeNumber, "/body/bundle/objects/0/confidence"},
		{"long decimal in the bundle", intel, `0.10`, `0.1000000000000000055`, CodeNumber, "/body/bundle/objects/0/score"},
		{"huge decimal in the bundle", intel, `0.10`, `1e999`, CodeNumber, "/body/bundle/objects/0/score"},
		{"depth", intel, `"confidence":55`, `"confidence":` + deep, CodeDepth, "/body/bundle/objects/0/confidence" + strings.Repeat("/a", 59)},
		{"trailing value", report(), `"v":1`, `"v":1}{"v":1`, CodeTrailing, ""},
		{"invalid UTF-8", report(), `What`, "\xff\xfe", CodeUTF8, "/body/summary/en"},
		{"lone surrogate", report(), `What`, `\ud800`, CodeSyntax, "/body/summary/en"},
		{"cut short", report(), `"v":1`, `"v"`, CodeSyntax, "/v"},
		{"kind of another version", report(), `"kind":"report"`, `"kind":"incident"`, CodeKind, "/kind"},
		{"kind unheard of", report(), `"kind":"report"`, `"kind":"rumour"`, CodeKind, "/kind"},
		{"time zone", report(), `T12:00:00Z`, `T12:00:00+00:00`, CodeValue, "/time"},
		{"time with a comma", report(), `T12:00:00Z`, `T12:00:00,5Z`, CodeValue, "/time"},
		{"time too fine", report(), `T12:00:00Z`, `T12:00:00.1234567Z`, CodeValue, "/time"},
		{"expired at birth", report(), `"v":1`, `"v":1,"expires":"2026-03-01T12:00:00Z"`, CodeValue, "/expires"},
		{"RED without persons", report(), `TLP:GREEN`, `TLP:RED`, CodeMissing, "/audience/persons"},
		{"TLP 1", report(), `TLP:GREEN`, `TLP:WHITE`, CodeValue, "/marking/tlp"},
		{"unsorted audience", report(), `"v":1`, `"v":1,"audience":{"parties":["p-` + strings.Repeat("b", 32) + `","p-` + strings.Repeat("a", 32) + `"]}`, CodeValue, "/audience/parties/1"},
		{"label", report(), `"v":1`, `"v":1,"serves":["a b"]`, CodeValue, "/serves/0"},
		{"reference", report(), `"v":1`, `"v":1,"refs":[{"rel":"about","leaf":"ABC"}]`, CodeValue, "/refs/0/leaf"},
		{"relation", report(), `"v":1`, `"v":1,"refs":[{"rel":"likes","leaf":"` + testHash + `"}]`, CodeValue, "/refs/0/rel"},
		{"body of another type", report(), `"body":{`, `"body":7,"x":{`, CodeUnknown, "/x"},
		{"string for a number", report(), `"v":1`, `"v":"1"`, CodeType, "/v"},
		{"id of another prefix", report(), `"id":"r-`, `"id":"l-`, CodeValue, "/id"},
		{"a STIX object without id", intel, `"id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",`, ``, CodeMissing, "/body/bundle/objects/0/id"},
		{"a STIX id of another type", intel, `"id":"indicator--`, `"id":"malware--`, CodeValue, "/body/bundle/objects/0/id"},
		{"a word for a language tag", report(), `"en":`, `"english":`, CodeValue, "/body/summary/english"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParsePayload(payloadWith(t, c.body, c.from, c.to))
			refused(t, err, c.code, c.at)
		})
	}
	_, err := ParsePayload(make([]byte, MaxPayload+1))
	refused(t, err, CodeSize, "")
	_, err = ParsePayload(nil)
	refused(t, err, CodeSyntax, "")
}

func TestNumbersThatDoublesCarry(t *testing.T) {
	for number, want := range map[string]bool{
		"0": true, "-0": true, "9007199254740992": true, "-9007199254740992": true, "9007199254740993": false, "18446744073709551616": false,
		"0.1": true, "0.10": true, "1.0": true, "1e2": true, "1E+2": true, "100e-2": true, "1e22": true, "1.7976931348623157e308": true, "1e309": false,
		"5e-324": true, "4e-324": false, "1e-400": false, "0e99999999999999999999": true, "0.0e-99999999999999999999": true, "0.30000000000000004": true,
		"0.1000000000000000055511151231257827": false, "123456789012345680.0": true, "123456789012345678.0": false, "1e99999999999999999999": false, "1e-99999999999999999999": false,
	} {
		if got := carried(number); got != want {
			t.Errorf("%s: carried = %v", number, got)
		}
	}
}

func TestIdsHaveOneSpelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id, err := NewID(seeded(rapid.StringN(1, 8, 32).Draw(t, "seed")), rapid.SampledFrom([]string{PrefixLog, PrefixRecord, PrefixEpoch}).Draw(t, "prefix"))
		if err != nil || !IsID(id, id[:2]) {
			t.Fatalf("%q, %v", id, err)
		}
		raw, err := Base32.DecodeString(id[2:])
		if err != nil || id[2:] != Base32.EncodeToString(raw) {
			t.Fatalf("%q is not the one spelling", id)
		}
		last := id[:len(id)-1] + string(rapid.SampledFrom([]rune("bcdfghjklnoprstvwxz23567")).Draw(t, "last"))
		if IsID(last, id[:2]) {
			t.Fatalf("%q is a second spelling", last)
		}
	})
	for _, bad := range []string{"", "r-", "r-abc", "R-aaaaaaaaaaaaaaaaaaaaaaaaaa", "r-aaaaaaaaaaaaaaaaaaaaaaaaa1", "r-aaaaaaaaaaaaaaaaaaaaaaaaaaa"} {
		if IsID(bad, PrefixRecord) {
			t.Errorf("%q passed for a record id", bad)
		}
	}
}

func TestNamesAndTexts(t *testing.T) {
	long := strings.Repeat("é", 200)
	for _, c := range []struct {
		name  string
		names Names
		ok    bool
	}{
		{"plain", Names{"en": "A", "ar": "ميثاق", "zh-Hant-TW": "約"}, true},
		{"200 characters", Names{"en": long}, true},
		{"201 characters", Names{"en": long + "x"}, false},
		{"none", Names{}, false},
		{"empty", Names{"en": ""}, false},
		{"line break", Names{"en": "a\nb"}, false},
		{"line separator", Names{"en": "a\u2028b"}, false},
		{"tab", Names{"en": "a\tb"}, false},
		{"direction override", Names{"en": "a\u202eb"}, false},
		{"isolate", Names{"en": "a\u2066b"}, false},
		{"Arabic letter mark", Names{"en": "a\u061cb"}, false},
		{"zero width joiner stays", Names{"fa": "می\u200cخواهم"}, true},
		{"not NFC", Names{"fr": "e\u0301"}, false},
		{"tag in capitals", Names{"EN": "a"}, false},
		{"tag with an underscore", Names{"en_GB": "a"}, false},
		{"tag cut short", Names{"en-": "a"}, false},
		{"invalid UTF-8", Names{"en": "\xff"}, false},
	} {
		var check checker
		check.names(c.names, "")
		if (check.err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, check.err)
		}
	}
	many := Text{}
	for i := range 17 {
		many[fmt.Sprintf("en-x%d", i)] = "a"
	}
	for _, text := range []Text{many, {"en": strings.Repeat("x", maxText+1)}, {"en": "bell\a"}, {"en": "\u0085"}} {
		var check checker
		if check.text(text, ""); check.err == nil {
			t.Errorf("a bad text passed: %.40v", text)
		}
	}
	if got := (Names{"fr": "Un", "en": "One"}).In("ar", "fr"); got != "Un" {
		t.Errorf("In gave %q", got)
	}
	if got := (Text{"fr": "Un"}).In("ar"); got != "Un" {
		t.Errorf("In gave %q", got)
	}
}

func TestMarkingsAndAudiencesAreOrdered(t *testing.T) {
	for i, a := range policy.TLPs() {
		for j, b := range policy.TLPs() {
			if a.Stricter(b) != (i > j) {
				t.Errorf("%s stricter than %s: %v", a, b, a.Stricter(b))
			}
		}
	}
	if !TLP("TLP:WHITE").Stricter(TLPRed) || !PAPGreen.Stricter("") || PAPClear.Stricter("") {
		t.Error("a label that is not valid must count as strictest, and no PAP as CLEAR")
	}
	amber := Marking{TLP: TLPAmber, PAP: PAPGreen}
	if !(Marking{TLP: TLPRed, PAP: PAPGreen}).Narrower(amber) || (Marking{TLP: TLPRed}).Narrower(amber) || amber.Narrower(amber) {
		t.Error("Narrower is wrong")
	}
	if got := (Marking{TLP: TLPRed}).Strictest(Marking{TLP: TLPGreen, PAP: PAPAmber}); got != (Marking{TLP: TLPRed, PAP: PAPAmber}) {
		t.Errorf("Strictest gave %v", got)
	}
	large := NewAudience([]string{"p-b", "p-a", "p-b"}, []string{"k-a"})
	small := NewAudience([]string{"p-b"}, nil)
	if !small.Narrower(large) || large.Within(small) || !small.Narrower(nil) || (*Audience)(nil).Within(small) || !large.HasParty("p-a") || small.HasPerson("k-a") {
		t.Error("the order of audiences is wrong")
	}
	if NewAudience(nil, nil) != nil {
		t.Error("an audience of nobody in particular is nil")
	}
}
