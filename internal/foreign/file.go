package foreign

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/fetch"
)

// FileVersion is which version of a file was taken.
type FileVersion struct {
	Tag  string `json:"tag,omitempty"` // the server's ETag
	Hash string `json:"hash"`          // SHA-256 of the bytes
}

// File reads a file, or gives nil where it is the version that was taken before. user and secret are for Basic; a secret without a user is
// a bearer token.
func File(ctx context.Context, address, user, secret string, before FileVersion) ([]byte, FileVersion, error) {
	get := newGetter(credentials(user, secret))
	defer get.client.CloseIdleConnections()
	tooLong := fault.New(fault.Invalid, "split it", "reading %s: it is larger than %d bytes", address, MaxFile)
	file, err := get.get(ctx, address, before.Tag)
	if fetch.KindOf(err) == fetch.TooLong {
		return nil, before, tooLong
	}
	if err != nil {
		return nil, before, &fault.Fault{Code: fault.Unavailable, What: "reading " + address, Err: err, Remedy: cmp.Or(fetch.Distrust(err), "check the URL and the credentials; it is tried again at its time")}
	}
	if file.Unchanged {
		return nil, before, nil
	}
	defer func() { _ = file.Body.Close() }() // it was only read
	b, err := io.ReadAll(file.Body)
	switch {
	case fetch.KindOf(err) == fetch.TooLong:
		return nil, before, tooLong
	case err != nil:
		return nil, before, &fault.Fault{Code: fault.Unavailable, What: "reading " + address, Err: err, Remedy: "it is tried again at its time"}
	}
	sum := sha256.Sum256(b)
	now := FileVersion{Tag: file.Tag, Hash: hex.EncodeToString(sum[:])}
	if now.Hash == before.Hash {
		return nil, now, nil
	}
	return b, now, nil
}
