// Package fault is the errors that a person is told of: what happened and where, what to do next, and a code that the HTTP API and
// the command line go by.
//
// It promises that whoever meets an error of the store or of a ledger through [OfStore] finds its code there. It is not for errors
// within a package, which are wrapped as usual. Start reading at [Fault].
package fault

import (
	"errors"
	"fmt"

	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/store"
)

// Code sorts what can go wrong by what the caller can do about it. The HTTP API maps it to a status, the command line
// to an exit code.
type Code string

// The codes.
const (
	Invalid     Code = "invalid"     // the input is malformed or breaks a rule: correct it
	Forbidden   Code = "forbidden"   // the caller, key or role may not do this
	Second      Code = "second"      // the password was right; a code is wanted as well
	NotFound    Code = "not-found"   // there is no such thing here
	Gone        Code = "gone"        // it was here and has been erased
	Conflict    Code = "conflict"    // the state has moved on: look again, then retry
	NoLog       Code = "no-log"      // this party has no log under the agreement: its root key opens one
	Behind      Code = "behind"      // this node may be behind its own published history: restore settles it
	Busy        Code = "busy"        // too much of it at once: wait
	Unavailable Code = "unavailable" // another process holds the lease, the disk is full: retry later
)

// Fault is an error for a person: what happened and where, and what to do next.
type Fault struct {
	Code   Code
	What   string // lower case, one line: "doing what: why", with the place
	Remedy string // an imperative sentence without a full stop; may be empty
	Err    error  // what lies under it; may be nil
}

func (f *Fault) Error() string {
	msg := f.What
	if f.Err != nil {
		msg += ": " + f.Err.Error()
	}
	if f.Remedy != "" {
		msg += ": " + f.Remedy
	}
	return msg
}

func (f *Fault) Unwrap() error { return f.Err }

// New makes a Fault with nothing under it.
func New(code Code, remedy, format string, args ...any) *Fault {
	return &Fault{Code: code, What: fmt.Sprintf(format, args...), Remedy: remedy}
}

// CodeOf gives err's code, or "" where it carries none.
func CodeOf(err error) Code {
	var f *Fault
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}

// Clip keeps what a stranger wrote short enough for a message, in quotation marks.
func Clip(s string) string {
	if len(s) > 80 {
		s = s[:80] + "…"
	}
	return fmt.Sprintf("%q", s)
}

// OfStore gives an error of the store or the ledger its code.
func OfStore(err error) error {
	var behind *ledger.ErrBehind
	var fence *ledger.ErrFence
	switch {
	case err == nil:
		return nil
	case CodeOf(err) != "":
		return err
	case errors.Is(err, store.ErrLeaseHeld), errors.Is(err, store.ErrLocked):
		return &Fault{Code: Unavailable, What: "another process runs on this node", Err: err, Remedy: "stop it, or use it"}
	case errors.As(err, &behind):
		return &Fault{Code: Behind, What: err.Error(), Err: err, Remedy: "run 'mithaq restore'"}
	case errors.As(err, &fence):
		return &Fault{Code: Conflict, What: "the keyring changed meanwhile", Err: err, Remedy: "try again"}
	case errors.Is(err, ledger.ErrUnsettled):
		return &Fault{Code: Unavailable, What: "reading recalls", Err: err, Remedy: "ask again in a moment"}
	case errors.Is(err, ledger.ErrRetired):
		return &Fault{Code: Conflict, What: "publishing", Err: err}
	case errors.Is(err, ledger.ErrNotFound), errors.Is(err, store.ErrNotFound):
		return &Fault{Code: NotFound, What: "looking it up", Err: err}
	case errors.Is(err, ledger.ErrTooLarge):
		return &Fault{Code: Invalid, What: "publishing", Err: err}
	case errors.Is(err, store.ErrFull), errors.Is(err, store.ErrReadOnly), errors.Is(err, store.ErrLeaseLost),
		errors.Is(err, ledger.ErrNotPublished), errors.Is(err, ledger.ErrClosed):
		return &Fault{Code: Unavailable, What: "writing to the store", Err: err}
	}
	return err
}
