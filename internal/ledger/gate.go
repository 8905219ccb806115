package ledger

import (
	"context"
	"errors"
	"net/http"

	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/store"
)

// Gate puts the one question of every exit, "may this caller have this?", for logs and for objects. It knows who sent a
// request; this package does not.
type Gate interface {
	// Log asks about a log: its checkpoints, tiles, leaves and tombstones. The grant opens the item for policy.ToLog.
	Log(r *http.Request, l LogInfo) (policy.Item, policy.Grant, error)
	// Object asks about an object's bytes. It is asked only about an object in a log that the caller may have. The grant
	// opens the item for policy.ToObject.
	Object(r *http.Request, o Object) (policy.Item, policy.Grant, error)
}

var (
	// ErrWithheld: the object is there, and the sharing decision keeps it from the caller. It is no sign of a fault, and to
	// whoever does not care why, the object is not found.
	ErrWithheld error = withheld{}
	// ErrUnsettled: whether an object may leave is not known for the moment. A Gate returns it; callers are told to come back.
	ErrUnsettled = errors.New("whether it may leave is not known yet")
)

type withheld struct{}

func (withheld) Error() string {
	return "the sharing decision withholds this object from whoever asks without being entitled to it"
}
func (withheld) Unwrap() error { return ErrNotFound }

// guardedReader is a Reader whose bytes can be had with a grant only. The handler has no other.
type guardedReader struct {
	reader Reader
	gate   Gate
}

// outgoing is an answer's bytes with what was decided about them. Only opening it gives the bytes.
type outgoing struct {
	bytes policy.Guarded[content]
	exit  policy.Exit
	grant policy.Grant
}

// content is an answer's bytes, or the file that they are in.
type content struct {
	bytes []byte
	file  func() (store.File, error)
}

func (o outgoing) open() (content, error) { return o.bytes.Open(o.exit, o.grant) }

// log returns a log that the caller may have, and what opens its bytes. ErrNotFound also when it may not: it is not told
// that there is one.
func (g guardedReader) log(r *http.Request, id string) (LogInfo, func([]byte) outgoing, error) {
	info, err := g.reader.Log(r.Context(), id)
	if err != nil {
		return LogInfo{}, nil, err
	}
	item, grant, err := g.gate.Log(r, info)
	if err != nil {
		return LogInfo{}, nil, err
	}
	if grant.Covers(policy.ToLog(), item) != nil {
		return LogInfo{}, nil, ErrNotFound
	}
	return info, func(b []byte) outgoing {
		return outgoing{policy.Guard(item, content{bytes: b}), policy.ToLog(), grant}
	}, nil
}

func (g guardedReader) checkpoint(r *http.Request, id string) (LogInfo, outgoing, error) {
	info, guard, err := g.log(r, id)
	if err != nil {
		return info, outgoing{}, err
	}
	b, err := g.reader.Checkpoint(r.Context(), id)
	return info, guard(b), err
}

func (g guardedReader) tile(r *http.Request, res resource) (LogInfo, outgoing, error) {
	info, guard, err := g.log(r, res.logID)
	if err != nil {
		return info, outgoing{}, err
	}
	read := func(ctx context.Context) ([]byte, error) {
		if res.kind == resourceBundle {
			return g.reader.Bundle(ctx, res.logID, res.n, res.width)
		}
		return g.reader.Tile(ctx, res.logID, res.level, res.n, res.width)
	}
	b, err := read(r.Context())
	return info, guard(b), err
}

// object returns an object that is in a log which the caller may have; public when one of those logs is. ErrNotFound when
// there is no such log, ErrWithheld when there is and the object may not leave all the same.
func (g guardedReader) object(r *http.Request, hash Hash) (out outgoing, public bool, err error) {
	o, err := g.reader.Object(r.Context(), hash)
	var erased *ErrErased
	if err != nil && !errors.As(err, &erased) {
		return outgoing{}, false, err
	}
	known := false
	for _, l := range o.Logs {
		item, grant, err := g.gate.Log(r, l)
		if err != nil {
			return outgoing{}, false, err
		}
		if grant.Covers(policy.ToLog(), item) == nil {
			known, public = true, public || l.Public
		}
	}
	if !known {
		return outgoing{}, false, ErrNotFound
	}
	if erased != nil {
		return outgoing{}, public, err
	}
	item, grant, err := g.gate.Object(r, o)
	if err != nil {
		return outgoing{}, public, err
	}
	out = outgoing{policy.Guard(item, content{o.Bytes, o.File}), policy.ToObject(), grant}
	if grant.Covers(policy.ToObject(), item) != nil {
		return outgoing{}, public, ErrWithheld
	}
	return out, public, nil
}
