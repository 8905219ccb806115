package node

import (
	"encoding/json"

	"github.com/mithaq/mithaq/internal/record"
)

// tlpMarkings are the ids of the marking definitions that STIX 2.1 and FIRST publish for TLP 1 and TLP 2.0 (STIX 2.1,
// section 7.2.1.4; FIRST's extension for TLP 2.0).
func tlpMarkings() map[string]record.TLP {
	return map[string]record.TLP{
		"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": record.TLPClear, // TLP:WHITE
		"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": record.TLPGreen,
		"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": record.TLPAmber,
		"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": record.TLPRed,
		"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": record.TLPClear,
		"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": record.TLPGreen,
		"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": record.TLPAmber,
		"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": record.TLPAmberStrict,
		"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": record.TLPRed,
	}
}

// bundleTLP is the strictest TLP marking of a bundle's objects; ok is false where an object carries none, because then
// nobody said how far it may go, and no less than the default holds.
func bundleTLP(bundle []byte) (strictest record.TLP, ok bool) {
	var b struct {
		Objects []struct {
			Type     string   `json:"type"`
			Markings []string `json:"object_marking_refs"`
			Granular []struct {
				Ref string `json:"marking_ref"`
			} `json:"granular_markings"`
		} `json:"objects"`
	}
	if json.Unmarshal(bundle, &b) != nil {
		return "", false
	}
	known := tlpMarkings()
	strictest = record.TLPClear
	marked, all := 0, true
	for _, o := range b.Objects {
		if o.Type == "marking-definition" {
			continue
		}
		for _, g := range o.Granular {
			o.Markings = append(o.Markings, g.Ref)
		}
		found := false
		for _, ref := range o.Markings {
			if tlp, is := known[ref]; is {
				found = true
				if tlp.Stricter(strictest) {
					strictest = tlp
				}
			}
		}
		if !found {
			all = false
			continue
		}
		marked++
	}
	return strictest, all && marked > 0
}
