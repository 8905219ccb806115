package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mithaq/mithaq/internal/fetch"
)

// Source is where a log is fetched from. Nothing it returns is trusted: whoever uses it checks every byte.
type Source interface {
	Checkpoint(ctx context.Context) ([]byte, error)
	// Tile returns width hashes of a tile.
	Tile(ctx context.Context, level int, n int64, width int) ([]byte, error)
	// Entries returns an entry bundle of width leaves.
	Entries(ctx context.Context, n int64, width int) ([]byte, error)
	// Object returns the bytes of an object; they hash to its name. *ErrErased when it was destroyed.
	Object(ctx context.Context, hash [32]byte) ([]byte, error)
}

// StoreSource is a log that a Reader holds.
func StoreSource(r Reader, logID string) Source { return &readerSource{r, logID} }

type readerSource struct {
	r  Reader
	id string
}

func (s *readerSource) Checkpoint(ctx context.Context) ([]byte, error) {
	return s.r.Checkpoint(ctx, s.id)
}

func (s *readerSource) Tile(ctx context.Context, level int, n int64, width int) ([]byte, error) {
	return s.r.Tile(ctx, s.id, level, n, width)
}

func (s *readerSource) Entries(ctx context.Context, n int64, width int) ([]byte, error) {
	return s.r.Bundle(ctx, s.id, n, width)
}

func (s *readerSource) Object(ctx context.Context, hash [32]byte) ([]byte, error) {
	o, err := s.r.Object(ctx, hash)
	if err != nil {
		return nil, err
	}
	return o.All()
}

// HTTPOptions change how an HTTPSource fetches.
type HTTPOptions struct {
	// Token is sent as "Authorization: Bearer …" when not empty.
	Token string
	// Transport makes the requests. Default: one of its own, with up to 32 connections.
	Transport http.RoundTripper
	// Patience is how long the server may take to begin an answer, and for each [fetch.Pace] bytes of it. Default: 30 s.
	Patience time.Duration
}

// HTTPLog is a log that is fetched over HTTP from a server that may be hostile: sizes are limited by what is asked for, redirects
// are refused, and who trickles is given up. What it refuses is a [*fetch.Error].
type HTTPLog struct {
	base     string // ends in …/log/<id>
	root     string // what /object/ hangs under
	token    string
	patience time.Duration
	client   *http.Client
	single   atomic.Bool // the server knows no batches of objects
}

// HTTPSource fetches the log at a URL that ends in /log/<id>.
func HTTPSource(logURL, token string) (Source, error) {
	return HTTPSourceWith(logURL, HTTPOptions{Token: token})
}

// HTTPSourceWith is HTTPSource with options.
func HTTPSourceWith(logURL string, o HTTPOptions) (*HTTPLog, error) {
	u, err := url.Parse(strings.TrimSuffix(logURL, "/"))
	if err != nil {
		return nil, fmt.Errorf("log URL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("log URL %q must be http(s)://host/…/log/<id>", logURL)
	}
	i := strings.LastIndex(u.Path, "/log/")
	if i < 0 || !validLogID(u.Path[i+len("/log/"):]) {
		return nil, fmt.Errorf("log URL %q must end in /log/<id>", logURL)
	}
	if o.Transport == nil {
		o.Transport = fetch.NewTransport(fetch.TransportOptions{Private: true}) // a person named the address
	}
	root := *u
	root.Path = u.Path[:i]
	return &HTTPLog{base: u.String(), root: root.String(), token: o.Token, patience: o.Patience,
		client: &http.Client{Transport: o.Transport, CheckRedirect: fetch.NoRedirect}}, nil
}

// Media types of what a log is made of. Static servers send everything but JSON as one of the first two.
func typesOfText() []string  { return []string{"text/plain", "application/octet-stream"} }
func typesOfBytes() []string { return []string{"application/octet-stream", "binary/octet-stream"} }
func typesOfJSON() []string {
	return []string{"application/json", "text/plain", "application/octet-stream"}
}

// Checkpoint implements Source.
func (s *HTTPLog) Checkpoint(ctx context.Context) ([]byte, error) {
	return s.get(ctx, s.base+"/checkpoint", typesOfText(), maxCheckpoint, -1)
}

// Tile implements Source.
func (s *HTTPLog) Tile(ctx context.Context, level int, n int64, width int) ([]byte, error) {
	return s.get(ctx, s.base+"/"+tilePath(level, n, width), typesOfBytes(), int64(width*hashSize), int64(width*hashSize))
}

// Entries implements Source.
func (s *HTTPLog) Entries(ctx context.Context, n int64, width int) ([]byte, error) {
	return s.get(ctx, s.base+"/"+tilePath(-1, n, width), typesOfBytes(), int64(width*bundleEntry), int64(width*bundleEntry))
}

// maxKeyrings bounds the list of a log's keyrings.
const maxKeyrings = 16 << 20

// Keyrings fetches the list of the log's keyrings: a JSON array of envelopes, to be checked by whoever reads it.
func (s *HTTPLog) Keyrings(ctx context.Context) ([]byte, error) {
	return s.get(ctx, s.base+"/keyrings", typesOfJSON(), maxKeyrings, -1)
}

// Object implements Source.
func (s *HTTPLog) Object(ctx context.Context, hash [32]byte) ([]byte, error) {
	b, err := fetch.Again(ctx, func() ([]byte, error) {
		r, err := s.OpenObject(ctx, hash, 0)
		if err != nil {
			return nil, err
		}
		defer func() { _ = r.Close() }()
		return r.All()
	})
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(b) != hash {
		return nil, fetch.Refuse(fetch.WrongHash, "object %x: the server sent other bytes than it names", hash[:8])
	}
	return b, nil
}

// OpenObject is Object for reading the bytes as they come, MaxObject at most, from a place on; the answer says where they begin.
// Whether they hash to the name is the reader's to check.
func (s *HTTPLog) OpenObject(ctx context.Context, hash [32]byte, from int64) (*fetch.Answer, error) {
	target := fmt.Sprintf("%s/object/%x", s.root, hash[:])
	a, err := s.open(ctx, target, typesOfBytes(), MaxObject, from)
	var status *StatusError
	switch {
	case !errors.As(err, &status):
	case status.Status == http.StatusRequestedRangeNotSatisfiable && from > 0:
		return s.OpenObject(ctx, hash, 0) // what is here is longer than the object
	case status.Status == http.StatusGone:
		var t tombstoneJSON
		if err := json.Unmarshal(status.body, &t); err != nil {
			return nil, status
		}
		return nil, &ErrErased{Hash: hash, Tombstone: Tombstone{At: t.Erased, Issuer: t.By, Reason: t.Reason}}
	}
	return a, err
}

// StatusError is an answer that is not 200.
type StatusError struct {
	URL    string
	Status int
	body   []byte
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: the server answers %d %s", e.URL, e.Status, http.StatusText(e.Status))
}

func (e *StatusError) Unwrap() error {
	switch e.Status {
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusForbidden:
		return ErrWithheld
	}
	return nil
}

// get fetches at most limit bytes, and exactly want when that is not negative.
func (s *HTTPLog) get(ctx context.Context, target string, types []string, limit, want int64) ([]byte, error) {
	b, err := fetch.Again(ctx, func() ([]byte, error) {
		a, err := s.open(ctx, target, types, limit, 0)
		if err != nil {
			return nil, err
		}
		defer func() { _ = a.Close() }()
		return a.All()
	})
	if err != nil {
		return nil, err
	}
	if want >= 0 && int64(len(b)) != want {
		return nil, fetch.Refuse(fetch.WrongLength, "%s: the server sent %d bytes, not %d", target, len(b), want)
	}
	return b, nil
}

// open asks for a resource, from a place on. That it is not there, withheld, erased or not now, is an answer; another status is not.
func (s *HTTPLog) open(ctx context.Context, target string, types []string, limit, from int64) (*fetch.Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	a, err := fetch.Open(s.client, req, fetch.Limits{Bytes: limit, Types: types, Patience: s.patience, From: from})
	if err != nil {
		return nil, err
	}
	if a.Status == http.StatusOK {
		return a, nil
	}
	defer func() { _ = a.Close() }()
	status := &StatusError{URL: target, Status: a.Status}
	switch a.Status {
	case http.StatusGone:
		status.body, err = a.All() // the start of it, which says what was erased
		if err != nil {
			return nil, err
		}
		return nil, status
	case http.StatusNotFound, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusRequestedRangeNotSatisfiable:
		return nil, status
	}
	return nil, fetch.As(fetch.BadStatus, status)
}
