package federate_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/federate/simulate"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// late is a host that does not have an epoch record at first, and then not the wraps that it names, or a line that breaks.
type late struct {
	federate.Source
	epoch    [32]byte
	wraps    map[[32]byte][]byte
	withheld bool
	wrap     func() error
	came     map[[32]byte]int
}

func (s *late) Object(ctx context.Context, hash [32]byte) ([]byte, error) {
	if hash == s.epoch && s.withheld {
		return nil, ledger.ErrNotFound
	}
	wrap, ok := s.wraps[hash]
	if !ok {
		return s.Source.Object(ctx, hash)
	}
	if err := s.wrap(); err != nil {
		return nil, err
	}
	s.came[hash]++
	return wrap, nil
}

// What another host showed first and does not carry is asked for at once where it is, and not asked for again where it is not.
func TestWhatAnotherHostShowedFirstComesFromTheSource(t *testing.T) {
	a, s := lateEpoch(t)
	s.withheld, s.wrap = false, func() error { return ledger.ErrNotFound }
	asked := 0
	bare := &source{Source: s, object: func(hash [32]byte, b []byte) ([]byte, error) {
		if asked++; bytes.HasPrefix(b, []byte("object 2")) {
			return nil, ledger.ErrNotFound
		}
		return b, nil
	}}
	f := newFollower(t, a, federate.Options{Objects: true, Wraps: func(record.WrapRef) bool { return true }})
	f.look(bare, federate.Look{Now: f.now, Beside: true, Absent: -1})
	if f.shelf.Head().Size != 4 || f.shelf.Objects()[2] != nil || len(s.came) > 0 {
		t.Fatalf("%d leaves and %d wraps are here", f.shelf.Head().Size, len(s.came))
	}
	asked = 0
	if f.look(bare, federate.Look{Now: f.now, Beside: true, Absent: -1}); asked > 0 {
		t.Errorf("a host that need not have them was asked for %d objects again", asked)
	}
	s.wrap = func() error { return nil }
	f.look(s, federate.Look{Now: f.now})
	if f.has(a.Log, 4); len(s.came) != len(s.wraps) {
		t.Fatalf("%d of %d wraps came", len(s.came), len(s.wraps))
	}
}

// lateEpoch is a log of four leaves, of which the last is an epoch record that names three wraps.
func lateEpoch(t *testing.T) (*simulate.Author, *late) {
	t.Helper()
	a := author(t, 1, 3)
	s := &late{Source: a.Log, wraps: map[[32]byte][]byte{}, came: map[[32]byte]int{}, withheld: true, wrap: func() error { return nil }}
	key, err := record.NewEpoch(simulate.Dice(2))
	if err != nil {
		t.Fatal(err)
	}
	body := &record.EpochBody{Epoch: key.ID(), Step: key.Step(), Mode: record.EpochFresh, Commit: key.Commit()}
	for i := range 3 {
		wrap := fmt.Appendf(nil, "wrap %d", i)
		hash := sha256.Sum256(wrap)
		s.wraps[hash] = wrap
		to := record.NewKey(record.RoleSeal, record.PublicKey{Alg: "slip", Bytes: hash[:]})
		body.Wraps = append(body.Wraps, record.WrapRef{To: to.ID, Object: hex.EncodeToString(hash[:])})
	}
	slices.SortFunc(body.Wraps, func(x, y record.WrapRef) int { return strings.Compare(x.To, y.To) })
	encoded, err := record.EncodeBody(body)
	if err == nil {
		err = a.Publish(record.KindEpoch, encoded, start)
	}
	if err != nil {
		t.Fatal(err)
	}
	entries, err := a.Log.Entries(t.Context(), 0, 4)
	if err != nil {
		t.Fatal(err)
	}
	leaves, _, err := ledger.BundleLeaves(entries, 0, 4)
	if err != nil {
		t.Fatal(err)
	}
	s.epoch = leaves[3]
	return a, s
}

// Wraps that do not come with an epoch record that came late itself are asked for again, also after a restart.
func TestWrapsOfALateEpochAreAskedForAgain(t *testing.T) {
	broken := fetch.Refuse(fetch.BrokenOff, "the line broke")
	for name, refusal := range map[string]error{"refused": ledger.ErrNotFound, "broken": broken} {
		t.Run(name, func(t *testing.T) {
			a, s := lateEpoch(t)
			f := newFollower(t, a, federate.Options{Objects: true, Wraps: func(record.WrapRef) bool { return true }})
			f.round(s)
			s.withheld, s.wrap = false, func() error { return refusal }
			f.round(s)
			f.has(a.Log, 4)
			f.restart()
			s.wrap = func() error { return nil }
			f.round(s)
			if len(s.came) != len(s.wraps) {
				t.Fatalf("%d of %d wraps came", len(s.came), len(s.wraps))
			}
			f.round(s)
			for hash, n := range s.came {
				if n != 1 {
					t.Errorf("wrap %x was fetched %d times", hash[:4], n)
				}
			}
		})
	}
}
