package agreement

import (
	"maps"
	"slices"
	"strings"
)

// PairEntry is a place in one of the two logs of a pair: an act of the log's owner, or an act of the other that the owner
// took in with its proof.
type PairEntry struct {
	Log   string // party id of the log's owner
	Entry Entry  // Parent and Result are not used: two logs have no common order
}

// PairState is an agreement between two parties without a depositary. A text is in force when both have given their
// word for it and each log holds the other's act. It follows from what is known of the two logs and from nothing else: the
// order in which their entries became known does not matter, and what took force by a part of them stays so with more.
type PairState struct {
	opt        Options
	id         string
	phase      Phase
	basis      Hash
	text       TextVersion
	definition *Agreement
	bytes      string
	since      string // date of the word that brought the founding text into force
	parties    []string
	root       string // basis of the founding text

	acts      map[string]Entry    // taken in, by leaf
	order     []string            // leaves of acts, as they were folded
	each      map[string]int      // how many acts each party has
	holders   map[string]copies   // by leaf
	proposals map[string]Proposal // by leaf
	said      map[string]Approval // party "/" parent: the first word in its author's own log
	counted   map[string]Approval // party "/" parent: the first word that the other's log holds; it is the one that counts
	bases     map[string]*Agreement
	left      map[string]Entry // withdrawals, by party
	doubles   []Misconduct
	refused   map[string]error // by leaf
	waiting   int
}

// copies says which of the two logs hold an act.
type copies struct{ own, other bool }

// FoldPair folds what is known of the two logs: the entries of each in their order there, those of one anyhow between those of
// the other. An entry that rests on what is not known yet waits, and with it what follows it in its log, but for a
// withdrawal, which waits for nothing; one that can never hold is passed over.
func FoldPair(id string, opt Options, entries []PairEntry) PairState {
	p := PairState{opt: opt, id: id, phase: Nothing, basis: Begin(id, opt).basis, acts: map[string]Entry{}, each: map[string]int{}, holders: map[string]copies{},
		proposals: map[string]Proposal{}, said: map[string]Approval{}, counted: map[string]Approval{}, bases: map[string]*Agreement{},
		left: map[string]Entry{}, refused: map[string]error{}}
	p.root = p.basis.String()
	lines := map[string][]PairEntry{}
	for _, e := range entries {
		lines[e.Log] = append(lines[e.Log], e)
	}
	owners := slices.Sorted(maps.Keys(lines))
	for moved := true; moved; {
		moved = false
		for _, owner := range owners {
			for len(lines[owner]) > 0 && !p.take(lines[owner][0]) {
				lines[owner], moved = lines[owner][1:], true
			}
		}
	}
	for _, owner := range owners {
		p.waiting += len(lines[owner])
		for _, e := range lines[owner] {
			if e.Entry.Act.Act == ActWithdraw && p.judge(e.Entry) == nil {
				p.keep(e)
			}
		}
	}
	return p
}

// take folds the next entry of a log. It says whether the entry has to wait for what is not known yet.
func (p *PairState) take(e PairEntry) (waits bool) {
	leaf := e.Entry.Leaf
	if _, known := p.acts[leaf]; !known {
		err := p.judge(e.Entry)
		if isWaiting(err) {
			return true
		}
		if err == nil && !p.isParty(e.Log) && e.Entry.Act.Act != ActPropose {
			err = notEntitled(e.Log+" is not one of the two parties", "")
		}
		if err != nil {
			p.refused[leaf] = err
			return false
		}
	}
	p.keep(e)
	p.settle()
	return false
}

// keep notes an act that holds, and which log has it.
func (p *PairState) keep(e PairEntry) {
	leaf := e.Entry.Leaf
	if _, known := p.acts[leaf]; !known {
		p.acts[leaf], p.order = e.Entry, append(p.order, leaf)
		p.each[e.Entry.Party]++
		p.enter(e.Entry)
	}
	if !p.isParty(e.Log) {
		return
	}
	c := p.holders[leaf]
	own := e.Log == e.Entry.Party
	c.own, c.other = c.own || own, c.other || !own
	p.holders[leaf] = c
	if word, ok := p.wordOf(e.Entry); ok {
		if own {
			p.note(p.said, word)
		} else {
			p.note(p.counted, word)
		}
	}
}

// note keeps the first word of a party on a parent in one of the logs. A second one is proof, and counts for nothing.
func (p *PairState) note(words map[string]Approval, word Approval) {
	key := word.Party + "/" + word.Parent
	first, ok := words[key]
	if !ok {
		words[key] = word
		return
	}
	if m, double := p.compare(first, word); double && !slices.Contains(p.doubles, m) {
		p.doubles = append(p.doubles, m)
	}
}

// compare finds words for two texts on one parent. Two proposals of the same text are no contradiction here.
func (p *PairState) compare(first, second Approval) (Misconduct, bool) {
	if p.proposals[first.Child].Text == p.proposals[second.Child].Text {
		return Misconduct{}, false
	}
	return Compare(first, second)
}

// wordOf is the word that an act gives for a text: that of an approval, or its own in a founding proposal.
func (p *PairState) wordOf(e Entry) (Approval, bool) {
	if e.Act.Act == ActPropose {
		return Approval{Party: e.Party, Parent: p.root, Child: e.Leaf, Leaf: e.Leaf}, true
	}
	if e.Act.Act != ActApprove {
		return Approval{}, false
	}
	return ApprovalOf(e)
}

// enter takes in what an act adds. Nothing that is added ever depends on what came between.
func (p *PairState) enter(e Entry) {
	switch e.Act.Act {
	case ActPropose, ActAmend:
		a, text, err := p.define(e.Act)
		if err != nil {
			return // judge has read it
		}
		parent := e.Act.Parent
		if e.Act.Act == ActPropose {
			parent = p.root
		}
		p.proposals[e.Leaf] = Proposal{Leaf: e.Leaf, Party: e.Party, Date: e.Act.Date, Parent: parent, Text: text, Status: Open, Definition: a, Bytes: e.Act.Definition}
		if e.Act.Act == ActPropose && p.phase == Nothing {
			p.phase, p.definition, p.bytes, p.text = Proposed, a, e.Act.Definition, text
			p.bases[parent] = a
			for _, label := range a.Founders {
				founder, _ := a.Party(label)
				p.parties = append(p.parties, founder.ID)
			}
		}
	case ActWithdraw:
		if _, gone := p.left[e.Party]; !gone {
			p.left[e.Party] = e
		}
	}
}

// settle puts a text in force once each log holds the other's word for it. Where both gave their word on one basis, for two
// different texts, neither can take force any more: the text stays, and the two go on from a new basis.
func (p *PairState) settle() {
	for len(p.parties) == 2 {
		basis := p.basis.String()
		a, okA := p.counted[p.parties[0]+"/"+basis]
		b, okB := p.counted[p.parties[1]+"/"+basis]
		if !okA || !okB || !p.holders[a.Leaf].own || !p.holders[b.Leaf].own {
			return
		}
		ofA, ofB := p.proposals[a.Child], p.proposals[b.Child]
		if ofA.Text.SHA256 == ofB.Text.SHA256 {
			if p.phase != InForce {
				p.since = max(p.acts[a.Leaf].Act.Date, p.acts[b.Leaf].Act.Date)
			}
			p.phase, p.definition, p.bytes, p.text = InForce, ofA.Definition, ofA.Bytes, ofA.Text
			p.basis = nextBasis(p.basis, p.text.SHA256)
		} else {
			p.basis = crossedBasis(p.basis, ofA.Text.SHA256, ofB.Text.SHA256)
		}
		for leaf, proposal := range p.proposals {
			if proposal.Parent != basis {
				continue
			}
			proposal.Status = Lapsed
			if proposal.Text == p.text {
				proposal.Status = Enacted
			}
			p.proposals[leaf] = proposal
		}
		p.bases[p.basis.String()] = p.definition
	}
}

// crossedBasis is the basis after parties gave their word for different texts, so that none could take force.
func crossedBasis(basis Hash, texts ...string) Hash {
	var e encoder
	e.hash(basis)
	for _, text := range slices.Sorted(slices.Values(texts)) {
		e.str(text)
	}
	return e.sum("mithaq/basis/crossed/v1")
}

func (p *PairState) isParty(id string) bool { return slices.Contains(p.parties, id) }

// ID is the agreement's id.
func (p PairState) ID() string { return p.id }

// Phase says whether a text is in force. A pair ends when one of the two withdraws.
func (p PairState) Phase() Phase {
	if len(p.left) > 0 {
		return Ended
	}
	return p.phase
}

// Basis is the parent that amendments and approvals must name.
func (p PairState) Basis() Hash { return p.basis }

// Text is the text in force, or the founding text while it waits.
func (p PairState) Text() TextVersion { return p.text }

// Definition is what that text says; nil before a founding proposal.
func (p PairState) Definition() *Agreement { return p.definition }

// Parties are the ids of the two, in the order of the founding text; none before a founding proposal.
func (p PairState) Parties() []string { return slices.Clone(p.parties) }

// Other is the other one of the two, or "".
func (p PairState) Other(party string) string {
	for _, id := range p.parties {
		if id != party && p.isParty(party) {
			return id
		}
	}
	return ""
}

// Held says whether each of the two logs holds an act.
func (p PairState) Held(leaf string) bool { return p.holders[leaf].own && p.holders[leaf].other }

// Refused says why an act was passed over; nil where it was not.
func (p PairState) Refused(leaf string) error { return p.refused[leaf] }

// TextOn is the text that is in force on a basis, the founding text without one; nil for a basis that is not known.
func (p PairState) TextOn(basis string) *Agreement {
	if basis == "" {
		basis = p.root
	}
	return p.bases[basis]
}

// Waiting is how many entries rest on what is not known yet.
func (p PairState) Waiting() int { return p.waiting }

// Doubles are proofs that one of the two gave its word for two texts on one basis.
func (p PairState) Doubles() []Misconduct { return slices.Clone(p.doubles) }

// Hash names what holds between the two: both compute the same once each knows all of both logs.
func (p PairState) Hash() Hash {
	var e encoder
	e.str(p.id)
	e.str(string(p.Phase()))
	e.hash(p.basis)
	e.str(p.text.SHA256)
	for _, words := range []map[string]Approval{p.counted, p.said} {
		e.num(len(words))
		for _, key := range slices.Sorted(maps.Keys(words)) {
			words[key].encode(&e)
		}
	}
	e.num(len(p.left))
	for _, party := range slices.Sorted(maps.Keys(p.left)) {
		e.str(party)
		e.str(p.left[party].Leaf)
	}
	leaves := slices.Sorted(maps.Keys(p.holders))
	e.str(strings.Join(leaves, ""))
	for _, leaf := range leaves {
		e.num(b2i(p.holders[leaf].own)*2 + b2i(p.holders[leaf].other))
	}
	return e.sum("mithaq/pair/v1")
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
