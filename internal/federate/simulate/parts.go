package simulate

import (
	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// follower is federate.State, or what a test puts in its place.
type follower interface {
	Step(ev federate.Event) []federate.Effect
}

// parts are the program's own decisions, where the world asks for them. Tests break one at a time: a world whose asserts still
// hold would assert nothing.
type parts struct {
	follow   func(s *Shelf, o federate.Options) (follower, error)
	witness  func(last federate.Witnessed, a federate.AddCheckpoint, origin string, keys []note.Verifier) (federate.Witnessed, *federate.WitnessRefusal)
	sequence func(s ledger.State, ev ledger.Event) (ledger.State, []ledger.Effect)
	compare  func(logID string, have, guard ledger.Head, rootAt func(int64) (ledger.Hash, error)) error
	settle   func(answered, silent int) bool
	plan     func(have, want []string) (record.EpochMode, []string)
	serves   func(roll agreement.State, to string) bool
	keeps    func(before, after agreement.State, e agreement.Entry, keeper string) error
}

// own are the program's.
func own() parts {
	return parts{
		follow:   func(s *Shelf, o federate.Options) (follower, error) { return s.Follower(o) },
		witness:  federate.Witnessed.Judge,
		sequence: ledger.Step,
		compare:  ledger.Compare,
		settle:   func(answered, silent int) bool { return answered > 0 && silent == 0 },
		plan:     planEpoch,
		serves:   func(roll agreement.State, to string) bool { return roll.Connected(to) },
		keeps:    agreement.MayKeep,
	}
}
