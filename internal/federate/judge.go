package federate

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// compare sets the checkpoint that was just verified beside what is here.
func (s *State) compare(now time.Time) []Effect {
	t := s.target
	switch {
	case t.Size == 0 && s.head.Size > 0:
		return s.older(now)
	case t.Size < s.head.Size:
		s.phase = comparing
		return []Effect{Prefix{Size: t.Size}}
	case t.Size == s.head.Size && t.Root != s.head.Root:
		return s.mismatch(now, signed{s.head, s.note}, t, nil)
	case t.Size == s.head.Size:
		return s.same(now)
	case t.Size == s.seen.Size && t.Root != s.seen.Root:
		return s.mismatch(now, s.seen, t, nil)
	case t.Size < s.growth.Size():
		s.phase = settling
		return []Effect{Edge{Size: t.Size}}
	}
	s.phase = proving
	return s.prove(now)
}

// compared tells an older checkpoint from one that contradicts our tree.
func (s *State) compared(ev Prefixed) []Effect {
	if ev.Err != nil {
		return s.giveUp(ev.Now, ev.Err)
	}
	first, all, err := ledger.PrefixRoots(ev.Proof, s.target.Size, s.head.Size)
	if err == nil && all != s.head.Root {
		err = errors.New("the stored tree does not make its signed root")
	}
	if err != nil {
		return s.giveUp(ev.Now, err)
	}
	if first != s.target.Root {
		return s.mismatch(ev.Now, s.target, signed{s.head, s.note}, ev.Proof)
	}
	return s.older(ev.Now)
}

// settle publishes those of the staged leaves that the checkpoint signs. Whoever showed the larger tree that they were taken
// from may be gone, and nobody else ever have more of it than this.
func (s *State) settle(ev Edged) []Effect {
	if ev.Err != nil {
		return s.giveUp(ev.Now, ev.Err)
	}
	t := s.target
	if ev.Root != t.Root {
		return s.older(ev.Now)
	}
	k, ok := s.history.At(t.Size - 1)
	if s.opts.Objects && (!ok || CheckpointKey(k) != CheckpointKey(s.signer)) {
		return s.refuse(ev.Now, fetch.BadSigned, errOtherKey)
	}
	s.phase, s.walk = walking, newWalk(s.growth.Size())
	return []Effect{s.store(&store.Head{Size: t.Size, Serial: k.Serial, Root: t.Root, Frontier: ev.Frontier, Checkpoint: t.note})}
}

// older refuses a history that its author has already outgrown. It proves nothing against the author: a mirror may lag, a
// backup may have been put back.
func (s *State) older(now time.Time) []Effect {
	if s.beside {
		return s.rest(now)
	}
	text := fmt.Sprintf("log %s of %s: the host shows %d leaves, its author has signed %d", s.log.ID, s.log.Party, s.target.Size, max(s.head.Size, s.seen.Size))
	return append(s.tell(Notice{Kind: NoticeRollback, Text: text}), s.giveUp(now, nil)...)
}

// same ends a round in which nothing new was shown, or asks once more for what is absent.
func (s *State) same(now time.Time) []Effect {
	s.retry = 0
	delete(s.told, NoticeRollback)
	delete(s.told, NoticeRefused)
	if merged := MergeCosignatures(s.note, s.target.note, s.opts.Cosigners); !bytes.Equal(merged, s.note) && s.growth.Size() == s.head.Size {
		s.target.note = merged
		s.phase, s.walk = walking, newWalk(s.growth.Size())
		return []Effect{s.store(&store.Head{Size: s.head.Size, Serial: int64(s.serial()), Root: s.head.Root, Frontier: s.growth.Frontier(), Checkpoint: merged})}
	}
	if !s.mends(now) {
		return s.rest(now)
	}
	return s.mend(now)
}

func (s *State) rest(now time.Time) []Effect {
	s.phase = resting
	s.asked, s.tiles, s.walk = nil, nil, nil
	out := Rest{Until: now.Add(s.opts.Every)}
	if due, some := s.wrapsDue(); some {
		out.Until, out.Mend = due, true
	}
	if s.more {
		out.Until, out.Mend = now.Add(s.opts.RetryFirst), true
	}
	return []Effect{out}
}

// mismatch keeps two signed checkpoints of which neither grew out of the other. proof is the prefix proof of the larger one;
// nil when they have one size. What is here stays as it is, and growth goes on only from it.
func (s *State) mismatch(now time.Time, first, second signed, proof [][32]byte) []Effect {
	e, err := s.evidence(first, second, proof)
	if err != nil {
		return s.refuse(now, fetch.BadSigned, fmt.Errorf("two checkpoints contradict each other, and the proof could not be written: %w", err))
	}
	text := fmt.Sprintf("log %s of %s: two signed checkpoints, of %d and %d leaves, contradict each other", s.log.ID, s.log.Party, first.Size, second.Size)
	out := s.tell(Notice{Kind: NoticeMismatch, Text: text, Evidence: e})
	s.retry = s.opts.RetryMost
	return append(out, s.giveUp(now, errMismatch)...)
}

var (
	errMismatch = errors.New("history mismatch")
	errOtherKey = errors.New("the checkpoint is signed by a key that no keyring among its leaves names")
)

func (s *State) evidence(first, second signed, proof [][32]byte) (*Evidence, error) {
	chain := slices.Collect(s.history.Keyrings())
	for _, k := range s.offered {
		if len(chain) == 0 || k.Serial > chain[len(chain)-1].Serial {
			chain = append(chain, k)
		}
	}
	return NewEvidence(s.log.Origin, chain, first.note, second.note, proof)
}

// refuse tells that what the host sent does not hold, and tries again later.
func (s *State) refuse(now time.Time, kind fetch.Kind, err error) []Effect {
	err = fetch.As(kind, err)
	out := s.tell(Notice{Kind: NoticeRefused, Text: fmt.Sprintf("log %s of %s: refused: %v", s.log.ID, s.log.Party, err)})
	return append(out, s.giveUp(now, err)...)
}

// tell says a thing once, until it is something else.
func (s *State) tell(n Notice) []Effect {
	if s.told[n.Kind] == n.Text {
		return nil
	}
	s.told[n.Kind] = n.Text
	return []Effect{n}
}

// giveUp ends the round. The pause doubles with each round that failed and brought nothing.
func (s *State) giveUp(now time.Time, err error) []Effect {
	if s.progress {
		s.retry = 0
	}
	s.retry = min(max(2*s.retry, s.opts.RetryFirst), s.opts.RetryMost)
	var out []Effect
	if now.Sub(s.fresh) >= s.opts.StaleAfter {
		out = s.tell(Notice{Kind: NoticeStale, Text: fmt.Sprintf("log %s of %s has shown no valid checkpoint since %s", s.log.ID, s.log.Party, s.fresh.UTC().Format(time.RFC3339))})
	}
	// Leaves that were added to the edge and not stored are lost with the round.
	spent := s.walk != nil && (s.growth.Waiting() > 0 || s.storing)
	s.phase, s.asked, s.tiles, s.walk = resting, nil, nil, nil
	s.spent = spent
	return append(out, Rest{Until: now.Add(s.retry), Err: err, Spent: spent})
}

// serial is the serial of the last keyring among the leaves here; 0: none.
func (s *State) serial() uint64 {
	k, ok := s.history.Last()
	if !ok {
		return 0
	}
	return uint64(k.Serial) // #nosec G115 -- checked to be positive
}

// CheckpointKey is the verifier key of the checkpoint key that a keyring names; empty: it names none that is known.
func CheckpointKey(k record.Keyring) string {
	keys := k.WithRole(record.RoleLog)
	if len(keys) != 1 || keys[0].Alg != record.Ed25519 {
		return ""
	}
	return ledger.VKey(k.Log.Origin, ed25519.PublicKey(keys[0].Public))
}
