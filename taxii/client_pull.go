package taxii

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"time"
)

// CursorStore keeps how far a pull has come. What it keeps is a few hundred bytes up to some 200 KiB, and means something to
// Pull alone.
type CursorStore interface {
	// Load gives back what was saved last; nothing and no error when nothing was.
	Load(ctx context.Context) ([]byte, error)
	Save(ctx context.Context, cursor []byte) error
}

// PullOptions say what to pull. All of it may be left out.
type PullOptions struct {
	Filter Filter
	Limit  int // objects to ask for in a page; 0: 1,000
	// Cursors is asked once where to go on, and told after each batch that the caller came back from. nil: from the start.
	Cursors CursorStore
	// Overlap is how long an object may take, by the server's clock, from getting its date to being visible; what was
	// added that shortly before the last pull is read again, and what is known of it left out. 0: 30 seconds; less than 0: none.
	Overlap time.Duration
	// Remember is how many objects are remembered to recognise one that comes again; 0: 16,384.
	Remember int
	// Gap is told when the server gives no way to read on without perhaps missing objects; nil: nobody is.
	Gap func(error)
}

// Batch is what is new in one page.
type Batch struct {
	Objects []Object   // each for the first and only time; Raw is what the server sent
	Refused []*Refusal // what the server sent and cannot be an object
	// Cursor resumes after this batch. Who stores it in one transaction with the objects gets each object exactly once,
	// whatever fails between the two; with Cursors, a batch that was being worked on at a crash comes again.
	Cursor []byte
}

// What ends a pull beside errors of the network and the server.
var (
	// ErrStuck says that the server repeats itself: going on would never end.
	ErrStuck = errors.New("the server sends the same objects again and again")
	// ErrForeignCursor says that the cursor belongs to a pull of something else.
	ErrForeignCursor = errors.New("the cursor is of another collection or filter")
)

// maxIdle bounds how many pages in a row may bring nothing new.
const maxIdle = 1000

// Pull reads a collection from where the cursor stands to its present end, a page at a time, and ends after an error. It
// keeps one page in memory and follows "next" where the server gives one, as section 3.5 has it: with the same parameters.
// Where it gives none, or has forgotten it, Pull goes on by date, a little before the last date: dates that are rounded
// or repeated so cost a few objects read twice, which it does not hand on twice.
func (c *Client) Pull(ctx context.Context, collection string, o PullOptions) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		p, err := c.startPull(ctx, collection, o)
		if err != nil {
			yield(Batch{}, err)
			return
		}
		for !p.done {
			b, err := p.step(ctx)
			if err != nil {
				yield(Batch{}, fmt.Errorf("pulling a collection: %w", err))
				return
			}
			if len(b.Objects)+len(b.Refused) > 0 && !yield(b, nil) {
				return
			}
			if o.Cursors == nil {
				continue
			}
			if err := o.Cursors.Save(ctx, b.Cursor); err != nil {
				yield(Batch{}, fmt.Errorf("pulling a collection: saving the cursor: %w", err))
				return
			}
		}
	}
}

// A pull under way. It belongs to one goroutine.
type pull struct {
	c       *Client
	o       PullOptions
	objects string // URL

	at     position
	known  memory
	limit  int
	after  time.Time // added_after of the pages being read
	silent bool      // a page with objects came without X-TAXII-Date-Added-Last
	dated  bool      // this drain has noted the server's clock
	idle   int       // pages in a row without anything new
	exact  bool      // going on by date without a margin, because with one nothing new came
	forgot bool      // the server has refused its own cursor, and the drain began again by date
	done   bool
}

func (c *Client) startPull(ctx context.Context, collection string, o PullOptions) (*pull, error) {
	if o.Limit <= 0 {
		o.Limit = 1000
	}
	if o.Overlap == 0 {
		o.Overlap = 30 * time.Second
	}
	if o.Remember <= 0 {
		o.Remember = 1 << 14
	}
	p := &pull{c: c, o: o, objects: slashed(collection) + "objects/", limit: o.Limit}
	p.at.Of = fingerprint(p.objects, o.Filter)
	p.known = newMemory(o.Remember)
	if o.Cursors != nil {
		saved, err := o.Cursors.Load(ctx)
		if err != nil {
			return nil, fmt.Errorf("pulling a collection: loading the cursor: %w", err)
		}
		if len(saved) > 0 {
			if err := p.resume(saved); err != nil {
				return nil, fmt.Errorf("pulling a collection: %w", err)
			}
		}
	}
	p.after = p.floor()
	if p.at.Next != "" {
		p.after = p.at.NextAfter
	}
	return p, nil
}

// floor is the date up to which nothing new can appear any more: the last date seen, or if the server's clock was within
// Overlap of it then, that much before its clock; but never before what is no longer remembered.
func (p *pull) floor() time.Time {
	floor := p.at.Newest
	if bound := p.at.Drained.Add(-max(p.o.Overlap, 0)); !p.at.Drained.IsZero() && bound.Before(floor) {
		floor = bound
	}
	if floor = floor.Add(-margin(floor)); p.at.Barrier.After(floor) {
		return p.at.Barrier
	}
	return floor
}

// margin is one unit of the precision that a date seems to be rounded to.
func margin(t time.Time) time.Duration {
	switch ns := t.Nanosecond(); {
	case t.IsZero():
		return 0
	case ns == 0:
		return time.Second
	case ns%int(time.Millisecond) == 0:
		return time.Millisecond
	}
	return 0
}

// step reads one page.
func (p *pull) step(ctx context.Context) (Batch, error) {
	f := p.o.Filter
	if p.after.After(f.AddedAfter) {
		f.AddedAfter = p.after
	}
	page, err := p.c.page(ctx, p.objects, pageValues(f, p.limit, p.at.Next))
	if err != nil {
		if p.forgotten(err) {
			p.forgot, p.at.Next, p.after = true, "", p.floor()
			return p.batch(Batch{})
		}
		var e *Error
		if p.limit > 0 && p.at.Next == "" && errors.As(err, &e) && e.Status == http.StatusBadRequest {
			p.limit = 0 // section 3.4 lets a server answer 400 to a limit that is too large for it
			return p.batch(Batch{})
		}
		return Batch{}, err
	}
	if !p.dated {
		p.dated = true
		p.note(page.date)
	}
	b := p.sift(page)
	if len(b.Objects)+len(b.Refused) > 0 {
		p.idle, p.exact, p.forgot = 0, false, false
	} else {
		p.idle++
	}
	if err := p.advance(page); err != nil {
		return Batch{}, err
	}
	return p.batch(b)
}

// note keeps the server's clock at the beginning of a drain. It must not go back: the overlap is counted from it.
func (p *pull) note(date time.Time) {
	if date.After(p.at.Drained) {
		p.at.Drained = date
	}
}

// forgotten tells whether the server does not know its own cursor any more, as after a restart.
func (p *pull) forgotten(err error) bool {
	var e *Error
	return p.at.Next != "" && !p.forgot && errors.As(err, &e) &&
		(e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound || e.Status == http.StatusGone)
}

// sift keeps what is new.
func (p *pull) sift(page remotePage) Batch {
	var b Batch
	p.known.turn(page.last)
	for i, raw := range page.objects {
		o, err := ReadObject(raw)
		if !p.known.isNew(o, raw, err == nil) {
			continue
		}
		if err != nil {
			var r *Refusal
			if errors.As(err, &r) {
				r.Index = i
				b.Refused = append(b.Refused, r)
			}
			continue
		}
		o.Index = i
		b.Objects = append(b.Objects, o)
	}
	p.silent = p.silent || page.last.IsZero() && len(page.objects) > 0
	if page.last.After(p.at.Newest) {
		p.at.Newest = page.last
	}
	if barrier := p.known.trim(); barrier.After(p.at.Barrier) {
		p.at.Barrier = barrier
	}
	return b
}

// advance decides where the next page begins.
func (p *pull) advance(page remotePage) error {
	switch {
	case !page.more:
		p.done, p.at.Next = true, ""
		if p.silent && p.at.Drained.After(p.at.Newest) {
			p.at.Newest = p.at.Drained // a server without the headers: its clock has to do
		}
		return nil
	case p.idle >= maxIdle, page.next != "" && page.next == p.at.Next && p.idle > 0:
		return ErrStuck
	case page.next != "":
		p.at.Next, p.at.NextAfter = page.next, p.after
		return nil
	}
	// Section 3.5: "If the more property is set to true and the next property is empty then the client may paginate …
	// by using the added_after URL parameter with the date/time value from the X-TAXII-Date-Added-Last header."
	p.at.Next = ""
	if page.last.IsZero() {
		return fmt.Errorf("%w: neither next nor X-TAXII-Date-Added-Last says where to go on", ErrStuck)
	}
	was := p.after
	p.after = page.last.Add(-margin(page.last))
	if p.after.After(was) {
		p.limit = p.o.Limit
		return nil
	}
	return p.squeeze(page)
}

// squeeze goes on where more objects share a date than fit on a page: it asks for larger pages, then goes on after the date.
func (p *pull) squeeze(page remotePage) error {
	const most = 1 << 14
	if p.limit > 0 && p.limit < most && len(page.objects) >= p.limit {
		p.limit = min(8*p.limit, most)
		return nil
	}
	if p.exact {
		return ErrStuck
	}
	p.exact, p.after = true, page.last
	if p.o.Gap != nil {
		p.o.Gap(fmt.Errorf("more objects were added at %s than the server sends at once: some may be missing", FormatTime(page.last)))
	}
	return nil
}

func (p *pull) batch(b Batch) (Batch, error) {
	var err error
	b.Cursor, err = p.save()
	return b, err
}
