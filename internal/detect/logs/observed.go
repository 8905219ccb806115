package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/plan"
	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix/pattern"
)

// maxDocument is the largest STIX document in bytes; its objects refer to each other, so it is held as a whole.
const maxDocument = 512 << 20

// observed reads a STIX document and yields an event for each observed-data object in it.
func (in *input) observed(ctx context.Context) error {
	text, err := io.ReadAll(io.LimitReader(in.r, maxDocument+1))
	in.stats.Bytes = int64(len(text))
	if err != nil {
		in.malformed("read-error")
	}
	if len(text) > maxDocument {
		return fmt.Errorf("the document is larger than %d bytes", maxDocument)
	}
	in.stats.Lines = int64(bytes.Count(text, []byte("\n"))) + 1
	observations, err := pattern.ParseObservations(text)
	if err != nil {
		var bad *pattern.MatchError
		if errors.As(err, &bad) {
			in.malformed("bad-observation")
			return nil
		}
		return err
	}
	for i := range observations {
		if err := ctx.Err(); err != nil {
			return err
		}
		in.stats.Events++
		in.yield(observedEvent(&in.event, &observations[i]))
	}
	return nil
}

// observedEvent fills an event with the values of one observation's objects.
func observedEvent(ev *event.Event, o *pattern.Observation) *event.Event {
	ev.Reset()
	ev.Log, ev.Object, ev.Observed = "observed-data", o.ID, canonicalObservation(o)
	ev.Time = o.First.UnixNano()
	for _, object := range o.Objects {
		for name, value := range object.Properties {
			addProperty(ev, object.Type, name, value)
		}
		if object.Type == "network-traffic" {
			ev.Src, ev.Dst = addressAt(o, object, "src_ref"), addressAt(o, object, "dst_ref")
			ev.SrcPort, ev.DstPort = portAt(object, "src_port"), portAt(object, "dst_port")
		}
	}
	return ev
}

func addProperty(ev *event.Event, typeName, name string, value any) {
	switch value := value.(type) {
	case string:
		path := pattern.ObjectPath{Type: typeName, Steps: []pattern.Step{{Kind: pattern.Key, Key: name}}}
		kind, _ := plan.KindOf(path)
		if kind == index.Other {
			ev.AddOther(path.String(), typeName+":"+name, []byte(value))
			return
		}
		ev.Add(kind, typeName+":"+name, []byte(value))
	case map[string]any:
		for key, inner := range value {
			text, ok := inner.(string)
			if !ok {
				continue
			}
			path := pattern.ObjectPath{Type: typeName, Steps: []pattern.Step{{Kind: pattern.Key, Key: name}, {Kind: pattern.Key, Key: key}}}
			if kind, exact := plan.KindOf(path); exact && kind != index.Other {
				ev.Add(kind, path.String(), []byte(text))
			}
		}
	}
}

func addressAt(o *pattern.Observation, object *pattern.Object, name string) netip.Addr {
	id, _ := object.Properties[name].(string)
	for _, other := range o.Objects {
		if other.ID == id {
			text, _ := other.Properties["value"].(string)
			a, _ := index.ParseAddress([]byte(text))
			return a
		}
	}
	return netip.Addr{}
}

func portAt(object *pattern.Object, name string) uint16 {
	n, _ := object.Properties[name].(int64)
	if n < 0 || n > 1<<16-1 {
		return 0
	}
	return uint16(n)
}

// canonicalObservation gives an observation whose values are also there in canonical form: patterns are compared with
// these, and with the values as they were. Objects whose values are canonical already are not copied.
func canonicalObservation(o *pattern.Observation) *pattern.Observation {
	out := *o
	for _, object := range o.Objects {
		if twin := canonicalTwin(object); twin != nil {
			out.Objects = append(out.Objects[:len(out.Objects):len(out.Objects)], twin)
		}
	}
	return &out
}

// canonicalTwin gives a copy of an object with canonical values, nil when it would be the same. It has an id of its
// own, so that references go on to find the original.
func canonicalTwin(object *pattern.Object) *pattern.Object {
	changed := false
	twin := &pattern.Object{ID: object.ID + "#canonical", Type: object.Type, Properties: map[string]any{}}
	for name, value := range object.Properties {
		twin.Properties[name] = value
		switch value := value.(type) {
		case string:
			path := pattern.ObjectPath{Type: object.Type, Steps: []pattern.Step{{Kind: pattern.Key, Key: name}}}
			if kind, _ := plan.KindOf(path); kind != index.Other {
				if key, ok := index.AppendKey(nil, kind, []byte(value)); ok {
					text := index.Render(kind, key)
					twin.Properties[name] = text
					changed = changed || text != value
				}
			}
		case map[string]any:
			if name != "hashes" {
				continue
			}
			hashes := map[string]any{}
			for algorithm, text := range value {
				s, ok := text.(string)
				if key, isHash := index.AppendHash(nil, []byte(s)); ok && isHash {
					s = index.Render(index.FileHash, key)
				}
				hashes[exchange.HashName(algorithm)] = s
				changed = changed || s != text || exchange.HashName(algorithm) != algorithm
			}
			twin.Properties[name] = hashes
		}
	}
	if !changed {
		return nil
	}
	return twin
}
