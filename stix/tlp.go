package stix

// TLP is a level of the Traffic Light Protocol in its version 2.0; TLP 1's WHITE is CLEAR. The order is that of
// restriction. TLPNone is no marking at all, which says nothing: it is not CLEAR.
type TLP uint8

// The levels.
const (
	TLPNone TLP = iota
	TLPClear
	TLPGreen
	TLPAmber
	TLPAmberStrict
	TLPRed
)

// String is "TLP:AMBER+STRICT" and the like; empty for TLPNone.
func (t TLP) String() string {
	return [...]string{"", "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"}[min(t, TLPRed)]
}

// ParseTLP reads "TLP:GREEN", "tlp:white", "amber+strict"; ok is false for what is no level.
func ParseTLP(s string) (level TLP, ok bool) {
	b := []byte(s)
	for i, c := range b {
		if class[c]&upper != 0 {
			b[i] = c + 'a' - 'A'
		}
	}
	if len(b) > 4 && string(b[:4]) == "tlp:" {
		b = b[4:]
	}
	switch string(b) {
	case "white", "clear":
		return TLPClear, true
	case "green":
		return TLPGreen, true
	case "amber":
		return TLPAmber, true
	case "amber+strict":
		return TLPAmberStrict, true
	case "red":
		return TLPRed, true
	}
	return TLPNone, false
}

// tlpMarking is one of the marking definitions that everybody refers to by identifier.
type tlpMarking struct {
	level   TLP
	version int
	name    string
	value   string // of tlp, or of tlp_2_0
}

// TLP2Extension is the extension-definition by which FIRST's TLP 2.0 is expressed in STIX 2.1.
const TLP2Extension = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"

// tlpByID are the marking definitions of TLP 1 (STIX 2.1, section 7.2.1.4) and TLP 2.0 (OASIS CTI common objects).
var tlpByID = map[string]tlpMarking{
	"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": {TLPClear, 1, "TLP:WHITE", "white"},
	"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": {TLPGreen, 1, "TLP:GREEN", "green"},
	"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": {TLPAmber, 1, "TLP:AMBER", "amber"},
	"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": {TLPRed, 1, "TLP:RED", "red"},
	"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": {TLPClear, 2, "TLP:CLEAR", "clear"},
	"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": {TLPGreen, 2, "TLP:GREEN", "green"},
	"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": {TLPAmber, 2, "TLP:AMBER", "amber"},
	"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": {TLPAmberStrict, 2, "TLP:AMBER+STRICT", "amber+strict"},
	"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": {TLPRed, 2, "TLP:RED", "red"},
}

// TLPOf is the level of one of the well-known marking definitions, TLP 1 and 2.0 alike.
func TLPOf(markingID string) (level TLP, ok bool) {
	m, ok := tlpByID[markingID]
	return m.level, ok
}

// MarkingID is the TLP 2.0 marking definition of a level; empty for TLPNone.
func (t TLP) MarkingID() string {
	for id, m := range tlpByID {
		if m.level == t && m.version == 2 {
			return id
		}
	}
	return ""
}

// MarkingDefinition is the published TLP 2.0 marking definition of a level as JSON; nil for TLPNone.
func (t TLP) MarkingDefinition() []byte {
	id := t.MarkingID()
	if id == "" {
		return nil
	}
	m := tlpByID[id]
	return []byte(`{"type":"marking-definition","spec_version":"2.1","id":"` + id + `","created":"2022-10-01T00:00:00.000Z","name":"` + m.name +
		`","extensions":{"` + TLP2Extension + `":{"extension_type":"property-extension","tlp_2_0":"` + m.value + `"}}}`)
}
