package stix

import (
	"slices"
	"testing"
)

// What the specification says in so many words and the OASIS schemas do not ask, or ask otherwise.
func TestWordsOfTheSpecification(t *testing.T) {
	object := func(typ, rest string) string {
		return `{"type":"` + typ + `","id":"` + typ + uuid + `,` + head + rest + `}`
	}
	observable := func(typ, rest string) string {
		return `{"type":"` + typ + `","id":"` + typ + uuid + `,"spec_version":"2.1",` + rest + `}`
	}
	extension := `"name":"n","schema":"https://example.com/s","version":"1.0.0","extension_types":["new-sdo"]`
	marked := func(selector string) string {
		return `"hashes":{"MD5":"d41d8cd98f00b204e9800998ecf8427e","SHA-1":"da39a3ee5e6b4b0d3255bfef95601890afd80709"},` +
			`"granular_markings":[{"marking_ref":"marking-definition` + uuid + `,"selectors":["` + selector + `"]}]`
	}
	for _, c := range []struct {
		name, doc string
		kind      string // empty: valid
	}{
		{"a sighting of an indicator", object("sighting", `"sighting_of_ref":"indicator`+uuid), ""},
		{"a sighting of one's own type", object("sighting", `"sighting_of_ref":"x-thing`+uuid), ""},
		{"a sighting of an observable", object("sighting", `"sighting_of_ref":"file`+uuid), "reference"},
		{"a translation of nothing", object("language-content", `"object_ref":"tool`+uuid+`,"contents":{"de":{}}`), "empty"},
		{"an environment", observable("process", `"environment_variables":{"PATH":"/bin"}`), ""},
		{"an environment with a number", observable("process", `"environment_variables":{"PATH":"/bin","N":1}`), "type"},
		{"an extension and its author", object("extension-definition", extension+`,"created_by_ref":"identity`+uuid), ""},
		{"an extension by nobody", object("extension-definition", extension), "required"},
		{"a defanged observable", observable("url", `"value":"http://example.com","defanged":true`), ""},
		{"a defanged tool", object("tool", `"name":"n","defanged":true`), "unknown"},
		{"a header that occurs once, as a list", observable("email-message", `"is_multipart":false,"additional_header_fields":{"Reply-To":["a@example.com"]}`), ""},
		{"a header as text, as in the examples", observable("email-message", `"is_multipart":false,"additional_header_fields":{"X-Mailer":"Mutt"}`), ""},
		{"a header without value", observable("email-message", `"is_multipart":false,"additional_header_fields":{"Reply-To":[]}`), "empty"},
		{"a marking of one hash", observable("file", marked("hashes.MD5")), ""},
		{"a marking of a hash with a hyphen", observable("file", marked("hashes.SHA-1")), ""},
		{"a marking of a hash that is not there", observable("file", marked("hashes.SHA-256")), "selector"},
		{"a marking of nothing below a property", observable("file", marked("hashes.")), "selector"},
	} {
		report := Validate([]byte(c.doc), Options{})
		if c.kind == "" && (!report.Valid || report.Unreadable != nil) {
			t.Errorf("%s: %v %v", c.name, report.Findings, report.Unreadable)
		}
		if c.kind != "" && !slices.ContainsFunc(report.Findings, func(f Finding) bool { return f.Kind == c.kind }) {
			t.Errorf("%s: want %s, found %v", c.name, c.kind, report.Findings)
		}
	}
}

// STIX 2.0 asks the form that _bin and _hex announce of observables alone.
func TestSuffixesInOldObjects(t *testing.T) {
	for doc, valid := range map[string]bool{
		`{"type":"identity","id":"identity` + uuid + `,"created":"2016-08-22T14:09:00.123Z","modified":"2016-08-22T14:09:00.123Z","name":"n","identity_class":"group","foo_hex":"2.0","foo_bin":"-"}`: true,
		`{"type":"observed-data","id":"observed-data` + uuid + `,"created":"2016-08-22T14:09:00.123Z","modified":"2016-08-22T14:09:00.123Z","first_observed":"2016-08-22T14:09:00Z",` +
			`"last_observed":"2016-08-22T14:09:00Z","number_observed":1,"objects":{"0":{"type":"file","name":"n","foo_hex":"2.0"}}}`: false,
	} {
		report := Validate([]byte(`{"type":"bundle","id":"bundle`+uuid+`,"spec_version":"2.0","objects":[`+doc+`]}`), Options{})
		if report.Valid != valid {
			t.Errorf("%s: valid is %v: %v", doc, report.Valid, report.Findings)
		}
	}
}

// The list of names beside the tables of section 6 is of these tables.
func TestObservableNames(t *testing.T) {
	var names []string
	for name, s := range catalogue21().types {
		if s.category == categoryObservable {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, observableNames) {
		t.Errorf("observables: %v, listed %v", names, observableNames)
	}
}
