package simulate

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// letter is something that somebody wants in the party's log, and asks for until it is acknowledged.
type letter struct {
	text        string // of a report; empty: object is here already
	sealed      bool
	object      []byte
	attachments [][]byte
	meant       []int      // of a sealed one: nodes that it was sealed to
	epoch       *madeEpoch // that it announces
	entry       bool       // of the roll
	asked       time.Duration
	flying      bool
	done        bool
	index       int64 // of its leaf, when done
}

// letterPatience is after how long somebody asks again who got no answer.
const letterPatience = 2 * time.Minute

func objectOf(b []byte) store.Object {
	return store.Object{Hash: sha256.Sum256(b), Size: int64(len(b)), Bytes: b}
}

func (n *node) write(l *letter) { n.letters = append(n.letters, l) }

// deliver brings what waits to a writer, in order.
func (n *node) deliver() {
	if n.face != nil && !n.lost {
		n.deliverLies()
		return
	}
	w := n.leader()
	if w == nil || n.down || n.unsettled {
		return
	}
	for _, l := range n.letters {
		if l.done || l.flying && n.w.now-l.asked < letterPatience {
			continue
		}
		if l.object == nil && !n.compose(l) {
			return
		}
		l.flying, l.asked = true, n.w.now
		w.submit(l)
	}
}

// leader is the writer that believes to hold the lease; of two that do, one that is not paused.
func (n *node) leader() *writer {
	for _, w := range n.writers {
		if w.leads && w.until <= n.w.now {
			return w
		}
	}
	return nil
}

// compose signs a report, and seals it. false: the epoch that it is to be sealed by is not announced yet.
func (n *node) compose(l *letter) bool {
	sealing, tlp := record.Clear(), record.TLPClear
	if l.sealed {
		e, meant, ok := n.epoch()
		if !ok {
			return false
		}
		sealing, tlp, l.meant = e.key.Sealing(n.w.dice), record.TLPAmber, meant
	}
	object, err := n.author.object(record.KindReport, tlp, reportBody(l.text), n.clock(), sealing)
	if err != nil {
		n.w.fail(fmt.Errorf("composing a report: %w", err))
		return false
	}
	l.object = object
	return true
}

// answered takes the sequencer's reply.
func (n *node) answered(l *letter, e ledger.Reply) {
	l.flying = false
	if e.Err != nil {
		return // it is asked for again
	}
	if l.done && l.index != e.Receipt.Index {
		n.w.fail(fmt.Errorf("node %d has one record at leaves %d and %d", n.no, l.index, e.Receipt.Index))
	}
	l.done, l.index = true, e.Receipt.Index
	if l.epoch != nil && !l.epoch.kept {
		l.epoch.kept = true
		n.disk.epochs = append(n.disk.epochs, *l.epoch)
	}
}

// deliverLies puts what waits into both histories of an author that has two.
func (n *node) deliverLies() {
	for _, l := range n.letters {
		if l.done {
			continue
		}
		if l.object == nil {
			l.sealed = false
			if !n.compose(l) {
				return
			}
		}
		l.done = true
		n.w.fail(n.disk.tree.Append(l.object))
		n.w.fail(n.face.Append(l.object))
	}
}
