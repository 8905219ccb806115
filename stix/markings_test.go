package stix

import (
	"encoding/json"
	"testing"
)

func object(t testing.TB, raw string) Object {
	t.Helper()
	o, err := ParseObject([]byte(raw))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return o
}

// TLP 1 and TLP 2.0 are one scale, whichever marking definition says so.
func TestTLP(t *testing.T) {
	for _, level := range []TLP{TLPClear, TLPGreen, TLPAmber, TLPAmberStrict, TLPRed} {
		raw := level.MarkingDefinition()
		if report := Validate(raw, Options{Strict: true}); !report.Valid {
			t.Errorf("%v: %v", level, report.Findings)
		}
		m, err := ReadMarking(object(t, string(raw)))
		if err != nil || m.TLP != level || m.Name != level.String() {
			t.Errorf("%v reads as %+v, %v", level, m, err)
		}
		if got, ok := TLPOf(level.MarkingID()); !ok || got != level {
			t.Errorf("%s is %v", level.MarkingID(), got)
		}
		if got, ok := ParseTLP(level.String()); !ok || got != level {
			t.Errorf("%q is %v", level.String(), got)
		}
	}
	for id, m := range tlpByID {
		if m.version != 1 {
			continue
		}
		raw := `{"type":"marking-definition","spec_version":"2.1","id":"` + id + `","created":"2017-01-20T00:00:00.000Z","definition_type":"tlp","name":"` +
			m.name + `","definition":{"tlp":"` + m.value + `"}}`
		if report := Validate([]byte(raw), Options{Strict: true}); !report.Valid {
			t.Errorf("%s: %v", m.name, report.Findings)
		}
		if got, _ := TLPOf(id); got != m.level {
			t.Errorf("%s is %v", m.name, got)
		}
	}
	if level, ok := TLPOf("marking-definition--00000000-0000-4000-8000-000000000000"); ok || level != TLPNone {
		t.Error("any marking is TLP")
	}
}

func TestEffectiveMarking(t *testing.T) {
	green, red := TLPGreen.MarkingID(), "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed" // TLP 1
	own := "marking-definition--11111111-1111-4111-8111-111111111111"
	known := MarkingsOf([]Object{object(t, `{"type":"marking-definition","id":"`+own+`","extensions":{"`+TLP2Extension+`":{"extension_type":"property-extension","tlp_2_0":"amber+strict"}}}`)})
	o := object(t, `{"type":"report","id":"report--1","object_marking_refs":["`+green+`"],"name":"n","labels":["a","b"],
		"external_references":[{"source_name":"s","description":"d"}],
		"granular_markings":[{"selectors":["external_references.[0]"],"marking_ref":"`+own+`"},{"selectors":["external_references.[0].description","labels.[1]","labels.[7]"],"marking_ref":"`+red+`"},
		{"selectors":["name"],"lang":"fr"}]}`)
	m, err := Effective(o, known)
	if err != nil {
		t.Fatal(err)
	}
	if m.TLP != TLPGreen || m.Strictest() != TLPRed || len(m.Unresolved) != 1 || m.Unresolved[0] != "labels.[7]" {
		t.Errorf("marked %+v", m)
	}
	for selector, want := range map[string]TLP{
		"name": TLPGreen, "labels": TLPGreen, "labels.[0]": TLPGreen, "labels.[1]": TLPRed, "external_references": TLPGreen,
		"external_references.[0].source_name": TLPAmberStrict, "external_references.[0].description": TLPRed,
	} {
		if got := m.At(selector); got != want {
			t.Errorf("%s is %v, want %v", selector, got, want)
		}
	}
	if above := m.Above(TLPGreen); len(above) != 3 {
		t.Errorf("above green: %v", above)
	}
	if above := m.Above(TLPAmberStrict); len(above) != 2 {
		t.Errorf("above amber+strict: %v", above)
	}
	if m, err := Effective(object(t, `{"type":"tool","id":"tool--1"}`), nil); err != nil || m.TLP != TLPNone {
		t.Errorf("no marking is %v", m.TLP)
	}
}

func TestExtensionRoundTrip(t *testing.T) {
	if report := Validate([]byte(ExtensionDefinition), Options{Strict: true}); !report.Valid {
		t.Errorf("the extension-definition: %v", report.Findings)
	}
	e := Extension{Agreement: "a-x", Record: "r-y", Serves: []string{"1", "norm.f"}, PAP: "PAP:GREEN",
		Fingerprints: []Fingerprint{{Kind: JA4, Value: "t13d1516h2_8daaf6152771_b186095e22b6", Role: "client"}}}
	for _, raw := range []string{
		`{"type":"tool","id":"tool--b67d30ff-02ac-498a-92f9-32f845f448cf","spec_version":"2.1","created":"2024-05-12T08:17:27.000Z","modified":"2024-05-12T08:17:27.000Z", "name" : "n"}`,
		`{"type":"tool","extensions":{"` + ExtensionID + `":{"extension_type":"property-extension","pap":"PAP:RED"}, "extension-definition--04b2d3ef-d061-4912-ab77-6bbe807a5bd5":{"extension_type":"property-extension","rank":1.50}},"id":"tool--b67d30ff-02ac-498a-92f9-32f845f448cf","spec_version":"2.1","created":"2024-05-12T08:17:27.000Z","modified":"2024-05-12T08:17:27.000Z","name":"n"}`,
	} {
		written, err := WriteExtension(object(t, raw), e)
		if err != nil {
			t.Fatal(err)
		}
		if report := Validate(written, Options{Strict: true}); !report.Valid {
			t.Errorf("%s: %v", written, report.Findings)
		}
		got, ok, err := ReadExtension(object(t, string(written)))
		if err != nil || !ok || got.Agreement != e.Agreement || got.PAP != e.PAP || len(got.Serves) != 2 || got.Fingerprints[0].Value != e.Fingerprints[0].Value {
			t.Errorf("read %+v, %v", got, err)
		}
		if v, _ := object(t, string(written)).Open(); v.Get("name").Text() != "n" {
			t.Errorf("something else changed: %s", written)
		}
	}
	if _, err := WriteExtension(object(t, `{"type":"tool","id":"x"}`), Extension{PAP: "PAP:BLUE"}); err == nil {
		t.Error("PAP:BLUE is written")
	}
}

func TestFingerprintsInTheFormsOfOthers(t *testing.T) {
	const ja3, ja3s, ja4 = "e7d705a3286e19ea42f587b344ee6865", "ae4edc6faf64d08308082ad26be60767", "t13d1516h2_8daaf6152771_b186095e22b6"
	for _, c := range []struct{ name, raw, kind, value, from string }{
		{"custom property", `{"type":"network-traffic","id":"x","x_ja3":"` + ja3 + `"}`, "ja3", ja3, "x_"},
		{"in capitals", `{"type":"network-traffic","id":"x","x_ja3_hash":"E7D705A3286E19EA42F587B344EE6865"}`, "ja3", ja3, "x_"},
		{"OpenCTI", `{"type":"network-traffic","id":"x","x_opencti_ja3s":["` + ja3s + `"]}`, "ja3s", ja3s, "opencti"},
		{"extension", `{"type":"network-traffic","id":"x","extensions":{"tls-ext":{"ja3":{"hash":"` + ja3 + `","string":"771,4865"}}}}`, "ja3", ja3, "tls-ext"},
		{"extension of one's own", `{"type":"network-traffic","id":"x","extensions":{"extension-definition--1":{"client":{"ja4_fingerprint":"` + ja4 + `"}}}}`, "ja4", ja4, "extension-definition--1"},
		{"MISP object", `{"type":"x-misp-object","id":"x","x_misp_name":"ja3","x_misp_attributes":[{"type":"ip-dst","value":"1.2.3.4"},{"type":"ja3-fingerprint-md5","object_relation":"ja3-fingerprint-md5","value":"` + ja3 + `"}]}`, "ja3", ja3, "misp"},
		{"pattern", `{"type":"indicator","id":"x","pattern_type":"stix","pattern":"[ipv4-addr:value = '1.2.3.4' AND network-traffic:extensions.'tls-ext'.ja3s_hash = '` + ja3s + `']"}`, "ja3s", ja3s, "pattern"},
		{"pattern of MISP", `{"type":"indicator","id":"x","pattern_type":"stix","pattern":"[x-misp-object:'ja3-fingerprint-md5' = '` + ja3 + `']"}`, "ja3", ja3, "pattern"},
		{"pattern of OpenCTI", `{"type":"indicator","id":"x","pattern_type":"stix","pattern":"[x-opencti-ja3:value = '` + ja3 + `']"}`, "ja3", ja3, "pattern"},
		{"mithaq", `{"type":"indicator","id":"x","extensions":{"` + ExtensionID + `":{"extension_type":"property-extension","fingerprints":[{"kind":"ja4","value":"` + ja4 + `"}]}}}`, "ja4", ja4, "mithaq"},
		{"JARM", `{"type":"x509-certificate","id":"x","jarm":"27d40d40d29d40d1dc42d43d00041d4689ee210389f4f6b4b5b1b93f92252d"}`, "jarm", "27d40d40d29d40d1dc42d43d00041d4689ee210389f4f6b4b5b1b93f92252d", "x_"},
		{"HASSH", `{"type":"network-traffic","id":"x","x_hassh_md5":"` + ja3 + `"}`, "hassh", ja3, "x_"},
		{"community id", `{"type":"network-traffic","id":"x","x_community_id":"1:LQU9qZlK+B5F3KDmev6m5PMibrg="}`, "community-id", "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", "x_"},
	} {
		found, err := Fingerprints(object(t, c.raw))
		if err != nil || len(found) != 1 || string(found[0].Kind) != c.kind || found[0].Value != c.value || found[0].From != c.from {
			t.Errorf("%s: found %+v, %v", c.name, found, err)
		}
	}
	for name, raw := range map[string]string{
		"a value that is no hash":   `{"type":"network-traffic","id":"x","x_ja3":"hello"}`,
		"negated in a pattern":      `{"type":"indicator","id":"x","pattern_type":"stix","pattern":"[network-traffic:x_ja3 != '` + ja3 + `']"}`,
		"a file's hash":             `{"type":"file","id":"x","hashes":{"MD5":"` + ja3 + `"}}`,
		"a pattern that is no STIX": `{"type":"indicator","id":"x","pattern_type":"yara","pattern":"network-traffic:x_ja3 = '` + ja3 + `'"}`,
	} {
		if found, err := Fingerprints(object(t, raw)); err != nil || len(found) != 0 {
			t.Errorf("%s: found %+v, %v", name, found, err)
		}
	}
}

func TestTranslations(t *testing.T) {
	campaign := object(t, `{"type":"campaign","id":"campaign--1","created":"2024-05-12T08:17:27.000Z","modified":"2024-05-12T08:17:27Z","name":"Bank Attack"}`)
	o := object(t, `{"type":"language-content","id":"language-content--1","object_ref":"campaign--1","object_modified":"2024-05-12T08:17:27.000Z",
		"contents":{"fr":{"name":"Attaque Bank","aliases":["un"]},"ar":{"name":"هجوم"}}}`)
	tr, err := ReadTranslation(o)
	if err != nil || !tr.Fits(campaign) {
		t.Fatalf("%+v %v", tr, err)
	}
	for language, want := range map[string]string{"fr": "Attaque Bank", "fr-CA": "Attaque Bank", "ar-SA": "هجوم", "de": "", "": ""} {
		if got, ok := tr.Text(language, "name"); got != want || ok != (want != "") {
			t.Errorf("%s: %q", language, got)
		}
	}
	tr.ObjectModified = "2023-05-12T08:17:27.000Z"
	if tr.Fits(campaign) {
		t.Error("a translation of an older version fits")
	}
}

func TestScales(t *testing.T) {
	for _, s := range Scales() {
		for n := 0; n <= 100; n++ {
			if s.Word(n) == "" {
				t.Errorf("%s has no word for %d", s.Name, n)
			}
		}
		for _, step := range s.Steps {
			if n, ok := s.Confidence(step.Word); !ok || s.Word(n) != step.Word {
				t.Errorf("%s: %s is written as %d", s.Name, step.Word, n)
			}
		}
	}
}

func TestVocabularies(t *testing.T) {
	for _, name := range Vocabularies() {
		if len(Vocabulary(name)) == 0 {
			t.Errorf("%s is empty", name)
		}
	}
	if Vocabulary("no-such-ov") != nil {
		t.Error("a vocabulary that does not exist")
	}
	if _, err := json.Marshal(Report{Findings: []Finding{{Level: SHOULD}}}); err != nil {
		t.Error(err)
	}
}
