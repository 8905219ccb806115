package node

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
)

// What a host shows of a log that is followed from another one is compared with what is here. So an author that shows two
// histories is found out as soon as two who were shown them are connected, news comes also where two nodes are each other's
// mirrors, and what one host leaves out comes from another.

// besideAfter is how long a head waits for the host that the log is followed from, which mostly brings it.
const besideAfter = 2 * time.Second

// mendBesideEvery is how often a host is asked for objects that are absent here of a log which is followed from another one.
const mendBesideEvery = 10 * time.Minute

// shown is the newest head of a log that a host showed beside the one that the log is followed from.
type shown struct {
	ChangedLog
	at time.Time // when to compare
}

// hearBeside remembers a head for comparing.
func (h *hostJob) hearBeside(ctx context.Context, l ChangedLog) {
	row, err := h.n.store.Log(ctx, l.Log)
	if err != nil || row.Author == "" || row.Author != l.Party || row.Agreement != l.Agreement {
		return // it is not followed here
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.n.now().Add(besideAfter)
	if old, waits := h.beside[l.Log]; waits {
		at = old.at // however fast it grows
	}
	h.beside[l.Log] = shown{l, at}
}

// besideDue takes out the heads whose time has come. The caller holds h.mu.
func (h *hostJob) besideDue(now time.Time) (due []ChangedLog) {
	for id, b := range h.beside {
		if !b.at.After(now) {
			due = append(due, b.ChangedLog)
			delete(h.beside, id)
		}
	}
	return due
}

// compareDue compares the heads whose time has come, in the background: what the host itself publishes waits for none of them. Heads
// that come due meanwhile wait.
func (h *hostJob) compareDue(ctx context.Context, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.comparing {
		return
	}
	due := h.besideDue(now)
	if len(due) == 0 {
		return
	}
	h.comparing = true
	h.compares.Go(func() {
		h.compareAll(ctx, due)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.comparing = false
	})
}

func (h *hostJob) compareAll(ctx context.Context, due []ChangedLog) {
	lacking := h.n.lacking(ctx)
	var workers errgroup.Group
	workers.SetLimit(hostWorkers)
	touched := map[string]bool{}
	for _, l := range due {
		touched[l.Agreement] = true
		workers.Go(func() error {
			h.compare(ctx, l, lacking)
			return nil
		})
	}
	_ = workers.Wait() // each says in the log what went wrong
	for id := range touched {
		h.n.heardUnder(ctx, id)
	}
}

// lacking are the numbers of the logs of which objects are absent here.
func (n *Node) lacking(ctx context.Context) map[int64]bool {
	logs, err := n.store.Lacking(ctx)
	if err != nil && ctx.Err() == nil {
		n.logger.Warn("which logs lack objects cannot be read", "error", err)
	}
	return logs
}

// compare holds a head against what is here. lacking are the logs here of which objects are absent; the host is asked for them now
// and then.
func (h *hostJob) compare(ctx context.Context, l ChangedLog, lacking map[int64]bool) {
	before, err := h.n.reader.Log(ctx, l.Log)
	if err != nil {
		return
	}
	h.mu.Lock()
	now := h.n.now()
	mend := lacking[h.n.book(l.Log).no] && now.Sub(h.mended[l.Log]) >= mendBesideEvery
	if mend {
		h.mended[l.Log] = now
	}
	h.mu.Unlock()
	round, err := h.n.compare(ctx, h.host, l.Log, []byte(l.Checkpoint), mend)
	err = round.Failure(err)
	if err != nil && ctx.Err() == nil {
		h.n.logger.Debug("a log could not be compared to its end", "log", l.Log, "host", h.host, "error", err)
	}
	if errors.Is(err, federate.ErrGaveWay) {
		h.hearBeside(ctx, l) // it is compared again
	}
	if round.Size > before.Size {
		h.complete(ctx, l.Log, before.Size, round)
	}
}

// complete asks the host that a log is followed from for what another one, which showed its leaves from a place on first, does not
// carry: objects, and keys that are for us.
func (h *hostJob) complete(ctx context.Context, logID string, from int64, shown federate.Round) {
	at, err := h.n.firstAbsent(ctx, logID, from)
	if keys := shown.Mend && !shown.Until.After(h.n.now()); err != nil || at < 0 && !keys {
		return
	}
	round, err := h.n.Sync(ctx, logID)
	h.again(ctx, logID, round, round.Failure(err))
}

// Compare holds a checkpoint of a followed log that another host shows against what is here. Where the two differ, or objects
// are absent here, a round runs against that host: what it has more is taken, what contradicts becomes evidence.
func (n *Node) Compare(ctx context.Context, source, logID string, checkpoint []byte) (federate.Round, error) {
	return n.compare(ctx, source, logID, checkpoint, true)
}

func (n *Node) compare(ctx context.Context, source, logID string, checkpoint []byte, mend bool) (federate.Round, error) {
	l, err := n.reader.Log(ctx, logID)
	if err != nil {
		return federate.Round{}, fault.OfStore(err)
	}
	if n.follower == nil {
		return federate.Round{}, errReadOnly()
	}
	round := federate.Round{Size: l.Size}
	if h, err := ledger.ParseCheckpoint(checkpoint); err != nil || !n.beginsWith(ctx, l, h) {
		if round, err = n.follower.SyncBeside(ctx, logID, source, -1); round.Failure(err) != nil {
			return round, fault.OfStore(err)
		}
	}
	for mend {
		before, err := n.firstAbsent(ctx, logID, 0)
		if err != nil || before < 0 {
			return round, err
		}
		if round, err = n.follower.SyncBeside(ctx, logID, source, 0); round.Failure(err) != nil {
			return round, fault.OfStore(err)
		}
		after, err := n.firstAbsent(ctx, logID, 0)
		if err != nil || after >= 0 && after <= before {
			return round, err
		}
	}
	return round, nil
}

// firstAbsent is the first leaf of a log, from one on, that waits for its object; -1: none does.
func (n *Node) firstAbsent(ctx context.Context, logID string, from int64) (int64, error) {
	absent, err := n.store.Absent(ctx, n.book(logID).no, from, 1)
	if err != nil || len(absent) == 0 {
		return -1, fault.OfStore(err)
	}
	return absent[0].Index, nil
}

// beginsWith says whether the log here began with what a head says, or is just that.
func (n *Node) beginsWith(ctx context.Context, l ledger.LogInfo, h ledger.Head) bool {
	if h.Size >= l.Size || h.Size == 0 {
		return h.Size == 0 || h.Size == l.Size && h.Root == l.Root
	}
	proof, err := n.ledger.Prefix(ctx, l.ID, h.Size)
	if err != nil {
		return false
	}
	first, all, err := ledger.PrefixRoots(proof, h.Size, l.Size)
	return err == nil && all == l.Root && first == h.Root
}
