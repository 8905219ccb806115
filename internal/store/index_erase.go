package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/mithaq/mithaq/internal/arabic"
)

// Erase takes out of the index everything that came from a record's contents, at once, and leaves that its place was
// erased. text is what it was written with. It may be repeated. A record that is not
// indexed is no error.
//
// On SQLite deleted rows are overwritten and the write-ahead log is emptied; on PostgreSQL old
// row versions stay until VACUUM, as in the truth scope.
func (x *Index) Erase(ctx context.Context, no int64, text IndexText) error {
	err := x.writing(ctx, "erasing from the index", func(t *tx) error {
		var parts int64
		err := t.QueryRowContext(ctx, `SELECT parts FROM ix_record WHERE no = $1`, no).Scan(&parts)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if parts > 0 && parts != int64(len(text.Parts)) {
			return fmt.Errorf("the record has %d parts of text, %d were given", parts, len(text.Parts))
		}
		for part, numbers := range text.Parts[:parts] {
			if err := eraseText(ctx, t, no*textParts+int64(part), termSet(text.Vocabulary, numbers)); err != nil {
				return fmt.Errorf("full text: %w", err)
			}
		}
		if err := discount(ctx, t, no); err != nil {
			return err
		}
		keys, err := keysOf(ctx, t, no)
		if err != nil {
			return err
		}
		if err := eraseHandles(ctx, t, no, keys); err != nil {
			return err
		}
		for _, table := range []string{"ix_ref", "ix_change", "ix_receipt", "ix_act", "ix_place", "ix_stix"} {
			if _, err := t.ExecContext(ctx, "DELETE FROM "+table+" WHERE no = $1", no); err != nil {
				return err
			}
		}
		return blank(ctx, t, no)
	})
	if err != nil {
		return err
	}
	return x.emptyWAL(ctx)
}

// keysOf are the handles of what an erasure takes away of a record: all but its leaf.
func keysOf(ctx context.Context, t *tx, no int64) (keys []int64, err error) {
	var id string
	if err := one(ctx, t, `SELECT id FROM ix_record WHERE no = $1`, []any{no}, &id); err != nil {
		return nil, err
	}
	if id != "" {
		keys = append(keys, idKey(id))
	}
	err = t.asking(ctx, `SELECT uuid FROM ix_stix WHERE no = $1`, []any{no}, func(r *sql.Rows) error {
		var uuid []byte
		err := r.Scan(&uuid)
		keys = append(keys, stixKey(uuid))
		return err
	})
	return keys, err
}

func termSet(v *arabic.Vocabulary, numbers []uint32) map[string]bool {
	set := map[string]bool{}
	for _, n := range numbers {
		set[v.Term(n)] = true
	}
	return set
}

func (x *Index) emptyWAL(ctx context.Context) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.path == "" || x.c == nil {
		return nil
	}
	var busy, pages, moved int64
	if err := x.c.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved); err != nil {
		return fmt.Errorf("erasing from the index: %w", err)
	}
	return nil
}
