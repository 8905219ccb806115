package policy

import (
	"errors"
	"fmt"
)

// Grant is the proof that a decision allowed one item to leave by one exit. Only Decide makes one that is worth
// anything: the zero Grant opens nothing. Functions that hand data out take a Grant, or a Guarded value that needs one,
// so that an exit which forgot to ask does not compile, and one which asked about something else fails.
type Grant struct {
	allowed   bool
	exit      Exit
	use       Use
	party     string
	person    string
	id        string
	part      string
	agreement string
	author    string
	marking   Marking
}

func grantFor(q *Request) Grant {
	return Grant{
		allowed: true, exit: q.Exit, use: q.Use, party: q.Principal.Party, person: q.Principal.Person,
		id: q.Item.ID, part: q.Item.Part, agreement: q.Item.Agreement, author: q.Item.Author, marking: q.Item.Marking,
	}
}

// ErrNotGranted is what opening without the right Grant returns. It is a mistake of the program, never of a user.
var ErrNotGranted = errors.New("no decision allowed this")

// Covers returns nil when the grant is for handing this item out by this exit, and else an error that wraps
// ErrNotGranted. The whole of an item covers its parts; a part covers only itself.
func (g Grant) Covers(exit Exit, it Item) error {
	switch {
	case !g.allowed:
		return fmt.Errorf("handing out %s: %w", it.ID, ErrNotGranted)
	case g.exit != exit:
		return fmt.Errorf("handing out %s by %s: the decision was for %s: %w", it.ID, exit, g.exit, ErrNotGranted)
	case g.id != it.ID || g.agreement != it.Agreement || g.author != it.Author || g.marking != it.Marking,
		g.part != "" && g.part != it.Part:
		return fmt.Errorf("handing out %s: the decision was about %s: %w", it.ID, g.id, ErrNotGranted)
	}
	return nil
}

// Exit returns the exit the grant is for.
func (g Grant) Exit() Exit { return g.exit }

// Use returns what the principal may do with the item.
func (g Grant) Use() Use { return g.use }

// Party returns the id of the party it was granted to, for the audit.
func (g Grant) Party() string { return g.party }

// Person returns the officer's key id, or "".
func (g Grant) Person() string { return g.person }

// Guarded is a value that can be had only with a decision about the item it belongs to. Whoever reads values from a
// store guards them there and then; every exit has to open them.
type Guarded[T any] struct {
	item  Item
	value T
}

// Guard puts a value under its item's marking, audience and restrictions.
func Guard[T any](it Item, value T) Guarded[T] { return Guarded[T]{item: it, value: value} }

// Item returns what the value belongs to, for asking and for counting, not for showing.
func (g Guarded[T]) Item() Item { return g.item }

// Open returns the value when the grant is for its item and this exit.
func (g Guarded[T]) Open(exit Exit, grant Grant) (T, error) {
	if err := grant.Covers(exit, g.item); err != nil {
		var none T
		return none, err
	}
	return g.value, nil
}

// Ask decides about a guarded value and returns it when it is allowed. The request's item is the guard's own, whatever
// the caller put there. It is how an exit is usually written.
func Ask[T any](d *Decider, q Request, g Guarded[T]) (value T, decision Decision) {
	q.Item = g.item
	decision = d.Decide(q)
	if decision.Allow {
		value = g.value
	}
	return value, decision
}
