package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// ActRequest is what a person wants this party to do to an agreement. What the node knows itself (the state it acts on, the
// text in force, today's date) need not be said.
type ActRequest struct {
	Act          string                  `json:"act" enum:"propose,approve,join,decline,invite,amend,withdraw,review,object,declare,succeed,admit,remove"`
	Date         string                  `json:"date,omitempty" doc:"YYYY-MM-DD; absent: today"`
	Definition   string                  `json:"definition,omitempty" doc:"propose, amend: the agreement file, verbatim"`
	Proposal     string                  `json:"proposal,omitempty" doc:"approve: leaf of the proposal, or the beginning of it; absent: the only open one"`
	Party        string                  `json:"party,omitempty" doc:"invite, admit, remove, succeed: id of the party acted upon"`
	ObjectsTo    string                  `json:"objects_to,omitempty" doc:"object: leaf of the act objected to"`
	Reservations []agreement.Reservation `json:"reservations,omitempty" doc:"join, approve"`
	Declarations []agreement.Text        `json:"declarations,omitempty"`
	Mandate      *agreement.Mandate      `json:"mandate,omitempty"`
	Note         agreement.Text          `json:"note,omitempty"`
	TLP          string                  `json:"tlp,omitempty" doc:"Absent: TLP:GREEN"`
	Officer      string                  `json:"officer,omitempty" doc:"Key id of the officer; absent: the first whose key is here"`
}

// ActOutcome says what became of an act.
type ActOutcome struct {
	Agreement string     `json:"agreement" doc:"Agreement id"`
	Mark      string     `json:"mark,omitempty" doc:"خيالي · Fictional · Fictif, where the agreement is invented"`
	Receipt   Receipt    `json:"receipt" doc:"Where the act stands in this party's own log"`
	Entered   bool       `json:"entered" doc:"Whether the roll has it: yes where this node keeps the roll"`
	Phase     string     `json:"phase,omitempty" doc:"Of the agreement, once it was entered"`
	State     string     `json:"state,omitempty" doc:"State hash once it was entered"`
	File      *SignedAct `json:"file,omitempty" doc:"To be carried to the depositary, where it could not be sent"`
	Partner   string     `json:"partner,omitempty" doc:"The other party, where two have no depositary: an act is in force once each log holds the other's"`
	Both      *RollFile  `json:"both,omitempty" doc:"For a pair: both logs as they are known here, to be carried to the other party"`
	Sent      string     `json:"sent,omitempty" doc:"What became of it at the depositary's node: entered, waits (it cannot be reached), refused; absent: it has no address"`
	Trouble   string     `json:"trouble,omitempty" doc:"Why it waits or was refused"`
	Crossed   bool       `json:"crossed,omitempty" doc:"Of an approval: others approved another text, none can have enough any more, and all of them lapsed"`
}

// defaultActTLP marks acts: the parties and their communities may know them.
const defaultActTLP = record.TLPGreen

// Act signs an act by one officer, appends it to this party's own log and, where this node keeps the roll, enters it. What the
// roll would refuse is refused before anything is signed.
func (n *Node) Act(ctx context.Context, ref string, q ActRequest) (ActOutcome, error) {
	var out ActOutcome
	id, l, err := n.actLog(ctx, ref, q)
	if err != nil {
		return out, err
	}
	err = n.withRoll(ctx, id, func(r *roll) error {
		if err := n.holdKnown(ctx, r); err != nil {
			return err
		}
		rec, _, err := n.composeAct(r, l, q)
		if err != nil {
			return err
		}
		if err := n.mayAct(r, rec, []string{rec.Officer}); err != nil {
			return err
		}
		k, err := n.keyring(l.ID)
		if err != nil {
			return err
		}
		officer, ok := k.Find(rec.Officer)
		if !ok {
			return fault.New(fault.Conflict, "try again", "acting: the keyring of log %s changed meanwhile", l.ID)
		}
		receipt, err := n.append(ctx, l.ID, rec, officer, uint64(k.Serial), 0, nil)
		if err != nil {
			return err
		}
		out, err = n.afterAct(ctx, r, l, receipt)
		return err
	})
	if err == nil {
		n.deliver(ctx, &out)
		n.noteCrossed(ctx, &out)
	}
	return out, err
}

// actLog finds the agreement that an act is about and this party's log under it.
func (n *Node) actLog(ctx context.Context, ref string, q ActRequest) (string, ledger.LogInfo, error) {
	if n.ledger == nil {
		return "", ledger.LogInfo{}, errReadOnly()
	}
	id, err := n.actTarget(ctx, ref, q)
	if err != nil {
		return "", ledger.LogInfo{}, err
	}
	l, err := n.resolveLog(ctx, id)
	if fault.CodeOf(err) == fault.NotFound {
		// What the roll would refuse anyhow opens no log.
		if err := n.withRoll(ctx, id, func(r *roll) error { return n.foresee(ctx, r, q) }); err != nil {
			return id, l, err
		}
		err = fault.New(fault.NoLog, "open one: mithaq log open --agreement "+id, "acting under %s: this party has no log under it", id)
	}
	if err == nil {
		err = n.settled(l)
	}
	return id, l, err
}

// foresee asks the roll whether it would take an act before there is a log to write it to.
func (n *Node) foresee(ctx context.Context, r *roll, q ActRequest) error {
	house, err := n.resolveLog(ctx, record.OwnAgreement)
	if err != nil {
		return err
	}
	rec, _, err := n.composeAct(r, house, q)
	if err != nil {
		return err
	}
	officers, err := n.actOfficers(house)
	if err != nil {
		return err
	}
	return n.mayAct(r, rec, officers)
}

// actTarget is the agreement's id: of a founding proposal it follows from the text.
func (n *Node) actTarget(ctx context.Context, ref string, q ActRequest) (string, error) {
	if q.Act != string(agreement.ActPropose) {
		return n.rollID(ctx, ref)
	}
	id := agreement.ID([]byte(q.Definition))
	if ref != "" && ref != id {
		return "", fault.New(fault.Invalid, "", "proposing: the text founds %s, not %s", id, fault.Clip(ref))
	}
	return id, nil
}

// composeAct makes the record of an act, without id and time, and with what the roll and this node know filled in.
func (n *Node) composeAct(r *roll, l ledger.LogInfo, q ActRequest) (record.Record, agreement.Act, error) {
	a := agreement.Act{Act: agreement.ActKind(q.Act), Date: q.Date, Definition: q.Definition, Party: q.Party, ObjectsTo: q.ObjectsTo,
		Reservations: q.Reservations, Declarations: q.Declarations, Mandate: q.Mandate, Note: q.Note}
	if a.Date == "" {
		a.Date = n.now().UTC().Format("2006-01-02")
	}
	if err := n.fillAct(r, l, &a, q); err != nil {
		return record.Record{}, a, err
	}
	if err := a.Check(); err != nil {
		return record.Record{}, a, refusal("acting under "+r.id, err)
	}
	body, err := json.Marshal(a)
	if err != nil {
		return record.Record{}, a, fmt.Errorf("making the act: %w", err)
	}
	spec, err := record.LookupKind(record.KindAct)
	if err != nil {
		return record.Record{}, a, err
	}
	if err := spec.Check(body); err != nil {
		return record.Record{}, a, recordFault("the act is not right", err)
	}
	tlp := defaultActTLP
	if q.TLP != "" {
		tlp = record.TLP(prefixed("TLP:", q.TLP))
	}
	k, err := n.keyring(l.ID)
	if err != nil {
		return record.Record{}, a, err
	}
	officer, err := n.actingOfficer(k, q.Officer)
	if err != nil {
		return record.Record{}, a, err
	}
	return record.Record{Agreement: r.id, Author: k.Party, Officer: officer.ID, Kind: record.KindAct, Marking: record.Marking{TLP: tlp}, Body: body}, a, nil
}

// fillAct names the state and text that an act is about.
func (n *Node) fillAct(r *roll, l ledger.LogInfo, a *agreement.Act, q ActRequest) error {
	switch a.Act {
	case agreement.ActAmend:
		a.Parent = r.state.Basis().String()
	case agreement.ActApprove:
		p, err := pickProposal(r.state, q.Proposal)
		if err != nil {
			return err
		}
		a.Parent, a.Proposal = p.Parent, p.Leaf
	case agreement.ActJoin:
		if text := r.state.Text(); text.SHA256 != "" {
			a.Text = &text
		}
		if b := n.book(l.ID); b != nil && b.vkey() != "" {
			a.Log = &agreement.LogKey{Origin: l.Origin, VKey: b.vkey()}
		}
	case agreement.ActReview:
		a.Parent = r.state.Basis().String()
	case agreement.ActWithdraw, agreement.ActDeclare:
		if r.isPair() {
			a.Parent = r.state.Basis().String() // by whose text its signatures are judged
		}
	case agreement.ActSucceed:
		if a.Parent = r.state.Succession(); a.Parent == "" {
			a.Parent = r.state.Hash().String()
		}
	case agreement.ActObject:
		leaf, err := r.actLeaf(q.ObjectsTo)
		if err != nil {
			return err
		}
		a.ObjectsTo = leaf
		if r.isPair() {
			a.Parent = r.state.Basis().String()
		}
	}
	return nil
}

// pickProposal finds the proposal that a person means: by its leaf or the beginning of it, else the only open one.
func pickProposal(s agreement.State, prefix string) (agreement.Proposal, error) {
	if p, ok := s.Proposal(prefix); ok {
		return p, nil
	}
	var found []agreement.Proposal
	for _, p := range s.OpenProposals() {
		if len(prefix) <= len(p.Leaf) && p.Leaf[:len(prefix)] == prefix {
			found = append(found, p)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0 && prefix == "":
		return agreement.Proposal{}, fault.New(fault.NotFound, "see 'mithaq agreement show'", "approving: no proposal is open")
	case len(found) == 0:
		return agreement.Proposal{}, fault.New(fault.NotFound, "see 'mithaq agreement show'", "approving: no open proposal begins with %s", fault.Clip(prefix))
	}
	return agreement.Proposal{}, fault.New(fault.Invalid, "name one by its leaf", "approving: %d open proposals could be meant", len(found))
}

// actLeaf finds the act in the roll whose leaf begins with prefix.
func (r *roll) actLeaf(prefix string) (string, error) {
	found := ""
	for i := range r.places {
		leaf := r.places[i].entry.Leaf
		if prefix == "" || len(prefix) > len(leaf) || leaf[:len(prefix)] != prefix {
			continue
		}
		if found != "" {
			return "", fault.New(fault.Invalid, "give more digits", "several acts begin with %s", fault.Clip(prefix))
		}
		found = leaf
	}
	if found == "" {
		return "", fault.New(fault.NotFound, "see 'mithaq agreement show'", "no act in the roll begins with %s", fault.Clip(prefix))
	}
	return found, nil
}

// actingOfficer is the officer that was asked for, or the first whose key is here.
func (n *Node) actingOfficer(k record.Keyring, want string) (record.Key, error) {
	if want == "" {
		return n.officerFor(k, record.KindAct)
	}
	key, ok := k.Find(want)
	if !ok || key.Role != record.RoleOfficer || !mayIssue(key, record.KindAct) {
		return key, fault.New(fault.Forbidden, "see 'mithaq key list'", "acting: %s is no officer of this party who may issue acts", fault.Clip(want))
	}
	if !n.keys.holds(want) {
		return key, fault.New(fault.Forbidden, "sign where the key is", "acting: the private key of %s is not here", want)
	}
	return key, nil
}

// mayAct asks the roll whether it would take the act, as far as this node knows the roll: nothing is signed that will be
// refused. What this party has signed and the roll does not have yet counts too.
func (n *Node) mayAct(r *roll, rec record.Record, officers []string) error {
	act, err := actOf(rec)
	if err != nil {
		return err
	}
	if err := r.checkOwnWord(act); err != nil {
		return err
	}
	if len(r.places) == 0 && act.Act != agreement.ActPropose {
		return fault.New(fault.Conflict, "import the roll: mithaq agreement import FILE", "acting under %s: this node knows no roll of it", r.id)
	}
	trial := sha256.Sum256(rec.Body) // stands for the leaf, which is not known before the act is sealed
	entry := agreement.Entry{Leaf: hex.EncodeToString(trial[:]), Party: rec.Author, Officers: officers, Time: n.now().UTC(), Invented: n.party.Mark != "", Act: act}
	if p, ok := r.pairOf(act); ok {
		err = p.Check(entry)
	} else {
		_, _, err = agreement.Compose(r.state, entry)
	}
	if err != nil {
		return refusal(fmt.Sprintf("acting under %s", r.id), err)
	}
	return nil
}

// checkOwnWord refuses a second word on one parent before it is signed, also where the first has not reached the roll yet.
func (r *roll) checkOwnWord(act agreement.Act) error {
	word, ok := agreement.ApprovalOf(agreement.Entry{Act: act})
	if !ok {
		return nil
	}
	i := slices.IndexFunc(r.own, func(o ownAct) bool {
		before, ok := agreement.ApprovalOf(agreement.Entry{Act: o.act})
		return ok && o.act.Act == act.Act && before.Parent == word.Parent && before.Child != word.Child
	})
	if i < 0 {
		return nil
	}
	if act.Act == agreement.ActSucceed {
		return fault.New(fault.Conflict, "abide by it", "succeeding: this party has named %s on the same state (place %d of its log); a second name would be provable misconduct", r.own[i].act.Party, r.own[i].index)
	}
	return fault.New(fault.Conflict, "withdraw, or wait until one of them takes force", "approving: this party has approved %.12s… on the same basis (place %d of its log); a second word would be provable misconduct", r.own[i].act.Proposal, r.own[i].index)
}

// afterAct enters an act that was just appended, or hands out the file to carry.
func (n *Node) afterAct(ctx context.Context, r *roll, l ledger.LogInfo, receipt Receipt) (ActOutcome, error) {
	out := ActOutcome{Agreement: r.id, Receipt: receipt, Mark: markOf(r.text())}
	if err := n.catchUpRoll(ctx, r); err != nil {
		return out, err
	}
	out.Mark = markOf(r.text())
	i := slices.IndexFunc(r.own, func(o ownAct) bool { return o.leaf == receipt.Leaf })
	if i < 0 {
		return out, fmt.Errorf("the act at place %d of log %s cannot be read back", receipt.Index, l.ID)
	}
	fresh, err := n.reader.Log(ctx, l.ID)
	if err != nil {
		return out, fault.OfStore(err)
	}
	signed, err := n.signOwnAct(ctx, fresh, r.own[i])
	if err != nil {
		return out, err
	}
	if !n.keepsRoll(r, r.own[i].act) {
		object, err := n.store.Object(ctx, record.ParseHash(signed.Object))
		if err != nil {
			return out, fault.OfStore(err)
		}
		file := r.signedAct(signed, object)
		out.File = &file
		if r.isPair() {
			out.Phase, out.State = string(r.state.Phase()), r.state.Hash().String()
			out.Partner = n.partner(r)
			both, err := n.pairFile(ctx, r)
			out.Both = &both
			return out, err
		}
		return out, nil
	}
	if _, err := n.enterAct(ctx, r, signed); err != nil {
		return out, err
	}
	out.Entered, out.Phase, out.State = true, string(r.state.Phase()), r.state.Hash().String()
	return out, nil
}

// keepsRoll says whether this node writes an act of its party into the roll itself.
func (n *Node) keepsRoll(r *roll, act agreement.Act) bool {
	if r.isPair() {
		return false
	}
	if r.state.Phase() != agreement.Nothing {
		return r.state.Depositary() == n.party.ID || act.Act == agreement.ActSucceed && act.Party == n.party.ID
	}
	a, err := agreement.Load("definition", []byte(act.Definition), definitionOptions())
	if err != nil {
		return false
	}
	keeper, ok := a.Party(a.Depositary)
	return ok && keeper.ID == n.party.ID
}

// PendingActs lists the acts of this party that the roll, as it is known here, does not have yet, as files to carry.
func (n *Node) PendingActs(ctx context.Context, ref string) (out []SignedAct, err error) {
	id, err := n.rollID(ctx, ref)
	if err != nil {
		return nil, err
	}
	return n.pendingActs(ctx, id)
}

func (n *Node) pendingActs(ctx context.Context, id string) (out []SignedAct, err error) {
	err = n.withRoll(ctx, id, func(r *roll) error {
		for _, a := range r.own {
			if r.entered(a.leaf) {
				continue
			}
			l, err := n.resolveLog(ctx, id)
			if err != nil {
				return err
			}
			signed, err := n.signOwnAct(ctx, l, a)
			if err != nil {
				return err
			}
			object, err := n.store.Object(ctx, record.ParseHash(a.object))
			if err != nil {
				return fault.OfStore(err)
			}
			out = append(out, r.signedAct(signed, object))
		}
		return nil
	})
	return out, err
}
