package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
)

// roll is an agreement's roll as far as this node knows it: what it took over from others as a file, and the roll records of
// the logs under the agreement, this party's own and those it follows. It is folded once; afterwards only what is new is read.
type roll struct {
	id string

	mu       sync.Mutex // guards all below; whoever enters an act holds it from the check to the append
	started  bool
	state    agreement.State
	places   []rollPlace
	pair     *agreement.PairState // nil: it has a depositary, or nothing is known of it
	lines    []pairLine           // of a pair: what is known of the two logs, in their order
	shown    []RollLog            // of a pair: the logs that came in files, with their keyrings
	effect   agreement.State      // what of state holds: the rest waits for witnesses
	counted  int                  // entries in effect
	seen     map[string]int64     // by origin of a log: leaves that enough witnesses have co-signed; nil: none are asked
	weighed  bool                 // effect was found out
	unfolded bool                 // something was read that is not folded
	lacks    map[string][]int64   // by followed log: places whose object has not come
	// keyrings holds the newest keyring of every party whose act is in the roll.
	keyrings  map[string]record.Keyring
	policies  map[string]madePolicies // by author of a log; dropped when keyrings change
	grown     uint64                  // the node's count when the logs were last looked at
	weighedBy string                  // what effect was found out by
	read      map[string]int64        // by log: the first leaf that was not read
	own       []ownAct                // acts in the own log, entered or not
	waiting   []waitingEntry          // roll records that do not follow from the state, yet
	found     []foundAct              // acts of others in their logs that the roll does not have
	refused   map[string]string       // by leaf of an act in found: the state that refused it
	rules     *policy.Rules           // of the text in force, compiled; nil before the first question
	rulesOf   agreement.TextVersion
}

// rollPlace is one entry of the roll.
type rollPlace struct {
	keeper   string // who wrote it into the roll
	leaf     string // of the roll record; empty where only a file of it is here
	act      provenAct
	entry    agreement.Entry
	after    agreement.State // with this entry
	envelope []byte          // of the roll record
	object   string
	origin   string
	log      string // id of the log, where it is here
	index    int64
	proof    string // as it came with a file; empty: this node's own log proves it
}

// ownAct is an act of this party in its own log.
type ownAct struct {
	index    int64
	leaf     string
	object   string
	envelope []byte
	act      agreement.Act
	time     time.Time
}

// withRoll runs do with an agreement's roll, caught up with this node's log and locked.
func (n *Node) withRoll(ctx context.Context, id string, do func(*roll) error) error {
	n.mu.Lock()
	r := n.rolls[id]
	if r == nil {
		r = &roll{id: id}
		n.rolls[id] = r
	}
	n.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := n.catchUpRoll(ctx, r); err != nil {
		return err
	}
	return do(r)
}

// catchUpRoll folds what the node holds of a roll and has not folded yet.
func (n *Node) catchUpRoll(ctx context.Context, r *roll) error {
	if !r.started {
		r.state, r.keyrings = agreement.Begin(r.id, definitionOptions()), map[string]record.Keyring{}
		r.read, r.refused, r.lacks = map[string]int64{}, map[string]string{}, map[string][]int64{}
		copied, err := n.readRollCopy(r.id)
		if err != nil {
			return err
		}
		if copied != nil {
			if err := r.takeFile(*copied); err != nil {
				return fmt.Errorf("reading the copy of the roll of %s: %w", r.id, err)
			}
		}
		r.started = true
	}
	// Every decision asks for the roll, so the logs are looked at only when something has grown since.
	grown := n.grown.Load()
	if n.ledger != nil && r.grown == grown && r.weighed {
		return nil
	}
	// All callers share what is folded: one who hangs up must not leave it half done, nor looking as if it were whole.
	ctx = context.WithoutCancel(ctx)
	weighed := r.weighed
	r.weighed = false
	logs, err := n.logsUnder(ctx, r.id)
	if err != nil {
		return err
	}
	for _, l := range logs {
		if from, late := n.lateActs.take(l.ID); late {
			r.read[l.ID] = min(r.read[l.ID], from)
		}
		if l.Size > r.read[l.ID] || len(r.lacks[l.ID]) > 0 {
			r.unfolded = true
			if err := n.readLogForRoll(ctx, r, l); err != nil {
				return err
			}
		}
	}
	by, err := n.weighsBy(ctx, r, logs)
	if err != nil {
		return err
	}
	switch {
	case !r.unfolded:
		if weighed && (r.seen == nil || n.ledger != nil && r.weighedBy == by) {
			r.grown, r.weighed = grown, true
			return nil
		}
	case len(r.lines) > 0:
		r.foldPair()
	default:
		if err := n.foldWaiting(r); err != nil {
			return err
		}
	}
	r.unfolded = false
	if err := n.settleRoll(ctx, r); err != nil {
		return err
	}
	r.grown, r.weighedBy = grown, by
	return nil
}

// settleRoll finds out what of a roll holds, and makes the members known. The caller holds r.mu.
func (n *Node) settleRoll(ctx context.Context, r *roll) error {
	if err := n.weigh(ctx, r); err != nil {
		return fmt.Errorf("asking what of %s is witnessed: %w", r.id, err)
	}
	r.weighed = true
	n.publishMembers(r)
	return nil
}

// take folds one roll record, after everything in it was verified.
func (r *roll) take(rec record.Record, place rollPlace) error {
	body, err := record.Parse[record.RollEntry](rec)
	if err != nil {
		return err
	}
	act, err := proveAct(body, r.id)
	if err != nil {
		return err
	}
	entry := act.entry
	if entry.Parent, err = agreement.ParseHash(body.Parent); err != nil {
		return err
	}
	if entry.Result, err = agreement.ParseHash(body.Result); err != nil {
		return err
	}
	if err := r.checkKeyring(act.keyring); err != nil {
		return err
	}
	next, err := agreement.Apply(r.state, entry)
	if err != nil {
		return err
	}
	if err := agreement.MayKeep(r.state, next, entry, place.keeper); err != nil {
		return err
	}
	place.act, place.entry, place.after = act, entry, next
	r.state, r.places = next, append(r.places, place)
	r.learn(act.keyring)
	return nil
}

// learn keeps the newest keyring of a party.
func (r *roll) learn(k record.Keyring) {
	r.keyrings[k.Party] = k
	r.policies = nil // it may name the key of a witness
}

// checkKeyring refuses a keyring that is older than one in the roll, or another of the same serial: with it a revoked key
// could sign again.
func (r *roll) checkKeyring(k record.Keyring) error {
	known, ok := r.keyrings[k.Party]
	switch {
	case !ok:
		return nil
	case known.Log.ID != k.Log.ID:
		if k.Log.Generation <= known.Log.Generation {
			return fmt.Errorf("%s acts in log %s, the roll knows its log %s", k.Party, k.Log.ID, known.Log.ID)
		}
		return nil
	case k.Serial < known.Serial:
		return fmt.Errorf("the keyring of %s has serial %d, the roll knows serial %d", k.Party, k.Serial, known.Serial)
	case k.Serial == known.Serial && k.Hash() != known.Hash():
		return fmt.Errorf("the keyring of %s is not the one with serial %d that the roll knows", k.Party, k.Serial)
	case k.Serial == known.Serial+1:
		return known.Next(k)
	}
	return nil
}

// entered says whether an act is in the roll, or of a pair whether both logs hold it.
func (r *roll) entered(leaf string) bool {
	if r.isPair() {
		return r.pair.Held(leaf)
	}
	for i := range r.places {
		if r.places[i].entry.Leaf == leaf {
			return true
		}
	}
	return false
}

// placeOf is the entry of an act.
func (r *roll) placeOf(leaf string) agreement.Entry {
	for i := range r.places {
		if r.places[i].entry.Leaf == leaf {
			return r.places[i].entry
		}
	}
	return agreement.Entry{}
}

// publishMembers makes the members' keyrings known to whoever seals a record under the agreement. The caller holds r.mu.
func (n *Node) publishMembers(r *roll) {
	var members []record.Keyring
	for party, m := range r.effect.Members {
		if k, ok := r.keyrings[party]; ok && m.Membership == agreement.Joined && party != n.party.ID {
			members = append(members, k)
		}
	}
	for _, party := range []string{r.state.Depositary(), n.partner(r)} {
		if k, ok := r.keyrings[party]; ok && !r.effect.Connected(k.Party) && k.Party != n.party.ID {
			members = append(members, k)
		}
	}
	terms := sealTerms{closed: r.isPair(), backfill: agreement.BackfillNone, since: map[string]string{}}
	if d := r.state.Definition(); d != nil && d.Backfill != "" {
		terms.backfill = d.Backfill
	}
	for party, m := range r.state.Members {
		terms.since[party] = m.Since
	}
	var newcomers []record.Keyring
	for party := range r.state.Members {
		if k, ok := r.keyrings[party]; ok && agreement.Waits(r.effect, r.state, party) && party != n.party.ID {
			newcomers = append(newcomers, k)
		}
	}
	n.mu.Lock()
	n.sealTerms[r.id] = terms
	n.members[r.id], n.newcomers[r.id] = members, newcomers
	n.mu.Unlock()
	n.callers.forget()
}

// membersOf lists the keyrings of the others who run an agreement, as the roll introduced them.
func (n *Node) membersOf(id string) []record.Keyring {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.members[id]
}

// newcomersOf lists the keyrings of those whose accession waits for witnesses: they fold the roll too, and get nothing else.
func (n *Node) newcomersOf(id string) []record.Keyring {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.newcomers[id]
}

// loadMembers folds an agreement's roll so that membersOf knows whom to seal to.
func (n *Node) loadMembers(ctx context.Context, id string) error {
	if id == record.OwnAgreement {
		return nil
	}
	return n.withRoll(ctx, id, func(*roll) error { return nil })
}

// envelopeOf opens an entry's object once more for its envelope.
func (n *Node) envelopeOf(ctx context.Context, o opened) ([]byte, error) {
	b := n.book(o.view.Log)
	if b == nil {
		return nil, errors.New("the log has no keyring here")
	}
	ids, err := n.identities(ctx, b.no)
	if err != nil {
		return nil, err
	}
	return record.OpenObject(o.object, ids...)
}
