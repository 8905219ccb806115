package node

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/store"
	"github.com/mithaq/mithaq/taxii"
)

// entriesAtFirst is for how many entries of a page there is room from the beginning.
const entriesAtFirst = 1024

// Objects implements taxii.Backend. What a page costs depends on what is on it, not on what is hidden: the classes that the
// caller may not have are not read.
func (b collections) Objects(ctx context.Context, caller taxii.Caller, at taxii.Place, q taxii.Query) (taxii.Page, error) {
	c, err := b.find(ctx, caller, at.Collection)
	if err != nil {
		return taxii.Page{}, err
	}
	who := caller.(account.TAXIICaller) //nolint:forcetypeassert // find checked it
	b.n.awaitPosted(ctx, who)
	s, err := b.n.query(ctx, who, c, q)
	if err != nil {
		return taxii.Page{}, err
	}
	page := taxii.Page{Entries: make([]taxii.Entry, 0, min(q.Limit, entriesAtFirst))}
	size := 0
	var opened *openedRecord
	err = s.each(ctx, func(p store.Placed) (_ bool, err error) {
		size += p.Length
		if len(page.Entries) == q.Limit || len(page.Entries) > 0 && !q.Bare && size > q.MaxBytes {
			page.More = true
			return false, nil
		}
		e := taxii.Entry{Object: taxii.Object{ID: p.ID, Type: p.Type, SpecVersion: p.SpecVersion, Version: p.Version}, DateAdded: microsUTC(p.Date)}
		if q.Bare {
			page.Entries = append(page.Entries, e)
			return true, nil
		}
		if opened == nil || opened.no != p.No {
			if opened, err = b.n.openedFor(ctx, p.No); err != nil {
				return false, err
			}
		}
		if opened == nil {
			return true, nil // erased since the index was read
		}
		raw, err := opened.raw(p)
		if err != nil {
			return false, err
		}
		e.Raw = raw
		page.Entries = append(page.Entries, e)
		return true, nil
	})
	return page, err
}

func microsUTC(us int64) time.Time { return time.UnixMicro(us).UTC() }

// selection is one query on a collection, for one caller.
type selection struct {
	n        *Node
	q        taxii.Query
	exit     policy.Exit
	view     *View
	decide   decision
	items    map[int64]policy.Item // of the classes that the caller may have
	order    []int64               // their numbers
	standing map[string]*versions  // of ids that stand more than once
	hidden   hiding
	naming   naming
	few      int // up to how many objects of the types that are asked for are looked up by their type
}

// query prepares to answer a TAXII caller.
func (n *Node) query(ctx context.Context, who account.TAXIICaller, c collection, q taxii.Query) (*selection, error) {
	return n.queryAs(ctx, n.taxiiViewer(who), policy.ToTAXII(), c, q)
}

// queryAs asks for each class of an agreement's objects whether a viewer may have it through an exit.
func (n *Node) queryAs(ctx context.Context, v Viewer, exit policy.Exit, c collection, q taxii.Query) (*selection, error) {
	complete, err := n.store.Index().Complete(ctx)
	if err != nil {
		return nil, err
	}
	if !complete {
		return nil, taxiiBusy("the node builds its index")
	}
	s := &selection{n: n, q: q, exit: exit, view: c.view, few: fewOfTypes, items: map[int64]policy.Item{}, standing: map[string]*versions{},
		naming: naming{denied: map[int64]bool{}, open: map[int64]bool{}, hidden: map[string]bool{}}}
	if s.decide, err = n.decideUnder(ctx, v, c.agreement); err != nil {
		return nil, err
	}
	classes, err := n.store.Index().Classes(ctx, c.agreement)
	if err != nil {
		return nil, err
	}
	for _, class := range classes {
		var item classItem
		if err := json.Unmarshal([]byte(class.Item), &item); err != nil {
			return nil, fmt.Errorf("reading class %d: %w", class.No, err)
		}
		it := item.item(c.agreement)
		it.ID = "class " + strconv.FormatInt(class.No, 10)
		allowed, answer := ask(s.decide, s.decide.request(exit, it), policy.Guard(it, it))
		switch {
		case !answer.Allow:
			s.naming.denied[class.No] = true
			continue
		case c.view.hasClass(item):
			s.items[class.No] = allowed
			s.order = append(s.order, class.No)
		}
		s.naming.open[class.No] = true
	}
	s.hidden = n.takenBack.now(n)
	return s, nil
}

// may asks for one run of objects of an allowed class: what is left to decide is whether they have expired.
func (s *selection) may(r store.Run) bool {
	it, ok := s.items[r.Class]
	if !ok {
		return false
	}
	if r.Expires == 0 {
		return true // decided with its class
	}
	it.ID, it.Expires = "record "+strconv.FormatInt(r.No, 10), time.UnixMicro(r.Expires)
	_, answer := ask(s.decide, s.decide.request(s.exit, it), policy.Guard(it, r))
	return answer.Allow
}

// each calls yield with what is selected, in the order of dates, until it returns false.
func (s *selection) each(ctx context.Context, yield func(store.Placed) (bool, error)) error {
	after := s.q.AddedAfter
	if s.q.After.After(after) {
		after = s.q.After
	}
	from := int64(-1)
	if !after.IsZero() {
		from = after.UnixMicro()
	}
	if len(s.q.IDs) > 0 {
		return s.eachNamed(ctx, from, yield)
	}
	if types := s.types(); len(types) > 0 {
		few, ok, err := s.n.store.Index().PlacedOfTypes(ctx, types, s.few)
		if err != nil {
			return err
		}
		if ok {
			return s.eachOfList(ctx, few, from, yield)
		}
	}
	runs := s.merge(from)
	for {
		r, ok, err := runs.next(ctx)
		if err != nil || !ok {
			return err
		}
		if !s.may(r) {
			continue
		}
		goOn, err := s.eachOf(ctx, r, yield)
		if err != nil || !goOn {
			return err
		}
	}
}

// objectsAtOnce is how many objects of a run are read from the index together.
const objectsAtOnce = 1024

func (s *selection) eachOf(ctx context.Context, r store.Run, yield func(store.Placed) (bool, error)) (bool, error) {
	atOnce := objectsAtOnce
	if s.q.Limit > 0 && len(s.q.Types) == 0 {
		atOnce = min(atOnce, s.q.Limit+1)
	}
	for r.Count > 0 {
		n := min(r.Count, atOnce)
		list, err := s.objectsOf(ctx, r, n)
		if err != nil {
			return false, err
		}
		for _, p := range list {
			chosen := s.plain() && !p.Many
			if chosen {
				var names bool
				names, err = s.namesHidden(ctx, p)
				chosen = !names
			} else {
				chosen, err = s.selects(ctx, p)
			}
			if err != nil {
				return false, err
			}
			if !chosen {
				continue
			}
			if goOn, err := yield(p); err != nil || !goOn {
				return false, err
			}
		}
		r.Date, r.Ord, r.Count = r.Date+int64(n), r.Ord+n, r.Count-n
	}
	return true, nil
}

// plain says whether a query takes every object that is there in one version only, and asks for nothing but its bytes.
func (s *selection) plain() bool {
	v := s.q.Versions
	return !s.q.Bare && len(s.q.Types) == 0 && len(s.q.SpecVersions) == 0 && (v.IsZero() || v.All || v.First || v.Last) &&
		(s.view == nil || len(s.view.Types) == 0) && len(s.hidden.list) == 0
}

// objectsOf reads the first n objects of a run from the index; for a plain query no more of each than it takes.
func (s *selection) objectsOf(ctx context.Context, r store.Run, n int) ([]store.Placed, error) {
	out := make([]store.Placed, 0, n)
	put := func(ord int, o store.IndexSTIX) {
		p := store.Placed{IndexSTIX: o, Run: r}
		p.Date, p.Ord, p.Count = r.Date+int64(ord-r.Ord), ord, 1
		out = append(out, p)
	}
	if !s.plain() {
		list, err := s.n.store.Index().STIXOf(ctx, r.No, r.Ord, r.Ord+n)
		for i, o := range list {
			put(r.Ord+i, o)
		}
		return out, err
	}
	spans, err := s.n.spansOf(ctx, r.No, r.Ord, r.Ord+n)
	if err != nil {
		return nil, err
	}
	many, err := s.n.store.Index().ManySTIX(ctx, r.No, r.Ord, r.Ord+n)
	if err != nil {
		return nil, err
	}
	for _, span := range spans {
		o := store.IndexSTIX{Offset: span.Offset, Length: span.Length}
		if len(many) > 0 && many[0] == span.Ord {
			many = many[1:]
			full, err := s.n.store.Index().STIXOf(ctx, r.No, span.Ord, span.Ord+1)
			if err != nil || len(full) == 0 {
				return nil, err
			}
			o = full[0]
		}
		put(span.Ord, o)
	}
	return out, nil
}

// fewOfTypes is selection.few: of more objects, a part of the collection that holds a page of them is not long.
const fewOfTypes = 4096

// types are the types that the query and the view have in common, each once; none when neither names any. What the two do not
// share is left to matches.
func (s *selection) types() []string {
	types := s.q.Types
	if len(types) == 0 && s.view != nil {
		types = s.view.Types
	}
	return slices.Compact(slices.Sorted(slices.Values(types)))
}

// eachNamed goes through the versions of the objects that the query names.
func (s *selection) eachNamed(ctx context.Context, from int64, yield func(store.Placed) (bool, error)) error {
	var list []store.Placed
	for _, id := range s.q.IDs {
		placed, err := s.n.store.Index().PlacedSTIX(ctx, id)
		if err != nil {
			return err
		}
		list = append(list, placed...)
	}
	return s.eachOfList(ctx, list, from, yield)
}

// eachOfList goes through objects, wherever they stand, in the order of dates.
func (s *selection) eachOfList(ctx context.Context, list []store.Placed, from int64, yield func(store.Placed) (bool, error)) error {
	slices.SortFunc(list, func(a, b store.Placed) int { return cmp.Compare(a.Date, b.Date) })
	for _, p := range list {
		if p.Date <= from || !s.may(p.Run) {
			continue
		}
		chosen, err := s.selects(ctx, p)
		if err != nil {
			return err
		}
		if !chosen {
			continue
		}
		if goOn, err := yield(p); err != nil || !goOn {
			return err
		}
	}
	return nil
}

// matches tests all conditions of the query but those on versions.
func (s *selection) matches(ctx context.Context, p store.Placed) (bool, error) {
	if !time.UnixMicro(p.Date).After(s.q.AddedAfter) || len(s.q.Types) > 0 && !slices.Contains(s.q.Types, p.Type) || !s.view.hasType(p.Type) {
		return false, nil
	}
	hidden, err := s.hidden.hides(ctx, p)
	if err != nil || hidden {
		return false, err
	}
	names, err := s.namesHidden(ctx, p)
	return !names, err
}

// selects says whether a query selects an object that the caller may have.
func (s *selection) selects(ctx context.Context, p store.Placed) (bool, error) {
	if ok, err := s.matches(ctx, p); err != nil || !ok {
		return false, err
	}
	v := s.q.Versions
	wanted := len(s.q.SpecVersions) == 0 || slices.Contains(s.q.SpecVersions, p.SpecVersion)
	key := versionKey(p)
	named := v.All || slices.Contains(v.Exact, key)
	if !p.Many {
		return wanted && (named || v.First || v.Last || v.IsZero()), nil
	}
	st, err := s.versionsOf(ctx, p.ID)
	if err != nil {
		return false, err
	}
	switch {
	case !wanted, len(s.q.SpecVersions) == 0 && p.SpecVersion != st.newest, st.dates[versionOf{p.SpecVersion, key}] != p.Date:
		return false, nil
	case named:
		return true, nil
	case (v.Last || v.IsZero()) && key == st.last[p.SpecVersion]:
		return true, nil
	}
	return v.First && key == st.first[p.SpecVersion], nil
}

// versionKey brings an object's version into the form in which versions compare; an object without one has its date.
func versionKey(p store.Placed) string {
	version := p.Version
	if version == "" {
		version = taxii.FormatTime(time.UnixMicro(p.Date))
	}
	key, err := taxii.VersionKey(version)
	if err != nil {
		return version // the index keeps timestamps alone
	}
	return key
}

// versions is what decides among the versions of one object.
type versions struct {
	newest      string              // spec version
	first, last map[string]string   // keys, by spec version
	dates       map[versionOf]int64 // where each stands first: the same version may come in several records
}

type versionOf struct{ spec, key string }

func (s *selection) versionsOf(ctx context.Context, id string) (*versions, error) {
	if st, ok := s.standing[id]; ok {
		return st, nil
	}
	placed, err := s.n.store.Index().PlacedSTIX(ctx, id)
	if err != nil {
		return nil, err
	}
	st := &versions{first: map[string]string{}, last: map[string]string{}, dates: map[versionOf]int64{}}
	for _, p := range placed {
		if !s.may(p.Run) {
			continue
		}
		if ok, err := s.matches(ctx, p); err != nil {
			return nil, err
		} else if !ok {
			continue
		}
		key := versionKey(p)
		v := versionOf{p.SpecVersion, key}
		if date, ok := st.dates[v]; !ok || p.Date < date {
			st.dates[v] = p.Date
		}
		if st.newest == "" || olderSpec(st.newest, p.SpecVersion) {
			st.newest = p.SpecVersion
		}
		if first, ok := st.first[p.SpecVersion]; !ok || key < first {
			st.first[p.SpecVersion] = key
		}
		st.last[p.SpecVersion] = max(st.last[p.SpecVersion], key)
	}
	s.standing[id] = st
	return st, nil
}

// olderSpec compares spec versions, each N.N.
func olderSpec(a, b string) bool {
	aMajor, aMinor, _ := strings.Cut(a, ".")
	bMajor, bMinor, _ := strings.Cut(b, ".")
	return cmp.Or(cmp.Compare(len(aMajor), len(bMajor)), cmp.Compare(aMajor, bMajor), cmp.Compare(len(aMinor), len(bMinor)), cmp.Compare(aMinor, bMinor)) < 0
}
