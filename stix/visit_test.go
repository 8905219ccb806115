package stix_test

import (
	"testing"

	"github.com/mithaq/mithaq/stix"
)

func TestObjectsAreShownAsTheyAreChecked(t *testing.T) {
	const bundle = `{"type":"bundle","id":"bundle--44af6c39-c09b-49c5-9de2-394224b04982","objects":[
		{"type":"ipv4-addr","id":"ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd","value":"198.51.100.3"},
		{"type":"ipv4-addr","id":"ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd"},
		{"type":"domain-name","id":"domain-name--3c10e93f-798e-5a26-a0c1-08156efab7f5","value":"example.com","value":"twice"},
		{"type":"domain-name","id":"domain-name--3c10e93f-798e-5a26-a0c1-08156efab7f5","value":"example.com"}]}`
	seen := map[int]string{}
	report := stix.Validate([]byte(bundle), stix.Options{Object: func(i int, v stix.Value) { seen[i] = v.Get("value").Text() }})
	want := map[int]string{0: "198.51.100.3", 1: "", 3: "example.com"} // what breaks a rule is shown as well, what cannot be read is not
	if len(seen) != len(want) {
		t.Fatalf("shown %v, want %v", seen, want)
	}
	for i, value := range want {
		if got, ok := seen[i]; !ok || got != value {
			t.Errorf("object %d: %q, want %q", i, got, value)
		}
	}
	if report.Valid {
		t.Error("a bundle with an address without value is valid")
	}
}
