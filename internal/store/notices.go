package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Notifier is somebody who is told outside the screens that something waits.
type Notifier struct {
	Name      string
	Kind      string
	Target    string
	Language  string
	Occasions []string // no occasion contains a space
	Secret    []byte
	Created   time.Time
	State     []byte // JSON
}

// Notice is a message that is to be sent. There is one for each notifier and occasion, which gathers what comes meanwhile.
type Notice struct {
	Notifier, Occasion string
	ID                 string // another one whenever it says something else
	Count              int64
	Path               string // where it waits; empty: at more than one place
	Since              time.Time
	Due                time.Time // before which it is not sent
	Tries              int64     // that failed
}

// PutNotifier adds a notifier, or replaces the one of its name. What waited for that one is still sent.
func (d *DB) PutNotifier(ctx context.Context, n Notifier) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		_, err := x.exec(ctx, `INSERT INTO notifier (name, kind, target, language, occasions, secret, created_us, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, target = excluded.target, language = excluded.language, occasions = excluded.occasions,
			secret = excluded.secret, created_us = excluded.created_us, state = excluded.state`,
			n.Name, n.Kind, n.Target, n.Language, strings.Join(n.Occasions, " "), orEmpty(n.Secret), micros(n.Created), orEmpty(n.State))
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping notifier %q: %w", n.Name, d.explain(err))
	}
	return nil
}

// Notifiers lists them by name.
func (d *DB) Notifiers(ctx context.Context) ([]Notifier, error) {
	var out []Notifier
	err := queryRows(ctx, d.local, `SELECT name, kind, target, language, occasions, secret, created_us, state FROM notifier ORDER BY name`, nil, func(r *sql.Rows) error {
		var n Notifier
		var occasions string
		var created int64
		err := r.Scan(&n.Name, &n.Kind, &n.Target, &n.Language, &occasions, &n.Secret, &created, &n.State)
		n.Occasions, n.Created = strings.Fields(occasions), fromMicros(created)
		out = append(out, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing notifiers: %w", err)
	}
	return out, nil
}

// RemoveNotifier forgets a notifier and what waited for it, or fails with ErrNotFound.
func (d *DB) RemoveNotifier(ctx context.Context, name string) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		gone, err := x.exec(ctx, `DELETE FROM notifier WHERE name = $1`, name)
		if err == nil && gone == 0 {
			err = ErrNotFound
		}
		if err == nil {
			_, err = x.exec(ctx, `DELETE FROM notice WHERE notifier = $1`, name)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("removing notifier %q: %w", name, d.explain(err))
	}
	return nil
}

// GatherNotices adds to the messages that wait, and in the same transaction writes the setting that says up to where it was
// looked: nothing is told twice or left out because of a kill in between. A message that waits already takes in what is added
// and keeps its time.
func (d *DB) GatherNotices(ctx context.Context, setting string, value []byte, add []Notice) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		for _, n := range add {
			if _, err := x.exec(ctx, `INSERT INTO notice (notifier, occasion, id, count, path, since_us, due_us) VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (notifier, occasion) DO UPDATE SET id = excluded.id, count = notice.count + excluded.count,
				path = CASE WHEN notice.path = excluded.path THEN notice.path ELSE '' END`,
				n.Notifier, n.Occasion, n.ID, n.Count, n.Path, micros(n.Since), micros(n.Due)); err != nil {
				return err
			}
		}
		_, err := x.exec(ctx, `INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, setting, orEmpty(value))
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping messages to send: %w", d.explain(err))
	}
	return nil
}

// Notices lists the messages that wait, the first due first.
func (d *DB) Notices(ctx context.Context) ([]Notice, error) {
	var out []Notice
	err := queryRows(ctx, d.local, `SELECT notifier, occasion, id, count, path, since_us, due_us, tries FROM notice ORDER BY due_us, notifier, occasion`, nil, func(r *sql.Rows) error {
		var n Notice
		var since, due int64
		err := r.Scan(&n.Notifier, &n.Occasion, &n.ID, &n.Count, &n.Path, &since, &due, &n.Tries)
		n.Since, n.Due = fromMicros(since), fromMicros(due)
		out = append(out, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing messages to send: %w", err)
	}
	return out, nil
}

// SettleNotice notes that a message was sent, or given up, with what the notifier's state is now. What was gathered while it
// was on its way stays, as a message of its own.
func (d *DB) SettleNotice(ctx context.Context, n Notice, state []byte) error {
	return d.afterTry(ctx, n, state, func(x *tx) error {
		gone, err := x.exec(ctx, `DELETE FROM notice WHERE notifier = $1 AND occasion = $2 AND id = $3`, n.Notifier, n.Occasion, n.ID)
		if err == nil && gone == 0 {
			_, err = x.exec(ctx, `UPDATE notice SET count = count - $1, tries = 0 WHERE notifier = $2 AND occasion = $3 AND count > $4`, n.Count, n.Notifier, n.Occasion, n.Count)
		}
		return err
	})
}

// DelayNotice notes that a message was not sent: n.Tries and n.Due say how often, and when it is tried again.
func (d *DB) DelayNotice(ctx context.Context, n Notice, state []byte) error {
	return d.afterTry(ctx, n, state, func(x *tx) error {
		_, err := x.exec(ctx, `UPDATE notice SET tries = $1, due_us = $2 WHERE notifier = $3 AND occasion = $4`, n.Tries, micros(n.Due), n.Notifier, n.Occasion)
		return err
	})
}

func (d *DB) afterTry(ctx context.Context, n Notice, state []byte, then func(*tx) error) error {
	err := d.local.inTx(ctx, func(x *tx) error {
		if err := then(x); err != nil {
			return err
		}
		_, err := x.exec(ctx, `UPDATE notifier SET state = $1 WHERE name = $2`, orEmpty(state), n.Notifier)
		return err
	})
	if err != nil {
		return fmt.Errorf("noting what became of a message to %q: %w", n.Notifier, d.explain(err))
	}
	return nil
}

// NoteNotifier replaces a notifier's state.
func (d *DB) NoteNotifier(ctx context.Context, name string, state []byte) error {
	return d.afterTry(ctx, Notice{Notifier: name}, state, func(*tx) error { return nil })
}
