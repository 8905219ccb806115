package node

import (
	"bytes"
	"context"

	"github.com/mithaq/mithaq/internal/store"
	"github.com/mithaq/mithaq/stix"
)

// naming is what of a collection must not be named to a caller. An object that refers to another one which is hidden would tell of it,
// and its bytes are not cut; so it is hidden, too.
type naming struct {
	denied map[int64]bool // classes of the collection that the caller may not have; mostly none, and then nothing is looked up
	open   map[int64]bool // those that it may have, whether the view has them or not
	hidden map[string]bool
	last   *openedRecord
}

// saysWhoSpeaks says whether a member is one with which authors say of nearly every object who made it and how it is marked.
func saysWhoSpeaks(member string) bool {
	return member == "created_by_ref" || member == "object_marking_refs" || member == "marking_ref"
}

// namesHidden says whether an object that the caller may have refers to one of the collection that it may not have.
func (s *selection) namesHidden(ctx context.Context, p store.Placed) (bool, error) {
	if len(s.naming.denied) == 0 {
		return false, nil
	}
	if s.naming.last == nil || s.naming.last.no != p.No {
		o, err := s.n.openedFor(ctx, p.No)
		if err != nil {
			return false, err
		}
		s.naming.last = o
	}
	if s.naming.last == nil {
		return false, nil // erased since the index was read
	}
	raw, err := s.naming.last.raw(p)
	if err != nil {
		return false, err
	}
	if !bytes.Contains(raw, []byte("_ref")) && !bytes.Contains(raw, []byte(`\u`)) {
		return false, nil
	}
	v, err := stix.OpenValue(raw, stix.Limits{})
	if err != nil {
		return false, err
	}
	for member, id := range v.References() {
		if saysWhoSpeaks(member) {
			continue
		}
		if hidden, err := s.hides(ctx, id); err != nil || hidden {
			return hidden, err
		}
	}
	return false, nil
}

// hides says whether the collection has an object under an id, and no version of it that the caller may have. What was taken back stands
// in no collection any more: its recall names it.
func (s *selection) hides(ctx context.Context, id string) (bool, error) {
	if known, ok := s.naming.hidden[id]; ok {
		return known, nil
	}
	placed, err := s.n.store.Index().PlacedSTIX(ctx, id)
	if err != nil {
		return false, err
	}
	hidden := false
	for _, p := range placed {
		if s.naming.open[p.Class] {
			hidden = false
			break
		}
		hidden = hidden || s.naming.denied[p.Class]
	}
	s.naming.hidden[id] = hidden
	return hidden, nil
}
