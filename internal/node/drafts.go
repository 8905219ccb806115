package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// DraftWords are what a person wrote into a kept draft.
type DraftWords struct {
	Agreement string     `json:"agreement,omitempty" maxLength:"200" doc:"Agreement id, the beginning of it, or label; absent for a founding proposal"`
	Revision  int64      `json:"revision,omitempty" doc:"The revision that was read; to begin a draft: absent"`
	Act       ActRequest `json:"act"`
}

// DraftTurn is an officer's step with a kept draft.
type DraftTurn struct {
	Revision int64  `json:"revision,omitempty" doc:"The revision that was read; absent: whatever it is now"`
	Digest   string `json:"digest,omitempty" doc:"The digest that was read: the step fails where the draft says something else"`
	Officer  string `json:"officer,omitempty" doc:"Key id; absent: the person's own, else the first whose key is here"`
}

// DraftOfficer is an officer who may approve and sign a draft.
type DraftOfficer struct {
	Key      string            `json:"key"`
	Names    map[string]string `json:"names,omitempty"`
	People   []string          `json:"people,omitempty" doc:"Who signs in here and signs with it, as others see their names"`
	Held     bool              `json:"held" doc:"Whether the private key is on this node"`
	Approved bool              `json:"approved"`
	Signed   bool              `json:"signed"`
}

// KeptDraft is an act that the officers of this party write, approve and sign here before it is published.
type KeptDraft struct {
	ID        string                 `json:"id"`
	Agreement string                 `json:"agreement,omitempty" doc:"Agreement id; absent for a founding proposal that is still written"`
	Names     agreement.Text         `json:"names,omitempty" doc:"Of the agreement"`
	Mark      string                 `json:"mark,omitempty"`
	State     string                 `json:"state" enum:"writing,signing,submitted"`
	Revision  int64                  `json:"revision"`
	BegunBy   string                 `json:"begun_by" doc:"Name at sign-in; empty: somebody on the node's own machine"`
	Begun     time.Time              `json:"begun"`
	ChangedBy string                 `json:"changed_by"`
	Changed   time.Time              `json:"changed"`
	Act       ActRequest             `json:"act" doc:"In a list without the text of the agreement"`
	Needed    int                    `json:"needed" doc:"How many officers must approve, and then sign"`
	Mandate   bool                   `json:"mandate" doc:"Whether the act must say on whose authority it is"`
	Approved  int                    `json:"approved"`
	Signed    int                    `json:"signed"`
	Complete  bool                   `json:"complete" doc:"Enough officers have signed: it can be submitted"`
	Officers  []DraftOfficer         `json:"officers,omitempty"`
	Base      string                 `json:"base,omitempty" doc:"The text in force that an amendment is compared with"`
	Changes   []agreement.Difference `json:"changes,omitempty" doc:"What an amendment changes, by article"`
	Trouble   string                 `json:"trouble,omitempty" doc:"Why it cannot be approved as it is"`
	File      *ActDraft              `json:"file,omitempty" doc:"Once its words are fixed: what officers approve and sign, as a file for those elsewhere"`
	Leaf      string                 `json:"leaf,omitempty" doc:"Once submitted: leaf hash of the act"`
}

// maxDrafts bounds the drafts that are kept, and those that are listed.
const maxDrafts = 500

// draftPrefix begins the id of a kept draft.
const draftPrefix = "d-"

var draftID = regexp.MustCompile(`^` + draftPrefix + `[a-z2-7]{16}$`)

// IsDraftID tells the id of a kept draft from the name of a draft's file.
func IsDraftID(s string) bool { return draftID.MatchString(s) }

// KeepDraft begins a draft that is kept here. by is who does it, as the person's name at sign-in.
func (n *Node) KeepDraft(ctx context.Context, by string, w DraftWords) (KeptDraft, error) {
	if n.ledger == nil {
		return KeptDraft{}, errReadOnly()
	}
	kept, err := n.store.Drafts(ctx, maxDrafts)
	if err != nil {
		return KeptDraft{}, err
	}
	if len(kept) == maxDrafts {
		return KeptDraft{}, fault.New(fault.Busy, "drop some", "keeping a draft: %d are kept already", maxDrafts)
	}
	f := store.Draft{Act: w.Act.Act, State: store.DraftWriting, Revision: 1, BegunBy: by, ChangedBy: by}
	if f.Request, err = draftRequest(w.Act); err != nil {
		return KeptDraft{}, err
	}
	if w.Act.Act != string(agreement.ActPropose) {
		if f.Agreement, err = n.rollID(ctx, w.Agreement); err != nil {
			return KeptDraft{}, err
		}
	}
	var raw [10]byte
	if _, err := io.ReadFull(n.rand, raw[:]); err != nil {
		return KeptDraft{}, fmt.Errorf("keeping a draft: %w", err)
	}
	f.ID = draftPrefix + record.Base32.EncodeToString(raw[:])
	f.Begun = n.now().Truncate(time.Microsecond)
	f.Changed = f.Begun
	if err := n.store.AddDraft(ctx, f); err != nil {
		return KeptDraft{}, fault.OfStore(err)
	}
	return n.viewDraft(ctx, f, true)
}

// draftRequest checks what can be checked of words that are still being written: that they are of a known act, and not endless.
func draftRequest(q ActRequest) ([]byte, error) {
	if !slices.Contains(agreement.ActKinds(), agreement.ActKind(q.Act)) {
		return nil, fault.New(fault.Invalid, "see 'mithaq agreement --help'", "keeping a draft: there is no act %s", fault.Clip(q.Act))
	}
	q.Officer = "" // whoever asks for approval drafts it
	out, err := json.Marshal(q)
	if err == nil && len(out) > 2*maxDefinition {
		err = fault.New(fault.Invalid, "shorten it", "keeping a draft: %d bytes are more than %d", len(out), 2*maxDefinition)
	}
	return out, err
}

// Drafts lists the drafts that are kept here, the last changed first, without their texts.
func (n *Node) Drafts(ctx context.Context) ([]KeptDraft, error) {
	list, err := n.store.Drafts(ctx, maxDrafts)
	if err != nil {
		return nil, err
	}
	out := make([]KeptDraft, 0, len(list))
	for _, f := range list {
		v, err := n.viewDraft(ctx, f, false)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Draft shows one, with its text and what that changes.
func (n *Node) Draft(ctx context.Context, id string) (KeptDraft, error) {
	f, err := n.keptDraft(ctx, id)
	if err != nil {
		return KeptDraft{}, err
	}
	return n.viewDraft(ctx, f, true)
}

func (n *Node) keptDraft(ctx context.Context, id string) (store.Draft, error) {
	f, err := n.store.Draft(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		err = fault.New(fault.NotFound, "see 'mithaq agreement drafts'", "there is no draft %s", fault.Clip(id))
	}
	return f, err
}

// SaveDraft keeps what was written. It fails with fault.Conflict where somebody else has changed the draft since it was read.
func (n *Node) SaveDraft(ctx context.Context, by, id string, w DraftWords) (KeptDraft, error) {
	f, err := n.draftAt(ctx, id, w.Revision, store.DraftWriting)
	if err != nil {
		return KeptDraft{}, err
	}
	if w.Act.Act != f.Act {
		return KeptDraft{}, fault.New(fault.Invalid, "begin a new draft", "saving draft %s: a draft keeps its kind of act", f.ID)
	}
	if f.Request, err = draftRequest(w.Act); err != nil {
		return KeptDraft{}, err
	}
	return n.changeDraft(ctx, by, f)
}

// draftAt finds a draft that is in a state, and that nobody changed since revision was read (0: whatever it is).
func (n *Node) draftAt(ctx context.Context, id string, revision int64, state string) (store.Draft, error) {
	if n.ledger == nil {
		return store.Draft{}, errReadOnly()
	}
	f, err := n.keptDraft(ctx, id)
	if err != nil {
		return f, err
	}
	if revision != 0 && revision != f.Revision {
		return f, draftMoved(f)
	}
	if f.State != state {
		remedy := map[string]string{store.DraftWriting: "ask for approval first", store.DraftSigning: "open it for writing again, which drops the approvals"}[f.State]
		return f, fault.New(fault.Conflict, remedy, "draft %s: its state is %s", f.ID, f.State)
	}
	return f, nil
}

func draftMoved(f store.Draft) error {
	who := f.ChangedBy
	if who == "" {
		who = "somebody on the node's own machine"
	}
	return fault.New(fault.Conflict, "read it again", "draft %s: %s changed it meanwhile", f.ID, who)
}

// changeDraft writes a draft that was read, and shows what it is now.
func (n *Node) changeDraft(ctx context.Context, by string, f store.Draft) (KeptDraft, error) {
	f.ChangedBy, f.Changed = by, n.now().Truncate(time.Microsecond)
	err := n.store.ChangeDraft(ctx, f)
	if errors.Is(err, store.ErrMoved) {
		if now, lookErr := n.keptDraft(ctx, f.ID); lookErr == nil {
			return KeptDraft{}, draftMoved(now)
		}
	}
	if err != nil {
		return KeptDraft{}, fault.OfStore(err)
	}
	f.Revision++
	return n.viewDraft(ctx, f, true)
}

// DropDraft forgets a draft that was not submitted.
func (n *Node) DropDraft(ctx context.Context, id string) error {
	if n.ledger == nil {
		return errReadOnly()
	}
	f, err := n.keptDraft(ctx, id)
	if err != nil {
		return err
	}
	err = n.store.DropDraft(ctx, f.ID, f.Revision)
	if errors.Is(err, store.ErrMoved) {
		return draftMoved(f)
	}
	return fault.OfStore(err)
}

// viewDraft shows a draft; whole adds its text, what that changes, and who has approved.
func (n *Node) viewDraft(ctx context.Context, f store.Draft, whole bool) (KeptDraft, error) {
	v := KeptDraft{ID: f.ID, Agreement: f.Agreement, State: f.State, Revision: f.Revision, BegunBy: f.BegunBy, Begun: f.Begun, ChangedBy: f.ChangedBy, Changed: f.Changed, Needed: 1, Leaf: f.Leaf}
	if err := json.Unmarshal(f.Request, &v.Act); err != nil {
		return v, fmt.Errorf("reading draft %s: %w", f.ID, err)
	}
	if len(f.File) > 0 {
		var file ActDraft
		if err := json.Unmarshal(f.File, &file); err != nil {
			return v, fmt.Errorf("reading draft %s: %w", f.ID, err)
		}
		v.Needed, v.Approved, v.Signed = file.Needed, len(file.Approvals), len(file.Signatures)
		v.Complete = f.State == store.DraftSigning && v.Signed >= v.Needed
		v.File = &file
	}
	if f.Agreement != "" {
		if err := n.withRoll(ctx, f.Agreement, func(r *roll) error { v.viewRules(r, whole); return nil }); err != nil {
			return v, err
		}
	}
	if !whole {
		v.Act.Definition, v.File = "", nil
		return v, nil
	}
	return v, n.viewSigners(ctx, f, &v)
}

// viewRules fills in what the agreement's text asks of the act, and what an amendment changes in it. The caller holds r.mu.
func (v *KeptDraft) viewRules(r *roll, whole bool) {
	d := r.state.Definition()
	if d == nil {
		return
	}
	v.Names, v.Mark = d.Names, markOf(d)
	if v.State == store.DraftWriting {
		v.Needed, v.Mandate = d.OfficersFor(agreement.ActKind(v.Act.Act))
	} else {
		_, v.Mandate = d.OfficersFor(agreement.ActKind(v.Act.Act))
	}
	if !whole || v.State == store.DraftSubmitted {
		return
	}
	switch agreement.ActKind(v.Act.Act) {
	case agreement.ActAmend:
		v.Base = r.state.DefinitionBytes()
		newer, err := agreement.Load("draft", []byte(v.Act.Definition), definitionOptions())
		if err != nil {
			v.Trouble = err.Error()
			return
		}
		v.Changes = d.Compare(newer)
	case agreement.ActApprove:
		if p, err := pickProposal(r.state, v.Act.Proposal); err != nil {
			v.Trouble = err.Error()
		} else {
			v.Changes = d.Compare(p.Definition)
		}
	}
}

// viewSigners lists the officers, with the people who sign in here and sign as them.
func (n *Node) viewSigners(ctx context.Context, f store.Draft, v *KeptDraft) error {
	k, err := n.draftKeyring(ctx, f.Agreement)
	if err != nil {
		return err
	}
	people, err := n.store.People(ctx)
	if err != nil {
		return err
	}
	has := func(list []record.Signature, id string) bool {
		return slices.ContainsFunc(list, func(s record.Signature) bool { return s.KeyID == id })
	}
	for _, key := range k.WithRole(record.RoleOfficer) {
		if !mayIssue(key, record.KindAct) {
			continue
		}
		o := DraftOfficer{Key: key.ID, Names: key.Name, Held: n.keys.holds(key.ID)}
		for _, p := range people {
			if p.Officer == key.ID && p.Ended.IsZero() {
				o.People = append(o.People, p.Shown)
			}
		}
		if v.File != nil {
			o.Approved, o.Signed = has(v.File.Approvals, key.ID), has(v.File.Signatures, key.ID)
		}
		v.Officers = append(v.Officers, o)
	}
	return nil
}

// draftKeyring is that of this party's log under the agreement, or of its own log where it has none there yet.
func (n *Node) draftKeyring(ctx context.Context, id string) (record.Keyring, error) {
	var l ledger.LogInfo
	err := errors.New("no agreement yet")
	if id != "" {
		l, err = n.resolveLog(ctx, id)
	}
	if err != nil {
		if l, err = n.resolveLog(ctx, record.OwnAgreement); err != nil {
			return record.Keyring{}, err
		}
	}
	return n.keyring(l.ID)
}

// LocalNews is a number that differs whenever drafts or sightings here have changed since it was last asked for.
func (n *Node) LocalNews(ctx context.Context) (int64, error) { return n.store.LocalNews(ctx) }
