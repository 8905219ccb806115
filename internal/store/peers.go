package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Peer is another party's node as this one knows it.
type Peer struct {
	Party      string
	URL        string // where it is reached; empty: it accepts no connection
	Mirror     string // host that its logs are fetched from instead; empty: itself
	Introduced string // party id of who named it to us; empty: a person compared its fingerprint
	Keyring    []byte // envelope of a keyring of its own
	Cosigns    bool   // an outsider that is asked to co-sign and nothing else: it is not followed, and not told who we are
	Updated    time.Time
}

// PutPeer adds a peer, or replaces what is known of it.
func (d *DB) PutPeer(ctx context.Context, p Peer) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO peer (party, url, mirror, introduced, keyring, cosigns, updated_us) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (party) DO UPDATE SET url = excluded.url, mirror = excluded.mirror, introduced = excluded.introduced,
			keyring = excluded.keyring, cosigns = excluded.cosigns, updated_us = excluded.updated_us`, p.Party, p.URL, p.Mirror, p.Introduced, p.Keyring, flag(p.Cosigns), micros(p.Updated))
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping the peer %s: %w", p.Party, d.explain(err))
	}
	return nil
}

// RemovePeer forgets a peer, and the keyring that was pinned with it. ErrNotFound when there is none.
func (d *DB) RemovePeer(ctx context.Context, party string) error {
	err := d.truth.inTx(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `DELETE FROM peer WHERE party = $1`, party)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `DELETE FROM pin WHERE party = $1`, party)
		return err
	})
	if err != nil {
		return fmt.Errorf("forgetting the peer %s: %w", party, d.explain(err))
	}
	return nil
}

// Peers lists the peers by party.
func (d *DB) Peers(ctx context.Context) ([]Peer, error) {
	out, err := d.peers(ctx, ` ORDER BY party`)
	if err != nil {
		return nil, fmt.Errorf("listing peers: %w", err)
	}
	return out, nil
}

// Peer returns one peer, or ErrNotFound.
func (d *DB) Peer(ctx context.Context, party string) (Peer, error) {
	out, err := d.peers(ctx, ` WHERE party = $1`, party)
	if err == nil && len(out) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Peer{}, fmt.Errorf("reading the peer %s: %w", party, err)
	}
	return out[0], nil
}

func (d *DB) peers(ctx context.Context, which string, args ...any) (out []Peer, err error) {
	err = queryRows(ctx, d.truth, `SELECT party, url, mirror, introduced, keyring, cosigns, updated_us FROM peer`+which, args, func(r *sql.Rows) error {
		var p Peer
		var updated, cosigns int64
		err := r.Scan(&p.Party, &p.URL, &p.Mirror, &p.Introduced, &p.Keyring, &cosigns, &updated)
		p.Cosigns = cosigns != 0
		p.Updated = fromMicros(updated)
		out = append(out, p)
		return err
	})
	return out, err
}
