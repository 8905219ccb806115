package simulate

import (
	"fmt"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
)

// plan sets down what will happen: what people do, what machines do by themselves, and what goes wrong.
func (w *World) plan() {
	w.planPeople()
	w.planMachines()
	w.planTrouble()
	w.in(trouble, w.heal)
}

func (w *World) sometime() time.Duration { return time.Duration(w.dice.Int64N(int64(trouble))) }

func (w *World) planPeople() {
	w.nodes[0].act(agreement.Act{Act: agreement.ActPropose, Definition: w.text})
	w.every(30*time.Second, w.people)
	for i := range w.cfg.Records {
		author, sealed := w.nodes[w.dice.IntN(w.cfg.Members)], w.dice.chance(0.5)
		w.in(w.sometime(), func() {
			if !author.left && !author.dead && author.face == nil {
				author.write(&letter{text: fmt.Sprintf("record %d", i), sealed: sealed})
			}
		})
	}
	for range w.cfg.Withdrawals {
		if w.cfg.Members < 4 {
			break
		}
		who := w.nodes[2+w.dice.IntN(w.cfg.Members-2)]
		w.in(trouble/4+w.sometime()*3/4, func() {
			if who.roll.Connected(who.author.Party) && !who.left && who.face == nil {
				who.left = true
				who.act(agreement.Act{Act: agreement.ActWithdraw})
			}
		})
	}
}

// people do what the state of the roll that they know lets them do.
func (w *World) people() {
	second := w.nodes[1]
	if !second.acted && second.roll.Phase() == agreement.Proposed {
		if open := second.roll.OpenProposals(); len(open) == 1 {
			second.acted = true
			second.act(agreement.Act{Act: agreement.ActApprove, Parent: second.roll.Basis().String(), Proposal: open[0].Leaf})
		}
	}
	for _, n := range w.nodes[2:w.cfg.Members] {
		// A newcomer hears by telephone that there is something to join.
		if !n.acted && w.keeper().roll.Phase() == agreement.InForce && w.dice.chance(0.2) {
			n.acted = true
			n.act(agreement.Act{Act: agreement.ActJoin})
		}
	}
	if w.nodes[0].dead && w.healed {
		for _, n := range w.nodes[1:w.cfg.Members] {
			n.vote()
		}
	}
	for _, n := range w.nodes {
		n.deliver()
	}
}

func (w *World) planMachines() {
	for _, n := range w.nodes {
		for _, f := range n.order {
			w.every(lookEvery, func() { n.look(f, f.source, f.source != f.of) })
		}
		w.every(talkEvery, n.talk)
		w.every(time.Minute, func() {
			n.settle()
			if !n.unsettled && !n.down && n.leader() == nil && len(n.writers) == 1 {
				n.up()
			}
			n.gather()
		})
		if len(n.writers) > 1 {
			for _, x := range n.writers {
				w.every(leaseTime/6, x.tick)
			}
		}
	}
	for _, n := range w.nodes[:2] {
		w.every(10*time.Second, n.enter)
	}
}

func (w *World) planTrouble() {
	c := w.cfg
	if c.LyingMirror {
		w.nodes[1+w.dice.IntN(c.Members-1)].liar = true
	}
	if c.LyingAuthor && c.Members > 3 {
		n := w.nodes[2+w.dice.IntN(c.Members-2)]
		w.in(w.sometime(), func() { w.fork(n) })
	}
	for range c.Restarts {
		n := w.anybody()
		w.in(w.sometime(), func() {
			n.restart()
			n.down = true
			w.in(time.Duration(w.dice.IntN(600))*time.Second, n.up)
		})
	}
	for range c.Pauses {
		n := w.nodes[w.dice.IntN(c.Members)]
		w.in(w.sometime(), func() {
			if x := n.leader(); x != nil {
				x.until = w.now + time.Duration(w.dice.IntN(600))*time.Second
			}
		})
	}
	for range c.Backups {
		n := w.nodes[w.dice.IntN(len(w.nodes))]
		at := w.sometime()
		w.in(at-at/time.Duration(2+w.dice.IntN(6)), n.keep)
		w.in(at, n.putBack)
	}
	for range c.FullDisks {
		n := w.nodes[w.dice.IntN(len(w.nodes))]
		w.in(w.sometime(), func() {
			n.full = true
			w.in(time.Duration(w.dice.IntN(1200))*time.Second, func() { n.full = false })
		})
	}
	for range c.Partitions {
		side := map[int]bool{}
		for _, n := range w.nodes {
			side[n.no] = w.dice.chance(0.5)
		}
		from, length := w.sometime(), time.Duration(w.dice.IntN(2400))*time.Second
		w.in(from, func() { w.split(side, 1) })
		w.in(from+length, func() { w.split(side, -1) })
	}
	if c.SilentDepositary {
		w.in(trouble/3+w.sometime()*2/3, func() {
			dep := w.nodes[0]
			dep.restart()
			dep.down, dep.dead = true, true
		})
	}
}

func (w *World) anybody() *node { return w.nodes[1+w.dice.IntN(len(w.nodes)-1)] }

// keeper is who keeps the roll, or will.
func (w *World) keeper() *node {
	if w.nodes[0].dead {
		return w.nodes[1]
	}
	return w.nodes[0]
}

// fork lets an author go on with two histories, once it is a member and has nothing else to hide.
func (w *World) fork(n *node) {
	if n.left || n.face != nil || w.healed {
		return
	}
	if n.unsettled || n.down || !n.roll.Connected(n.author.Party) || n.disk.head.Size != n.disk.tree.Size() {
		w.in(time.Minute, func() { w.fork(n) })
		return
	}
	for _, x := range n.writers {
		x.stop()
	}
	n.letters = nil
	n.author.Log = n.disk.tree
	fork, err := n.disk.tree.Fork(n.disk.tree.Size())
	w.fail(err)
	n.face = fork
	for i := range 3 {
		w.in(time.Duration(1+w.dice.IntN(300))*time.Second, func() {
			w.fail(n.disk.tree.Append(fmt.Appendf(nil, "rec:one face %d", i)))
			w.fail(n.face.Append(fmt.Appendf(nil, "rec:another face %d", i)))
		})
	}
}

// heal ends all trouble. Who lies goes on lying, who is dead stays dead: then, a day later, the others go on without it.
func (w *World) heal() {
	w.healed = true
	for _, n := range w.nodes {
		n.full = false
		for _, x := range n.writers {
			x.until = min(x.until, w.now)
		}
		if n.down {
			n.up()
		}
	}
	if w.nodes[0].dead {
		w.in(20*time.Minute, func() { w.start = w.start.Add(24 * time.Hour) })
	}
	w.in(25*time.Minute, w.mayEnd)
}

// mayEnd ends the world early once everything has come right, and is still so a while later.
func (w *World) mayEnd() {
	if w.check() != nil {
		w.rightSince = 0
	} else if w.rightSince == 0 {
		w.rightSince = w.now
	} else if w.now-w.rightSince >= stillRight {
		w.ended = true
		return
	}
	w.in(stillRight, w.mayEnd)
}
