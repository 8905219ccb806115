package ledger

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/mithaq/mithaq/internal/store"
)

// Entry is what becomes one leaf.
type Entry struct {
	Object      []byte   // the leaf commits to it; up to MaxObject
	Attachments [][]byte // further objects that are served with this log, without a leaf
	Under       uint64   // serial of the keyring the record was signed under; refused with *ErrFence when another is in force
	Sets        uint64   // the new serial when this entry is a keyring, else 0
}

// Receipt says where an entry is. Its checkpoint covers the leaf and is published.
type Receipt struct {
	LogID      string
	Index      int64
	Size       int64
	LeafHash   [32]byte
	Root       [32]byte
	Checkpoint []byte
	Duplicate  bool // the log held this object before; Index is its first leaf
}

// maxAttachments bounds one entry's attachments: an epoch's wraps for 5,000 recipients and their persons.
const maxAttachments = 8192

// Append puts an entry into a log and returns when it is durable, guarded and published. It waits for room in the
// queue; once the entry is accepted it waits for the outcome whatever ctx does, for at most one batch's time.
//
// An object that the log holds already is not added again, so an Append whose answer was lost can be repeated.
func (l *Ledger) Append(ctx context.Context, logID string, e Entry) (Receipt, error) {
	p, err := l.heads.get(logID)
	if err != nil {
		return Receipt{}, fmt.Errorf("appending: %w", err)
	}
	if p.row.Author != "" {
		return Receipt{}, fmt.Errorf("appending to log %s: %w", logID, ErrFollowed)
	}
	if p.behind != nil {
		return Receipt{}, fmt.Errorf("appending: %w", p.behind)
	}
	sub, bytes, err := l.submission(p.row.No, e)
	if err != nil {
		return Receipt{}, fmt.Errorf("appending to log %s: %w", logID, err)
	}
	release, err := l.room.enter(ctx, p.row.No, bytes)
	if err != nil {
		return Receipt{}, fmt.Errorf("appending to log %s: waiting for room: %w", logID, err)
	}
	defer release()
	if err := l.storeFiles(sub, e); err != nil {
		return Receipt{}, fmt.Errorf("appending to log %s: %w", logID, err)
	}
	answer := make(chan reply, 1)
	if err := l.enqueue(ctx, work{entry: sub, reply: answer}); err != nil {
		return Receipt{}, fmt.Errorf("appending to log %s: %w", logID, err)
	}
	select {
	case r := <-answer:
		return l.answered(logID, r)
	case <-l.done:
		select {
		case r := <-answer:
			return l.answered(logID, r)
		default:
			return Receipt{}, fmt.Errorf("appending to log %s: %w", logID, ErrClosed)
		}
	}
}

func (l *Ledger) answered(logID string, r reply) (Receipt, error) {
	if r.err != nil {
		return Receipt{}, fmt.Errorf("appending to log %s: %w", logID, r.err)
	}
	return r.receipt, nil
}

func (l *Ledger) enqueue(ctx context.Context, w work) error {
	select {
	case <-l.stop:
		return ErrClosed
	default:
	}
	select {
	case l.queue <- w:
		return nil
	case <-l.stop:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// submission names and measures an entry's objects.
func (l *Ledger) submission(logNo int64, e Entry) (*Submission, int64, error) {
	if len(e.Attachments) > maxAttachments {
		return nil, 0, fmt.Errorf("an entry takes at most %d attachments, not %d", maxAttachments, len(e.Attachments))
	}
	sub := &Submission{LogNo: logNo, Under: e.Under, Sets: e.Sets}
	var err error
	if sub.Object, err = object(e.Object); err != nil {
		return nil, 0, err
	}
	total := int64(len(e.Object)) + 512
	for _, a := range e.Attachments {
		o, err := object(a)
		if err != nil {
			return nil, 0, err
		}
		sub.Attachments = append(sub.Attachments, o)
		total += int64(len(a)) + 512
	}
	if total > l.cfg.QueueBytes {
		return nil, 0, fmt.Errorf("the entry and its attachments have %d bytes, more than fit the queue", total)
	}
	return sub, total, nil
}

func object(b []byte) (store.Object, error) {
	if len(b) > MaxObject {
		return store.Object{}, ErrTooLarge
	}
	if len(b) == 0 {
		return store.Object{}, fmt.Errorf("an object cannot be empty")
	}
	o := store.Object{Hash: sha256.Sum256(b), Size: int64(len(b))}
	if len(b) <= store.SmallObject {
		o.Bytes = b
	}
	return o, nil
}

// storeFiles writes the large objects as files before the entry is queued, in the caller's goroutine, so that their
// fsyncs do not hold up other entries.
func (l *Ledger) storeFiles(sub *Submission, e Entry) error {
	put := func(o store.Object, b []byte) error {
		if o.Bytes != nil {
			return nil
		}
		return l.store.PutObjectFile(o.Hash, b, rand.Text())
	}
	if err := put(sub.Object, e.Object); err != nil {
		return err
	}
	for i, a := range sub.Attachments {
		if err := put(a, e.Attachments[i]); err != nil {
			return err
		}
	}
	return nil
}

// admission bounds what waits and is under way. Acquiring is fair: first come, first served.
type admission struct {
	entries *semaphore.Weighted
	bytes   *semaphore.Weighted
	perLog  int64

	mu   sync.Mutex // guards logs
	logs map[int64]*logRoom
}

type logRoom struct {
	sem   *semaphore.Weighted
	users int // the room is forgotten with its last user, so that idle logs cost nothing
}

func newAdmission(c Config) *admission {
	return &admission{entries: semaphore.NewWeighted(c.QueueEntries), bytes: semaphore.NewWeighted(c.QueueBytes),
		perLog: c.LogEntries, logs: map[int64]*logRoom{}}
}

// enter waits for room, the log's own first, so that one busy log cannot fill the queue that all share.
func (a *admission) enter(ctx context.Context, logNo, bytes int64) (leave func(), err error) {
	room := a.room(logNo)
	if err := room.sem.Acquire(ctx, 1); err != nil {
		a.leaveRoom(logNo, room)
		return nil, err
	}
	if err := a.entries.Acquire(ctx, 1); err != nil {
		room.sem.Release(1)
		a.leaveRoom(logNo, room)
		return nil, err
	}
	if err := a.bytes.Acquire(ctx, bytes); err != nil {
		a.entries.Release(1)
		room.sem.Release(1)
		a.leaveRoom(logNo, room)
		return nil, err
	}
	return func() {
		a.bytes.Release(bytes)
		a.entries.Release(1)
		room.sem.Release(1)
		a.leaveRoom(logNo, room)
	}, nil
}

func (a *admission) room(logNo int64) *logRoom {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.logs[logNo]
	if r == nil {
		r = &logRoom{sem: semaphore.NewWeighted(a.perLog)}
		a.logs[logNo] = r
	}
	r.users++
	return r
}

func (a *admission) leaveRoom(logNo int64, r *logRoom) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.users--; r.users == 0 {
		delete(a.logs, logNo)
	}
}
