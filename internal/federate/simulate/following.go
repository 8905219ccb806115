package simulate

import (
	"errors"
	"fmt"
	"time"

	"github.com/mithaq/mithaq/internal/federate"
)

// look begins a round of a log, at its source or beside it.
func (n *node) look(f *following, host *node, beside bool) {
	if n.down || f.busy || host == n {
		return
	}
	if f.state == nil {
		state, err := n.w.parts.follow(f.shelf, n.options())
		if err != nil {
			n.w.fail(fmt.Errorf("node %d cannot read its own disk: %w", n.no, err))
			return
		}
		f.state = state
	}
	f.busy = true
	f.round++
	n.do(f, host, f.round, f.state.Step(federate.Look{Now: n.clock(), Beside: beside}))
}

// do carries out effects. What belongs to an earlier life or round of the node is lost.
func (n *node) do(f *following, host *node, round int, effects []federate.Effect) {
	life := n.life
	deliver := func(after time.Duration, ev func() federate.Event) {
		n.w.in(after, func() {
			if n.life != life || f.round != round || n.down || f.state == nil {
				return
			}
			n.do(f, host, round, f.state.Step(ev()))
		})
	}
	for _, e := range effects {
		switch e := e.(type) {
		case federate.Fetch:
			n.fetch(f, host, e.Request, deliver)
		case federate.Store:
			err := n.store(f, e)
			deliver(time.Millisecond, func() federate.Event { return federate.Stored{Err: err, Now: n.clock()} })
		case federate.Edge:
			root, frontier := f.shelf.Edge(e.Size)
			deliver(time.Millisecond, func() federate.Event { return federate.Edged{Root: root, Frontier: frontier, Now: n.clock()} })
		case federate.Prefix:
			proof, err := f.shelf.Prefix(e.Size)
			deliver(time.Millisecond, func() federate.Event { return federate.Prefixed{Proof: proof, Err: err, Now: n.clock()} })
		case federate.Notice:
			n.hear(f, e)
		case federate.Rest:
			f.busy = false
			if e.Spent {
				f.state = nil
			}
			n.fold()
			n.rested(f, e)
		}
	}
}

// store is a follower's transaction. A full disk refuses it; now and then it says so although all was written.
func (n *node) store(f *following, e federate.Store) error {
	if n.full && n.w.dice.chance(0.7) {
		return errDisk
	}
	if err := f.shelf.Take(e.Taking); err != nil {
		return err
	}
	if n.full {
		return errDisk
	}
	return nil
}

func (n *node) hear(f *following, e federate.Notice) {
	switch e.Kind {
	case federate.NoticeMismatch:
		if c, err := e.Evidence.Verify(); err != nil || c.Party != f.of.author.Party {
			n.w.fail(fmt.Errorf("node %d holds evidence that does not verify: %w", n.no, err))
		}
		if f.of.face == nil {
			n.w.fail(fmt.Errorf("node %d accuses the honest node %d: %s", n.no, f.of.no, e.Text))
		}
		f.evidence[e.Evidence.ID()] = true
	}
}

// rested gives up a source that does not work, for the author or for somebody who mirrors.
func (n *node) rested(f *following, e federate.Rest) {
	if e.Err == nil {
		f.troubles = 0
		if host := n.w.nodes[n.w.dice.IntN(n.w.cfg.Members)]; len(f.shelf.absent) > 0 && host != n {
			f.source = host // what one does not have, another may
			return
		}
		if n.w.dice.chance(0.3) && !f.of.dead {
			f.source = f.of // a mirror of mirrors may never hear of anything new
		}
		return
	}
	if f.troubles++; f.troubles%3 == 0 {
		if host := n.w.nodes[n.w.dice.IntN(n.w.cfg.Members)]; f.source == f.of && host != n {
			f.source = host
		} else {
			f.source = f.of
		}
	}
}

var errNoAnswer = errors.New("no answer")

// fetch sends a request over the network and brings what comes of it.
func (n *node) fetch(f *following, host *node, r federate.Request, deliver func(time.Duration, func() federate.Event)) {
	w := n.w
	answerAt := time.Duration(1+w.dice.IntN(400)) * time.Millisecond
	if w.loses() || w.apart(n, host) || host.down {
		deliver(patience, func() federate.Event { return federate.Came{Request: r, Err: errNoAnswer, Now: n.clock()} })
		return
	}
	came := func() federate.Event {
		b, err := host.answer(n, f.of, r)
		return federate.Came{Request: r, Body: federate.Body{Bytes: b}, Err: err, Now: n.clock()}
	}
	deliver(answerAt, came)
	if !w.healed && w.dice.chance(w.cfg.Repeat) {
		deliver(answerAt+time.Duration(w.dice.IntN(900))*time.Millisecond, came)
	}
}

// talk compares what is here of each log with what somebody else shows, as a host's list of changes does.
func (n *node) talk() {
	host := n.w.nodes[n.w.dice.IntN(n.w.cfg.Members)]
	if host == n || host.down || n.w.apart(n, host) || n.w.loses() || !host.serves(n) {
		return
	}
	for _, f := range n.order {
		if f.of == host {
			continue
		}
		if theirs := host.follows[f.of.author.Log.ID].shelf.Head(); theirs.Size > 0 && (theirs != f.shelf.Head() || len(f.shelf.absent) > 0) {
			n.look(f, host, true)
		}
	}
}
