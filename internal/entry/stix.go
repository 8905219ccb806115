package entry

import (
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
	"github.com/mithaq/mithaq/stix"
	"github.com/mithaq/mithaq/taxii"
)

// stixOf lists the STIX objects of an intel record, with their places in its payload. A bundle that the library cannot read,
// from an author who did not check it, has none: it is still a record, and its text is found.
func stixOf(r record.Reread) []store.IndexSTIX {
	objects := r.Body.Get("bundle", "objects")
	if r.Huge {
		return nil
	}
	out := make([]store.IndexSTIX, 0, objects.Len())
	known := stix.Markings{}
	for v := range objects.Elements() {
		switch kind := v.Get("type"); {
		case kind.Is("bundle"):
			return nil // a bundle inside a bundle
		case kind.Is("marking-definition"):
			if o, err := stix.ParseObject(v.Raw()); err == nil {
				if m, err := stix.ReadMarking(o); err == nil {
					known[m.ID] = m
				}
			}
		}
	}
	for v := range objects.Elements() {
		if o, ok := stixEntry(v, known); ok {
			out = append(out, o)
		}
	}
	return out
}

// stixEntry describes one STIX object, unless it has no type or no id that can be looked up.
func stixEntry(v stix.Value, known stix.Markings) (o store.IndexSTIX, ok bool) {
	var created, modified stix.Value
	for name, v := range v.Children() {
		switch string(name) {
		case "type":
			o.Type = v.Text()
		case "id":
			o.ID = v.Text()
		case "spec_version":
			o.SpecVersion = v.Text()
		case "created":
			created = v
		case "modified":
			modified = v
		}
	}
	version := modified.Text()
	if version == "" {
		version = created.Text()
	}
	if o.SpecVersion == "" {
		o.SpecVersion = "2.1" // STIX 2.1, section 3.2: observables need not say so
		if _, err := stix.ParseTimestamp(created.Text()); err == nil {
			o.SpecVersion = "2.0"
		}
	}
	o.Version, o.Offset, o.Length, o.Marking = clipVersion(version), v.Start(), len(v.Raw()), OwnMarking(v, known)
	return o, o.ID != "" && o.Type != "" && len(o.ID) <= maxSTIXID
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

// OwnMarking is what an object says of its marking: the TLP level and eight times the PAP level, 0 for none. known are the marking
// definitions that stand beside it.
func OwnMarking(v stix.Value, known stix.Markings) int64 {
	var own markingOf
	for ref := range v.Get("object_marking_refs").Elements() {
		own.take(ref.Text(), known)
	}
	for granular := range v.Get("granular_markings").Elements() {
		own.take(granular.Get("marking_ref").Text(), known)
	}
	return own.number()
}

// OwnTLP is the TLP level of what OwnMarking gives.
func OwnTLP(v stix.Value, known stix.Markings) stix.TLP { return stix.TLP(OwnMarking(v, known) % 8) }

// markingOf is the strictest of what an object says of itself and of its parts: who may not have a part may not have it.
type markingOf struct {
	level stix.TLP
	pap   int
}

func (m *markingOf) take(ref string, known stix.Markings) {
	is := known[ref]
	if tlp, ok := stix.TLPOf(ref); ok {
		is.TLP = tlp
	}
	m.level = max(m.level, is.TLP)
	for i, label := range policy.PAPs() {
		if string(label) == is.PAP {
			m.pap = max(m.pap, i+1)
		}
	}
}

// number is the TLP level and eight times the PAP level, 0 for none.
func (m *markingOf) number() int64 { return int64(m.level) + 8*int64(m.pap) }

// WithOwn is the marking that holds for an object of a record: as strict as either.
func WithOwn(m policy.Marking, own int64) policy.Marking {
	if tlp := stix.TLP(own % 8); tlp != stix.TLPNone {
		m = m.Strictest(policy.Marking{TLP: policy.TLP(tlp.String()), PAP: m.PAP})
	}
	if pap := own / 8; pap > 0 && int(pap) <= len(policy.PAPs()) {
		m = m.Strictest(policy.Marking{TLP: m.TLP, PAP: policy.PAPs()[pap-1]})
	}
	return m
}
