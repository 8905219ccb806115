package node

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/mithaq/mithaq/internal/store"
)

// Carrier is a record that carries a version of a STIX object, as far as it may be found and was not taken back.
type Carrier struct {
	Place
	Leaf    string `json:"leaf" doc:"Leaf hash, hexadecimal"`
	Own     bool   `json:"own" doc:"Whether this node's party published it"`
	Version string `json:"version,omitempty" doc:"The object's modified or created; absent where it has neither"`
}

// Carriers lists the records that carry a STIX object, the newest first. What was published before it was asked counts.
func (n *Node) Carriers(ctx context.Context, id string) ([]Carrier, error) {
	if err := n.awaitCollections(ctx); err != nil {
		return nil, err
	}
	index := n.store.Index()
	placed, err := index.PlacedSTIX(ctx, id)
	if err != nil {
		return nil, indexFault("looking a STIX object up", err)
	}
	d, err := n.decideFor(ctx, Viewer{Own: true})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(placed, func(a, b store.Placed) int { return int(b.No - a.No) })
	out := []Carrier{}
	s := searching{node: n, logs: map[int64]string{}}
	for _, p := range placed {
		e, err := index.ByNo(ctx, p.No)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		shown, err := d.listed(ctx, e)
		if err != nil {
			return nil, err
		}
		if shown == nil && e.Author != n.party.ID {
			continue
		}
		log, err := s.log(ctx, e.LogNo)
		if err != nil {
			return nil, err
		}
		out = append(out, Carrier{Place: Place{Log: log, Index: e.Index}, Leaf: hex.EncodeToString(e.Leaf[:]), Own: e.Author == n.party.ID, Version: p.Version})
	}
	return out, nil
}
