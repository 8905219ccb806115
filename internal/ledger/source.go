package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
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
	return o.Bytes, err
}

// HTTPOptions change how an HTTPSource fetches.
type HTTPOptions struct {
	// Token is sent as "Authorization: Bearer …" when not empty.
	Token string
	// Transport makes the requests. Default: one of its own, with up to 32 connections.
	Transport http.RoundTripper
	// Timeout bounds each request, its body included. Default: 30 s.
	Timeout time.Duration
}

// HTTPLog is a log that is fetched over HTTP from a server that may be hostile: sizes are limited by what is asked for, redirects
// are refused, each request has a deadline.
type HTTPLog struct {
	base   string // ends in …/log/<id>
	root   string // what /object/ hangs under
	token  string
	client *http.Client
}

// errRedirect is a fixed answer: following one would hand the token to another host.
var errRedirect = errors.New("the server redirects, which is refused")

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
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 32, MaxConnsPerHost: 32,
			IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
			ResponseHeaderTimeout: o.Timeout, MaxResponseHeaderBytes: 64 << 10,
			DisableCompression: true, ForceAttemptHTTP2: true}
	}
	root := *u
	root.Path = u.Path[:i]
	return &HTTPLog{base: u.String(), root: root.String(), token: o.Token, client: &http.Client{
		Transport: o.Transport, Timeout: o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}}, nil
}

// Checkpoint implements Source.
func (s *HTTPLog) Checkpoint(ctx context.Context) ([]byte, error) {
	return s.get(ctx, s.base+"/checkpoint", maxCheckpoint, -1)
}

// Tile implements Source.
func (s *HTTPLog) Tile(ctx context.Context, level int, n int64, width int) ([]byte, error) {
	return s.get(ctx, s.base+"/"+tilePath(level, n, width), int64(width*hashSize), int64(width*hashSize))
}

// Entries implements Source.
func (s *HTTPLog) Entries(ctx context.Context, n int64, width int) ([]byte, error) {
	return s.get(ctx, s.base+"/"+tilePath(-1, n, width), int64(width*bundleEntry), int64(width*bundleEntry))
}

// maxKeyrings bounds the list of a log's keyrings.
const maxKeyrings = 16 << 20

// Keyrings fetches the list of the log's keyrings: a JSON array of envelopes, to be checked by whoever reads it.
func (s *HTTPLog) Keyrings(ctx context.Context) ([]byte, error) {
	return s.get(ctx, s.base+"/keyrings", maxKeyrings, -1)
}

// Object implements Source.
func (s *HTTPLog) Object(ctx context.Context, hash [32]byte) ([]byte, error) {
	b, err := s.get(ctx, fmt.Sprintf("%s/object/%x", s.root, hash[:]), MaxObject, -1)
	var status *StatusError
	if errors.As(err, &status) && status.Status == http.StatusGone {
		var t tombstoneJSON
		if err := json.Unmarshal(status.body, &t); err != nil {
			return nil, status
		}
		return nil, &ErrErased{Hash: hash, Tombstone: Tombstone{At: t.Erased, Issuer: t.By, Reason: t.Reason}}
	}
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(b) != hash {
		return nil, fmt.Errorf("object %x: the server sent other bytes than it names", hash[:8])
	}
	return b, nil
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
func (s *HTTPLog) get(ctx context.Context, target string, limit, want int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, &StatusError{URL: target, Status: resp.StatusCode, body: readTombstone(resp)}
	}
	if resp.ContentLength > limit {
		return nil, fmt.Errorf("%s: the server announces %d bytes, more than the %d it may have", target, resp.ContentLength, limit)
	}
	b, err := readBody(resp, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", target, err)
	}
	if want >= 0 && int64(len(b)) != want {
		return nil, fmt.Errorf("%s: the server sent %d bytes, not %d", target, len(b), want)
	}
	return b, nil
}

func readBody(resp *http.Response, limit int64) ([]byte, error) {
	if n := resp.ContentLength; n >= 0 {
		if n > 1<<20 {
			n = 1 << 20 // an announced length is not yet a sent one
		}
		b := make([]byte, 0, n+512)
		return readInto(b, resp.Body, limit)
	}
	return readInto(nil, resp.Body, limit)
}

func readInto(b []byte, r io.Reader, limit int64) ([]byte, error) {
	r = io.LimitReader(r, limit+1)
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("the server sent more than %d bytes", limit)
	}
	return b, nil
}

// readTombstone returns the start of a 410's body, which says what was erased.
func readTombstone(resp *http.Response) []byte {
	if resp.StatusCode != http.StatusGone {
		return nil
	}
	b, err := readInto(nil, io.LimitReader(resp.Body, 8<<10), 8<<10)
	if err != nil {
		return nil
	}
	return b
}
