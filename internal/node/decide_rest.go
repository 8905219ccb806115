package node

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/stix"
)

// RecalledView is an object of a record that its author took back by itself.
type RecalledView struct {
	Object string `json:"object" doc:"STIX id"`
	By     string `json:"by" doc:"Leaf hash of the recall"`
}

// rest is what of an intel record may be shown when it may not be shown as a whole because its author took single objects back: the
// other objects, each decided on, as a bundle that nobody signed. ok is false where that is nothing.
func (d decision) rest(o opened, whole policy.Item, answer policy.Decision) (out opened, ok bool) {
	inParts := func(r policy.Restriction) bool { return len(r.Parts) > 0 }
	if o.record.Kind != record.KindIntel || !slices.ContainsFunc(whole.Restrictions, inParts) {
		return opened{}, false
	}
	bundle, wrapped := unwrapBundle(o.record.Body)
	if !wrapped {
		return opened{}, false
	}
	b, err := stix.Parse(bundle)
	if err != nil {
		return opened{}, false
	}
	var shown [][]byte
	var recalled []RecalledView
	known := stix.MarkingsOf(b.Objects)
	for _, object := range b.Objects {
		v, err := object.Open()
		if err != nil || object.ID == "" {
			continue // what cannot be told apart is not shown
		}
		part := whole
		part.Part, part.Marking = object.ID, entry.WithOwn(whole.Marking, entry.OwnMarking(v, known))
		raw, one := ask(d, d.request(policy.ToAPI(), part), policy.Guard(part, object.Raw))
		if one.Allow {
			shown = append(shown, raw)
			continue
		}
		for _, r := range whole.Restrictions {
			if slices.Contains(r.Parts, object.ID) {
				recalled = append(recalled, RecalledView{Object: object.ID, By: r.Record})
			}
		}
	}
	if len(shown) == 0 {
		return opened{}, false
	}
	out = o
	out.view.Partial, out.view.Why, out.view.WhyIn = true, reasonsIn(answer, "en"), map[string]string{}
	for _, language := range []string{"ar", "en", "fr"} {
		out.view.WhyIn[language] = reasonsIn(answer, language)
	}
	if d.who.Party == whole.Author {
		out.view.Recalled = recalled // to others even an id may tell what the object was
	}
	out.record.Body = joinBundle(b.ID, shown)
	out.view.Body = json.RawMessage(out.record.Body)
	return out, true
}

// reasonsIn gives the reasons of a decision in a language, without the answer.
func reasonsIn(answer policy.Decision, language string) string {
	var texts []string
	for _, r := range answer.Reasons {
		texts = append(texts, r.Text(language))
	}
	return strings.Join(texts, " · ")
}

// joinBundle wraps objects, byte for byte, as the body of an intel record.
func joinBundle(id string, objects [][]byte) []byte {
	quoted, err := json.Marshal(id)
	if err != nil {
		quoted = []byte(`""`)
	}
	return slices.Concat([]byte(bundlePrefix+`{"type":"bundle","id":`), quoted, []byte(`,"objects":[`), bytes.Join(objects, []byte{','}), []byte("]}}"))
}
