package stix

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// complete are objects of our own, one and more of every type, with most properties they can have.
func complete(t testing.TB) []map[string]json.RawMessage {
	t.Helper()
	raw, err := os.ReadFile("testdata/complete.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]json.RawMessage
	for line := range bytes.Lines(raw) {
		var o map[string]json.RawMessage
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatal(err)
		}
		out = append(out, o)
	}
	return out
}

func encode(t testing.TB, o map[string]json.RawMessage) []byte {
	t.Helper()
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func typeIn(o map[string]json.RawMessage) string {
	var s string
	_ = json.Unmarshal(o["type"], &s)
	return s
}

func TestCompleteObjectsAreValid(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range complete(t) {
		seen[typeIn(o)] = true
		if report := Validate(encode(t, o), Options{}); !report.Valid {
			t.Errorf("%s: %v", typeIn(o), report.Findings)
		}
	}
	for name := range catalogue21().types {
		if !seen[name] && name != "attack-pattern" && name != "course-of-action" && name != "identity" && name != "incident" && name != "indicator" {
			t.Errorf("no complete %s", name)
		}
	}
}

// Whatever is required is missed, and no property takes a value of another JSON type.
func TestEveryRowOfEveryTable(t *testing.T) {
	for _, o := range complete(t) {
		s := catalogue21().types[typeIn(o)]
		for _, p := range s.properties {
			old, present := o[p.name]
			if !present {
				continue
			}
			if p.required {
				delete(o, p.name)
				if report := Validate(encode(t, o), Options{}); report.Valid {
					t.Errorf("%s without %s is valid", s.name, p.name)
				}
			}
			for _, wrong := range []string{"null", "[]", `{"a":null}`, "true", "-7.5", `"§"`, `[[]]`} {
				if wrong == `"§"` && (p.kind == text || p.kind == anything || p.kind == registryKey) && !p.list || wrong == "true" && p.kind == boolean || wrong == "-7.5" && p.kind == number ||
					p.kind == anything && (wrong == "true" || wrong == "-7.5" || wrong == `{"a":null}` || wrong == `[[]]`) {
					continue
				}
				o[p.name] = json.RawMessage(wrong)
				report := Validate(encode(t, o), Options{})
				if report.Valid {
					t.Errorf("%s with %s %s is valid", s.name, p.name, wrong)
				} else if f := report.Findings[0]; f.Rule == "" || f.Kind == "" || f.Message == "" {
					t.Errorf("%s with %s %s: %+v", s.name, p.name, wrong, f)
				}
			}
			o[p.name] = old
		}
	}
}

const (
	head = `"spec_version":"2.1","created":"2024-05-12T08:17:27.000Z","modified":"2024-05-12T08:17:27.000Z",`
	uuid = `--b67d30ff-02ac-498a-92f9-32f845f448cf"`
	name = `--b67d30ff-02ac-598a-92f9-32f845f448cf"`
)

// What a finding says: the place and the rule.
func TestFindings(t *testing.T) {
	indicator := `{"type":"indicator","id":"indicator` + uuid + `,` + head + `"pattern_type":"stix","valid_from":"2024-05-12T08:17:27Z",`
	for _, c := range []struct {
		name, doc  string
		path, kind string // empty: valid
	}{
		{"an indicator", indicator + `"pattern":"[file:name = 'a']"}`, "", ""},
		{"a pattern that is none", indicator + `"pattern":"[file:name = 'a'"}`, "/pattern", "pattern"},
		{"a pattern with a short type", indicator + `"pattern":"[f:name = 'a']"}`, "/pattern", "pattern"},
		{"a pattern with a short property", indicator + `"pattern":"[file:ab = 'a']"}`, "/pattern", "pattern"},
		{"a colon in a pattern's string", indicator + `"pattern":"[file:name = 'f:x']"}`, "", ""},
		{"a selector into nothing", indicator + `"pattern":"[file:name = 'a']","granular_markings":[{"selectors":["labels.[3]"],"marking_ref":"marking-definition` + uuid + `}]}`,
			"/granular_markings/0/selectors/0", "selector"},
		{"a language as granular marking", indicator + `"pattern":"[file:name = 'a']","granular_markings":[{"selectors":["pattern"],"lang":"fr"}]}`, "", ""},
		{"valid until before", indicator + `"pattern":"[file:name = 'a']","valid_until":"2024-05-12T08:17:27.000Z"}`, "/valid_until", "order"},
		{"30 February", indicator + `"pattern":"[file:name = 'a']","valid_until":"2025-02-30T08:17:27.000Z"}`, "/valid_until", "timestamp"},
		{"a name with a slash", indicator + `"pattern":"[file:name = 'a']","/~":1}`, "/~1~0", "property-name"},
		{"an external reference", indicator + `"pattern":"[file:name = 'a']","external_references":[{"source_name":"x"}]}`, "/external_references/0", "external-reference"},
		{"a family without a name", `{"type":"malware","id":"malware` + uuid + `,` + head + `"is_family":true}`, "", "required"},
		{"a place nowhere", `{"type":"location","id":"location` + uuid + `,` + head + `"latitude":1}`, "", "required"},
		{"someone's own type", `{"type":"x-own-thing","id":"x-own-thing` + uuid + `,` + head + `"foo":1}`, "", ""},
		{"someone else's identifier", `{"type":"x-own-thing","id":"tool` + uuid + `,` + head + `"foo":1}`, "/id", "identifier"},
		{"a process with a name-based identifier", `{"type":"process","id":"process` + name + `,"pid":3}`, "/id", "identifier"},
		{"an underscore in a domain", `{"type":"domain-name","id":"domain-name` + name + `,"value":"a_b.example"}`, "/value", "domain"},
		{"a domain in Arabic", `{"type":"domain-name","id":"domain-name` + name + `,"value":"ميثاق.شبكة"}`, "", ""},
		{"TLP of one's own", `{"type":"marking-definition","spec_version":"2.1","id":"marking-definition` + uuid + `,"created":"2017-01-20T00:00:00.000Z","definition_type":"tlp","name":"TLP:RED","definition":{"tlp":"red"}}`, "", "tlp"},
		{"an integer beyond 54 bits", `{"type":"autonomous-system","id":"autonomous-system` + name + `,"number":9007199254740993}`, "/number", "type"},
	} {
		report := Validate([]byte(c.doc), Options{})
		switch {
		case report.Unreadable != nil:
			t.Errorf("%s: %v", c.name, report.Unreadable)
		case c.kind == "" && !report.Valid:
			t.Errorf("%s: %v", c.name, report.Findings)
		case c.kind != "" && report.Valid:
			t.Errorf("%s is valid", c.name)
		case c.kind != "" && !slices.ContainsFunc(report.Findings, func(f Finding) bool { return f.Path == c.path && f.Kind == c.kind }):
			t.Errorf("%s: want %s at %q, found %v", c.name, c.kind, c.path, report.Findings)
		}
	}
}

func TestOptions(t *testing.T) {
	own := `{"type":"tool","id":"tool` + uuid + `,` + head + `"name":"n","something":1}`
	for _, c := range []struct {
		name  string
		opts  Options
		valid bool
		rules string
	}{
		{"by default, recommendations are not looked at", Options{}, true, ""},
		{"reported, not counted", Options{Recommend: true}, true, "401 extensions-use"},
		{"counted", Options{Strict: true}, false, "401 extensions-use"},
		{"disabled by code", Options{Strict: true, Disabled: []string{"401"}}, false, "101 custom-prefix"},
		{"disabled by name", Options{Strict: true, Disabled: []string{"extensions-use", "custom-prefix"}}, false, "102 custom-prefix-lax"},
		{"disabled by group", Options{Strict: true, Disabled: []string{"401", "1"}}, true, ""},
		{"enabled alone", Options{Strict: true, Enabled: []string{"302"}}, true, ""},
		{"strict properties", Options{StrictProperties: true}, true, "strict-properties"},
	} {
		report := Validate([]byte(own), c.opts)
		var rules []string
		for _, f := range report.Findings {
			rules = append(rules, f.Rule)
		}
		if got := strings.Join(rules, ", "); report.Valid != c.valid || got != c.rules {
			t.Errorf("%s: valid %v, rules %q, want %v and %q", c.name, report.Valid, got, c.valid, c.rules)
		}
	}
	if _, err := Check([]byte(own), Options{Disabled: []string{"nonsense"}}); err == nil {
		t.Error("a check that does not exist can be disabled")
	}
	if report := Validate([]byte(own), Options{Enabled: []string{"nonsense"}}); report.Valid {
		t.Error("a check that does not exist makes a document valid")
	}
}

func TestEnforceRefsAndInterop(t *testing.T) {
	identity := `{"type":"identity","id":"identity` + uuid + `,` + head + `"name":"n","identity_class":"group","created_by_ref":"identity` + uuid + `}`
	link := `{"type":"relationship","id":"relationship` + uuid + `,` + head + `"relationship_type":"related-to","source_ref":"identity` + uuid +
		`,"target_ref":"tool` + uuid + `,"created_by_ref":"identity` + uuid + `}`
	doc := []byte(`{"type":"bundle","id":"bundle` + uuid + `,"objects":[` + identity + `,` + link + `]}`)
	report := Validate(doc, Options{EnforceRefs: true, Strict: true})
	if report.Valid || len(report.Findings) != 1 || report.Findings[0].Path != "/target_ref" || report.Findings[0].Index != 1 {
		t.Errorf("a dangling reference: %v", report.Findings)
	}
	if report := Validate(doc, Options{Interop: true}); !report.Valid {
		t.Errorf("interop: %v", report.Findings)
	}
	anonymous := bytes.Replace(doc, []byte(`,"created_by_ref":"identity`+uuid+`}]`), []byte(`}]`), 1)
	if report := Validate(anonymous, Options{Interop: true}); report.Valid {
		t.Error("interop takes an object without a producer")
	}
}

// Objects of STIX 2.0 are held to 2.0, wherever the bundle says so.
func TestOldObjects(t *testing.T) {
	old := `{"type":"identity","id":"identity` + uuid + `,"created":"2016-08-22T14:09:00.123Z","modified":"2016-08-22T14:09:00.123Z","name":"n"`
	for _, c := range []struct {
		doc   string
		valid bool
	}{
		{`{"type":"bundle","id":"bundle` + uuid + `,"spec_version":"2.0","objects":[` + old + `,"identity_class":"group"}]}`, true},
		{`{"type":"bundle","id":"bundle` + uuid + `,"objects":[` + old + `,"identity_class":"group"}]}`, true},
		{`{"type":"bundle","id":"bundle` + uuid + `,"objects":[` + old + `}]}`, false},
		{`{"type":"bundle","objects":[` + old + `,"spec_version":"2.1"}],"id":"bundle` + uuid + `}`, true},
		{`{"type":"bundle","objects":[` + old + `,"spec_version":"2.1"}],"id":"bundle` + uuid + `,"spec_version":"2.0"}`, false},
		{old + `,"identity_class":"group"}`, false},
	} {
		if report := Validate([]byte(c.doc), Options{}); report.Valid != c.valid {
			t.Errorf("%s: valid is %v: %v", c.doc, report.Valid, report.Findings)
		}
	}
}

func TestValidatingAllocatesNothing(t *testing.T) {
	doc := []byte(`{"type":"bundle","id":"bundle` + uuid + `,"objects":[{"type":"malware","id":"malware` + uuid + `,` + head + `"is_family":false,"malware_types":["worm"]}]}`)
	Validate(doc, Options{})
	if n := testing.AllocsPerRun(100, func() { Validate(doc, Options{}) }); n > 8 {
		t.Errorf("%v allocations a bundle", n)
	}
}
