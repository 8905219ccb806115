package node

import (
	"fmt"
	"strings"

	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/stix"
)

// intelBody is the bundle of an intel record, read once for all who ask about it.
type intelBody struct {
	objects []stix.Object
	values  []stix.Value // of each object; empty where it cannot be read
}

// readIntel reads a bundle. One that cannot be read is refused elsewhere: there is nothing to say about it.
func readIntel(bundle []byte) intelBody {
	b, err := stix.Parse(bundle)
	if err != nil {
		return intelBody{}
	}
	out := intelBody{objects: b.Objects, values: make([]stix.Value, len(b.Objects))}
	for i, o := range b.Objects {
		if v, err := o.Open(); err == nil {
			out.values[i] = v
		}
	}
	return out
}

func (b intelBody) ids() []string {
	ids := make([]string, len(b.objects))
	for i, o := range b.objects {
		ids[i] = o.ID
	}
	return ids
}

// fitsUnder refuses what holds an object that is marked more strictly than the record in which it is to travel: signed bytes are
// not cut, so who may have the record has all of it.
func (b intelBody) fitsUnder(under policy.Marking) error {
	markings := stix.MarkingsOf(b.objects)
	for i, v := range b.values {
		if own := entry.WithOwn(under, entry.OwnMarking(v, markings)); own.TLP.Stricter(under.TLP) {
			return fault.New(fault.Invalid, fmt.Sprintf("publish it as %s or stricter, or the object in a record of its own", own.TLP),
				"publishing: %s at /objects/%d, or a part of it, is marked %s, and all of it is to go wherever %s may", exchange.Clip(b.objects[i].ID), i, own.TLP, under.TLP)
		}
	}
	return nil
}

// isSTIXID tells the id of a STIX object from words that somebody looks for.
func isSTIXID(text string) bool {
	typ, uuid, ok := strings.Cut(text, "--")
	return ok && typ != "" && len(uuid) == 36 && !strings.ContainsAny(text, " \t\n")
}
