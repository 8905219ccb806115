package simulate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
)

// An entry of the roll, and an act, as they stand in logs here. internal/node wraps them into signed records with proofs;
// what is simulated is who learns of them, in which order, and what state they lead to.
type carriedAct struct {
	Party string        `json:"party"`
	Time  time.Time     `json:"time"`
	Act   agreement.Act `json:"act"`
}

type carriedEntry struct {
	carriedAct
	Leaf   string `json:"leaf"`
	Parent string `json:"parent"`
	Result string `json:"result"`

	keeper string // whose log it stands in
}

// foundAct is an act in somebody's log.
type foundAct struct {
	carriedAct
	leaf  string
	of    *node
	index int64
}

const (
	actPrefix  = "act:"
	rollPrefix = "roll:"
)

func (n *node) forgetRoll() { n.read = nil }

// fold makes the agreement's state out of the logs as they are here: entries in the order in which each follows from the state,
// from whichever log.
func (n *node) fold() {
	if n.read == nil {
		n.roll, n.read, n.entered, n.waiting, n.found = agreement.Begin(n.w.id, agreement.Options{}), map[*Log]int64{}, map[string]bool{}, nil, nil
	}
	n.readForRoll(n, n.disk.tree, n.disk.head.Size)
	for _, f := range n.order {
		n.readForRoll(f.of, f.shelf.tree, f.shelf.head.Size)
	}
	for n.foldNext() {
	}
}

func (n *node) readForRoll(of *node, tree *Log, size int64) {
	for i := n.read[tree]; i < size; i++ {
		o := tree.objects[tree.leaves[i]]
		if o == nil {
			return // it has not come: what follows waits for it
		}
		n.read[tree] = i + 1
		if text, ok := strings.CutPrefix(string(o), rollPrefix); ok {
			e := carriedEntry{keeper: of.author.Party}
			if json.Unmarshal([]byte(text), &e) == nil {
				n.waiting = append(n.waiting, e)
			}
		}
		if text, ok := strings.CutPrefix(string(o), actPrefix); ok {
			sum := sha256.Sum256(o)
			a := foundAct{of: of, leaf: hex.EncodeToString(sum[:]), index: i}
			if json.Unmarshal([]byte(text), &a.carriedAct) == nil && a.Party == of.author.Party {
				n.found = append(n.found, a)
			}
		}
	}
}

// foldNext folds an entry that follows from the state, if there is one. One that is refused is dropped.
func (n *node) foldNext() bool {
	at := n.roll.Hash().String()
	i := slices.IndexFunc(n.waiting, func(e carriedEntry) bool { return e.Parent == at })
	if i < 0 {
		return false
	}
	c := n.waiting[i]
	n.waiting = slices.Delete(n.waiting, i, i+1)
	e := agreement.Entry{Leaf: c.Leaf, Party: c.Party, Officers: []string{"k-1"}, Time: c.Time, Act: c.Act, Parent: n.roll.Hash()}
	var err error
	if e.Result, err = agreement.ParseHash(c.Result); err != nil {
		return true
	}
	if next, err := agreement.Apply(n.roll, e); err == nil && n.w.parts.keeps(n.roll, next, e, c.keeper) == nil {
		n.roll, n.entered[c.Leaf] = next, true
	}
	return true
}

// act writes an act into the party's own log.
func (n *node) act(a agreement.Act) {
	a.Date = n.clock().Format(time.DateOnly)
	b, err := json.Marshal(carriedAct{n.author.Party, n.clock().Truncate(time.Microsecond), a})
	n.w.fail(err)
	n.write(&letter{object: append([]byte(actPrefix), b...)})
}

// enter is the work of who keeps the roll: it enters the acts that it finds in logs, one at a time. An act that the roll does
// not take, it leaves.
func (n *node) enter() {
	if n.down || n.unsettled || slices.ContainsFunc(n.letters, func(l *letter) bool { return l.entry && !l.done }) {
		return
	}
	n.fold()
	for _, a := range n.found {
		if n.entered[a.leaf] || agreement.NeedsWitnesses(a.Act.Act) && !n.witnessed(a) {
			continue
		}
		e, next, err := agreement.Compose(n.roll, agreement.Entry{Leaf: a.leaf, Party: a.Party, Officers: []string{"k-1"}, Time: a.Time, Act: a.Act})
		if err != nil || n.w.parts.keeps(n.roll, next, e, n.author.Party) != nil {
			continue
		}
		b, err := json.Marshal(carriedEntry{carriedAct: a.carriedAct, Leaf: a.leaf, Parent: e.Parent.String(), Result: e.Result.String()})
		n.w.fail(err)
		n.write(&letter{object: append([]byte(rollPrefix), b...), entry: true})
		return
	}
}

// witnessed says whether enough witnesses co-signed a head of this very log that covers an act.
func (n *node) witnessed(a foundAct) bool {
	tree := n.disk.tree
	if a.of != n {
		tree = n.follows[a.of.author.Log.ID].shelf.tree
	}
	signed := 0
	for _, x := range n.w.watches {
		for _, h := range x.signed[tree.Origin] {
			if h.Size > a.index && tree.holds(h.Head) {
				signed++
				break
			}
		}
	}
	return signed >= enoughWitnesses
}

// vote names the second party as the one who keeps the roll, when the depositary has been silent for long enough.
func (n *node) vote() {
	heir := n.w.nodes[1].author.Party
	d := n.roll.Definition()
	if d == nil || n.left || !n.roll.Connected(n.author.Party) || n.roll.Depositary() == heir {
		return
	}
	base := n.roll.Succession() // others have begun
	if base == "" {
		if n.clock().Before(d.Terms.Silence.After(n.roll.LastTime())) {
			return
		}
		base = n.roll.Hash().String()
	}
	if n.votedOn != base {
		n.votedOn = base
		n.act(agreement.Act{Act: agreement.ActSucceed, Parent: base, Party: heir})
	}
}
