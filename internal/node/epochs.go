package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// What this node does as the author: which epoch seals the next record, and who gets its key. What it opens of others is in
// epochs_open.go.

// ownChain is the epochs of one audience in an own log, with their keys.
type ownChain struct {
	chain
	given record.EpochChain
	rows  map[string]map[int64]store.EpochKey // by epoch and step
}

// epochSealing takes an epoch of a chain for these holders. The rotation is lazy, here, at the next restricted record: who
// joined gets the next step, and when somebody holds the newest epoch who must not have what comes now, a fresh key is taken. A
// step is first announced in the log, with a wrap for each who gets it, and only then kept and used: whatever happens in
// between, no record is sealed with a key that its audience cannot get.
func (n *Node) epochSealing(ctx context.Context, logID string, k record.Keyring, c chain, to []record.Holder) (record.Sealing, error) {
	n.sealing.Lock()
	defer n.sealing.Unlock()
	own, err := n.ownChain(ctx, logID, c)
	if err != nil {
		return record.Sealing{}, err
	}
	mode, keys := own.given.Next(to)
	switch {
	case mode == record.EpochFresh:
		e, err := record.NewEpoch(n.rand)
		if err == nil {
			err = n.announceEpoch(ctx, logID, k, own, e, mode, keys)
		}
		return e.Sealing(n.rand), err
	case len(own.given.Epochs) == 0:
		return record.Sealing{}, fmt.Errorf("sealing: no epoch for chain %s", c.id)
	}
	last := own.given.Epochs[len(own.given.Epochs)-1]
	for _, g := range own.given.Owed(to) {
		if g.Epoch == last.ID {
			if err := n.grant(ctx, logID, k, own, g); err != nil {
				return record.Sealing{}, err
			}
		}
	}
	e, err := n.openEpoch(own.rows[last.ID][last.Steps[len(last.Steps)-1].Step])
	if err != nil {
		return record.Sealing{}, err
	}
	if mode == record.EpochRatchet {
		if e, err = e.Ratchet(); err == nil {
			err = n.announceEpoch(ctx, logID, k, own, e, mode, keys)
		}
	}
	return e.Sealing(n.rand), err
}

// grant hands an announced step to more keys.
func (n *Node) grant(ctx context.Context, logID string, k record.Keyring, own *ownChain, g record.Grant) error {
	e, err := n.openEpoch(own.rows[g.Epoch][g.Step])
	if err != nil {
		return err
	}
	mode := record.EpochRatchet
	if g.Step == 0 {
		mode = record.EpochFresh
	}
	return n.announceEpoch(ctx, logID, k, own, e, mode, g.Keys)
}

// announceEpoch appends an epoch record with wraps for some keys and keeps the key. The caller holds n.sealing.
func (n *Node) announceEpoch(ctx context.Context, logID string, k record.Keyring, own *ownChain, e record.EpochKey, mode record.EpochMode, keys []record.Key) (err error) {
	defer func() {
		if err != nil {
			delete(n.chains, logID) // what is stored counts
		}
	}()
	refs, wraps, err := e.WrapFor(keys)
	if err != nil {
		return recordFault("making an epoch", err)
	}
	body, err := record.EncodeBody(&record.EpochBody{Epoch: e.ID(), Step: e.Step(), Mode: mode, Audience: own.audience, Commit: e.Commit(), Wraps: refs})
	if err != nil {
		return recordFault("making an epoch", err)
	}
	node := k.WithRole(record.RoleNode)[0]
	rec := record.Record{Agreement: k.Log.Agreement, Author: k.Party, Officer: node.ID, Kind: record.KindEpoch,
		Marking: record.Marking{TLP: record.TLPGreen}, Body: body}
	if _, err := n.append(ctx, logID, rec, node, uint64(k.Serial), 0, wraps); err != nil {
		return fmt.Errorf("announcing an epoch: %w", err)
	}
	return n.keepEpoch(ctx, logID, k, own, e, refs)
}

// keepEpoch keeps an announced step's key, sealed to this party, and who was given it, before anything is sealed with it.
func (n *Node) keepEpoch(ctx context.Context, logID string, k record.Keyring, own *ownChain, e record.EpochKey, refs []record.WrapRef) error {
	to, err := k.SealKeys("")[0].PublicKey().Recipient()
	if err != nil {
		return recordFault("keeping the key of epoch "+e.ID(), err)
	}
	sealed, err := e.Wrap(to)
	if err != nil {
		return fmt.Errorf("keeping the key of epoch %s: %w", e.ID(), err)
	}
	row := store.EpochKey{LogNo: n.book(logID).no, Epoch: e.ID(), Step: e.Step(), Created: own.nextTime(n.now()), Chain: own.id,
		Commitment: e.Commit(), Sealed: sealed}
	if _, known := own.rows[e.ID()]; !known && own.audience != nil {
		if row.Audience, err = json.Marshal(own.audience); err != nil {
			return fmt.Errorf("keeping the key of epoch %s: %w", e.ID(), err)
		}
	}
	gifts := make([]store.EpochGift, len(refs))
	for i, w := range refs {
		gifts[i] = store.EpochGift{Epoch: e.ID(), Key: w.To, Step: e.Step(), Wrap: record.ParseHash(w.Object)}
	}
	if err := n.putEpochKey(ctx, row, gifts...); err != nil {
		return err
	}
	own.add(row)
	own.give(gifts)
	return nil
}

// nextTime keeps the epochs of a chain in order although a clock was set back.
func (c *ownChain) nextTime(now time.Time) time.Time {
	now = now.Truncate(time.Microsecond)
	for _, e := range c.given.Epochs {
		if at := e.Steps[len(e.Steps)-1].At; !now.After(at) {
			now = at.Add(time.Microsecond)
		}
	}
	return now
}

// add takes a step's key, in the order of their making. A step that is there already is not added again.
func (c *ownChain) add(row store.EpochKey) {
	if c.rows[row.Epoch] == nil {
		c.rows[row.Epoch] = map[int64]store.EpochKey{}
		c.given.Epochs = append(c.given.Epochs, record.EpochState{ID: row.Epoch, Given: map[string]record.Gift{}})
	}
	if _, twice := c.rows[row.Epoch][row.Step]; twice {
		return
	}
	c.rows[row.Epoch][row.Step] = row
	e := c.epoch(row.Epoch)
	at, _ := slices.BinarySearchFunc(e.Steps, row.Step, func(s record.EpochStep, step int64) int { return int(s.Step - step) })
	e.Steps = slices.Insert(e.Steps, at, record.EpochStep{Step: row.Step, At: row.Created})
}

func (c *ownChain) epoch(id string) *record.EpochState {
	i := slices.IndexFunc(c.given.Epochs, func(e record.EpochState) bool { return e.ID == id })
	if i < 0 {
		return nil
	}
	return &c.given.Epochs[i]
}

// give notes who got a step, as the store does.
func (c *ownChain) give(gifts []store.EpochGift) {
	for _, g := range gifts {
		e := c.epoch(g.Epoch)
		if e == nil {
			continue
		}
		if old, had := e.Given[g.Key]; !had || g.Step < old.Step || old.Lost && g.Step <= old.Step {
			e.Given[g.Key] = record.Gift{Step: g.Step, Lost: g.Lost}
		}
	}
}

// ownChain returns a chain of an own log. The caller holds n.sealing.
func (n *Node) ownChain(ctx context.Context, logID string, c chain) (*ownChain, error) {
	all, err := n.ownChains(ctx, logID)
	if err != nil {
		return nil, err
	}
	if all[c.id] == nil {
		all[c.id] = &ownChain{chain: c, rows: map[string]map[int64]store.EpochKey{}}
	}
	return all[c.id], nil
}

// ownChains reads the chains of an own log, once. The caller holds n.sealing.
func (n *Node) ownChains(ctx context.Context, logID string) (map[string]*ownChain, error) {
	if all := n.chains[logID]; all != nil {
		return all, nil
	}
	no := n.book(logID).no
	rows, err := n.store.EpochKeys(ctx, no)
	if err != nil {
		return nil, err
	}
	gifts, err := n.store.EpochGifts(ctx, no)
	if err != nil {
		return nil, err
	}
	all := map[string]*ownChain{}
	for _, row := range rows {
		c := all[row.Chain]
		if c == nil {
			c = &ownChain{chain: chain{id: row.Chain}, rows: map[string]map[int64]store.EpochKey{}}
			all[row.Chain] = c
		}
		c.add(row)
		if len(row.Audience) > 0 && c.audience == nil {
			c.audience = new(record.Audience)
			if err := json.Unmarshal(row.Audience, c.audience); err != nil {
				return nil, fmt.Errorf("reading the audience of epoch %s: %w", row.Epoch, err)
			}
		}
	}
	for _, c := range all {
		c.give(gifts)
	}
	n.chains[logID] = all
	return all, nil
}

// audienceName names the epochs of an audience.
func audienceName(a *record.Audience) string {
	h := sha256.New()
	for _, id := range a.Parties {
		fmt.Fprintln(h, id)
	}
	fmt.Fprintln(h)
	for _, id := range a.Persons {
		fmt.Fprintln(h, id)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// deliverEpochs hands the members of an agreement what this party owes them of its earlier epochs: by the agreement's rule to
// those who joined, after a change of keys, and where a wrap was lost. It does nothing while nothing has changed.
func (n *Node) deliverEpochs(ctx context.Context, id string) error {
	if n.ledger == nil || n.keys == nil || n.unsettled() {
		return nil
	}
	l, err := n.resolveLog(ctx, id)
	if fault.CodeOf(err) == fault.NotFound || err == nil && (l.Followed() || l.Behind != nil || !l.Retired.IsZero()) {
		return nil
	}
	if err != nil {
		return err
	}
	k, err := n.keyring(l.ID)
	if err != nil {
		return err
	}
	n.sealing.Lock()
	defer n.sealing.Unlock()
	state := n.keysOfMembers(id)
	if n.delivered[l.ID] == state {
		return nil
	}
	all, err := n.ownChains(ctx, l.ID)
	if err != nil {
		return err
	}
	for _, own := range all {
		if own.id == "" {
			continue // whom it was for is not known any more
		}
		to, err := n.holdersOf(ctx, k, own.chain)
		if err != nil {
			n.logger.Debug("the keys of an audience are not known any more", "log", l.ID, "error", err)
			continue
		}
		for _, g := range own.given.Owed(to) {
			if err := n.grant(ctx, l.ID, k, own, g); err != nil {
				return err
			}
		}
	}
	n.delivered[l.ID] = state
	return nil
}

// keysOfMembers names the keys of the members and the rule about newcomers.
func (n *Node) keysOfMembers(id string) string {
	h := sha256.New()
	var lines []string
	for _, k := range slices.Concat(n.membersOf(id), n.newcomersOf(id)) {
		lines = append(lines, n.newest(k).Hash())
	}
	slices.Sort(lines)
	t := n.termsOf(id)
	fmt.Fprintln(h, t.backfill, len(lines), lines)
	return hex.EncodeToString(h.Sum(nil))
}
