package node

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// DraftFormat is the first member of a draft's file.
const DraftFormat = "mithaq-draft/1"

// approvalType is what an officer's approval of a draft signs the payload under, so that an approval is never a signature.
const approvalType = "application/vnd.mithaq.approval.v1+json"

// ActDraft is an act on its way through the officers of one party, as a file that they pass round. The payload is fixed when
// the draft is made: every approval and signature is for exactly these bytes. Nobody signs before enough have approved.
type ActDraft struct {
	Format     string             `json:"format" enum:"mithaq-draft/1"`
	Agreement  string             `json:"agreement"`
	Log        string             `json:"log"`
	Needed     int                `json:"needed" doc:"How many officers must approve, and then sign"`
	Payload    []byte             `json:"payload" doc:"The act's record, exact bytes, base64"`
	Digest     string             `json:"digest" doc:"Names the exact act, for officers to compare"`
	Approvals  []record.Signature `json:"approvals,omitempty"`
	Signatures []record.Signature `json:"signatures,omitempty"`
}

// DraftStep says what an officer's turn did and what is still to do.
type DraftStep struct {
	Draft    ActDraft      `json:"draft"`
	Act      agreement.Act `json:"act" doc:"What the draft says"`
	Officer  string        `json:"officer"`
	Approved bool          `json:"approved" doc:"This officer approved it now"`
	Signed   bool          `json:"signed" doc:"This officer signed it now"`
	Complete bool          `json:"complete" doc:"Enough officers have signed: it can be submitted"`
}

// DraftAct begins a draft of an act. It changes nothing.
func (n *Node) DraftAct(ctx context.Context, ref string, q ActRequest) (out ActDraft, err error) {
	id, l, err := n.actLog(ctx, ref, q)
	if err != nil {
		return out, err
	}
	err = n.withRoll(ctx, id, func(r *roll) error {
		rec, act, err := n.composeAct(r, l, q)
		if err != nil {
			return err
		}
		d, err := n.beginDraft(r, l, rec.Officer, act, rec)
		if err != nil {
			return err
		}
		// As if enough had signed: whether they do is seen when it is submitted.
		officers, err := n.actOfficers(l)
		if err != nil {
			return err
		}
		if err := n.mayAct(r, rec, officers); err != nil {
			return err
		}
		if rec.ID, err = record.NewID(n.rand, record.PrefixRecord); err != nil {
			return err
		}
		rec.Time = n.now()
		payload, err := rec.Payload()
		if err != nil {
			return recordFault("drafting", err)
		}
		out = ActDraft{Format: DraftFormat, Agreement: id, Log: l.ID, Needed: d.Needed, Payload: payload, Digest: d.Digest().String()}
		return nil
	})
	return out, err
}

// beginDraft makes the draft's rules: of the text in force, or of the text that a founding proposal brings.
func (n *Node) beginDraft(r *roll, l ledger.LogInfo, by string, act agreement.Act, rec record.Record) (agreement.Draft, error) {
	rules := r.state.Definition()
	if act.Act == agreement.ActPropose {
		a, err := agreement.Load("definition", []byte(act.Definition), definitionOptions())
		if err != nil {
			return agreement.Draft{}, &fault.Fault{Code: fault.Invalid, What: "drafting", Err: err}
		}
		rules = a
	}
	officers, err := n.actOfficers(l)
	if err != nil {
		return agreement.Draft{}, err
	}
	d, err := agreement.NewDraft(rules, officers, by, act, rec.Time)
	if err != nil {
		return d, refusal("drafting", err)
	}
	return d, nil
}

// actOfficers lists the officers of a log's keyring who may issue acts.
func (n *Node) actOfficers(l ledger.LogInfo) ([]string, error) {
	k, err := n.keyring(l.ID)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, key := range k.WithRole(record.RoleOfficer) {
		if mayIssue(key, record.KindAct) {
			out = append(out, key.ID)
		}
	}
	return out, nil
}

// readDraft checks a draft's file whole: its payload is an act of this party, and every approval and signature verifies.
func (n *Node) readDraft(ctx context.Context, f ActDraft) (d agreement.Draft, rec record.Record, l ledger.LogInfo, err error) {
	fail := func(err error) (agreement.Draft, record.Record, ledger.LogInfo, error) {
		return agreement.Draft{}, rec, l, &fault.Fault{Code: fault.Invalid, What: "reading the draft", Err: err}
	}
	if f.Format != DraftFormat {
		return fail(fmt.Errorf("format %s is not %s", fault.Clip(f.Format), DraftFormat))
	}
	if rec, err = record.ParsePayload(f.Payload); err != nil {
		return fail(err)
	}
	if rec.Kind != record.KindAct || rec.Author != n.party.ID || rec.Agreement != f.Agreement {
		return fail(fmt.Errorf("it is not an act of this party under %s", fault.Clip(f.Agreement)))
	}
	if l, err = n.resolveLog(ctx, f.Log); err != nil {
		return d, rec, l, err
	}
	k, err := n.keyring(l.ID)
	if err != nil {
		return d, rec, l, err
	}
	act, err := actOf(rec)
	if err != nil {
		return fail(err)
	}
	if err := n.withRoll(ctx, f.Agreement, func(r *roll) error { d, err = n.beginDraft(r, l, rec.Officer, act, rec); return err }); err != nil {
		return d, rec, l, err
	}
	if d.Digest().String() != f.Digest || d.Needed != f.Needed {
		return fail(fmt.Errorf("its digest or number of officers is not that of the act in it: begin a new draft"))
	}
	if d, err = replay(d, k, approvalType, f.Payload, f.Approvals, agreement.Draft.Approve); err == nil {
		d, err = replay(d, k, record.RecordType, f.Payload, f.Signatures, agreement.Draft.Sign)
	}
	if err != nil {
		return fail(err)
	}
	return d, rec, l, nil
}

// replay verifies signatures over a draft's payload and counts them.
func replay(d agreement.Draft, k record.Keyring, payloadType string, payload []byte, signatures []record.Signature,
	step func(agreement.Draft, string, agreement.Hash) (agreement.Draft, error)) (agreement.Draft, error) {
	for _, s := range signatures {
		e := record.Envelope{PayloadType: payloadType, Payload: payload, Signatures: []record.Signature{s}}
		if err := e.Verify(payloadType, func(id string) (record.PublicKey, error) {
			key, ok := k.Find(id)
			if !ok || key.Role != record.RoleOfficer {
				return record.PublicKey{}, fmt.Errorf("%s is no officer of this party", id)
			}
			return key.PublicKey(), nil
		}); err != nil {
			return d, err
		}
		var err error
		if d, err = step(d, s.KeyID, d.Digest()); err != nil {
			return d, err
		}
	}
	return d, nil
}

// SignDraft gives an officer's approval, and once enough have approved its signature. An officer whose turn comes before
// that signs with a second call.
func (n *Node) SignDraft(ctx context.Context, f ActDraft, officer string) (DraftStep, error) {
	d, _, l, err := n.readDraft(ctx, f)
	if err != nil {
		return DraftStep{}, err
	}
	k, err := n.keyring(l.ID)
	if err != nil {
		return DraftStep{}, err
	}
	acting, err := n.actingOfficer(k, officer)
	if err != nil {
		return DraftStep{}, err
	}
	officer = acting.ID
	key, err := n.keys.signer(acting.PublicKey())
	if err != nil {
		return DraftStep{}, err
	}
	step := DraftStep{Draft: f, Act: d.Act, Officer: officer}
	if !slices.Contains(d.ApprovedBy, officer) {
		if d, err = d.Approve(officer, d.Digest()); err != nil {
			return DraftStep{}, refusal("approving the draft", err)
		}
		sig, err := signatureOver(ctx, approvalType, f.Payload, key)
		if err != nil {
			return DraftStep{}, err
		}
		step.Draft.Approvals = append(slices.Clone(f.Approvals), sig)
		step.Approved = true
	}
	if len(d.ApprovedBy) >= d.Needed {
		if d, err = d.Sign(officer, d.Digest()); err != nil {
			return DraftStep{}, refusal("signing the draft", err)
		}
		sig, err := signatureOver(ctx, record.RecordType, f.Payload, key)
		if err != nil {
			return DraftStep{}, err
		}
		step.Draft.Signatures = append(slices.Clone(f.Signatures), sig)
		step.Signed = true
	}
	if !step.Approved && !step.Signed {
		return DraftStep{}, fault.New(fault.Conflict, "let the others approve it first", "signing the draft: this officer has approved it; %d of %d have", len(d.ApprovedBy), d.Needed)
	}
	step.Complete = d.Complete()
	return step, nil
}

func signatureOver(ctx context.Context, payloadType string, payload []byte, key record.Signer) (record.Signature, error) {
	envelope, err := record.Sign(ctx, payloadType, payload, key)
	if err != nil {
		return record.Signature{}, recordFault("signing", err)
	}
	e, err := record.ParseEnvelope(envelope)
	if err != nil {
		return record.Signature{}, err
	}
	return e.Signatures[0], nil
}

// SubmitDraft publishes a complete draft as one act with all its signatures, and enters it where this node keeps the roll.
func (n *Node) SubmitDraft(ctx context.Context, f ActDraft) (out ActOutcome, err error) {
	if n.ledger == nil {
		return out, errReadOnly()
	}
	d, rec, l, err := n.readDraft(ctx, f)
	if err != nil {
		return out, err
	}
	if !d.Complete() {
		return out, fault.New(fault.Conflict, "pass it to the others", "submitting the draft: %d of %d officers have signed", len(d.SignedBy), d.Needed)
	}
	if !slices.Contains(d.SignedBy, rec.Officer) {
		return out, fault.New(fault.Conflict, "pass it to that officer", "submitting the draft: %s, who drafted it, has not signed", rec.Officer)
	}
	if err := n.settled(l); err != nil {
		return out, err
	}
	envelope, err := record.Assemble(record.RecordType, f.Payload, f.Signatures...)
	if err != nil {
		return out, recordFault("submitting the draft", err)
	}
	err = n.withRoll(ctx, f.Agreement, func(r *roll) error {
		if slices.ContainsFunc(r.own, func(o ownAct) bool { return samePayload(o.envelope, f.Payload) }) {
			return fault.New(fault.Conflict, "", "submitting the draft: it stands in the log already")
		}
		k, err := n.keyring(l.ID)
		if err != nil {
			return err
		}
		if _, err := record.OpenRecord(envelope, k); err != nil {
			return recordFault("submitting the draft", err)
		}
		if err := n.holdKnown(ctx, r); err != nil {
			return err
		}
		if err := n.mayAct(r, rec, d.SignedBy); err != nil {
			return err
		}
		receipt, err := n.appendSigned(ctx, l.ID, rec, envelope, uint64(k.Serial), 0, nil)
		if err != nil {
			return err
		}
		n.indexer.nudge()
		out, err = n.afterAct(ctx, r, l, receipt)
		return err
	})
	if err == nil {
		n.deliver(ctx, &out)
		n.noteCrossed(ctx, &out)
	}
	return out, err
}

func samePayload(envelope, payload []byte) bool {
	e, err := record.ParseEnvelope(envelope)
	return err == nil && hex.EncodeToString(e.Payload) == hex.EncodeToString(payload)
}
