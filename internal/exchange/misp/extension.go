package misp

import (
	"strings"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
)

// ExtensionID identifies the extension in which STIX objects carry what only MISP has a place for.
const ExtensionID = "extension-definition--8c2f4f3a-61d5-4d0c-9a57-2f1b7a4e9c10"

// ExtensionDefinition is the extension's definition as STIX publishes one. It never changes but by a new version.
const ExtensionDefinition = `{"type":"extension-definition","spec_version":"2.1","id":"` + ExtensionID + `",` +
	`"created_by_ref":"identity--0f6a1f6e-6b0c-4c57-8b3e-4b8f8d5b7a10","created":"2026-11-22T00:00:00.000Z","modified":"2026-11-22T00:00:00.000Z",` +
	`"name":"mithaq MISP","description":"What a MISP event has and STIX has no place for: how to make the event, attribute, object, sighting or reference again from the object.",` +
	`"schema":"https://github.com/mithaq/mithaq/blob/main/docs/exchange.md","version":"1.0.0","extension_types":["property-extension"]}`

// What an object was in MISP.
const (
	kindEvent     = "event"
	kindAttribute = "attribute"
	kindObject    = "object"
	kindReference = "reference"
	kindSighting  = "sighting"
	kindReport    = "event-report"
	kindCluster   = "galaxy-cluster" // made of a galaxy's cluster: the event or attribute carries the galaxy itself
	kindGalaxy    = "galaxy"         // made of a cluster in the galaxy's own file
)

// extend writes the extension into an object.
func extend(p exchange.Properties, d difference) {
	extensions, _ := p["extensions"].(map[string]any)
	if extensions == nil {
		extensions = map[string]any{}
		p["extensions"] = extensions
	}
	extensions[ExtensionID] = map[string]any{"extension_type": "property-extension", "misp": d.plain()}
}

// plain is the difference with its values as encoding/json writes them.
func (d difference) plain() map[string]any {
	out := map[string]any{"kind": d.Kind}
	if len(d.Set) > 0 {
		set := map[string]any{}
		for name, v := range d.Set {
			set[name] = rawJSON(v)
		}
		out["set"] = set
	}
	if len(d.Unset) > 0 {
		out["unset"] = d.Unset
	}
	return out
}

// rawJSON is a value that is written as it is.
type rawJSON []byte

// MarshalJSON gives the value.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// extensionOf reads the extension of an object; its kind is empty when there is none.
func extensionOf(v stix.Value) difference {
	var d difference
	raw := v.Get("extensions", ExtensionID, "misp").Raw()
	if len(raw) == 0 || jsonv2.Unmarshal(raw, &d) != nil {
		return difference{}
	}
	return d
}

// markingTags are the tags for how an object is marked and labelled.
func markingTags(v stix.Value, known stix.Markings) []members {
	var tags []members
	add := func(name string) {
		m := members{}
		m.set("name", name)
		tags = append(tags, m)
	}
	for _, ref := range v.Get("object_marking_refs").Texts() {
		if level, ok := stix.TLPOf(ref); ok {
			add(strings.ToLower(level.String()))
		} else if m, ok := known[ref]; ok && m.TLP != stix.TLPNone {
			add(strings.ToLower(m.TLP.String()))
		}
	}
	if pap := v.Get("extensions", stix.ExtensionID, "pap").Text(); pap != "" {
		add(pap)
	}
	for _, label := range v.Get("labels").Texts() {
		add(label)
	}
	return tags
}
