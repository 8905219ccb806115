package misp

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
)

// there and back: what went to STIX comes back member for member.
func thereAndBack(t interface {
	Fatalf(string, ...any)
	Helper()
}, e Event) (Conversion, Event) {
	t.Helper()
	c, err := ToSTIX(e, ToOptions{})
	if err != nil {
		t.Fatalf("to STIX: %v", err)
	}
	if report := stix.Validate(c.Bundle, stix.Options{}); !report.Valid {
		t.Fatalf("the bundle is not valid: %v %+v\n%s", report.Unreadable, report.Findings, c.Bundle)
	}
	b, err := stix.Parse(c.Bundle)
	if err != nil {
		t.Fatalf("parsing the bundle: %v", err)
	}
	back, _, err := FromSTIX(b.Objects, FromOptions{})
	if err != nil {
		t.Fatalf("from STIX: %v", err)
	}
	return c, back
}

func read(t *testing.T, text string) Event {
	t.Helper()
	events, err := Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return events[0]
}

const sample = `{"Event":{"uuid":"84ee5858-a5d0-4c5f-9512-3db747f61ecc","info":"A campaign «حملة»","date":"2024-05-01","timestamp":"1714600000",
"published":true,"publish_timestamp":"1714600100","threat_level_id":"2","analysis":"1","distribution":"4","sharing_group_id":"7",
"SharingGroup":{"id":"7","uuid":"11111111-1111-4111-8111-111111111111","name":"Two","SharingGroupOrg":[
 {"org_id":"1","Organisation":{"id":"1","uuid":"22222222-2222-4222-8222-222222222222","name":"CERT-Sahlan"}},
 {"org_id":"2","Organisation":{"id":"2","uuid":"33333333-3333-4333-8333-333333333333","name":"Norvia"}}]},
"Orgc":{"id":"1","name":"CERT-Sahlan","uuid":"22222222-2222-4222-8222-222222222222","local":true},
"Tag":[{"id":"1","name":"tlp:amber","colour":"#ffc000"},{"name":"PAP:GREEN"},{"name":"misp-galaxy:threat-actor=\"Sofacy\""}],
"Galaxy":[{"uuid":"698774c7-8022-42c4-917f-8d6e4f06ada3","name":"Threat Actor","type":"threat-actor","GalaxyCluster":[
 {"uuid":"5b4ee3ea-eee3-4c8e-8323-85ae32658754","type":"threat-actor","value":"Sofacy","tag_name":"misp-galaxy:threat-actor=\"Sofacy\"","meta":{"synonyms":["APT 28"]}}]}],
"Attribute":[
 {"uuid":"5b962410-3a50-425d-a9b3-7781b3d44ac8","type":"ip-dst|port","category":"Network activity","value":"192.0.2.1|443","to_ids":true,"comment":"c2",
  "timestamp":"1714600001","first_seen":"2024-01-01T10:00:00.000000+00:00","Tag":[{"name":"tlp:red"}],
  "Sighting":[{"id":"9","uuid":"44444444-4444-4444-8444-444444444444","type":"0","date_sighting":"1714600500","source":"proxy","Organisation":{"id":"2","uuid":"33333333-3333-4333-8333-333333333333","name":"Norvia"}},
   {"type":"1","date_sighting":"1714600600"},{"type":"2","date_sighting":"1714700000"}]},
 {"uuid":"f29d200f-267a-4625-819f-3ea46684bdc0","type":"filename|sha256","category":"Payload delivery","value":"a|b.exe|abababababababababababababababababababababababababababababababab","to_ids":"1"},
 {"uuid":"6a5d200f-267a-4625-819f-3ea46684bdc0","type":"domain|ip","category":"Network activity","value":"evil.example|192.0.2.7","to_ids":false},
 {"uuid":"7a5d200f-267a-4625-819f-3ea46684bdc0","type":"domain","category":"Network activity","value":"gone.example","to_ids":true,"deleted":true},
 {"uuid":"8a5d200f-267a-4625-819f-3ea46684bdc0","type":"ip-src","category":"Network activity","value":"not an address","to_ids":true},
 {"uuid":"9a5d200f-267a-4625-819f-3ea46684bdc0","type":"btc","category":"Financial fraud","value":"1BoatSLRHtKNngkdXEeobR76b53LETtpyT","to_ids":true},
 {"uuid":"aa5d200f-267a-4625-819f-3ea46684bdc0","type":"yara","category":"Payload installation","value":"rule a { condition: true }","to_ids":true},
 {"uuid":"ba5d200f-267a-4625-819f-3ea46684bdc0","type":"vulnerability","category":"External analysis","value":"CVE-2024-1234","to_ids":false},
 {"uuid":"ca5d200f-267a-4625-819f-3ea46684bdc0","type":"malware-sample","category":"Payload delivery","value":"x.exe|00000000000000000000000000000000","data":"UEsDBA==","to_ids":true}],
"Object":[{"uuid":"49217320-9945-4566-9118-2060847eec3a","name":"file","meta-category":"file","template_uuid":"688c46fb-5edb-40a3-8273-1af7923e2215","template_version":"25",
  "Attribute":[{"uuid":"a3a57f59-e957-4e24-b0fb-d3a858bad8cb","object_relation":"md5","type":"md5","category":"Payload delivery","value":"d41d8cd98f00b204e9800998ecf8427e","to_ids":true}],
  "ObjectReference":[{"uuid":"55555555-5555-4555-8555-555555555555","referenced_uuid":"5b962410-3a50-425d-a9b3-7781b3d44ac8","relationship_type":"connects to","comment":"x"}]}],
"EventReport":[{"uuid":"66666666-6666-4666-8666-666666666666","name":"Report","content":"# It says","timestamp":"1714600002"}]}}`

func TestThereAndBack(t *testing.T) {
	e := read(t, sample)
	c, back := thereAndBack(t, e)
	if !Equal(e, back) {
		want, _ := e.JSON()
		got, _ := back.JSON()
		t.Errorf("the event came back changed\nwant %s\ngot  %s", want, got)
	}
	if c.Event != "report--84ee5858-a5d0-4c5f-9512-3db747f61ecc" || !c.Modified.Equal(time.Unix(1714600000, 0)) {
		t.Errorf("the event is %s of %s", c.Event, c.Modified)
	}
	if c.Group == nil || len(c.Group.Organisations) != 2 || c.Group.Organisations[1].Name != "Norvia" {
		t.Errorf("the sharing group is %+v", c.Group)
	}
	if len(c.Deleted) != 1 || c.Deleted[0] != "indicator--7a5d200f-267a-4625-819f-3ea46684bdc0" {
		t.Errorf("deleted: %v", c.Deleted)
	}
	for _, part := range []string{
		`[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443]`,
		`[file:name = 'a|b.exe' AND file:hashes.'SHA-256' = 'abab`,
		`"pattern_type":"yara"`, `"pap":"PAP:GREEN"`, `"external_id":"CVE-2024-1234"`, `"explanation":"false positive"`,
		`"valid_until":"2024-05-03T01:33:20.000Z"`, `"name":"Sofacy"`, `"relationship_type":"connects-to"`, `"decryption_key":"infected"`,
	} {
		if !strings.Contains(string(c.Bundle), part) {
			t.Errorf("the bundle has no %s", part)
		}
	}
	for _, want := range []string{"/Attribute/4", "/Attribute/5"} {
		found := false
		for _, l := range c.Report.Losses {
			found = found || l.Place == want
		}
		if !found {
			t.Errorf("the report does not name %s: %+v", want, c.Report.Losses)
		}
	}
	again, err := ToSTIX(e, ToOptions{})
	if err != nil || string(again.Bundle) != string(c.Bundle) {
		t.Errorf("the same event makes another bundle (%v)", err)
	}
}

func TestNarrowestGroup(t *testing.T) {
	e := read(t, `{"Event":{"info":"x","distribution":"4","SharingGroup":{"uuid":"11111111-1111-4111-8111-111111111111","SharingGroupOrg":[{"Organisation":{"uuid":"a","name":"A"}},{"Organisation":{"uuid":"b","name":"B"}}]},
	 "Attribute":[{"type":"domain","value":"a.example","to_ids":true,"distribution":"4","SharingGroup":{"uuid":"21111111-1111-4111-8111-111111111111","SharingGroupOrg":[{"Organisation":{"uuid":"b","name":"B"}}]}},
	 {"type":"domain","value":"b.example","to_ids":true,"distribution":"0"}]}}`)
	c, _ := thereAndBack(t, e)
	if len(c.Group.Organisations) != 1 || c.Group.Organisations[0].Name != "B" {
		t.Errorf("the audience is %+v", c.Group)
	}
	b, _ := stix.Parse(c.Bundle)
	for _, o := range b.Objects {
		m, _ := stix.Effective(o, nil)
		if strings.Contains(string(o.Raw), "b.example") && o.Type == "indicator" && m.TLP != stix.TLPRed {
			t.Errorf("what stays in its organisation is marked %s", m.TLP)
		}
	}
}

const foreignBundle = `{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000001","objects":[
	{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-000000000002","created":"2024-01-01T00:00:00.000Z","modified":"2024-01-02T00:00:00.000Z","name":"two","valid_from":"2024-01-01T00:00:00Z","pattern_type":"stix","pattern":"[domain-name:value = 'a.example' OR ipv4-addr:value = '192.0.2.1']"},
	{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-000000000003","created":"2024-01-01T00:00:00.000Z","modified":"2024-01-02T00:00:00.000Z","valid_from":"2024-01-01T00:00:00Z","pattern_type":"stix","pattern":"[domain-name:value = 'a.example'] FOLLOWEDBY [url:value = 'http://b.example/']"},
	{"type":"attack-pattern","spec_version":"2.1","id":"attack-pattern--00000000-0000-4000-8000-000000000004","created":"2024-01-01T00:00:00.000Z","modified":"2024-01-02T00:00:00.000Z","name":"Phishing","external_references":[{"source_name":"mitre-attack","external_id":"T1566"}]},
	{"type":"location","spec_version":"2.1","id":"location--00000000-0000-4000-8000-000000000005","created":"2024-01-01T00:00:00.000Z","modified":"2024-01-02T00:00:00.000Z","country":"fr"}]}`

// TestForeignSTIX makes an event of a bundle that never was in MISP.
func TestForeignSTIX(t *testing.T) {
	bundle, err := stix.Parse([]byte(foreignBundle))
	if err != nil {
		t.Fatal(err)
	}
	e, report, err := FromSTIX(bundle.Objects, FromOptions{Info: "record", Seed: "r-1", Author: "CERT-Sahlan", Tags: []string{"tlp:green"}, Time: time.Unix(1700000000, 0)})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := e.JSON()
	for _, part := range []string{`"value":"a.example"`, `"value":"192.0.2.1"`, `"type":"stix2-pattern"`, `mitre-attack-pattern=\"Phishing - T1566\"`, `tlp:green`, `"distribution":"0"`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
	if report.Lost() != 3 { // split, sequence, location
		t.Errorf("losses: %+v", report.Losses)
	}
}

// values of attributes, right and wrong, with everything that could break out of its place.
func genValue() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"192.0.2.1", "2001:db8::1", "192.0.2.0/24", "evil.example", "http://evil.example/a?b=c", "a@b.example", "x'y\\z", "a|b", "evil.example|192.0.2.1",
			"192.0.2.1|443", "f.exe|d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e", "HKEY_LOCAL_MACHINE\\a|b", "AS65000", "", "\u202e", "[url:value = 'http://a.example/']"}),
		rapid.String(), rapid.Map(rapid.IntRange(0, 70000), func(n int) string { return fmt.Sprint(n) }))
}

func genEvent() *rapid.Generator[Event] {
	names := []string{"comment", "btc", "yara", "sigma", "stix2-pattern", "vulnerability", "threat-actor", "link", "attachment"}
	for _, a := range attributeTypes() {
		names = append(names, a.name)
	}
	uuid := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"", "bad", exchange.UUID(rapid.StringN(0, 2, 4).Draw(t, "seed")), strings.ToUpper(exchange.UUID("x"))}).Draw(t, "uuid")
	})
	attribute := rapid.Custom(func(t *rapid.T) map[string]any {
		a := map[string]any{"type": rapid.SampledFrom(names).Draw(t, "type"), "value": genValue().Draw(t, "value"), "uuid": uuid.Draw(t, "uuid")}
		for name, gen := range map[string]*rapid.Generator[any]{
			"to_ids":     rapid.SampledFrom([]any{true, false, "1", "0", nil}),
			"deleted":    rapid.SampledFrom([]any{true, false, "0"}),
			"timestamp":  rapid.SampledFrom([]any{"1714600001", 1714600001, "0", "x", -1}),
			"first_seen": rapid.SampledFrom([]any{nil, "2024-01-01T10:00:00+00:00", "2024-01-01T10:00:00.123456+00:00", "yesterday"}),
			"last_seen":  rapid.SampledFrom([]any{nil, "2025-01-01T10:00:00+00:00"}),
			"comment":    rapid.SampledFrom([]any{"", "text", "\u202e"}),
			"data":       rapid.SampledFrom([]any{"UEsDBA==", "not base64"}),
			"Tag":        rapid.SampledFrom([]any{[]any{}, []any{map[string]any{"name": "tlp:red"}}, []any{map[string]any{"name": "rsit:x"}}, "none"}),
			"Sighting":   rapid.SampledFrom([]any{[]any{}, []any{map[string]any{"type": "2", "date_sighting": "1714600001"}, map[string]any{"type": 0}}}),
		} {
			if rapid.Bool().Draw(t, name+"?") {
				a[name] = gen.Draw(t, name)
			}
		}
		return a
	})
	return rapid.Custom(func(t *rapid.T) Event {
		e := map[string]any{"info": rapid.String().Draw(t, "info"), "uuid": uuid.Draw(t, "uuid"),
			"date":      rapid.SampledFrom([]any{"2024-05-01", "2026-01-01", nil, "soon"}).Draw(t, "date"),
			"Attribute": rapid.SliceOfN(attribute, 0, 4).Draw(t, "attributes")}
		if rapid.Bool().Draw(t, "objects") {
			e["Object"] = []any{map[string]any{"name": rapid.String().Draw(t, "name"), "uuid": uuid.Draw(t, "uuid"), "Attribute": rapid.SliceOfN(attribute, 1, 3).Draw(t, "inner")}}
		}
		b, err := json.Marshal(map[string]any{"Event": e})
		if err != nil {
			t.Fatal(err)
		}
		events, err := Read(b)
		if err != nil {
			t.Skip(err)
		}
		return events[0]
	})
}

func TestEveryEventComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := genEvent().Draw(t, "event")
		c, back := thereAndBack(t, e)
		for _, l := range c.Report.Losses {
			if strings.Contains(l.Why, "twice") || strings.Contains(l.Why, "left out") {
				return
			}
		}
		if !Equal(e, back) {
			want, _ := e.JSON()
			got, _ := back.JSON()
			t.Fatalf("the event came back changed\nwant %s\ngot  %s\nby   %s", want, got, c.Bundle)
		}
	})
}

func TestFeed(t *testing.T) {
	e := read(t, sample)
	manifest, err := ManifestOf([]Event{e})
	if err != nil {
		t.Fatal(err)
	}
	entries, report, err := ReadManifest(strings.NewReader(string(manifest)))
	if err != nil || len(entries) != 1 || entries[0].UUID != e.UUID() || report.Lost() != 0 || entries[0].Timestamp.Unix() != 1714600000 {
		t.Errorf("manifest %s gives %+v, %+v, %v", manifest, entries, report, err)
	}
	var hashes strings.Builder
	if err := e.Hashes(&hashes); err != nil {
		t.Fatal(err)
	}
	if named, _, err := ReadHashes(strings.NewReader(hashes.String())); err != nil || len(named) != 1 || named[0].UUID != e.UUID() {
		t.Errorf("hashes give %v, %v", named, err)
	}
	_, report, err = ReadManifest(strings.NewReader(`{"../../etc/passwd":{"info":"x"}}`))
	if err != nil || report.Lost() != 1 {
		t.Errorf("a name that is no UUID: %+v, %v", report, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(`{"response":[{"Event":{"info":"x","Attribute":[{"type":"ip-dst","value":"1.2.3.4","to_ids":1}]}}]}`))
	f.Add([]byte(`[[[[[[]]]]]]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		events, err := Read(b)
		if err != nil {
			return
		}
		for _, e := range events[:min(len(events), 3)] {
			thereAndBack(t, e)
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"84ee5858-a5d0-4c5f-9512-3db747f61ecc":{"info":"x","timestamp":"1"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, _, _ := ReadManifest(strings.NewReader(string(b)))
		for _, e := range entries {
			if strings.ContainsAny(e.FileName(), `/\:`) || !exchange.IsUUID(e.UUID) {
				t.Fatalf("a feed chose the file %q", e.FileName())
			}
		}
		_, _, _ = ReadHashes(strings.NewReader(string(b)))
	})
}
