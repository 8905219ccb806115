package entry

import (
	"crypto/sha256"
	"errors"

	"filippo.io/age"

	"github.com/mithaq/mithaq/internal/arabic"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// Version names the rules by which entries are made. An index of another version is dropped and built again.
const Version = 9

// Maker turns leaves of one log into entries of the index. Own records were verified when they were appended, so
// what is checked again is what a disk can spoil: that the object is the one the leaf commits to. Records of others are
// verified here, before anything is done with them. One goroutine uses it.
type Maker struct {
	Words   *arabic.Indexer
	LogNo   int64 // the number that the store has given the log
	History *record.History
	IDs     []age.Identity
	Foreign bool // another party's log: nobody has verified its records yet

	reader  record.Rereader
	numbers []uint32 // of the part at hand
	filters struct { // the filter terms of the record before, and what they were made of
		kind, agreement string
		terms           [2]string
	}
}

// Single is Entry for one that is written alone, with its vocabulary.
func (m *Maker) Single(index int64, a store.Arrival) (store.IndexEntry, bool) {
	e, ok := m.Entry(index, a)
	e.Text.Vocabulary = m.Words.Vocabulary()
	return e, ok
}

// Entry makes the entry of a leaf, or false when nothing is here to say about it. The caller gives it the vocabulary of its
// text.
func (m *Maker) Entry(index int64, a store.Arrival) (store.IndexEntry, bool) {
	if a.Seq == 0 {
		return store.IndexEntry{}, false
	}
	e := store.IndexEntry{Indexed: store.Indexed{
		No: a.Seq, LogNo: m.LogNo, Index: index, Object: a.Hash, Leaf: record.LeafHash(append([]byte{1}, a.Hash[:]...)),
	}}
	if a.Erased {
		e.Standing = Erased
		return e, true
	}
	r, sealed, err := m.open(index, a)
	e.Sealed = sealed
	if err == nil {
		err = m.fill(&e, r)
	}
	switch {
	case errors.Is(err, record.ErrNotForUs):
		e.Standing = Sealed
	case err != nil:
		// What was filled in so far is not to be believed.
		e = store.IndexEntry{Indexed: store.Indexed{No: e.No, LogNo: e.LogNo, Index: e.Index, Object: e.Object, Leaf: e.Leaf, Standing: Invalid}}
	}
	return e, true
}

// Open reads the record in the object of a leaf. What it returns is good until the next call. The error is, or wraps, [record.ErrNotForUs]
// where it is sealed to others.
func (m *Maker) Open(index int64, a store.Arrival) (record.Reread, error) {
	r, _, err := m.open(index, a)
	return r, err
}

func (m *Maker) open(index int64, a store.Arrival) (r record.Reread, sealed bool, err error) {
	if sha256.Sum256(a.Bytes) != a.Hash {
		return r, false, errors.New("the object is not the one that the leaf commits to")
	}
	form, err := record.ObjectForm(a.Bytes)
	if err != nil {
		return r, false, err
	}
	sealed = form == record.FormSealed
	if !m.Foreign {
		r, err = m.reader.Object(a.Bytes, m.IDs...)
		return r, sealed, err
	}
	envelope, err := record.OpenObject(a.Bytes, m.IDs...)
	if err != nil {
		return r, sealed, err
	}
	judged, signers, payload, err := m.History.JudgeSigned(index, envelope)
	if err == nil {
		err = record.CheckForm(form, judged)
	}
	if err == nil {
		r, err = m.reader.Payload(payload)
		r.Signers = signers
	}
	return r, sealed, err
}

func (m *Maker) fill(e *store.IndexEntry, read record.Reread) error {
	r, signers := read.Record, read.Signers
	e.Standing = Valid
	if !m.History.Vouched(e.Index, r.Kind, signers).Valid() {
		e.Standing = NotVouched
	}
	e.ID, e.Kind, e.Agreement, e.Author, e.Officer, e.Signers = r.ID, string(r.Kind), r.Agreement, r.Author, r.Officer, signers
	e.Time, e.TLP, e.PAP, e.Serves = r.Time, string(r.Marking.TLP), string(r.Marking.PAP), r.Serves
	if len(signers) == 1 && signers[0] == r.Officer {
		e.Signers = nil
	}
	if r.Expires != nil {
		e.Expires = *r.Expires
	}
	if r.Audience != nil {
		e.Parties, e.Persons = r.Audience.Parties, r.Audience.Persons
	}
	for _, ref := range r.Refs {
		addRef(e, string(ref.Rel), ref.Leaf)
	}
	if err := m.fillKind(e, read); err != nil {
		return err
	}
	c, err := contentOf(read)
	if err != nil {
		return err
	}
	e.Stage = c.stage
	e.Text.Parts = m.numbersOf(c.parts, e.Kind, e.Agreement)
	return nil
}

// RelTarget is how the index says that a body, not a reference, names another record.
const RelTarget = "target"

// fillKind takes what the index needs of each kind's body.
func (m *Maker) fillKind(e *store.IndexEntry, read record.Reread) error {
	r := read.Record
	switch r.Kind {
	case record.KindIntel:
		e.STIX = stixOf(read)
	case record.KindAct:
		a, err := record.Parse[record.Act](r)
		if err != nil {
			return err
		}
		e.Act = &store.IndexAct{Agreement: r.Agreement, Act: string(a.Act), Date: string(a.Date), Author: r.Author, Party: a.Party, Parent: a.Parent, Proposal: a.Proposal}
	case record.KindRecall:
		b, err := record.Parse[record.Recall](r)
		if err != nil {
			return err
		}
		setChange(e, b.Target, string(b.Action), b.Marking, b.Audience)
		e.Change.Objects = b.Objects
	case record.KindRelease:
		b, err := record.Parse[record.Release](r)
		if err != nil {
			return err
		}
		setChange(e, b.Target, ActionRelease, b.Marking, b.Audience)
	case record.KindReceipt:
		b, err := record.Parse[record.ReceiptBody](r)
		if err != nil {
			return err
		}
		e.Receipt = receiptEntry(b)
		if len(b.Ranges) == 0 {
			addRef(e, RelTarget, b.Target)
		}
	case record.KindResponse, record.KindSighting:
		addRef(e, RelTarget, read.Body.Get("target").Text())
	case record.KindKeyring:
		k, err := record.CarriedKeyring(r)
		if err != nil {
			return err
		}
		e.Keyring = keyringEntry(k)
	}
	return nil
}

func receiptEntry(b record.ReceiptBody) *store.IndexReceipt {
	out := &store.IndexReceipt{Origin: b.Log, At: b.At.Time}
	for _, r := range b.Ranges {
		out.Ranges = append(out.Ranges, r)
	}
	return out
}

// ActionRelease is what the index calls the action of a release; the others are those of recalls.
const ActionRelease = "release"

func setChange(e *store.IndexEntry, target, action string, m *record.Marking, a *record.Audience) {
	addRef(e, RelTarget, target)
	c := &store.Change{Target: record.ParseHash(target), Action: action, Audience: a != nil}
	if m != nil {
		c.TLP, c.PAP = string(m.TLP), string(m.PAP)
	}
	if a != nil {
		c.Parties, c.Persons = a.Parties, a.Persons
	}
	e.Change = c
}

func addRef(e *store.IndexEntry, rel, leaf string) {
	e.Refs = append(e.Refs, store.IndexRef{Leaf: record.ParseHash(leaf), Rel: rel})
}

func keyringEntry(k record.Keyring) *store.IndexKeyring {
	out := &store.IndexKeyring{Party: k.Party, Names: namesJSON(k.Names)}
	for _, key := range k.Keys {
		out.Keys = append(out.Keys, store.IndexKey{ID: key.ID, Role: string(key.Role), Names: namesJSON(key.Name), Revoked: -1})
	}
	for _, r := range k.Revoked {
		out.Keys = append(out.Keys, store.IndexKey{ID: r.ID, Revoked: r.Size, Distrusted: r.Reason != record.RevokedSuperseded})
	}
	return out
}
