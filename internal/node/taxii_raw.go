package node

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"filippo.io/age"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// payloadsBytes bounds how much of opened records is kept for the next page.
const payloadsBytes = 48 << 20

// payloads are records that were opened lately: a client that pages through a large one opens it once.
type payloads struct {
	mu    sync.Mutex
	byNo  map[int64]*list.Element // of *openedRecord
	order *list.List              // newest first
	size  int
	// erased counts erasures: what was read before one is not kept after it.
	erased int

	spans   spanCache
	readers sync.Pool // of *record.Rereader, whose buffers are large
}

// openedRecord is a record of which objects are served: bytes that are copied as they are.
type openedRecord struct {
	no      int64
	payload []byte
}

func (p *payloads) get(no int64) (*openedRecord, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.byNo[no]
	if !ok {
		return nil, false
	}
	p.order.MoveToFront(e)
	return e.Value.(*openedRecord), true //nolint:forcetypeassert // nothing else is put in
}

func (p *payloads) put(o *openedRecord, erased int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byNo == nil {
		p.byNo, p.order = map[int64]*list.Element{}, list.New()
	}
	if p.erased != erased || p.byNo[o.no] != nil || len(o.payload) > payloadsBytes {
		return
	}
	p.byNo[o.no] = p.order.PushFront(o)
	for p.size += len(o.payload); p.size > payloadsBytes; {
		last := p.order.Back()
		old := p.order.Remove(last).(*openedRecord) //nolint:forcetypeassert // nothing else is put in
		delete(p.byNo, old.no)
		p.size -= len(old.payload)
	}
}

func (p *payloads) erasures() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.erased
}

// clear forgets all, because something was erased.
func (p *payloads) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byNo, p.order, p.size = nil, nil, 0
	p.erased++
}

// rawSTIX returns the exact bytes of a STIX object; nil when they are not here any more.
func (n *Node) rawSTIX(ctx context.Context, p store.Placed) ([]byte, error) {
	o, err := n.openedFor(ctx, p.No)
	if err != nil || o == nil {
		return nil, err
	}
	return o.raw(p)
}

// raw returns the exact bytes of one of a record's STIX objects.
func (o *openedRecord) raw(p store.Placed) ([]byte, error) {
	if p.Offset < 0 || p.Length <= 0 || p.Offset+p.Length > len(o.payload) {
		return nil, fmt.Errorf("reading STIX object %s: the index does not fit record %d: run 'mithaq reindex'", p.ID, p.No)
	}
	return o.payload[p.Offset : p.Offset+p.Length : p.Offset+p.Length], nil
}

// openedFor opens the record that arrived as the no-th; nil when it was erased.
func (n *Node) openedFor(ctx context.Context, no int64) (*openedRecord, error) {
	if kept, ok := n.opened.get(no); ok {
		return kept, nil
	}
	erased := n.opened.erasures()
	e, err := n.store.Index().ByNo(ctx, no)
	if err != nil {
		return nil, err
	}
	object, err := n.store.Object(ctx, e.Object)
	if errors.Is(err, store.ErrErased) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.OfStore(err)
	}
	if sha256.Sum256(object) != e.Object {
		return nil, fmt.Errorf("opening record %s: the object is not the one that the leaf commits to: run 'mithaq log verify'", e.ID)
	}
	var ids []age.Identity
	if e.Sealed {
		if ids, err = n.identities(ctx, e.LogNo); err != nil {
			return nil, err
		}
	}
	reader, ok := n.opened.readers.Get().(*record.Rereader)
	if !ok {
		reader = &record.Rereader{}
	}
	payload, err := reader.PayloadOf(object, ids...)
	n.opened.readers.Put(reader)
	if err != nil {
		return nil, recordFault("opening record "+e.ID, err)
	}
	o := &openedRecord{no: no, payload: payload}
	n.opened.put(o, erased)
	return o, nil
}
