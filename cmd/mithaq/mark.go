package main

import (
	"context"
	"fmt"

	"github.com/mithaq/mithaq/internal/api"
)

// mark prints the line that stands above everything about something invented.
func mark(a *app, words string) {
	if words != "" {
		fmt.Fprintln(a.stdout, words)
		a.saidInvented()
	}
}

// tagged is the mark at the end of a line about something invented.
func tagged(a *app, words string) string {
	if words == "" {
		return ""
	}
	a.saidInvented()
	return "  [" + words + "]"
}

func (a *app) saidInvented() {
	if a.marked != nil {
		*a.marked = true
	}
}

// markParty says of the node of an invented party, after a command that had no place for it, that all of it is invented. It goes
// to standard error, so that what a program reads stays as it is; JSON carries the mark in its own members.
func (a *app) markParty(ctx context.Context, client *api.Client) {
	if a.marked == nil || *a.marked {
		return
	}
	if p, err := client.Party(ctx); err == nil && p.Mark != "" {
		fmt.Fprintln(a.stderr, p.Mark)
		a.saidInvented()
	}
}
