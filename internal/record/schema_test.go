package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

// beyondSchema lists what the typed checks refuse and JSON Schema 2020-12 cannot say. Everything else must agree.
var beyondSchema = []struct {
	code    Code
	msg     string // a pattern of the error's message
	because string
}{
	{CodeNumber, `loses digits`, "schemas speak of values, not of digits"},
	{CodeSyntax, `invalid surrogate|not valid JSON`, "schemas speak of parsed values"},
	{CodeValue, `out of order or repeated`, "no keyword for sorted lists"},
	{CodeValue, `not in Unicode normal form C`, "no keyword for normal forms"},
	{CodeSize, `bytes, at most|an agreement file`, "maxLength counts characters, not bytes"},
	{CodeValue, `ends before it begins`, "no keyword compares two members"},
	{CodeValue, `is not one of type`, "no keyword compares a STIX id with its type"},
	{CodeValue, `not an Ed25519 verifier key of this origin`, "no keyword compares vkey and origin"},
	{CodeValue, `not base64`, "stray bits in base64's last digit"},
	{CodeValue, `cannot stand here: strconv`, "1.0 is an integer to a schema"},
	{CodeType, `number cannot stand here`, "1.0 is an integer to a schema"},
	{CodeValue, `not the leaf of this object`, "no keyword hashes"},
	{CodeDepth, `nested`, "no keyword for depth"},
	{CodeSize, `the ranges reach over`, "no keyword subtracts"},
}

func compileSchemas(t testing.TB) map[Kind]*jsonschema.Schema {
	const base = "https://github.com/mithaq/mithaq/schema/v1/"
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	add := func(name string, b []byte) {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		check(t, err)
		check(t, c.AddResource(base+name+".json", doc))
	}
	add("common", CommonSchema())
	for _, s := range Kinds() {
		spec, err := LookupKind(s.Name)
		check(t, err)
		add(string(s.Name), spec.Schema)
	}
	out := make(map[Kind]*jsonschema.Schema)
	for _, s := range Kinds() {
		var err error
		out[s.Name], err = c.Compile(base + string(s.Name) + ".json")
		check(t, err)
	}
	return out
}

// disagreement returns why the typed check and the schema disagree about a body, or "".
func disagreement(spec Spec, schema *jsonschema.Schema, body []byte) string {
	typed := spec.Check(body)
	var bySchema error
	if doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body)); err != nil {
		bySchema = err
	} else {
		bySchema = schema.Validate(doc)
	}
	switch {
	case typed == nil && bySchema != nil:
		return fmt.Sprintf("the schema alone refuses: %v", bySchema)
	case typed != nil && bySchema == nil:
		e := typed.(*Error) //nolint:errorlint // the check's error itself must be one
		for _, x := range beyondSchema {
			if x.code == e.Code && regexp.MustCompile(x.msg).MatchString(e.Msg) {
				return ""
			}
		}
		return fmt.Sprintf("the typed check alone refuses: %v (%s)", typed, e.Code)
	}
	return ""
}

func TestSchemasAgreeWithTypedChecks(t *testing.T) {
	schemas := compileSchemas(t)
	for _, body := range corpus(t) {
		spec, err := LookupKind(body.Kind())
		check(t, err)
		b, err := EncodeBody(body)
		check(t, err)
		if why := disagreement(spec, schemas[spec.Name], b); why != "" {
			t.Errorf("%s: %s\n%s", spec.Name, why, b)
		}
	}
}

func TestSchemasAgreeOnMutations(t *testing.T) {
	schemas := compileSchemas(t)
	bodies := corpus(t)
	verdicts := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SampledFrom(bodies).Draw(t, "body")
		b, err := EncodeBody(body)
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 2).Draw(t, "mutations") {
			doc = mutate(t, doc)
		}
		b, err = json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		spec, _ := LookupKind(body.Kind())
		verdicts[spec.Check(b) == nil]++
		if why := disagreement(spec, schemas[spec.Name], b); why != "" {
			t.Fatalf("%s: %s\n%s", spec.Name, why, b)
		}
	})
	if !testing.Short() && (verdicts[true] == 0 || verdicts[false] == 0) { // of the few of a short run all may be wrong
		t.Errorf("the mutations were all alike: %v", verdicts)
	}
}

// mutate changes one place of a JSON value, at any depth.
func mutate(t *rapid.T, v any) any {
	switch x := v.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(x))
		if len(keys) > 0 && rapid.IntRange(0, 3).Draw(t, "deeper") > 0 {
			k := rapid.SampledFrom(keys).Draw(t, "key")
			x[k] = mutate(t, x[k])
			return x
		}
		switch rapid.IntRange(0, 3).Draw(t, "object") {
		case 0:
			if len(keys) > 0 {
				delete(x, rapid.SampledFrom(keys).Draw(t, "dropped"))
			}
		case 1:
			x[rapid.SampledFrom([]string{"extra", "", "note", "marking", "audience", "party", "to", "en", "EN", "en-GB", "en-", "x-toolongsubtag"}).Draw(t, "added")] = odd(t)
		case 2:
			return odd(t)
		}
		return x
	case []any:
		if len(x) > 0 && rapid.IntRange(0, 3).Draw(t, "deeper") > 0 {
			i := rapid.IntRange(0, len(x)-1).Draw(t, "index")
			x[i] = mutate(t, x[i])
			return x
		}
		switch rapid.IntRange(0, 2).Draw(t, "array") {
		case 0:
			return append(x, odd(t))
		case 1:
			if len(x) > 0 {
				return append(x, x[0])
			}
		case 2:
			return x[:0]
		}
		return x
	case string:
		if len(x) == 0 || rapid.Bool().Draw(t, "replace") {
			return odd(t)
		}
		i := rapid.IntRange(0, len(x)-1).Draw(t, "at")
		return x[:i] + rapid.SampledFrom([]string{"", "x", "0", "A", "\n", "\u0085", "\u202e", "\u2028", "e\u0301", "=", "Z", "\x00", "-"}).Draw(t, "put") + x[i+1:]
	}
	return odd(t)
}

func odd(t *rapid.T) any {
	return rapid.SampledFrom([]any{nil, true, "", "x", "TLP:RED", "TLP:CLEAR", "join", "narrow", "2026-02-30", "2026-01-31", "2026-01-01T00:00:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.1234567Z",
		"fresh", "ratchet", testHash, 0.0, 1.0, -1.0, 1.5, 1e300, json.Number("12345678901234567890"), []any{}, []any{"x"}, map[string]any{}, map[string]any{"en": "a"}, map[string]any{"tlp": "TLP:RED"},
		map[string]any{"tlp": "TLP:CLEAR"}, map[string]any{"from": "2026-01-01", "to": "2026-02-01"}}).Draw(t, "odd")
}
