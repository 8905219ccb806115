package node

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/store"
	"github.com/mithaq/mithaq/taxii"
)

// maxStatus bounds a status that is read back: a request holds at most 10,000 objects.
const maxStatus = 64 << 20

// uuid draws a random UUID (RFC 9562, section 5.4).
func (n *Node) uuid() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(n.rand, b[:]); err != nil {
		return "", fmt.Errorf("drawing an id: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}

// keepStatus keeps a status for who made the request, over restarts.
func (n *Node) keepStatus(ctx context.Context, who account.TAXIICaller, s *taxii.Status) (err error) {
	if s.Text, err = s.Encode(); err != nil {
		return fmt.Errorf("keeping a TAXII status: %w", err)
	}
	var small bytes.Buffer
	w, ok := n.deflaters.Get().(*flate.Writer) // a new one takes as long as the status of a thousand objects
	if !ok {
		if w, err = flate.NewWriter(nil, flate.BestSpeed); err != nil {
			return fmt.Errorf("keeping a TAXII status: %w", err)
		}
	}
	w.Reset(&small)
	_, err = w.Write(s.Text)
	if err = errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("keeping a TAXII status: %w", err)
	}
	n.deflaters.Put(w)
	now := n.now()
	return fault.OfStore(n.store.PutTAXIIStatus(ctx, s.ID, who.Token, now, now.Add(statusKept), small.Bytes()))
}

// Status implements taxii.Backend.
func (b collections) Status(ctx context.Context, caller taxii.Caller, _, id string) (taxii.Status, error) {
	who, ok := caller.(account.TAXIICaller)
	if !ok {
		return taxii.Status{}, taxii.ErrNotFound
	}
	small, err := b.n.store.TAXIIStatus(ctx, id, who.Token, b.n.now())
	if errors.Is(err, store.ErrNotFound) {
		return taxii.Status{}, taxii.ErrNotFound
	}
	if err != nil {
		return taxii.Status{}, err
	}
	var s taxii.Status
	r := flate.NewReader(bytes.NewReader(small))
	if err := json.NewDecoder(io.LimitReader(r, maxStatus)).Decode(&s); err != nil {
		return s, fmt.Errorf("reading a TAXII status: %w", err)
	}
	return s, r.Close()
}

// Delete implements taxii.Backend: it publishes a recall of what this party published itself. What others published stays
// theirs.
func (b collections) Delete(ctx context.Context, caller taxii.Caller, at taxii.Place, f taxii.Filter) error {
	c, err := b.find(ctx, caller, at.Collection)
	if err != nil {
		return err
	}
	who := caller.(account.TAXIICaller) //nolint:forcetypeassert // find checked it
	s, err := b.n.query(ctx, who, c, taxii.Query{Filter: f, Limit: 1})
	if err != nil {
		return err
	}
	chosen := map[int64]string{} // one id was asked for, so that each record holds it once or in versions of its own
	err = s.each(ctx, func(p store.Placed) (bool, error) {
		if s.items[p.Class].Author != b.n.party.ID {
			return false, taxii.ErrForbidden
		}
		chosen[p.No] = p.ID
		return true, nil
	})
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		return taxii.ErrNotFound
	}
	if !c.write {
		return taxii.ErrForbidden
	}
	for no, id := range chosen {
		if err := b.takeBack(ctx, no, id); err != nil {
			return err
		}
	}
	return nil
}

// takeBack recalls one STIX object of a record of this party's.
func (b collections) takeBack(ctx context.Context, no int64, id string) error {
	e, err := b.n.store.Index().ByNo(ctx, no)
	if err != nil {
		return err
	}
	row, err := b.n.logByNo(ctx, e.LogNo)
	if err != nil {
		return err
	}
	r, err := b.n.ChangeRecord(ctx, row, e.Index, Change{Action: string(policy.Withdraw), Reason: "other", Objects: []string{id}})
	if err != nil {
		return err
	}
	return b.n.WaitIndexed(ctx, r.Log, r.Index+1)
}

// logByNo returns the id of a log.
func (n *Node) logByNo(ctx context.Context, no int64) (string, error) {
	rows, err := n.store.Logs(ctx)
	if err != nil {
		return "", fault.OfStore(err)
	}
	for _, row := range rows {
		if row.No == no {
			return row.ID, nil
		}
	}
	return "", fault.New(fault.NotFound, "run 'mithaq reindex'", "there is no log number %d here", no)
}
