package feed

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/intel"
	"github.com/mithaq/mithaq/internal/detect/plan"
	"github.com/mithaq/mithaq/internal/detect/warning"
	"github.com/mithaq/mithaq/stix"
)

// Fetch asks for the page after a cursor; the empty cursor is the beginning.
type Fetch func(ctx context.Context, after string) (Page, error)

// Options says how a Feed works.
type Options struct {
	Name     string // what matches call the feed
	Seed     uint64 // random
	Warnings *warning.Lists
	Refused  func(intel.Refusal)           // told of indicators that cannot be used; may be nil
	Plans    func(map[index.ID]*plan.Plan) // told when the patterns of several parts changed; may be nil
	Now      func() time.Time              // the clock
	// Journal is the file that pages are kept in; empty: none.
	Journal string
}

// Feed is a set of indicators that follows a node. Look-ups may go on in its store while it changes.
type Feed struct {
	options Options
	store   *index.Store

	mu       sync.RWMutex // of what follows
	known    map[index.ID]version
	plans    map[index.ID]*plan.Plan
	verdicts map[index.ID]Verdicts
	cursor   string
	pulled   time.Time
	journal  *journal
}

// version is which version of an indicator is in use, and from which record.
type version struct {
	modified int64 // microseconds
	record   [8]byte
	author   [8]byte
}

// Open makes a Feed, with what its journal holds.
func Open(o Options) (*Feed, error) {
	set, err := index.Build(&index.Builder{}, o.Seed)
	if err != nil {
		return nil, fmt.Errorf("opening a feed: %w", err)
	}
	f := &Feed{options: o, store: index.NewStore(set)}
	f.forget()
	if o.Journal != "" {
		if f.journal, err = openJournal(o.Journal, func(pages []Page) error { return f.apply(f.store, pages) }); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Close waits until no change is being merged any more, and closes the journal.
func (f *Feed) Close() error {
	f.store.Wait()
	if f.journal == nil {
		return nil
	}
	return f.journal.close()
}

func (f *Feed) forget() {
	f.known, f.plans, f.verdicts, f.cursor = map[index.ID]version{}, map[index.ID]*plan.Plan{}, map[index.ID]Verdicts{}, ""
}

// Store is the set.
func (f *Feed) Store() *index.Store { return f.store }

// Plans gives the patterns of several parts.
func (f *Feed) Plans() map[index.ID]*plan.Plan {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return maps.Clone(f.plans)
}

// Len is how many indicators are in use, and when the node was last asked with success.
func (f *Feed) Len() (n int, pulled time.Time) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return len(f.known), f.pulled
}

// Verdicts gives what became of an indicator's matches.
func (f *Feed) Verdicts(id index.ID) Verdicts {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.verdicts[id]
}

// Allowed says whether what comes from a source may still fire: it may not from its expiry on.
func (f *Feed) Allowed(s index.Source) (reason string, ok bool) {
	if s.Expires != 0 && f.options.Now().Unix() >= s.Expires {
		return "expired", false
	}
	return "", true
}

// Pulled is what one pull brought.
type Pulled struct {
	Changes int
	Reset   bool // the set was given anew, and replaced all that was in the store
}

// Pull takes in all that changed. What is on one page is visible together.
func (f *Feed) Pull(ctx context.Context, fetch Fetch) (got Pulled, err error) {
	var fresh *index.Store // of a set that is given anew
	for {
		f.mu.RLock()
		after := f.cursor
		f.mu.RUnlock()
		page, err := fetch(ctx, after)
		if err != nil {
			return got, fmt.Errorf("pulling indicators: %w", err)
		}
		if page.Reset {
			set, err := index.Build(&index.Builder{}, f.options.Seed)
			if err != nil {
				return got, fmt.Errorf("pulling indicators: %w", err)
			}
			fresh = index.NewStore(set)
		}
		to := f.store
		if fresh != nil {
			to = fresh
		}
		if f.journal != nil && (page.Reset || len(page.Changes) > 0 || page.Cursor != after) {
			if err := f.journal.append(page); err != nil {
				return got, err
			}
		}
		if err := f.apply(to, []Page{page}); err != nil {
			return got, err
		}
		got.Changes += len(page.Changes)
		if page.More {
			continue
		}
		if fresh != nil {
			f.store.Replace(fresh.Set())
			got.Reset = true
		}
		f.mu.Lock()
		f.pulled = f.options.Now()
		f.mu.Unlock()
		return got, nil
	}
}

// apply puts pages into a store.
func (f *Feed) apply(to *index.Store, pages []Page) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := &intel.Compiler{Warnings: f.options.Warnings, Refused: f.options.Refused}
	changed := map[index.ID]bool{} // whether it stays
	replan := false
	for i := range pages {
		page := &pages[i]
		if page.Reset {
			f.forget()
			replan = true
		}
		for k := range page.Changes {
			f.take(c, changed, &page.Changes[k])
		}
		f.cursor = page.Cursor
	}
	compiled := c.Compiled()
	remove := make([]index.ID, 0, len(changed))
	for id := range changed {
		remove = append(remove, id)
		if _, is := f.plans[id]; is {
			delete(f.plans, id)
			replan = true
		}
	}
	if len(compiled.Plans) > 0 {
		maps.Copy(f.plans, compiled.Plans)
		replan = true
	}
	if len(changed) > 0 {
		if err := to.Apply(compiled.Builder, remove, f.options.Seed); err != nil {
			return fmt.Errorf("applying changes of indicators: %w", err)
		}
	}
	if replan && f.options.Plans != nil {
		f.options.Plans(maps.Clone(f.plans))
	}
	return nil
}

// take takes one change.
func (f *Feed) take(c *intel.Compiler, changed map[index.ID]bool, ch *Changed) {
	record := recordOf(ch.Record)
	if ch.ID == "" {
		if !ch.Gone {
			return
		}
		for id, v := range f.known {
			if v.record == record {
				delete(f.known, id)
				c.Drop(id.String())
				changed[id] = false
			}
		}
		return
	}
	id, err := index.ParseID(ch.ID)
	if err != nil {
		return // an indicator that no row can name was not taken in before either
	}
	if ch.Verdicts != nil {
		f.verdicts[id] = *ch.Verdicts
	}
	if ch.Gone {
		delete(f.known, id)
		c.Drop(ch.ID)
		changed[id] = false
		return
	}
	if len(ch.Object) == 0 {
		return
	}
	object, err := stix.ParseObject(bytes.Clone(ch.Object))
	if err != nil {
		return // the node gives valid STIX; what is not is as if it were not there
	}
	v := version{modified: object.Version().UnixMicro(), record: record}
	copy(v.author[:], strings.TrimPrefix(ch.Author, "p-"))
	if old, is := f.known[id]; is && !ch.Instead && (v.modified < old.modified || v.author != old.author) {
		return // an older version, or somebody else's under the same id: nobody changes what another party shared
	}
	source := index.Source{Feed: f.options.Name, Author: ch.Author, AuthorName: ch.AuthorName, Agreement: ch.Agreement, Record: ch.Record, Marking: ch.TLP, PAP: ch.PAP}
	if ch.Expires != nil {
		source.Expires = ch.Expires.Unix()
	}
	c.Drop(ch.ID)
	c.Take(object, source)
	f.known[id] = v
	changed[id] = true
}

func recordOf(leaf string) (r [8]byte) {
	if len(leaf) >= 16 {
		_, _ = hex.Decode(r[:], []byte(leaf[:16])) // a leaf hash is hexadecimal
	}
	return r
}
