package node

import (
	"strings"

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

// isSTIXID tells the id of a STIX object from words that somebody looks for.
func isSTIXID(text string) bool {
	typ, uuid, ok := strings.Cut(text, "--")
	return ok && typ != "" && len(uuid) == 36 && !strings.ContainsAny(text, " \t\n")
}
