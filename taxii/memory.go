package taxii

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"reflect"
	"sync"
	"time"
)

// Memory is a Backend in memory: for tests, for trying things out, and as an example of what a Backend has to keep.
// Everything in it is lost with the process, and its size is bounded by nothing but what is added.
type Memory struct {
	o MemoryOptions

	mu       sync.RWMutex
	roots    []*memoryRoot           // guarded by mu
	statuses map[string]memoryStatus // guarded by mu
	oldest   []string                // ids of statuses in the order in which they came; guarded by mu
}

// MemoryOptions set up a Memory. All of it may be left out.
type MemoryOptions struct {
	// Rights tells what a caller may do in a collection; a collection in which it may do nothing does not exist for it.
	// nil grants what the collection says.
	Rights func(caller Caller, at Place) (read, write bool)
	// Visible tells whether a caller may see an object; nil: every one.
	Visible func(caller Caller, at Place, o Object) bool
	// StatusKept is how long a status can be asked for; 0: 24 hours.
	StatusKept time.Duration
	Clock      func() time.Time // nil: time.Now
	Random     io.Reader        // nil: crypto/rand
}

type memoryRoot struct {
	Root
	collections []*memoryCollection
}

type memoryStatus struct {
	Status
	root   string
	caller Caller
	at     time.Time
}

// NewMemory makes an empty one.
func NewMemory(o MemoryOptions) *Memory {
	if o.Clock == nil {
		o.Clock = time.Now //nolint:forbidigo // the parameter's documented default
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.StatusKept <= 0 {
		o.StatusKept = 24 * time.Hour
	}
	return &Memory{o: o, statuses: map[string]memoryStatus{}}
}

// Put adds a collection to a root, and the root when it is new.
func (m *Memory) Put(root Root, c Collection) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.MediaTypes == nil {
		c.MediaTypes = []string{ObjectMediaType}
	}
	coll := &memoryCollection{Collection: c, byID: map[string][]int{}}
	for _, r := range m.roots {
		if r.Name == root.Name {
			r.collections = append(r.collections, coll)
			return
		}
	}
	m.roots = append(m.roots, &memoryRoot{root, []*memoryCollection{coll}})
}

// seen gives the collection's resource as the caller may see it.
func (m *Memory) seen(caller Caller, root string, c *memoryCollection) (Collection, bool) {
	shown := c.Collection
	if m.o.Rights != nil {
		read, write := m.o.Rights(caller, Place{root, c.ID})
		shown.CanRead, shown.CanWrite = shown.CanRead && read, shown.CanWrite && write
	}
	return shown, shown.CanRead || shown.CanWrite
}

// Roots implements Backend: the roots in which the caller can see a collection.
func (m *Memory) Roots(_ context.Context, caller Caller) ([]Root, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var roots []Root
	for _, r := range m.roots {
		if len(m.visibleIn(caller, r)) > 0 {
			roots = append(roots, r.Root)
		}
	}
	return roots, nil
}

func (m *Memory) visibleIn(caller Caller, r *memoryRoot) []Collection {
	var list []Collection
	for _, c := range r.collections {
		if shown, ok := m.seen(caller, r.Name, c); ok {
			list = append(list, shown)
		}
	}
	return list
}

// Root implements Backend.
func (m *Memory) Root(ctx context.Context, caller Caller, name string) (Root, error) {
	roots, err := m.Roots(ctx, caller)
	if err != nil {
		return Root{}, err
	}
	for _, r := range roots {
		if r.Name == name {
			return r, nil
		}
	}
	return Root{}, ErrNotFound
}

// Collections implements Backend.
func (m *Memory) Collections(_ context.Context, caller Caller, root string) ([]Collection, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, r := range m.roots {
		if r.Name == root {
			return m.visibleIn(caller, r), nil
		}
	}
	return nil, ErrNotFound
}

// Collection implements Backend.
func (m *Memory) Collection(ctx context.Context, caller Caller, root, name string) (Collection, error) {
	list, err := m.Collections(ctx, caller, root)
	if err != nil {
		return Collection{}, err
	}
	for _, c := range list {
		if c.ID == name || c.Alias != "" && c.Alias == name {
			return c, nil
		}
	}
	return Collection{}, ErrNotFound
}

func (m *Memory) find(at Place) (*memoryCollection, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, r := range m.roots {
		for _, c := range r.collections {
			if r.Name == at.Root && c.ID == at.Collection {
				return c, nil
			}
		}
	}
	return nil, ErrNotFound
}

func (m *Memory) eye(caller Caller, at Place) func(Object) bool {
	if m.o.Visible == nil {
		return nil
	}
	return func(o Object) bool { return m.o.Visible(caller, at, o) }
}

// Objects implements Backend.
func (m *Memory) Objects(_ context.Context, caller Caller, at Place, q Query) (Page, error) {
	c, err := m.find(at)
	if err != nil {
		return Page{}, err
	}
	return c.page(q, m.eye(caller, at)), nil
}

// Delete implements Backend.
func (m *Memory) Delete(_ context.Context, caller Caller, at Place, f Filter) error {
	c, err := m.find(at)
	if err != nil {
		return err
	}
	return c.remove(f, m.eye(caller, at))
}

// Add implements Backend. Everything is decided at once, so no object is ever pending.
func (m *Memory) Add(_ context.Context, caller Caller, at Place, s Submission) (Status, error) {
	c, err := m.find(at)
	if err != nil {
		return Status{}, err
	}
	id, err := newUUID(m.o.Random)
	if err != nil {
		return Status{}, err
	}
	status := Status{ID: id, RequestTimestamp: FormatTime(s.Received), Failures: s.Refused}
	c.mu.Lock()
	for _, o := range s.Objects {
		detail, err := c.add(o, m.o.Clock())
		detail.Index = &o.Index
		if err != nil {
			detail.Message = err.Error()
			status.Failures = append(status.Failures, detail)
			continue
		}
		status.Successes = append(status.Successes, detail)
	}
	c.mu.Unlock()
	status.Count()
	m.keep(memoryStatus{status, at.Root, caller, m.o.Clock()})
	return status, nil
}

// keep stores a status and drops those that nobody is promised any more.
func (m *Memory) keep(s memoryStatus) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.oldest) > 0 && s.at.Sub(m.statuses[m.oldest[0]].at) > m.o.StatusKept {
		delete(m.statuses, m.oldest[0])
		m.oldest = m.oldest[1:]
	}
	m.statuses[s.ID] = s
	m.oldest = append(m.oldest, s.ID)
}

// Status implements Backend: a status is for who made the request.
func (m *Memory) Status(_ context.Context, caller Caller, root, id string) (Status, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.statuses[id]
	if !ok || s.root != root || !reflect.DeepEqual(s.caller, caller) {
		return Status{}, ErrNotFound
	}
	return s.Status, nil
}

// errConflict: STIX versioning has "modified" change with every change of an object.
var errConflict = errors.New("a different object with this id and version is here already")

// add files one object; c.mu is held.
func (c *memoryCollection) add(o Object, now time.Time) (StatusDetail, error) {
	now = now.UTC().Truncate(time.Microsecond)
	if !now.After(c.last) {
		now = c.last.Add(time.Microsecond) // unique and ascending, whatever the clock does
	}
	e := memoryEntry{Entry: Entry{Object: o, DateAdded: now}}
	detail := StatusDetail{ID: o.ID, Version: o.Version}
	if o.Version == "" {
		detail.Version = FormatTime(now)
	}
	key, err := VersionKey(detail.Version)
	if err != nil {
		return detail, err
	}
	e.key = key
	for _, i := range c.byID[o.ID] {
		there := &c.entries[i]
		if there.gone || there.SpecVersion != o.SpecVersion {
			continue
		}
		same := bytes.Equal(there.Raw, o.Raw)
		switch {
		case same && (o.Version == "" || there.key == key):
			detail.Version = there.version()
			detail.Message = "was here already"
			return detail, nil
		case o.Version != "" && there.key == key:
			return detail, errConflict
		}
	}
	e.Raw = bytes.Clone(o.Raw) // it came as a piece of the request's body
	c.last = now
	c.byID[o.ID] = append(c.byID[o.ID], len(c.entries))
	c.entries = append(c.entries, e)
	return detail, nil
}
