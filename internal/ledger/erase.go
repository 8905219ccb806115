package ledger

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/mithaq/mithaq/internal/store"
)

// maxJournal bounds the journal of erasures on reading.
const maxJournal = 256 << 20

// erasure is one line of the journal: JSON, so that it can be read in thirty years without mithaq.
type erasure struct {
	V      int       `json:"v"`
	Object string    `json:"object"`
	At     time.Time `json:"at"`
	Issuer string    `json:"issuer"`
	Reason string    `json:"reason"`
}

// Erase destroys an object's bytes in this store and keeps a tombstone; the log stays whole, because its leaf only
// names the object. The order is first written to a journal beside the database, so that it is carried out again when
// an older copy of the database is restored. It cannot be undone and may be repeated.
func (l *Ledger) Erase(ctx context.Context, hash [32]byte, t Tombstone) error {
	if len(t.Reason) > 1000 || len(t.Issuer) > 200 {
		return fmt.Errorf("erasing object %x: the reason is limited to 1000 bytes and the issuer to 200", hash[:8])
	}
	return l.between(ctx, func() error {
		if _, err := l.store.Places(ctx, hash); err != nil {
			return notFound(err)
		}
		if t.At.IsZero() {
			t.At = l.cfg.Clock().UTC()
		}
		if err := l.journal(hash, t); err != nil {
			return fmt.Errorf("erasing object %x: %w", hash[:8], err)
		}
		return l.store.EraseObject(ctx, l.lease, store.Tombstone{Hash: hash, At: t.At, Issuer: t.Issuer, Reason: t.Reason})
	})
}

func (l *Ledger) journalPath() string { return filepath.Join(l.store.Dir(), "erasures") }

// journal appends one line and makes it durable. A torn line that an earlier failure left is closed off first.
func (l *Ledger) journal(hash Hash, t Tombstone) (err error) {
	line, err := json.Marshal(erasure{V: 1, Object: hex.EncodeToString(hash[:]), At: t.At.UTC(), Issuer: t.Issuer, Reason: t.Reason})
	if err != nil {
		return err
	}
	f, err := l.store.Files().Append(l.journalPath())
	if err != nil {
		return fmt.Errorf("opening the journal of erasures: %w", err)
	}
	defer func() {
		if e := f.Close(); err == nil && e != nil {
			err = fmt.Errorf("closing the journal of erasures: %w", e)
		}
	}()
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing the journal of erasures: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("writing the journal of erasures: %w", err)
	}
	if err := l.store.Files().SyncDir(l.store.Dir()); err != nil {
		return fmt.Errorf("writing the journal of erasures: %w", err)
	}
	return nil
}

// replayErasures carries out every erasure of the journal that the database does not know.
func (l *Ledger) replayErasures(ctx context.Context) error {
	data, err := readAll(l.store.Files(), l.journalPath(), maxJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the journal of erasures: %w", err)
	}
	for line := range bytes.SplitSeq(data, []byte{'\n'}) {
		hash, t, ok := parseErasure(line)
		if !ok {
			continue // torn by a power cut before it was acknowledged
		}
		if err := l.replay(ctx, hash, t); err != nil {
			return fmt.Errorf("replaying erasures: %w", err)
		}
	}
	return nil
}

func (l *Ledger) replay(ctx context.Context, hash Hash, t Tombstone) error {
	_, err := l.store.Object(ctx, hash)
	if errors.Is(err, store.ErrErased) {
		return nil
	}
	if _, err := l.store.Places(ctx, hash); errors.Is(err, store.ErrNotFound) {
		return nil // an older copy does not hold it yet; CatchUp will ask again
	} else if err != nil {
		return err
	}
	return l.store.EraseObject(ctx, l.lease, store.Tombstone{Hash: hash, At: t.At, Issuer: t.Issuer, Reason: t.Reason})
}

func parseErasure(line []byte) (Hash, Tombstone, bool) {
	var e erasure
	if json.Unmarshal(line, &e) != nil || e.V != 1 {
		return Hash{}, Tombstone{}, false
	}
	h, err := hex.DecodeString(e.Object)
	if err != nil || len(h) != hashSize {
		return Hash{}, Tombstone{}, false
	}
	return Hash(h), Tombstone{At: e.At, Issuer: e.Issuer, Reason: e.Reason}, true
}
