package node

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// Receipts are signed by one goroutine that follows the index: what it has, this party has opened, and what it has of a recall
// is obeyed at every exit. There are none for receipts, keyrings, epochs and rolls, so that two nodes never answer each other
// for ever.

const (
	// receiptLeaves is how many leaves are looked at before the other logs get their turn.
	receiptLeaves = 16 << 10
	// receiptSoon is the part of the time between receipts over which the first ones of all nodes are spread.
	receiptSoon = 6
	// receiptFew is of how many logs the first receipts come that soon: a node that joins or starts has some for every other party,
	// as all of them have for it.
	receiptFew = 2
	// receiptRetry is when what could not be signed is tried again.
	receiptRetry = 30 * time.Second
	// receiptWriters is how many receipts are signed at once.
	receiptWriters = 16
	// receiptLateness is how far behind a log's end an object may come and still get its receipt.
	receiptLateness = 1 << 16
)

// pendingReceipts are the receipts for one followed log that are not signed yet.
type pendingReceipts struct {
	upto    int64 // leaves before it have their receipts; as in the store
	scanned int64 // leaves before it were looked at
	states  map[record.ReceiptState]*pendingState
}

// pendingState is what waits for one state.
type pendingState struct {
	ranges []record.Range
	last   [32]byte // leaf hash of the last leaf in them
}

func (p *pendingReceipts) add(state record.ReceiptState, index int64, leaf [32]byte) {
	s := p.states[state]
	if s == nil {
		s = &pendingState{}
		p.states[state] = s
	}
	if n := len(s.ranges); n > 0 && s.ranges[n-1][1] == index {
		s.ranges[n-1][1]++
	} else {
		s.ranges = append(s.ranges, record.Range{index, index + 1})
	}
	s.last = leaf
}

// worthIt says whether there is something to sign: what is only carried, sealed to others, is told of beside what was opened,
// because among it may be receipts.
func (p *pendingReceipts) worthIt() bool {
	return p.states[record.ReceiptOpened] != nil || p.states[record.ReceiptObeyed] != nil
}

// full says whether what waits has to be signed now, so that it stays bounded.
func (p *pendingReceipts) full() bool {
	for _, s := range p.states {
		if len(s.ranges) >= record.MaxRanges || s.ranges[len(s.ranges)-1][1]-s.ranges[0][0] >= record.MaxRangeSpan/2 {
			return true
		}
	}
	return false
}

// receipting is the state of the goroutine.
type receipting struct {
	n     *Node
	logs  map[string]*pendingReceipts
	share float64 // when in a span of time it is this node's turn, 0 to 1: what all sign at once keeps all busy at once
	due   time.Time
	soon  bool      // that is before this node's place in the span
	last  time.Time // when what waited was signed
}

// turnOf is a party's share of a span of time.
func turnOf(party string) float64 {
	h := sha256.Sum256([]byte("receipts of " + party))
	return float64(binary.BigEndian.Uint32(h[:])) / (1 << 32)
}

// SignReceipts tells the authors of followed logs what has come here, until ctx ends.
func (n *Node) SignReceipts(ctx context.Context) {
	if n.ledger == nil {
		return
	}
	r := &receipting{n: n, logs: map[string]*pendingReceipts{}, share: turnOf(n.party.ID)}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.indexNews:
		case <-timer.C:
		}
		timer.Reset(r.round(ctx))
	}
}

// round looks at every followed log and returns when to look again without being told.
func (r *receipting) round(ctx context.Context) time.Duration {
	infos, err := r.n.reader.Logs(ctx)
	if err != nil {
		return receiptRetry
	}
	wait := time.Hour
	for _, l := range infos {
		if !l.Followed() || ctx.Err() != nil {
			continue
		}
		again, err := r.log(ctx, l)
		if err != nil {
			if ctx.Err() == nil {
				r.n.logger.Warn("receipts wait and are tried again", "log", l.ID, "error", err)
			}
			delete(r.logs, l.ID)
			again = receiptRetry
		}
		if again > 0 {
			wait = min(wait, again)
		}
	}
	if again := r.turn(ctx, infos); again > 0 {
		wait = min(wait, again)
	}
	return wait
}

// turn signs what waits for all logs together when its time has come, so that readers of this party's log hear of it once. It returns
// how long that still takes, 0: nothing waits.
func (r *receipting) turn(ctx context.Context, infos []ledger.LogInfo) time.Duration {
	infos = slices.DeleteFunc(infos, func(l ledger.LogInfo) bool { p := r.logs[l.ID]; return p == nil || !p.worthIt() })
	if len(infos) == 0 {
		return 0
	}
	now := r.n.now()
	if r.due.IsZero() {
		r.due, r.soon = r.next(now)
	}
	if r.soon && len(infos) > receiptFew {
		r.due, r.soon = r.place(now), false
	}
	if wait := r.due.Sub(now); wait > 0 {
		return wait
	}
	r.due, r.last = time.Time{}, now
	if err := r.sign(ctx, infos...); err != nil {
		if ctx.Err() == nil {
			r.n.logger.Warn("receipts wait and are tried again", "error", err)
		}
		for _, l := range infos {
			delete(r.logs, l.ID)
		}
		return receiptRetry
	}
	return 0
}

// next is when to sign what has begun to wait: soon where nothing was signed for a while, else at this node's place in the span that
// follows the last.
func (r *receipting) next(now time.Time) (at time.Time, soon bool) {
	every := r.n.cfg.receiptEvery()
	if earliest := r.last.Add(every); now.Before(earliest) {
		return r.place(earliest), false
	}
	return now.Add(time.Duration(r.share * float64(every) / receiptSoon)), true
}

// place is the first place of this node in a span that is not before a time.
func (r *receipting) place(earliest time.Time) time.Time {
	every := r.n.cfg.receiptEvery()
	at := earliest.Truncate(every).Add(time.Duration(r.share * float64(every)))
	if at.Before(earliest) {
		at = at.Add(every)
	}
	return at
}

// log looks at what is new in one log and signs what waits for nobody's turn; it returns in how long there is more to look at, or 0.
func (r *receipting) log(ctx context.Context, l ledger.LogInfo) (time.Duration, error) {
	indexed := r.n.indexer.indexedTo(l.ID)
	p := r.logs[l.ID]
	if p == nil {
		b := r.n.book(l.ID)
		if b == nil {
			return 0, nil
		}
		upto, err := r.n.store.Receipted(ctx, b.no)
		if err != nil {
			return 0, err
		}
		p = &pendingReceipts{upto: upto, scanned: upto, states: map[record.ReceiptState]*pendingState{}}
		r.logs[l.ID] = p
	}
	if late, ok := r.n.lateReceipts.take(l.ID); ok && late < p.scanned {
		p.scanned, p.upto, p.states = late, late, map[record.ReceiptState]*pendingState{}
	}
	if p.scanned >= indexed && !p.worthIt() {
		return 0, nil
	}
	if err := r.scan(ctx, l, p, min(indexed, p.scanned+receiptLeaves)); err != nil {
		return 0, err
	}
	switch {
	case p.full() && !p.worthIt():
		if err := r.done(ctx, l, p); err != nil { // nobody is told of so much that is only carried
			return 0, err
		}
	case p.states[record.ReceiptObeyed] != nil, p.full():
		if err := r.sign(ctx, l); err != nil {
			return 0, err
		}
	}
	if p.scanned < indexed {
		return time.Nanosecond, nil // after the other logs
	}
	return 0, nil
}

// scan sorts the leaves up to a place by what their receipts will say.
func (r *receipting) scan(ctx context.Context, l ledger.LogInfo, p *pendingReceipts, to int64) error {
	no := r.n.book(l.ID).no
	for p.scanned < to && !p.full() {
		end := min(to, (p.scanned/store.BundleWidth+1)*store.BundleWidth)
		hashes, err := r.n.store.Leaves(ctx, no, p.scanned, end)
		if err != nil {
			return fault.OfStore(err)
		}
		leaves := make([][32]byte, 0, store.BundleWidth)
		for ; len(hashes) >= 32; hashes = hashes[32:] {
			leaves = append(leaves, record.LeafHash(append([]byte{1}, hashes[:32]...)))
		}
		list, err := r.n.store.Index().InLog(ctx, no, leaves)
		if err != nil {
			return err
		}
		found := make([]*store.Indexed, len(leaves))
		for i := range list {
			if at := list[i].Index - p.scanned; at >= 0 && at < int64(len(found)) {
				found[at] = &list[i]
			}
		}
		for i, e := range found {
			if e == nil {
				continue // its object is not here
			}
			state, err := r.stateOf(ctx, l, *e)
			if err != nil {
				return err
			}
			if state != "" {
				p.add(state, p.scanned+int64(i), leaves[i])
			}
		}
		p.scanned = end
	}
	return nil
}

// stateOf says how far a record has come here, as far as its author is told; empty: not at all.
func (r *receipting) stateOf(ctx context.Context, l ledger.LogInfo, e store.Indexed) (record.ReceiptState, error) {
	kind := record.Kind(e.Kind)
	switch {
	case e.Standing == StandingSealed:
		return record.ReceiptFetched, nil
	case e.Standing != StandingValid:
		return "", nil
	case kind == record.KindRecall || kind == record.KindRelease:
		obeyed, err := r.n.obeys(ctx, l, e)
		if err != nil || !obeyed {
			return "", err
		}
		return record.ReceiptObeyed, nil
	case r.n.cfg.wantsReceipt(e.Agreement, e.Kind):
		return record.ReceiptOpened, nil
	}
	return "", nil
}

// obeys says whether a recall or release that is indexed binds this node: it is its author's own word about a record of the
// author. It does so from the transaction on in which it was indexed, because every exit asks the index. What it is about may
// not be here, and then never goes out.
func (n *Node) obeys(ctx context.Context, l ledger.LogInfo, e store.Indexed) (bool, error) {
	o, _, err := n.openAt(ctx, l.ID, e.Index)
	if err != nil {
		return false, err
	}
	target := ""
	switch o.record.Kind {
	case record.KindRecall:
		body, err := record.Parse[record.Recall](o.record)
		if err != nil {
			return false, nil //nolint:nilerr // it was checked when it was indexed
		}
		target = body.Target
	case record.KindRelease:
		body, err := record.Parse[record.Release](o.record)
		if err != nil {
			return false, nil //nolint:nilerr // it was checked when it was indexed
		}
		target = body.Target
	}
	about, err := n.store.Index().ByLeaf(ctx, record.ParseHash(target))
	if err != nil {
		return false, err
	}
	for _, t := range about {
		if t.Author != "" && t.Author != e.Author {
			return false, nil
		}
	}
	return true, nil
}

// sign signs what waits for logs, side by side so that few commits take it all, and forgets it.
func (r *receipting) sign(ctx context.Context, logs ...ledger.LogInfo) error {
	var signing errgroup.Group
	signing.SetLimit(receiptWriters)
	var failed []error
	for _, l := range logs {
		own, ok, err := r.n.receiptLog(ctx, l)
		if err != nil {
			failed = append(failed, fmt.Errorf("receipts for log %s: %w", l.ID, err))
			break
		}
		for state, s := range r.logs[l.ID].states {
			if ok {
				signing.Go(func() error { return r.signState(ctx, own, l, state, s) })
			}
		}
	}
	if err := errors.Join(append(failed, signing.Wait())...); err != nil {
		return err
	}
	for _, l := range logs {
		if err := r.done(ctx, l, r.logs[l.ID]); err != nil {
			return err
		}
	}
	return nil
}

// done notes that what was looked at has its receipts.
func (r *receipting) done(ctx context.Context, l ledger.LogInfo, p *pendingReceipts) error {
	if err := r.n.store.SetReceipted(ctx, r.n.book(l.ID).no, p.scanned); err != nil {
		return err
	}
	p.upto, p.states = p.scanned, map[record.ReceiptState]*pendingState{}
	return nil
}

// receiptLog finds the log in which receipts for another party's log are written: this party's own under the same agreement,
// while it takes part in it. Who only carries a log signs none.
func (n *Node) receiptLog(ctx context.Context, l ledger.LogInfo) (ledger.LogInfo, bool, error) {
	_, membership, err := n.carrierIn(ctx, l.Agreement, n.party.ID)
	if err != nil || membership == policy.NoMember || membership == policy.Witness {
		return ledger.LogInfo{}, false, err
	}
	own, err := n.publishLog(ctx, l.Agreement)
	switch {
	case fault.CodeOf(err) == fault.NotFound:
		return own, false, nil
	case err != nil:
		return own, false, err
	case !own.Retired.IsZero():
		return own, false, nil
	}
	if err := n.settled(own); err != nil {
		return own, false, err
	}
	// What this party said before has to be known, so that it is not said again.
	return own, true, n.waitIndexed(ctx, own, own.Size)
}

// signState signs one receipt for what no receipt of this party covers yet.
func (r *receipting) signState(ctx context.Context, own, l ledger.LogInfo, state record.ReceiptState, s *pendingState) error {
	first, last := s.ranges[0][0], s.ranges[len(s.ranges)-1][1]
	have, err := r.n.store.Index().Receipted(ctx, l.Origin, r.n.party.ID, string(state), first, last)
	if err != nil {
		return err
	}
	left := without(s.ranges, have)
	if len(left) == 0 {
		return nil
	}
	target := s.last
	if end := left[len(left)-1][1]; end != last {
		if target, err = r.n.leafAt(ctx, l, end-1); err != nil {
			return err
		}
	}
	_, err = r.n.signReceipt(ctx, own, l, &record.ReceiptBody{Target: hex.EncodeToString(target[:]), State: state, Ranges: left})
	return err
}

// without takes ranges out of others; both are in order.
func without(list []record.Range, out [][2]int64) (left []record.Range) {
	for _, r := range list {
		for _, o := range out {
			if o[1] <= r[0] || o[0] >= r[1] {
				continue
			}
			if o[0] > r[0] {
				left = append(left, record.Range{r[0], o[0]})
			}
			r[0] = max(r[0], o[1])
			if r[0] >= r[1] {
				break
			}
		}
		if r[0] < r[1] {
			left = append(left, r)
		}
	}
	return left
}

func (n *Node) leafAt(ctx context.Context, l ledger.LogInfo, index int64) ([32]byte, error) {
	hash, err := n.objectHash(ctx, n.book(l.ID).no, index)
	return record.LeafHash(append([]byte{1}, hash[:]...)), err
}

// signReceipt signs a receipt for ranges of a followed log, with this node's key and those of officers who agree, and appends
// it. It is for the log's author alone: what others have is nobody else's business.
func (n *Node) signReceipt(ctx context.Context, own, l ledger.LogInfo, body *record.ReceiptBody, officers ...record.Key) (Receipt, error) {
	body.Log, body.At = l.Origin, record.At(n.now())
	body.Tree = &record.ReceiptTree{Size: l.Size, Root: hex.EncodeToString(l.Root[:])}
	encoded, err := record.EncodeBody(body)
	if err != nil {
		return Receipt{}, recordFault("signing a receipt", err)
	}
	k, err := n.keyring(own.ID)
	if err != nil {
		return Receipt{}, err
	}
	node := k.WithRole(record.RoleNode)[0]
	rec := record.Record{Agreement: k.Log.Agreement, Author: k.Party, Officer: node.ID, Kind: record.KindReceipt,
		Marking: record.Marking{TLP: record.TLPAmber}, Audience: record.NewAudience([]string{l.Author}, nil), Body: encoded}
	receipt, err := n.append(ctx, own.ID, rec, node, uint64(k.Serial), 0, nil, officers...)
	var fence *ledger.ErrFence
	if errors.As(err, &fence) {
		return receipt, fmt.Errorf("signing a receipt: %w", err)
	}
	return receipt, err
}
