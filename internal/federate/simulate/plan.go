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
	dep := w.nodes[0]
	dep.entered = map[string]bool{}
	dep.act(agreement.Act{Act: agreement.ActPropose, Definition: w.text})
	dep.enter()
	w.every(30*time.Second, func() { w.people() })
	for i := range w.cfg.Records {
		author := w.nodes[w.dice.IntN(w.cfg.Members)]
		w.in(w.sometime(), func() {
			w.fail(author.author.Log.Append(fmt.Appendf(nil, "rec:%d by %d", i, author.no)))
		})
	}
	for range w.cfg.Withdrawals {
		if w.cfg.Members < 4 {
			break
		}
		who := w.nodes[2+w.dice.IntN(w.cfg.Members-2)]
		w.in(w.sometime(), func() {
			if who.roll.Connected(who.author.Party) && !who.left && who.face == nil {
				who.left = true
				who.act(agreement.Act{Act: agreement.ActWithdraw})
			}
		})
	}
}

// people do what the state of the roll that they know lets them do. A newcomer's act reaches the depositary by hand, over the
// same bad network: it tries until the roll that comes back has it.
func (w *World) people() {
	second := w.nodes[1]
	if !second.acted && second.roll.Phase() == agreement.Proposed {
		second.acted = true
		first := ""
		for leaf := range w.nodes[0].entered {
			first = leaf // there is one
		}
		second.act(agreement.Act{Act: agreement.ActApprove, Parent: second.roll.Basis().String(), Proposal: first})
	}
	for _, n := range w.nodes[2:w.cfg.Members] {
		if !n.acted && w.nodes[0].roll.Phase() == agreement.InForce && w.dice.chance(0.2) {
			n.acted = true
			n.act(agreement.Act{Act: agreement.ActJoin})
		}
	}
}

func (w *World) planMachines() {
	for _, n := range w.nodes {
		for _, f := range n.order {
			w.every(lookEvery, func() { n.look(f, f.source, f.source != f.of) })
		}
		w.every(talkEvery, func() {
			f := n.order[w.dice.IntN(len(n.order))]
			host := w.nodes[w.dice.IntN(w.cfg.Members)]
			if host != f.of {
				n.look(f, host, true)
			}
		})
	}
	w.every(10*time.Second, w.nodes[0].enter)
	w.every(time.Minute, func() {
		for _, n := range w.nodes[:w.cfg.Members] {
			key, err := n.key()
			w.fail(err)
			for _, x := range w.watches {
				w.fail(x.cosign(n.author.Log, key))
				if n.face != nil {
					w.fail(x.cosign(n.face, key))
				}
			}
		}
	})
}

func (w *World) planTrouble() {
	if w.cfg.LyingMirror {
		w.nodes[1+w.dice.IntN(w.cfg.Members-1)].liar = true
	}
	if w.cfg.LyingAuthor && w.cfg.Members > 3 {
		w.planFork(w.nodes[2+w.dice.IntN(w.cfg.Members-2)])
	}
	for range w.cfg.Restarts {
		n := w.anybody()
		w.in(w.sometime(), func() {
			n.restart()
			n.down = true
			w.in(time.Duration(w.dice.IntN(600))*time.Second, func() { n.down = false })
		})
	}
	for range w.cfg.Backups {
		n := w.anybody()
		at := w.sometime()
		w.in(at/2, func() {
			for _, f := range n.order {
				f.backup = f.shelf.Copy()
			}
		})
		w.in(at, func() { n.putBack() })
	}
	for range w.cfg.FullDisks {
		n := w.anybody()
		w.in(w.sometime(), func() {
			n.full = true
			w.in(time.Duration(w.dice.IntN(1200))*time.Second, func() { n.full = false })
		})
	}
	for range w.cfg.Partitions {
		side := map[int]bool{}
		for _, n := range w.nodes {
			side[n.no] = w.dice.chance(0.5)
		}
		from, length := w.sometime(), time.Duration(w.dice.IntN(2400))*time.Second
		w.in(from, func() { w.split(side, 1) })
		w.in(from+length, func() { w.split(side, -1) })
	}
	if w.cfg.SilentDepositary {
		w.in(w.sometime(), func() {
			w.nodes[0].restart()
			w.nodes[0].down = true
		})
	}
}

func (w *World) anybody() *node { return w.nodes[1+w.dice.IntN(len(w.nodes)-1)] }

// planFork lets an author go on with two histories from some moment.
func (w *World) planFork(n *node) {
	w.in(w.sometime(), func() {
		fork, err := n.author.Log.Fork(n.author.Log.Size())
		w.fail(err)
		n.face = fork
		for i := range 3 {
			w.in(time.Duration(1+w.dice.IntN(300))*time.Second, func() {
				w.fail(n.author.Log.Append(fmt.Appendf(nil, "rec:one face %d", i)))
				w.fail(n.face.Append(fmt.Appendf(nil, "rec:another face %d", i)))
			})
		}
	})
}

func (n *node) putBack() {
	n.restart()
	for _, f := range n.order {
		if f.backup != nil {
			f.shelf = f.backup.Copy()
		}
	}
	n.folded = 0
	n.fold()
}

func (w *World) split(side map[int]bool, by int) {
	for _, a := range w.nodes {
		for _, b := range w.nodes {
			if side[a.no] != side[b.no] {
				w.cut[[2]int{a.no, b.no}] += by
			}
		}
	}
}

func (w *World) apart(a, b *node) bool { return !w.healed && w.cut[[2]int{a.no, b.no}] > 0 }

// heal ends all trouble. Who lies goes on lying.
func (w *World) heal() {
	w.healed = true
	for _, n := range w.nodes {
		n.down, n.full = false, false
	}
}
