package misp_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/exchange/convert"
	"github.com/mithaq/mithaq/internal/exchange/misp"
	"github.com/mithaq/mithaq/stix"
)

const galaxyFile = `{"authors":["A","B"],"category":"actor","description":"Groups.","name":"Threat Actor","source":"Somebody","type":"%s","uuid":"7cdff317-a673-4474-84ec-4f1754947823","version":%d,
"values":[
{"value":"Port Fog","uuid":"8c3f0b2e-6d2a-4f6b-9f0e-1a2b3c4d5e6f","description":"Looks for ports.","meta":{"synonyms":["PF","Harbour \"Mist\""],"refs":["https://reports.example/port-fog","not a page"],"country":"XX","external_id":["G9001"]},
 "related":[{"dest-uuid":"2e9f7a1c-0b4d-4c8e-8a6f-5d4c3b2a1908","type":"similar","tags":["estimative-language:likelihood-probability=\"likely\""]},{"dest-uuid":"00000000-0000-4000-8000-000000000000","type":"uses"},{"dest-uuid":"2e9f7a1c-0b4d-4c8e-8a6f-5d4c3b2a1908","type":"Sub_Group of"},{"dest-uuid":"2e9f7a1c-0b4d-4c8e-8a6f-5d4c3b2a1908","type":"Sub_Group_Of"}]},
{"value":"Quiet Tide","uuid":"2e9f7a1c-0b4d-4c8e-8a6f-5d4c3b2a1908"},
{"value":"Without Id"},
{"value":"Twice","uuid":"2e9f7a1c-0b4d-4c8e-8a6f-5d4c3b2a1908"},
{"uuid":"2e9f7a1c-0b4d-4c8e-8a6f-5d4c3b2a1909"}]}`

func TestReadGalaxy(t *testing.T) {
	file := fmt.Appendf(nil, galaxyFile, "threat-actor", 320)
	if got := convert.Sniff(file); got != "misp-galaxy" {
		t.Errorf("it is taken for %s", got)
	}
	g, err := misp.ReadGalaxy(file)
	if err != nil {
		t.Fatal(err)
	}
	if report := stix.Validate(g.Bundle, stix.Options{}); !report.Valid {
		t.Fatalf("%+v\n%s", report.Findings, g.Bundle)
	}
	again, err := misp.ReadGalaxy(file)
	if err != nil || !bytes.Equal(again.Bundle, g.Bundle) {
		t.Error("the same file becomes another bundle")
	}
	bundle, err := stix.Parse(g.Bundle)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, o := range bundle.Objects {
		v, err := o.Open()
		if err != nil {
			t.Fatal(err)
		}
		counts[v.Get("type").Text()]++
		if v.Get("name").Text() == "Port Fog" {
			if v.Get("id").Text() != "threat-actor--8c3f0b2e-6d2a-4f6b-9f0e-1a2b3c4d5e6f" || strings.Join(v.Get("aliases").Texts(), "|") != `PF|Harbour "Mist"` ||
				v.Get("external_references").Len() != 1 || v.Get("extensions", misp.ExtensionID, "misp", "set", "meta", "country").Text() != "XX" || v.Get("modified").Text() != "2012-01-01T00:05:20.000Z" {
				t.Errorf("%s", v.Raw())
			}
		}
	}
	if counts["threat-actor"] != 3 || counts["relationship"] != 2 || counts["identity"] != 1 {
		t.Errorf("%v", counts)
	}
	if g.Report.Read != 5 || g.Report.Made != 3 || g.Report.Lost() != 4 {
		t.Errorf("%+v", g.Report)
	}
	if attack, err := misp.ReadGalaxy(fmt.Appendf(nil, galaxyFile, "mitre-intrusion-set", 1)); err != nil || !bytes.Contains(attack.Bundle, []byte(`"external_id":"G9001"`)) {
		t.Errorf("%s, %v", attack.Bundle, err)
	}
	for _, bad := range []string{"", "[]", "{}", `{"type":"threat-actor","values":[]}`, `{"type":"threat-actor","values":[{}]}`, fmt.Sprintf(galaxyFile, "surveillance-vendor", 1), `{"values":[{"value":"a"}]}`} {
		if g, err := misp.ReadGalaxy([]byte(bad)); err == nil {
			t.Errorf("%q became %s", bad, g.Bundle)
		}
	}
}

// FuzzReadGalaxy: whatever the file, what it becomes is valid STIX.
func FuzzReadGalaxy(f *testing.F) {
	f.Add(fmt.Appendf(nil, galaxyFile, "threat-actor", 320))
	f.Add([]byte(`{"type":"tool","values":[{"value":"\ud800","meta":{"refs":"x://y","synonyms":[1,"",null]}}],"version":"99999999999"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := misp.ReadGalaxy(b)
		if err != nil {
			return
		}
		if report := stix.Validate(g.Bundle, stix.Options{}); !report.Valid {
			t.Fatalf("%+v\n%s", report, g.Bundle)
		}
	})
}
