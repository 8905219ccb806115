package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Limits are what one answer may cost.
type Limits struct {
	// Bytes is the longest body.
	Bytes int64
	// Types are the media types that are read; none: any. An answer that names none is read.
	Types []string
	// Patience is how long the host may take to begin to answer, and then for each Pace bytes of the body. Default: 30 s.
	Patience time.Duration
	// From asks for the bytes from a place on, Bytes counting from the first. See [Answer.From].
	From int64
}

const (
	// Pace is how many bytes of a body must come within the patience: about 4 KiB/s at the default.
	Pace = 128 << 10
	// DefaultPatience is how long a host may take.
	DefaultPatience = 30 * time.Second
	// maxComplaint bounds the body of an answer that is not 200: a few words, or a tombstone.
	maxComplaint = 8 << 10
)

// Answer is a host's answer whose body is read as it comes. It must be closed.
type Answer struct {
	Status int // 200 also where a part was asked for and came
	Header http.Header
	// From is the place at which the body begins: the one that was asked for, or 0 where the host gives the whole.
	From int64

	where  string
	body   io.ReadCloser
	length int64 // announced; -1: not
	left   int64 // that may still come
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	wait   time.Duration
	paced  int64 // that came since the timer was set
}

// Open sends a request and returns once the answer has begun. An answer other than 200 is returned whatever its type, and a
// little of its body can be read. The error is an [*Error], or the context's.
func Open(client *http.Client, req *http.Request, l Limits) (*Answer, error) {
	if l.Patience <= 0 {
		l.Patience = DefaultPatience
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	slow := Refuse(TooSlow, "%s: the host does not answer, or slower than %d KiB in %s", req.URL.Redacted(), Pace>>10, l.Patience)
	a := &Answer{where: req.URL.Redacted(), ctx: ctx, cancel: cancel, wait: l.Patience, timer: time.AfterFunc(l.Patience, func() { cancel(slow) })}
	req = req.WithContext(ctx)
	if l.From > 0 {
		req = req.Clone(ctx)
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", l.From))
	}
	resp, err := client.Do(req) //nolint:bodyclose // the Answer closes it
	if err != nil {
		a.end()
		return nil, classify(ctx, err)
	}
	a.Status, a.Header, a.body, a.length, a.left = resp.StatusCode, resp.Header, resp.Body, resp.ContentLength, l.Bytes
	if a.Status == http.StatusPartialContent && l.From > 0 {
		a.Status, a.From, a.left = http.StatusOK, l.From, max(0, l.Bytes-l.From)
	}
	if a.Status != http.StatusOK {
		a.left = min(l.Bytes, maxComplaint)
		return a, nil
	}
	if err := a.check(l); err != nil {
		_ = a.Close()
		return nil, err
	}
	return a, nil
}

// check refuses by the head alone.
func (a *Answer) check(l Limits) error {
	if coding := a.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return Refuse(Compressed, "%s: the server sends the body compressed (%.20q), which was not asked for", a.where, coding)
	}
	if text := a.Header.Get("Content-Type"); text != "" && len(l.Types) > 0 {
		media, _, err := mime.ParseMediaType(text)
		if err != nil || !slices.Contains(l.Types, media) {
			return Refuse(WrongType, "%s: the server sends %.60q, not %s", a.where, text, l.Types[0])
		}
	}
	if a.length > a.left {
		return Refuse(TooLong, "%s: the server announces %d bytes, more than the %d it may have", a.where, a.length, a.left)
	}
	if part := a.Header.Get("Content-Range"); a.From > 0 && !strings.HasPrefix(part, fmt.Sprintf("bytes %d-", a.From)) {
		return Refuse(Malformed, "%s: the server sends the part %.60q, not from byte %d on", a.where, part, a.From)
	}
	return nil
}

// Read implements [io.Reader]. A body over its limit, too slow, or cut short is an [*Error].
func (a *Answer) Read(p []byte) (int, error) {
	if int64(len(p)) > a.left+1 {
		p = p[:a.left+1]
	}
	n, err := a.body.Read(p)
	a.left -= int64(n)
	if a.paced += int64(n); a.paced >= Pace {
		a.paced = 0
		a.timer.Reset(a.wait)
	}
	switch {
	case a.left < 0 && a.Status != http.StatusOK:
		return n - 1, io.EOF
	case a.left < 0:
		return n - 1, Refuse(TooLong, "%s: the server sent more than it may", a.where)
	case err != nil && err != io.EOF:
		return n, fmt.Errorf("%s: %w", a.where, classify(a.ctx, err))
	}
	return n, err
}

// Close ends the request.
func (a *Answer) Close() error {
	err := a.body.Close()
	a.end()
	return err
}

func (a *Answer) end() {
	a.timer.Stop()
	a.cancel(nil)
}

// All reads the rest of the body into memory. An announced length is not yet a sent one, so no room is made for it before it
// comes.
func (a *Answer) All() ([]byte, error) {
	var b []byte
	if a.length > 0 {
		b = make([]byte, 0, min(a.length, a.left, 1<<20)+512)
	}
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := a.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
