package node

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
)

// An agreement between two parties has no depositary: each writes its own acts into its own log, and takes the other's acts in
// there, as roll records with their proofs. What holds is folded from what is known here of the two logs.

// pairLine is an act, or a roll record that holds an act of the other, at its place in one of the two logs.
type pairLine struct {
	rollPlace
	author     string // whose log it is
	generation int64  // of the log: a log that was lost has a successor
	held       bool   // a roll record, not the author's own act
	keyring    record.Keyring
}

func (l pairLine) before(o pairLine) int {
	return cmp.Or(cmp.Compare(l.author, o.author), cmp.Compare(l.generation, o.generation), cmp.Compare(l.index, o.index))
}

// isPair says whether the agreement is one of two parties without a depositary.
func (r *roll) isPair() bool { return r.pair != nil }

// partner is the other one of the two parties of a pair, or "".
func (n *Node) partner(r *roll) string {
	if r.pair == nil {
		return ""
	}
	return r.pair.Other(n.party.ID)
}

// foundsPair says whether an act proposes the founding text of this agreement as one of two parties alone.
func (r *roll) foundsPair(a agreement.Act) bool {
	if a.Act != agreement.ActPropose || agreement.ID([]byte(a.Definition)) != r.id {
		return false
	}
	d, err := agreement.Load("definition", []byte(a.Definition), definitionOptions())
	return err == nil && d.Mode == agreement.Pair
}

// pairOf is the state of the pair that an act is about: the one known here, or for a founding act an empty one.
func (r *roll) pairOf(a agreement.Act) (agreement.PairState, bool) {
	if r.pair != nil {
		return *r.pair, true
	}
	return agreement.FoldPair(r.id, definitionOptions(), nil), len(r.places) == 0 && r.foundsPair(a)
}

// noteLine keeps a line once. Another one at the same place is a second history of that log.
func (r *roll) noteLine(l pairLine) error {
	at, known := slices.BinarySearchFunc(r.lines, l, pairLine.before)
	if known {
		if r.lines[at].leaf != l.leaf {
			return fmt.Errorf("history mismatch: place %d of log %s is %.12s… here, and %.12s… there", l.index, l.origin, r.lines[at].leaf, l.leaf)
		}
		if r.lines[at].log == "" && (l.log != "" || moreSigned(l.proof, r.lines[at].proof)) {
			r.lines[at] = l // the log is here now and proves it itself, or more witnesses have seen it
		}
		return nil
	}
	r.lines = slices.Insert(r.lines, at, l)
	return nil
}

// lineOf reads what a log of one of the two says: an act of its own, or one of the other that it holds. ok is false for a
// record that is neither.
func (r *roll) lineOf(rec record.Record, place rollPlace, k record.Keyring) (l pairLine, ok bool, err error) {
	l = pairLine{rollPlace: place, author: rec.Author, generation: k.Log.Generation, keyring: k}
	switch rec.Kind {
	case record.KindAct:
		act, err := actOf(rec)
		if err != nil {
			return l, false, err
		}
		l.entry = agreement.Entry{Leaf: place.leaf, Party: rec.Author, Time: rec.Time, Invented: k.Names.Fictional(), Act: act}
		l.entry.Officers, err = officersWhoSigned(place.envelope, k)
		if err != nil {
			return l, false, err
		}
	case record.KindRoll:
		body, err := record.Parse[record.RollEntry](rec)
		if err != nil {
			return l, false, err
		}
		if l.act, err = proveAct(body, r.id); err != nil {
			return l, false, err
		}
		l.entry, l.held = l.act.entry, true
	default:
		return l, false, nil
	}
	return l, r.isPair() || r.foundsPair(l.entry.Act), nil
}

// foldPair folds the lines known here. The caller holds r.mu.
func (r *roll) foldPair() {
	entries := make([]agreement.PairEntry, len(r.lines))
	for i, l := range r.lines {
		entries[i] = agreement.PairEntry{Log: l.author, Entry: l.entry}
		k := l.keyring
		if l.held {
			k = l.act.keyring
		}
		if known, ok := r.keyrings[k.Party]; !ok || known.Log.Generation < k.Log.Generation || known.Log.Generation == k.Log.Generation && known.Serial < k.Serial {
			r.learn(k)
		}
	}
	p := agreement.FoldPair(r.id, definitionOptions(), entries)
	r.pair, r.state = &p, p.State()
	r.places = r.places[:0]
	for _, e := range p.Acts() {
		if l, ok := r.lineWith(e.Leaf); ok {
			place := l.rollPlace
			place.entry = e
			r.places = append(r.places, place)
		}
	}
	r.found = slices.DeleteFunc(r.found, func(f foundAct) bool { return r.entered(f.leaf) })
}

// lineWith is a line with an act, its author's own where that is known here.
func (r *roll) lineWith(leaf string) (pairLine, bool) {
	var found pairLine
	ok := false
	for _, l := range r.lines {
		if l.entry.Leaf == leaf && (!ok || !l.held) {
			found, ok = l, true
		}
	}
	return found, ok
}

// signLine makes the roll entry that proves an act to whoever has neither of the two logs.
func (n *Node) signLine(ctx context.Context, l pairLine) (record.RollEntry, error) {
	switch {
	case l.held:
		return l.act.signed, nil
	case l.log != "":
		info, err := n.reader.Log(ctx, l.log)
		if err != nil {
			return record.RollEntry{}, fault.OfStore(err)
		}
		return n.signOwnAct(ctx, info, ownAct{index: l.index, leaf: l.leaf, object: l.object, envelope: l.envelope})
	}
	return record.RollEntry{Leaf: l.leaf, Origin: l.origin, Object: l.object, Act: jsontext.Value(l.envelope),
		Keyring: jsontext.Value(l.keyring.Envelope()), Proof: l.proof}, nil
}

// holdAct takes an act of the other party into this party's own log. The caller holds r.mu. A refused act changes nothing.
func (n *Node) holdAct(ctx context.Context, r *roll, act provenAct) (Receipt, error) {
	p, ok := r.pairOf(act.entry.Act)
	switch {
	case !ok:
		return Receipt{}, fault.New(fault.Conflict, "import the roll first: mithaq agreement import FILE", "taking in an act: this node does not know the text of %s", r.id)
	case act.entry.Party == n.party.ID:
		return Receipt{}, fault.New(fault.Conflict, "take it to the other party", "taking in an act: it is this party's own, and stands in its log already")
	}
	if err := p.CheckTaken(act.entry); err != nil {
		return Receipt{}, n.refused(ctx, r, act, err)
	}
	l, err := n.resolveLog(ctx, r.id)
	if fault.CodeOf(err) == fault.NotFound {
		return Receipt{}, fault.New(fault.NoLog, "open one with 'mithaq log open --agreement "+r.id+"' and import the file again", "taking in an act: this party has no log under the agreement")
	}
	if err == nil {
		err = n.settled(l)
	}
	if err != nil {
		return Receipt{}, err
	}
	r.learn(act.keyring)
	n.publishMembers(r) // the record is sealed to the other as well
	signed := act.signed
	signed.Parent, signed.Result = p.Basis().String(), p.Hash().String()
	receipt, err := n.appendRoll(ctx, r, l, signed, act.record.Marking)
	if err != nil {
		return Receipt{}, err
	}
	return receipt, n.catchUpRoll(ctx, r)
}

// holdKnown takes in every act of the other that is known here and that the own log does not hold, in the order of the other's
// log: whatever this party signs next stands after all that it knew.
func (n *Node) holdKnown(ctx context.Context, r *roll) error {
	if n.ledger == nil || n.partner(r) == "" {
		return nil
	}
	if _, err := n.resolveLog(ctx, r.id); fault.CodeOf(err) == fault.NotFound {
		return nil // nothing was signed here yet
	}
	for _, l := range slices.Clone(r.lines) {
		if l.author == n.party.ID || l.held || r.pair.CheckTaken(l.entry) != nil && !r.unseenDouble(l.entry) {
			continue
		}
		signed, err := n.signLine(ctx, l)
		if err != nil {
			return err
		}
		act, err := proveAct(signed, r.id)
		if err != nil {
			n.logger.Warn("an act in the other party's log is passed over", "agreement", r.id, "log", l.log, "index", l.index, "error", err)
			continue
		}
		if _, err := n.holdAct(ctx, r, act); err != nil {
			switch fault.CodeOf(err) {
			case fault.Unavailable, fault.Behind, fault.NoLog:
				return err
			}
			r.refused[l.leaf] = r.state.Hash().String()
			n.logger.Info("an act of the other party is not taken in", "agreement", r.id, "log", l.log, "index", l.index, "error", err)
		}
	}
	return nil
}

// unseenDouble says whether an act is proof of misconduct that was not kept yet.
func (r *roll) unseenDouble(e agreement.Entry) bool {
	if _, seen := r.refused[e.Leaf]; seen {
		return false
	}
	return slices.ContainsFunc(r.pair.Doubles(), func(m agreement.Misconduct) bool { return m.First.Leaf == e.Leaf || m.Second.Leaf == e.Leaf })
}

// pairFile writes both logs, as far as they are known here, for the other party or whoever it is shown to.
func (n *Node) pairFile(ctx context.Context, r *roll) (RollFile, error) {
	out := RollFile{Format: RollFormat, Agreement: r.id, Mark: markOf(r.text())}
	at := map[string]int{}
	for _, l := range r.lines {
		no, ok := at[l.origin]
		if !ok {
			log := RollLog{Origin: l.origin}
			if b := n.book(l.log); b != nil {
				for index, k := range b.history.Placed() {
					log.Keyrings = append(log.Keyrings, PlacedKeyring{Index: index, Keyring: k.Envelope()})
				}
			} else if i := r.shownLog(l.origin); i >= 0 {
				log.Keyrings = r.shown[i].Keyrings
			}
			no = len(out.Logs)
			at[l.origin], out.Logs = no, append(out.Logs, log)
		}
		proof := []byte(l.proof)
		if l.log != "" {
			var err error
			if proof, err = n.rollProof(ctx, l.log, l.index); err != nil {
				return out, err
			}
		}
		out.Entries = append(out.Entries, RollPlace{Log: no, Hash: l.object, Record: l.envelope, Proof: string(proof)})
	}
	return out, nil
}

func (r *roll) shownLog(origin string) int {
	return slices.IndexFunc(r.shown, func(l RollLog) bool { return l.Origin == origin })
}

// noteShown keeps the keyrings of logs that a file shows, the longer history of two: the file proved both.
func (r *roll) noteShown(logs []RollLog) {
	for _, l := range logs {
		if i := r.shownLog(l.Origin); i < 0 {
			r.shown = append(r.shown, l)
		} else if len(r.shown[i].Keyrings) < len(l.Keyrings) {
			r.shown[i] = l
		}
	}
}

// importPair takes in what a file shows of the two logs. What is known here already stays; one that contradicts it is refused.
func (n *Node) importPair(ctx context.Context, name string, r, fresh *roll) (out Imported, err error) {
	before := len(r.lines)
	_, err = n.resolveLog(ctx, r.id)
	hasLog := err == nil
	more := false
	merged := &roll{id: r.id, lines: slices.Clone(r.lines)}
	for _, l := range fresh.lines {
		at, known := slices.BinarySearchFunc(r.lines, l, pairLine.before)
		more = more || known && r.lines[at].log == "" && moreSigned(l.proof, r.lines[at].proof)
		if !known && l.author == n.party.ID && hasLog {
			return out, fault.New(fault.Conflict, "find out who else writes it", "importing %s: it holds entries of this party's log that it never wrote", name)
		}
		if err := merged.noteLine(l); err != nil {
			return out, fault.New(fault.Conflict, "keep both files: their signatures prove it", "importing %s: %v", name, err)
		}
	}
	r.lines = merged.lines
	r.noteShown(fresh.shown)
	r.foldPair()
	if err := n.settleRoll(ctx, r); err != nil {
		return out, err
	}
	if len(r.lines) > before || more {
		f, err := n.pairFile(ctx, r)
		if err == nil {
			err = n.writeRollCopy(r.id, f)
		}
		if err != nil {
			return out, err
		}
	}
	fresher := len(r.lines) - before
	if err := n.holdKnown(ctx, r); err != nil {
		return out, err
	}
	out = Imported{What: "roll", Agreement: r.id, Entries: len(r.lines), Fresh: fresher}
	out.after(r.state)
	return out, nil
}

// heldByOther says whether the other party's log holds an act of this one.
func (r *roll) heldByOther(leaf string) bool {
	return slices.ContainsFunc(r.lines, func(l pairLine) bool { return l.held && l.entry.Leaf == leaf && l.author != l.entry.Party })
}
