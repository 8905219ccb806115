package federate

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/ledger"
)

const (
	tileHeight  = 8
	bundleWidth = 1 << tileHeight
)

type tileKey struct {
	level int
	n     int64
	width int
}

// heldTiles gives the tiles that came to golang.org/x/mod/sumdb/tlog, which authenticates them against the signed root, and
// notes which are missing.
type heldTiles struct {
	tiles   map[tileKey][]byte
	missing []Request
}

var errMissing = errors.New("tiles are missing")

func (h *heldTiles) Height() int                     { return tileHeight }
func (h *heldTiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (h *heldTiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		b, ok := h.tiles[tileKey{t.L, t.N, t.W}]
		if !ok {
			h.missing = append(h.missing, Request{What: ResourceTile, Level: t.L, N: t.N, Width: t.W})
		}
		out[i] = b
	}
	if len(h.missing) > 0 {
		return nil, errMissing
	}
	return out, nil
}

// withTiles runs f with hashes of the target's tree, each authentic. When tiles are missing it asks for them instead, and
// reports false: f is run again once they are here.
func (s *State) withTiles(now time.Time, f func(tlog.HashReader) error) (bool, []Effect) {
	held := &heldTiles{tiles: s.tiles}
	err := f(tlog.TileHashReader(tlog.Tree{N: s.target.Size, Hash: tlog.Hash(s.target.Root)}, held))
	if len(held.missing) > 0 {
		var out []Effect
		for _, r := range held.missing {
			if !s.asked[r] {
				out = append(out, s.fetch(r))
			}
		}
		return false, out
	}
	if err != nil {
		return false, s.refuse(now, fetch.WrongHash, fmt.Errorf("the tiles of the tree of %d leaves: %w", s.target.Size, err))
	}
	return true, nil
}

func (s *State) cameTile(ev Came) []Effect {
	r := ev.Request
	if ev.Err != nil {
		return s.giveUp(ev.Now, fmt.Errorf("fetching tile %d/%d: %w", r.Level, r.N, ev.Err))
	}
	if len(ev.Body.Bytes) != r.Width*tlog.HashSize {
		return s.refuse(ev.Now, fetch.WrongLength, fmt.Errorf("tile %d/%d has %d bytes, not %d", r.Level, r.N, len(ev.Body.Bytes), r.Width*tlog.HashSize))
	}
	s.tiles[tileKey{r.Level, r.N, r.Width}] = ev.Body.Bytes
	for waiting := range s.asked {
		if waiting.What == ResourceTile {
			return nil
		}
	}
	if s.phase == proving {
		return s.prove(ev.Now)
	}
	return s.advance(ev.Now)
}

// prove checks that the signed tree begins with everything that is here: the published tree, the largest tree that was ever
// seen signed, and the leaves that are staged.
func (s *State) prove(now time.Time) []Effect {
	type base struct {
		size   int64
		root   [32]byte
		signed *signed // nil: leaves that no checkpoint of its own covers
	}
	bases := []base{{s.head.Size, s.head.Root, &signed{s.head, s.note}}}
	if s.seen.Size > s.head.Size && s.seen.Size < s.target.Size {
		bases = append(bases, base{s.seen.Size, s.seen.Root, &s.seen})
	}
	if s.growth.Size() > s.head.Size {
		bases = append(bases, base{s.growth.Size(), s.growth.Root(), nil})
	}
	for _, b := range bases {
		if b.size == 0 {
			continue
		}
		first := s.target.Root
		var proof [][32]byte
		if b.size < s.target.Size {
			ok, out := s.withTiles(now, func(h tlog.HashReader) (err error) {
				if proof, err = ledger.ProvePrefix(h, b.size, s.target.Size); err == nil {
					first, _, err = ledger.PrefixRoots(proof, b.size, s.target.Size)
				}
				return err
			})
			if !ok {
				return out
			}
		}
		if first == b.root {
			continue
		}
		if b.signed == nil {
			return s.refuse(now, fetch.WrongHash, fmt.Errorf("the signed tree of %d leaves does not begin with the %d that are here", s.target.Size, b.size))
		}
		return s.mismatch(now, *b.signed, s.target, proof)
	}
	if s.target.Size > s.seen.Size {
		s.seen = s.target
	}
	s.phase, s.walk = walking, newWalk(s.growth.Size())
	return s.advance(now)
}
