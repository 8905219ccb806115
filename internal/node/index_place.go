package node

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// A collection holds the STIX objects of an agreement's valid intel records, as their authors' recalls and releases left
// them. What a decision sees of an object is settled when it is indexed and kept as its class; the decision itself, and
// expiry, come when somebody reads.

// classItem is what a decision sees of an object beside its time and its agreement.
type classItem struct {
	Author  string       `json:"author"`
	Officer string       `json:"officer"`
	Marking classMarking `json:"marking"`
	Reach   *classReach  `json:"reach,omitempty"`
	Narrow  []classLimit `json:"narrow,omitempty"` // narrowings that hold as well
}

type classMarking struct {
	TLP string `json:"tlp"`
	PAP string `json:"pap,omitempty"`
}

type classReach struct {
	Parties []string        `json:"parties,omitempty"`
	Persons []policy.Person `json:"persons,omitempty"`
}

type classLimit struct {
	Marking *classMarking `json:"marking,omitempty"`
	Reach   *classReach   `json:"reach,omitempty"`
}

func reachOf(a *policy.Audience) *classReach {
	if a == nil {
		return nil
	}
	return &classReach{Parties: a.Parties, Persons: a.Persons}
}

func (r *classReach) audience() *policy.Audience {
	if r == nil {
		return nil
	}
	return &policy.Audience{Parties: r.Parties, Persons: r.Persons}
}

// item is the class as policy sees it; the caller adds what it is about and when it expires.
func (c classItem) item(agreement string) policy.Item {
	it := policy.Item{Agreement: agreement, Author: c.Author, Officer: c.Officer, Kind: string(record.KindIntel),
		Marking: policy.Marking{TLP: policy.TLP(c.Marking.TLP), PAP: policy.PAP(c.Marking.PAP)}, Audience: c.Reach.audience()}
	for _, n := range c.Narrow {
		r := policy.Restriction{Action: policy.Narrow, Audience: n.Reach.audience()}
		if n.Marking != nil {
			r.Marking = &policy.Marking{TLP: policy.TLP(n.Marking.TLP), PAP: policy.PAP(n.Marking.PAP)}
		}
		it.Restrictions = append(it.Restrictions, r)
	}
	return it
}

// settled is a record with what its author changed since.
type settled struct {
	*store.Indexed
	item  policy.Item
	cause int64 // the last release, 0: none
	stix  []store.IndexSTIX

	changed bool
}

// settle applies changes, in order of arrival, to what the index says of a record.
func settle(e *store.Indexed, stix []store.IndexSTIX, changes []store.ChangeOf) settled {
	s := settled{Indexed: e, stix: stix, changed: len(changes) > 0, item: policy.Item{Author: e.Author, Officer: e.Officer,
		Marking: policy.Marking{TLP: policy.TLP(e.TLP), PAP: policy.PAP(e.PAP)}, Audience: audienceOf(e.Parties, e.Persons)}}
	slices.SortStableFunc(changes, func(a, b store.ChangeOf) int { return int(a.By.No - b.By.No) })
	for _, c := range changes {
		if counts(c, e.Author) && c.Action == entry.ActionRelease {
			s.cause = c.By.No
		}
	}
	applyChanges(&s.item, changes)
	return s
}

// runs parts the objects of a record into runs of one class each. Objects that were taken back stand nowhere.
func (s settled) runs(date time.Time, plain plainClasses) ([]store.PlacedRun, error) {
	var out []store.PlacedRun
	known := map[string]string{} // class by what makes it
	expires := int64(0)
	if !s.Expires.IsZero() {
		expires = s.Expires.UnixMicro()
	}
	open := false
	for i, o := range s.stix {
		key, limits, shown := s.limits(o)
		if !shown {
			open = false
			continue
		}
		item, ok := known[key]
		if !ok {
			var err error
			if item, err = plain.of(s, o, limits); err != nil {
				return nil, fmt.Errorf("describing a class: %w", err)
			}
			known[key] = item
		}
		if last := len(out) - 1; open && out[last].Item == item {
			out[last].Count++
			continue
		}
		open = true
		out = append(out, store.PlacedRun{Item: item, Run: store.Run{No: s.No, Date: date.UnixMicro() + int64(i), Ord: i, Count: 1, Expires: expires}})
	}
	return out, nil
}

// limits returns the narrowings that bind an object, and whether it may be shown to anybody at all.
func (s settled) limits(o store.IndexSTIX) (key string, limits []policy.Restriction, shown bool) {
	key = strconv.FormatInt(o.Marking, 10)
	for i, r := range s.item.Restrictions {
		if len(r.Parts) > 0 && !slices.Contains(r.Parts, o.ID) {
			continue
		}
		if !r.Narrows() {
			return "", nil, false
		}
		limits = append(limits, r)
		key += fmt.Sprint(" ", i)
	}
	return key, limits, true
}

// plainClasses are the classes of objects that nobody changed, as they are written, by what makes them.
type plainClasses map[plainClass]string

type plainClass struct {
	author, officer, tlp, pap, parties, persons string
	marking                                     int64
}

// of writes the class of an object. It remembers few: the records of a batch are mostly of few kinds.
func (p plainClasses) of(s settled, o store.IndexSTIX, limits []policy.Restriction) (string, error) {
	k := plainClass{s.Author, s.Officer, s.TLP, s.PAP, strings.Join(s.Parties, " "), strings.Join(s.Persons, " "), o.Marking}
	if item, ok := p[k]; ok && !s.changed {
		return item, nil
	}
	text, err := json.Marshal(s.class(o, limits))
	if err == nil && !s.changed && len(p) < 1024 {
		p[k] = string(text)
	}
	return string(text), err
}

func (s settled) class(o store.IndexSTIX, limits []policy.Restriction) classItem {
	m := entry.WithOwn(s.item.Marking, o.Marking)
	c := classItem{Author: s.item.Author, Officer: s.item.Officer, Marking: classMarking{string(m.TLP), string(m.PAP)}, Reach: reachOf(s.item.Audience)}
	for _, r := range limits {
		limit := classLimit{Reach: reachOf(r.Audience)}
		if r.Marking != nil {
			limit.Marking = &classMarking{string(r.Marking.TLP), string(r.Marking.PAP)}
		}
		c.Narrow = append(c.Narrow, limit)
	}
	return c
}

// listable says whether a record's objects stand in a collection.
func listable(e *store.Indexed) bool {
	return e.Kind == string(record.KindIntel) && e.Standing == StandingValid
}

// placings says where the objects of new records stand, and those of older ones that new records recall or release.
func (x *indexer) placings(ctx context.Context, entries []store.IndexEntry) ([]store.Placing, error) {
	fresh := map[[32]byte][]store.ChangeOf{}
	for i := range entries {
		if c := entries[i].Change; c != nil && entries[i].Standing == StandingValid {
			fresh[c.Target] = append(fresh[c.Target], store.ChangeOf{Change: *c, By: entries[i].Indexed})
		}
	}
	any, err := x.index.AnyChange(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]settled, 0, len(entries))
	for i := range entries {
		e := &entries[i]
		if !listable(&e.Indexed) || len(e.STIX) == 0 {
			continue
		}
		changes := slices.Clone(fresh[e.Leaf])
		if any {
			before, err := x.index.ChangesOf(ctx, e.Leaf)
			if err != nil {
				return nil, err
			}
			changes = append(changes, before...)
		}
		list = append(list, settle(&e.Indexed, e.STIX, changes))
	}
	complete, err := x.index.Complete(ctx)
	if err != nil {
		return nil, err
	}
	if complete { // while the index is being built, changes are gone through at its end
		for target, changes := range fresh {
			older, err := x.older(ctx, target, changes)
			if err != nil {
				return nil, err
			}
			list = append(list, older...)
		}
	}
	return x.dated(ctx, list)
}

// older settles the records with a leaf that are indexed already.
func (x *indexer) older(ctx context.Context, leaf [32]byte, fresh []store.ChangeOf) (list []settled, err error) {
	records, err := x.index.ByLeaf(ctx, leaf)
	if err != nil || len(records) == 0 {
		return nil, err
	}
	changes, err := x.index.ChangesOf(ctx, leaf)
	if err != nil {
		return nil, err
	}
	changes = append(changes, fresh...)
	for i := range records {
		e := &records[i]
		if !listable(e) {
			continue
		}
		objects, err := x.index.STIXOf(ctx, e.No, 0, 1<<30)
		if err != nil {
			return nil, err
		}
		list = append(list, settle(e, objects, slices.Clone(changes)))
	}
	return list, nil
}

// dated gives settled records their dates from the journal.
func (x *indexer) dated(ctx context.Context, list []settled) ([]store.Placing, error) {
	if len(list) == 0 {
		return nil, nil
	}
	ask := make([]store.ToAdd, len(list))
	for i, s := range list {
		ask[i] = store.ToAdd{Seq: s.No, Cause: s.cause, Count: len(s.stix)}
	}
	dates, err := x.node.store.Added(ctx, x.node.now(), ask)
	if err != nil {
		return nil, err
	}
	out, plain := make([]store.Placing, len(list)), plainClasses{}
	for i, s := range list {
		out[i] = store.Placing{No: s.No, Agreement: s.Agreement}
		if out[i].Runs, err = s.runs(dates[i], plain); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// replace places the records with these leaves anew.
func (x *indexer) replace(ctx context.Context, leaves [][32]byte) error {
	for _, leaf := range leaves {
		list, err := x.older(ctx, leaf, nil)
		if err != nil {
			return err
		}
		placings, err := x.dated(ctx, list)
		if err != nil {
			return err
		}
		if err := x.index.Place(ctx, placings); err != nil {
			return err
		}
	}
	return nil
}

// distrusts says whether a batch holds a keyring that takes trust back.
func distrusts(entries []store.IndexEntry) bool {
	for i := range entries {
		if k := entries[i].Keyring; k != nil && slices.ContainsFunc(k.Keys, func(k store.IndexKey) bool { return k.Distrusted }) {
			return true
		}
	}
	return false
}

// reconsider places anew what a log's recalls changed that are not vouched for any more.
func (x *indexer) reconsider(ctx context.Context, logNo int64) error {
	leaves, err := x.index.Unsettled(ctx, logNo)
	if err != nil {
		return err
	}
	return x.replace(ctx, leaves)
}

// complete goes through all recalls and releases once, after the index was built, and says that collections can be read.
func (x *indexer) complete(ctx context.Context) error {
	done, err := x.index.Complete(ctx)
	if err != nil || done {
		return err
	}
	leaves, err := x.index.Changed(ctx)
	if err != nil {
		return err
	}
	if err := x.replace(ctx, leaves); err != nil {
		return err
	}
	return x.index.SetComplete(ctx)
}
