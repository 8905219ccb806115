package node

import (
	"bytes"

	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
	"github.com/mithaq/mithaq/stix"
	"github.com/mithaq/mithaq/taxii"
)

// stixOf lists the STIX objects of an intel record, with their places in its payload. A bundle that the library cannot read,
// from an author who did not check it, has none.
func stixOf(payload, body []byte) ([]store.IndexSTIX, error) {
	bundle, ok := unwrapBundle(body)
	if !ok {
		intel, err := record.Parse[record.Intel](record.Record{Kind: record.KindIntel, Body: body})
		if err != nil {
			return nil, err
		}
		bundle = intel.Bundle
	}
	base := bytes.Index(payload, bundle)
	parsed, err := stix.Parse(bundle)
	if base < 0 || err != nil {
		return nil, nil //nolint:nilerr // nothing of it can be listed, and the record is still a record
	}
	out := make([]store.IndexSTIX, 0, len(parsed.Objects))
	known := stix.Markings{}
	for _, o := range parsed.Objects {
		if o.Type == "marking-definition" {
			if m, err := stix.ReadMarking(o); err == nil {
				known[m.ID] = m
			}
		}
	}
	for _, o := range parsed.Objects {
		v, err := o.Open()
		if err != nil || o.ID == "" || o.Type == "" || len(o.ID) > maxSTIXID {
			continue
		}
		version := v.Get("modified").Text()
		if version == "" {
			version = v.Get("created").Text()
		}
		spec := o.SpecVersion
		if spec == "" {
			spec = "2.1" // STIX 2.1, section 3.2: observables need not say so
			if !o.Created.IsZero() {
				spec = "2.0"
			}
		}
		out = append(out, store.IndexSTIX{ID: o.ID, Type: o.Type, SpecVersion: spec, Version: clipVersion(version),
			Offset: base + int(o.Offset), Length: len(o.Raw), Marking: ownMarking(v, known)})
	}
	return out, nil
}

// maxSTIXID is 250 letters of a type, two dashes and a UUID.
const maxSTIXID = 288

// clipVersion keeps a timestamp as it is written, and nothing of what is none.
func clipVersion(s string) string {
	if _, err := taxii.VersionKey(s); err != nil {
		return ""
	}
	return s
}

// ownMarking is the strictest of what an object says of itself and of its parts: who may not have a part may not have it. The
// number is the TLP level and eight times the PAP level, 0 for none.
func ownMarking(v stix.Value, known stix.Markings) int64 {
	level, pap := stix.TLPNone, 0
	take := func(ref string) {
		m := known[ref]
		if tlp, ok := stix.TLPOf(ref); ok {
			m.TLP = tlp
		}
		level = max(level, m.TLP)
		for i, label := range policy.PAPs() {
			if string(label) == m.PAP {
				pap = max(pap, i+1)
			}
		}
	}
	for ref := range v.Get("object_marking_refs").Elements() {
		take(ref.Text())
	}
	for granular := range v.Get("granular_markings").Elements() {
		take(granular.Get("marking_ref").Text())
	}
	return int64(level) + 8*int64(pap)
}

// withOwn is the marking that holds for an object of a record: as strict as either.
func withOwn(m policy.Marking, own int64) policy.Marking {
	if tlp := stix.TLP(own % 8); tlp != stix.TLPNone {
		m = m.Strictest(policy.Marking{TLP: policy.TLP(tlp.String()), PAP: m.PAP})
	}
	if pap := own / 8; pap > 0 && int(pap) <= len(policy.PAPs()) {
		m = m.Strictest(policy.Marking{TLP: m.TLP, PAP: policy.PAPs()[pap-1]})
	}
	return m
}
