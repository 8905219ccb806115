package node

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
)

// What waits for witnesses and what does not: accessions and texts take effect once enough witnesses have co-signed a tree that
// holds them; what ends or narrows something acts at signature. The roll is the same for everybody; how much of it is witnessed
// each node knows by the cosigned checkpoints that it has seen, and what it has seen is never taken back. So all come to the same.

// weigh finds out how far witnesses have seen the roll, and what therefore holds. The caller holds r.mu.
func (n *Node) weigh(ctx context.Context, r *roll) error {
	texts := r.texts()
	if !slices.ContainsFunc(texts, func(a *agreement.Agreement) bool { return a.Witnesses.K > 0 }) {
		r.effect, r.counted, r.seen = r.state, len(r.places), nil
		return nil
	}
	if r.seen == nil {
		r.seen = map[string]int64{}
	}
	if err := n.look(ctx, r, texts); err != nil {
		return err
	}
	var base agreement.State
	if r.isPair() {
		base = r.countPair()
	} else {
		base = r.count()
	}
	r.effect = agreement.InEffect(base, r.state)
	return nil
}

// weighsBy says by what weigh would find out what holds, beside the entries of the roll: by the checkpoints of the logs that hold it,
// how much of them enough witnesses have co-signed, and whose keys are known. Of all heads that grow few change any of these.
func (n *Node) weighsBy(ctx context.Context, r *roll, logs []ledger.LogInfo) (string, error) {
	var b strings.Builder
	fmt.Fprintln(&b, n.known.Load())
	if r.seen == nil {
		return b.String(), nil
	}
	origins := r.origins()
	for _, l := range logs {
		if _, holds := slices.BinarySearch(origins, l.Origin); !holds {
			continue
		}
		no, err := n.logNo(ctx, l.ID)
		if err != nil {
			return "", err
		}
		size, _, err := n.enoughOf(ctx, no)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%d %s", size, l.Checkpoint)
	}
	return b.String(), nil
}

// texts are the texts whose witnesses may vouch: the one in effect and those that come after it, so that who comes late
// needs no old cosignatures.
func (r *roll) texts() []*agreement.Agreement {
	var out []*agreement.Agreement
	add := func(a *agreement.Agreement) {
		if a != nil && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	if r.isPair() {
		for _, l := range r.lines {
			add(r.pair.TextOn(l.entry.Act.Parent))
		}
		add(r.state.Definition())
		return out
	}
	from := max(0, min(r.counted, len(r.places))-1)
	for _, p := range r.places[from:] {
		add(p.after.Definition())
	}
	return out
}

// look notes of each log that holds the roll how many of its leaves enough witnesses have co-signed.
func (n *Node) look(ctx context.Context, r *roll, texts []*agreement.Agreement) error {
	for _, origin := range r.origins() {
		author, logID := r.writerOf(origin), n.logWithOrigin(origin)
		policies, err := n.policiesOf(ctx, r, texts, author)
		if err != nil {
			return err
		}
		if logID != "" {
			size, err := n.noteWitnessed(ctx, logID, policies)
			if err != nil {
				return err
			}
			r.seen[origin] = max(r.seen[origin], size)
		}
		for i := range r.places {
			p := &r.places[i]
			if p.origin != origin || p.log != "" || p.proof == "" || p.index < r.seen[origin] {
				continue
			}
			if checkpoint, err := ledger.ProofCheckpoint([]byte(p.proof)); err == nil && n.suffices(policies, checkpoint) {
				r.seen[origin] = p.index + 1
			}
		}
		for _, l := range r.lines {
			if l.origin != origin || l.log != "" || l.index < r.seen[origin] {
				continue
			}
			if checkpoint, err := ledger.ProofCheckpoint([]byte(l.proof)); err == nil && n.suffices(policies, checkpoint) {
				r.seen[origin] = l.index + 1
			}
		}
	}
	return nil
}

// origins lists the logs that hold the roll.
func (r *roll) origins() []string {
	all := map[string]bool{}
	for i := range r.places {
		all[r.places[i].origin] = true
	}
	for _, l := range r.lines {
		all[l.origin] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// writerOf is whose log it is.
func (r *roll) writerOf(origin string) (author string) {
	for i := range r.places {
		if p := &r.places[i]; p.origin == origin && !r.isPair() {
			author = p.keeper
		}
	}
	for _, l := range r.lines {
		if l.origin == origin {
			author = l.author
		}
	}
	return author
}

// logWithOrigin is the id of a log that is here, "" where it is not: what came as a file may be in a log that is followed now.
func (n *Node) logWithOrigin(origin string) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for id, b := range n.books {
		if b.log.Origin == origin {
			return id
		}
	}
	return ""
}

// textBefore is the text by whose witnesses an entry is judged: the one in force before it, for the founding text itself.
func (r *roll) textBefore(i int) *agreement.Agreement {
	return r.places[max(0, i-1)].after.Definition()
}

// count finds how many entries are in effect: those that need no witnesses, and all before one that enough have seen.
func (r *roll) count() (base agreement.State) {
	n := 0
	for n < len(r.places) {
		if r.textBefore(n).Witnesses.K == 0 {
			n++
			continue
		}
		last := -1
		for i := n; i < len(r.places); i++ {
			if p := &r.places[i]; p.index < r.seen[p.origin] {
				last = i
			}
		}
		if last < 0 {
			break
		}
		n = last + 1
	}
	r.counted = max(r.counted, n) // a roll that was succeeded is never counted back
	if r.counted == 0 {
		return agreement.Begin(r.id, definitionOptions())
	}
	return r.places[r.counted-1].after
}

// countPair folds of each log what enough witnesses have seen, and what needs none.
func (r *roll) countPair() agreement.State {
	var entries []agreement.PairEntry
	for _, l := range r.lines {
		text := r.pair.TextOn(l.entry.Act.Parent)
		if l.index < r.seen[l.origin] || text != nil && text.Witnesses.K == 0 {
			entries = append(entries, agreement.PairEntry{Log: l.author, Entry: l.entry})
		}
	}
	return agreement.FoldPair(r.id, definitionOptions(), entries).State()
}

// witnessed says whether enough witnesses have seen an act where it counts: in the roll, or in both logs of a pair.
func (r *roll) witnessed(i int) bool {
	if !r.isPair() {
		return i < r.counted
	}
	leaf := r.places[i].entry.Leaf
	return r.pair.Held(leaf) && !slices.ContainsFunc(r.lines, func(l pairLine) bool { return l.entry.Leaf == leaf && l.index >= r.seen[l.origin] })
}

func (n *Node) suffices(policies []federate.Policy, checkpoint []byte) bool {
	return slices.ContainsFunc(policies, func(p federate.Policy) bool { return p.K > 0 && n.cosigners.Enough(p, checkpoint) })
}

// RollWitnesses is how an agreement's witnesses stand to its roll.
type RollWitnesses struct {
	K       int               `json:"k" doc:"How many of them must have co-signed; whose log it is never counts"`
	Has     int               `json:"has" doc:"How many have co-signed the newest tree of the roll; of two logs the fewer"`
	Of      []RollWitnessView `json:"of"`
	Waiting int               `json:"waiting" doc:"Acts that have no effect before K have co-signed them"`
	Text    string            `json:"text,omitempty" doc:"Version that was agreed on and waits"`
	Note    string            `json:"note" doc:"What a witness does not vouch for"`
}

// RollWitnessView is one witness.
type RollWitnessView struct {
	Party  string            `json:"party"`
	Label  string            `json:"label,omitempty"`
	Names  map[string]string `json:"names,omitempty"`
	Known  bool              `json:"known" doc:"Whether its key is known here: without it nobody can tell its signature"`
	Signed bool              `json:"signed" doc:"Whether it has co-signed the newest tree"`
}

// viewWitnesses shows who witnesses the roll and what waits for them. The caller holds r.mu.
func (n *Node) viewWitnesses(ctx context.Context, r *roll) (*RollWitnesses, error) {
	text := r.effect.Definition()
	if text == nil || text.Witnesses.K == 0 {
		return nil, nil //nolint:nilnil // an agreement without witnesses
	}
	v := &RollWitnesses{K: text.Witnesses.K, Has: len(text.Witnesses.Of), Note: WitnessNote}
	if r.state.Text() != r.effect.Text() {
		v.Text = r.state.Text().Version
	}
	for i := range r.places {
		if agreement.NeedsWitnesses(r.places[i].entry.Act.Act) && !r.witnessed(i) {
			v.Waiting++
		}
	}
	signed := map[string]int{}
	newest := r.newestTrees(ctx, n)
	for _, tree := range newest {
		policies, err := n.policiesOf(ctx, r, []*agreement.Agreement{text}, tree.author)
		if err != nil {
			return nil, err
		}
		has := 0
		for _, w := range policies[0].Witnesses {
			verifiers := n.cosigners.Of([]federate.Witness{w})
			if len(verifiers) != 1 {
				continue
			}
			if _, err := note.Open(tree.checkpoint, note.VerifierList(verifiers[0])); err == nil {
				signed[w.Party]++
				has++
			}
		}
		v.Has = min(v.Has, has)
	}
	if len(newest) == 0 {
		v.Has = 0
	}
	for _, label := range text.Witnesses.Of {
		p, _ := text.Party(label)
		peer, _, err := n.peerOf(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		_, known := n.witnessKeyOf(ctx, r, p.ID, peer)
		v.Of = append(v.Of, RollWitnessView{Party: p.ID, Label: label, Names: p.Names, Known: known, Signed: len(newest) > 0 && signed[p.ID] == len(newest)})
	}
	return v, nil
}

// rollTree is the newest checkpoint that is known here of a log which holds the end of the roll.
type rollTree struct {
	author     string
	checkpoint []byte
}

// newestTrees are the trees that the newest entries stand in: of the last keeper's log, or of both logs of a pair.
func (r *roll) newestTrees(ctx context.Context, n *Node) []rollTree {
	origins := r.origins()
	if !r.isPair() && len(r.places) > 0 {
		origins = []string{r.places[len(r.places)-1].origin}
	}
	var out []rollTree
	for _, origin := range origins {
		logID := n.logWithOrigin(origin)
		tree := rollTree{author: r.writerOf(origin)}
		if l, err := n.reader.Log(ctx, logID); logID != "" && err == nil {
			tree.checkpoint = l.Checkpoint
		}
		places := slices.Clone(r.places)
		for _, l := range r.lines {
			places = append(places, l.rollPlace)
		}
		for _, p := range places {
			if p.origin == origin && p.proof != "" && tree.checkpoint == nil {
				if cp, err := ledger.ProofCheckpoint([]byte(p.proof)); err == nil {
					tree.checkpoint = cp
				}
			}
		}
		out = append(out, tree)
	}
	return out
}
