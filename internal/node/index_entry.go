package node

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"maps"
	"slices"

	"filippo.io/age"

	"github.com/mithaq/mithaq/internal/arabic"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// indexVersion names the rules by which entries are made. An index of another version is dropped and built again.
const indexVersion = 9

// entryMaker turns leaves of one log into entries of the index. Own records were verified when they were appended, so
// what is checked again is what a disk can spoil: that the object is the one the leaf commits to. Records of others are
// verified here, before anything is done with them. One goroutine uses it.
type entryMaker struct {
	words   *arabic.Indexer
	logNo   int64
	history *record.History
	ids     []age.Identity
	foreign bool // another party's: nobody has verified its records yet

	reader  record.Rereader
	numbers []uint32 // of the part at hand
	filters struct { // the filter terms of the record before, and what they were made of
		kind, agreement string
		terms           [2]string
	}
}

// single is entry for one that is written alone.
func (m *entryMaker) single(index int64, a store.Arrival) (store.IndexEntry, bool) {
	e, ok := m.entry(index, a)
	e.Text.Vocabulary = m.words.Vocabulary()
	return e, ok
}

// entry makes the entry of a leaf, or false when nothing is here to say about it. The caller gives it the vocabulary of its
// text.
func (m *entryMaker) entry(index int64, a store.Arrival) (store.IndexEntry, bool) {
	if a.Seq == 0 {
		return store.IndexEntry{}, false
	}
	e := store.IndexEntry{Indexed: store.Indexed{
		No: a.Seq, LogNo: m.logNo, Index: index, Object: a.Hash, Leaf: record.LeafHash(append([]byte{1}, a.Hash[:]...)),
	}}
	if a.Erased {
		e.Standing = StandingErased
		return e, true
	}
	r, err := m.open(&e, a)
	if err == nil {
		err = m.fill(&e, r)
	}
	switch {
	case errors.Is(err, record.ErrNotForUs):
		e.Standing = StandingSealed
	case err != nil:
		// What was filled in so far is not to be believed.
		e = store.IndexEntry{Indexed: store.Indexed{No: e.No, LogNo: e.LogNo, Index: e.Index, Object: e.Object, Leaf: e.Leaf, Standing: StandingInvalid}}
	}
	return e, true
}

// open reads the record in an object. What it returns is good until the next call.
func (m *entryMaker) open(e *store.IndexEntry, a store.Arrival) (r record.Reread, err error) {
	if sha256.Sum256(a.Bytes) != a.Hash {
		return r, errors.New("the object is not the one that the leaf commits to")
	}
	form, err := record.ObjectForm(a.Bytes)
	if err != nil {
		return r, err
	}
	e.Sealed = form == record.FormSealed
	if !m.foreign {
		return m.reader.Object(a.Bytes, m.ids...)
	}
	envelope, err := record.OpenObject(a.Bytes, m.ids...)
	if err != nil {
		return r, err
	}
	judged, signers, payload, err := m.history.JudgeSigned(e.Index, envelope)
	if err == nil {
		err = record.CheckForm(form, judged)
	}
	if err == nil {
		r, err = m.reader.Payload(payload)
		r.Signers = signers
	}
	return r, err
}

func (m *entryMaker) fill(e *store.IndexEntry, read record.Reread) error {
	r, signers := read.Record, read.Signers
	e.Standing = StandingValid
	if !m.history.Vouched(e.Index, r.Kind, signers).Valid() {
		e.Standing = StandingNotVouched
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

// relTarget is how the index says that a body, not a reference, names another record.
const relTarget = "target"

// fillKind takes what the index needs of each kind's body.
func (m *entryMaker) fillKind(e *store.IndexEntry, read record.Reread) error {
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
		setChange(e, b.Target, actionRelease, b.Marking, b.Audience)
	case record.KindReceipt:
		b, err := record.Parse[record.ReceiptBody](r)
		if err != nil {
			return err
		}
		e.Receipt = receiptEntry(b)
		if len(b.Ranges) == 0 {
			addRef(e, relTarget, b.Target)
		}
	case record.KindResponse, record.KindSighting:
		addRef(e, relTarget, read.Body.Get("target").Text())
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

// actionRelease is what the index calls the action of a release; the others are those of recalls.
const actionRelease = "release"

func setChange(e *store.IndexEntry, target, action string, m *record.Marking, a *record.Audience) {
	addRef(e, relTarget, target)
	c := &store.Change{Target: hash32(target), Action: action, Audience: a != nil}
	if m != nil {
		c.TLP, c.PAP = string(m.TLP), string(m.PAP)
	}
	if a != nil {
		c.Parties, c.Persons = a.Parties, a.Persons
	}
	e.Change = c
}

func addRef(e *store.IndexEntry, rel, leaf string) {
	e.Refs = append(e.Refs, store.IndexRef{Leaf: hash32(leaf), Rel: rel})
}

// hash32 reads a hash that was checked when its record was written.
func hash32(s string) (h [32]byte) {
	if raw, err := hex.DecodeString(s); err == nil {
		copy(h[:], raw)
	}
	return h
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

// sortedNames yields names in the order of their tags.
func sortedNames(names map[string]string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, tag := range slices.Sorted(maps.Keys(names)) {
			if !yield(tag, names[tag]) {
				return
			}
		}
	}
}
