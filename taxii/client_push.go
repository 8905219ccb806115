package taxii

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// PushOptions say how to push. All of it may be left out.
type PushOptions struct {
	MaxObjects int           // objects in one request; 0: 1,000, or what the server says
	MaxBytes   int64         // bytes of one request; 0: 8 MiB, or what the server says if that is less
	Poll       time.Duration // first wait between two looks at a status that is pending; 0: one second. Waits grow to 30 s
	Patience   time.Duration // how long one status may stay pending; 0: 10 minutes
}

// PushReport tells what became of a push.
type PushReport struct {
	Sent, Succeeded, Failed, Pending int
	Failures                         []StatusDetail
	Statuses                         []string // ids, in the order of the requests
}

// Push sends objects, each one JSON text, to a collection in as many requests as the server's bounds need, and waits until
// it has dealt with all of them or Patience ends. Objects that the server refuses are in the report; an error means
// that what the report does not count was not sent.
func (c *Client) Push(ctx context.Context, collection string, objects iter.Seq[[]byte], o PushOptions) (PushReport, error) {
	fill(&o.Poll, time.Second)
	fill(&o.Patience, 10*time.Minute)
	p := &push{c: c, o: o, collection: slashed(collection)}
	if err := p.bounds(ctx); err != nil {
		return p.report, err
	}
	for object := range objects {
		full := len(p.waiting) == p.o.MaxObjects || p.size+int64(len(object))+1 > p.o.MaxBytes
		if full && len(p.waiting) > 0 {
			if err := p.flush(ctx); err != nil {
				return p.report, err
			}
		}
		p.waiting = append(p.waiting, object)
		p.size += int64(len(object)) + 1
	}
	return p.report, p.flush(ctx)
}

// push is one under way. It belongs to one goroutine.
type push struct {
	c          *Client
	o          PushOptions
	collection string
	root       string
	waiting    [][]byte
	size       int64
	report     PushReport
}

// frame is what an envelope adds to its objects.
const frame = `{"objects":[]}`

// bounds asks the API root what it takes (section 4.2.1).
func (p *push) bounds(ctx context.Context) error {
	root, _, ok := strings.Cut(p.collection, "/collections/")
	if u, err := url.Parse(p.collection); !ok || err != nil || u.RawQuery != "" {
		return fmt.Errorf("pushing to a collection: %q is no collection's URL", clip(p.collection))
	}
	p.root = root + "/"
	r, err := p.c.APIRoot(ctx, p.root)
	if err != nil {
		return fmt.Errorf("pushing to a collection: %w", err)
	}
	fill(&p.o.MaxBytes, 8<<20)
	if r.MaxContentLength > 0 {
		p.o.MaxBytes = min(p.o.MaxBytes, r.MaxContentLength)
	}
	p.o.MaxBytes -= int64(len(frame))
	fill(&p.o.MaxObjects, 1000)
	if r.MaxObjects > 0 {
		p.o.MaxObjects = min(p.o.MaxObjects, r.MaxObjects)
	}
	return nil
}

func (p *push) flush(ctx context.Context) error {
	batch := p.waiting
	p.waiting, p.size = nil, 0
	if len(batch) == 0 {
		return nil
	}
	if err := p.send(ctx, batch); err != nil {
		return fmt.Errorf("pushing to a collection: %w", err)
	}
	return nil
}

// send sends a batch, in halves when the server finds it too large after all.
func (p *push) send(ctx context.Context, batch [][]byte) error {
	s, err := p.post(ctx, batch)
	var e *Error
	switch {
	case err == nil:
		return p.settle(ctx, s, len(batch))
	case !errors.As(err, &e) || e.Status != http.StatusRequestEntityTooLarge:
		return err
	case len(batch) > 1:
		if err := p.send(ctx, batch[:len(batch)/2]); err != nil {
			return err
		}
		return p.send(ctx, batch[len(batch)/2:])
	}
	o, _ := ReadObject(batch[0]) // only for its name
	p.report.Sent++
	p.report.Failed++
	p.report.Failures = append(p.report.Failures, StatusDetail{ID: o.ID, Version: o.Version, Message: "is larger than the server takes"})
	return nil
}

func (p *push) post(ctx context.Context, batch [][]byte) (Status, error) {
	var s Status
	body := make([]byte, 0, int(p.o.MaxBytes/8))
	body = append(body, frame[:len(frame)-2]...)
	for i, object := range batch {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, object...)
	}
	body = append(body, "]}"...)
	response, err := p.c.do(ctx, http.MethodPost, p.collection+"objects/", nil, body)
	if err != nil {
		return s, err
	}
	defer func() { _ = response.Body.Close() }()
	return s, p.c.decode(response, &s)
}

// settle waits until a status is final, and counts it.
func (p *push) settle(ctx context.Context, s Status, sent int) error {
	p.report.Sent += sent
	p.report.Statuses = append(p.report.Statuses, s.ID)
	wait, waited := p.o.Poll, time.Duration(0)
	for s.Status == Pending && waited < p.o.Patience {
		if err := sleep(ctx, wait); err != nil {
			return err
		}
		waited += wait
		wait = min(wait*3/2, 30*time.Second)
		var err error
		if s, err = p.c.Status(ctx, p.root, s.ID); err != nil {
			return err
		}
	}
	p.report.Succeeded += s.SuccessCount
	p.report.Failed += s.FailureCount
	p.report.Pending += s.PendingCount
	if len(s.Failures) == 0 && s.FailureCount > 0 {
		p.report.Failures = append(p.report.Failures, StatusDetail{Message: "the server does not say which " + strconv.Itoa(s.FailureCount) + " failed"})
	}
	p.report.Failures = append(p.report.Failures, s.Failures...)
	return nil
}
