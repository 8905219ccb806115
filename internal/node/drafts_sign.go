package node

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// FixDraft ends the writing: from now on officers approve and sign exactly these words, drafted by the officer who asks.
func (n *Node) FixDraft(ctx context.Context, by, id string, t DraftTurn) (KeptDraft, error) {
	f, err := n.draftAt(ctx, id, t.Revision, store.DraftWriting)
	if err != nil {
		return KeptDraft{}, err
	}
	var q ActRequest
	if err := json.Unmarshal(f.Request, &q); err != nil {
		return KeptDraft{}, fmt.Errorf("reading draft %s: %w", f.ID, err)
	}
	q.Officer = t.Officer
	if q.Definition != "" {
		if err := CheckDefinition("draft "+f.ID, []byte(q.Definition)); err != nil {
			return KeptDraft{}, err
		}
	}
	file, err := n.DraftAct(ctx, f.Agreement, q)
	if err != nil {
		return KeptDraft{}, err
	}
	f.State, f.Agreement = store.DraftSigning, file.Agreement
	return n.keepFile(ctx, by, f, file)
}

func (n *Node) keepFile(ctx context.Context, by string, f store.Draft, file ActDraft) (KeptDraft, error) {
	var err error
	if f.File, err = json.Marshal(file); err != nil {
		return KeptDraft{}, fmt.Errorf("keeping draft %s: %w", f.ID, err)
	}
	return n.changeDraft(ctx, by, f)
}

// ReopenDraft lets the words be changed again. What was approved of them counts no more.
func (n *Node) ReopenDraft(ctx context.Context, by, id string, t DraftTurn) (KeptDraft, error) {
	f, err := n.draftAt(ctx, id, t.Revision, store.DraftSigning)
	if err != nil {
		return KeptDraft{}, err
	}
	f.State, f.File = store.DraftWriting, nil
	return n.changeDraft(ctx, by, f)
}

// SignKept gives an officer's approval of a kept draft, and once enough have approved the signature ([Node.SignDraft]).
func (n *Node) SignKept(ctx context.Context, by, id string, t DraftTurn) (KeptDraft, error) {
	f, file, err := n.signing(ctx, id, t)
	if err != nil {
		return KeptDraft{}, err
	}
	step, err := n.SignDraft(ctx, file, t.Officer)
	if err != nil {
		return KeptDraft{}, err
	}
	return n.keepFile(ctx, by, f, step.Draft)
}

// TakeDraft takes in what officers elsewhere approved and signed in the draft's file: it must be the same act.
func (n *Node) TakeDraft(ctx context.Context, by, id string, file ActDraft) (KeptDraft, error) {
	f, kept, err := n.signing(ctx, id, DraftTurn{Digest: file.Digest})
	if err != nil {
		return KeptDraft{}, err
	}
	if string(file.Payload) != string(kept.Payload) {
		return KeptDraft{}, fault.New(fault.Invalid, "take the file that was written from this draft", "taking in draft %s: the file is of another act", f.ID)
	}
	kept.Approvals, kept.Signatures = union(kept.Approvals, file.Approvals), union(kept.Signatures, file.Signatures)
	if _, _, _, err := n.readDraft(ctx, kept); err != nil {
		return KeptDraft{}, err
	}
	return n.keepFile(ctx, by, f, kept)
}

func union(a, b []record.Signature) []record.Signature {
	for _, s := range b {
		known := false
		for _, have := range a {
			known = known || have.KeyID == s.KeyID
		}
		if !known {
			a = append(a, s)
		}
	}
	return a
}

func (n *Node) signing(ctx context.Context, id string, t DraftTurn) (f store.Draft, file ActDraft, err error) {
	if f, err = n.draftAt(ctx, id, t.Revision, store.DraftSigning); err != nil {
		return f, file, err
	}
	if err := json.Unmarshal(f.File, &file); err != nil {
		return f, file, fmt.Errorf("reading draft %s: %w", f.ID, err)
	}
	if t.Digest != "" && t.Digest != file.Digest {
		return f, file, draftMoved(f)
	}
	return f, file, nil
}

// SubmitKept publishes a kept draft that enough officers have signed. One that was published before the node could note it
// is only noted.
func (n *Node) SubmitKept(ctx context.Context, by, id string, t DraftTurn) (out ActOutcome, err error) {
	f, file, err := n.signing(ctx, id, t)
	if err != nil {
		return out, err
	}
	if f.Leaf, err = n.publishedDraft(ctx, file); err != nil {
		return out, err
	}
	if f.Leaf == "" {
		if out, err = n.SubmitDraft(ctx, file); err != nil {
			return out, err
		}
		f.Leaf = out.Receipt.Leaf
	}
	f.State = store.DraftSubmitted
	out.Agreement = f.Agreement
	_, err = n.changeDraft(ctx, by, f)
	return out, err
}

// publishedDraft finds the act of a draft in this party's own log: its leaf, or "".
func (n *Node) publishedDraft(ctx context.Context, file ActDraft) (leaf string, err error) {
	err = n.withRoll(ctx, file.Agreement, func(r *roll) error {
		for _, o := range r.own {
			if samePayload(o.envelope, file.Payload) {
				leaf = o.leaf
			}
		}
		return nil
	})
	return leaf, err
}
