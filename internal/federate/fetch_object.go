package federate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"

	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

const (
	// maxRead is the largest object that is read for what it may name: keyrings, and epochs with the wraps of all members.
	maxRead = 2 << 20
	// maxOpened is how large, decompressed, the envelope of one of those can be.
	maxOpened = 8 << 20
	// goingOn is how many bytes of a large object make a request that breaks off one that was worth it.
	goingOn = 4 << 10
)

// fetchObject fetches an object. A large one is written to its file while it comes, so that it waits for its leaf on the disk
// and not in memory; it is asked for again, from where the line broke, as long as each request brings some of it.
func (x *round) fetchObject(ctx context.Context, hash [32]byte) (Body, error) {
	for tries := 1; ; tries++ {
		had := x.r.Shelf.Arrived(hash)
		body, err := x.tryObject(ctx, hash, had)
		if fetch.KindOf(err) != fetch.BrokenOff || ctx.Err() != nil {
			return body, err
		}
		if x.r.Shelf.Arrived(hash) >= had+goingOn {
			tries = 0
		}
		if tries >= fetch.Tries {
			return body, err
		}
	}
}

func (x *round) tryObject(ctx context.Context, hash [32]byte, had int64) (Body, error) {
	if had > 0 {
		return x.takeObject(hash, func(have int64) (io.ReadCloser, int64, error) { return x.open(ctx, hash, have) })
	}
	first, _, err := x.open(ctx, hash, 0)
	if err != nil {
		return Body{}, err
	}
	defer func() { _ = first.Close() }()
	head, err := io.ReadAll(io.LimitReader(first, store.SmallObject+1))
	if err != nil || len(head) <= store.SmallObject {
		if err == nil && sha256.Sum256(head) != hash {
			x.refused(otherBytes(hash)) // the state refuses it
		}
		return Body{Bytes: head}, err
	}
	begun := false
	return x.takeObject(hash, func(have int64) (io.ReadCloser, int64, error) {
		if have == 0 && !begun {
			begun = true
			return io.NopCloser(io.MultiReader(bytes.NewReader(head), first)), 0, nil
		}
		return x.open(ctx, hash, have)
	})
}

// takeObject has a large object written to its file. The bytes of one that may be a keyring or an epoch are kept as well.
func (x *round) takeObject(hash [32]byte, open store.From) (Body, error) {
	size, err := x.r.Shelf.TakeObject(hash, open)
	if errors.Is(err, store.ErrOtherBytes) {
		x.refused(otherBytes(hash)) // the state refuses it
		return Body{File: true, Size: size}, nil
	}
	body := Body{File: true, Hash: hash, Size: size}
	if err != nil || size > maxRead {
		return body, err
	}
	b, err := x.r.Shelf.TakenObject(hash, maxRead)
	if form, bad := record.ObjectForm(b); bad == nil && form == record.FormClear {
		body.Bytes = b
	}
	return body, err
}

// open asks the host for an object from a place on, and says where what comes begins.
func (x *round) open(ctx context.Context, hash [32]byte, from int64) (io.ReadCloser, int64, error) {
	if s, ok := x.src.(Stream); ok {
		a, err := s.OpenObject(ctx, hash, from)
		if err != nil {
			return nil, 0, err
		}
		return a, a.From, nil
	}
	b, err := x.src.Object(ctx, hash)
	return io.NopCloser(bytes.NewReader(b)), 0, err
}

func otherBytes(hash [32]byte) error {
	return fetch.Refuse(fetch.WrongHash, "the host sent other bytes than object %x", hash[:8])
}

// refused counts an error that is the host's.
func (x *round) refused(err error) {
	if x.r.Refused != nil && fetch.KindOf(err) != "" {
		x.r.Refused(x.f.state.log, x.from, err)
	}
}
