package node

import (
	"errors"
	"fmt"
)

// Code sorts what can go wrong by what the caller can do about it. The HTTP API maps it to a status, the command line
// to an exit code.
type Code string

// The codes.
const (
	CodeInvalid     Code = "invalid"     // the input is malformed or breaks a rule: correct it
	CodeForbidden   Code = "forbidden"   // the caller, key or role may not do this
	CodeSecond      Code = "second"      // the password was right; a code is wanted as well
	CodeNotFound    Code = "not-found"   // there is no such thing here
	CodeGone        Code = "gone"        // it was here and has been erased
	CodeConflict    Code = "conflict"    // the state has moved on: look again, then retry
	CodeNoLog       Code = "no-log"      // this party has no log under the agreement: its root key opens one
	CodeBehind      Code = "behind"      // this node may be behind its own published history: restore settles it
	CodeBusy        Code = "busy"        // too much of it at once: wait
	CodeUnavailable Code = "unavailable" // another process holds the lease, the disk is full: retry later
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

// CodeOf gives err's code, or "" where it carries none.
func CodeOf(err error) Code {
	var f *Fault
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}

func faultf(code Code, remedy, format string, args ...any) *Fault {
	return &Fault{Code: code, What: fmt.Sprintf(format, args...), Remedy: remedy}
}

func errReadOnly() error {
	return &Fault{Code: CodeUnavailable, What: "this process only reads the node", Err: errors.New("read-only"), Remedy: "use the node's daemon"}
}

func errUnsettled(doing string) error {
	return faultf(CodeBehind, "settle it with 'mithaq restore'", "%s: this node was restored, or a follower is ahead of it: it does not know how far its logs had grown", doing)
}
