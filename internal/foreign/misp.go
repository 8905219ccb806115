package foreign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/misp"
	"github.com/mithaq/mithaq/internal/fault"
)

// MISP opens one file of a MISP feed by its name. A file that is not there is fs.ErrNotExist.
type MISP func(ctx context.Context, name string) (io.ReadCloser, error)

// Events lists the feed's events: by its manifest, else by its hashes.
func Events(ctx context.Context, feed MISP, report *exchange.Report) ([]misp.Entry, error) {
	r, err := feed(ctx, misp.ManifestName)
	read := misp.ReadManifest
	if errors.Is(err, fs.ErrNotExist) {
		r, err = feed(ctx, misp.HashesName)
		read = misp.ReadHashes
	}
	if err != nil {
		return nil, fmt.Errorf("reading the feed: %w", err)
	}
	defer func() { _ = r.Close() }() // it was only read
	entries, found, err := read(r)
	for _, l := range found.Losses {
		report.Lose(l.Place, "%s", l.Why)
	}
	return entries, err
}

// Event reads an event of a feed. One that is not there is fs.ErrNotExist.
func Event(ctx context.Context, feed MISP, e misp.Entry) ([]byte, error) {
	r, err := feed(ctx, e.FileName())
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it was only read
	b, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s of the feed: %w", e.FileName(), err)
	}
	if len(b) > MaxFile {
		return nil, fmt.Errorf("reading %s of the feed: it is larger than %d bytes", e.FileName(), MaxFile)
	}
	return b, nil
}

// MISPFolder is a feed in a folder. Nothing outside of it is opened.
func MISPFolder(root *os.Root) MISP {
	return func(_ context.Context, name string) (io.ReadCloser, error) { return root.Open(name) }
}

// MISPOverHTTP is a feed that a web server offers below an address. key, where it is not empty, is sent as MISP's own
// servers want it.
func MISPOverHTTP(base, key string) (MISP, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fault.New(fault.Invalid, "write for example https://feed.example/misp/", "reading a feed: %s is no http or https address", fault.Clip(base))
	}
	get := newGetter(key)
	return func(ctx context.Context, name string) (io.ReadCloser, error) {
		resp, err := get.get(ctx, u.JoinPath(name).String(), "")
		if err != nil {
			return nil, fmt.Errorf("reading %s of the feed: %w", name, err)
		}
		return resp.Body, nil
	}, nil
}
