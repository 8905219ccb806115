package main

import (
	"fmt"
	"strings"

	"github.com/mithaq/mithaq/internal/node"
)

// printWitnesses says who watches the roll, what waits for them, and what they do not vouch for.
func printWitnesses(p func(name, value string), w *node.RollWitnesses) {
	if w == nil {
		return
	}
	var who []string
	for _, x := range w.Of {
		switch {
		case x.Signed:
			who = append(who, x.Label+" (co-signed)")
		case !x.Known:
			who = append(who, x.Label+" (its key is not known here: mithaq peer add URL --witness)")
		default:
			who = append(who, x.Label)
		}
	}
	p("witnesses", fmt.Sprintf("%d of %d must co-sign: %s", w.K, len(w.Of), strings.Join(who, ", ")))
	if w.Waiting > 0 {
		p("waits", plural(w.Waiting, "act")+waitsFor(true, w))
	}
	if w.Text != "" {
		p("", "version "+w.Text+" was agreed on and is not in effect yet")
	}
	p("", w.Note)
}

// waitsFor says for how many witnesses something waits, after what it is about.
func waitsFor(waits bool, w *node.RollWitnesses) string {
	if !waits || w == nil {
		return ""
	}
	return fmt.Sprintf("  waits for %s: has %d", plural(w.K, "witness", "witnesses"), w.Has)
}
