package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/misp"
	"github.com/mithaq/mithaq/internal/fault"
)

// MISPFeed opens one file of a MISP feed by its name. A file that is not there is fs.ErrNotExist.
type MISPFeed func(ctx context.Context, name string) (io.ReadCloser, error)

// MISPPull says how to bring a feed in.
type MISPPull struct {
	Log   string            // log or agreement to publish under
	Base  Draft             // what is said of every record; empty markings are the events' own
	TLP   string            // of events that bear no marking; empty: what holds for records without one
	Orgs  map[string]string // party ids by names or UUIDs of MISP's organisations
	Since time.Time         // events that were changed before are passed over; zero: none
	// Outcome is told what became of each event that was new; may be nil.
	Outcome func(misp.Entry, []Receipt)
	// Refused is told of each event that could not be taken, and why; may be nil.
	Refused func(e misp.Entry, why string)
	// Progress is told how many of the feed's events were gone through; may be nil.
	Progress func(done, total int64)
}

// MISPPulled is what a pull did.
type MISPPulled struct {
	Events    int             `json:"events" doc:"Events in the feed"`
	Published int             `json:"published"`
	Already   int             `json:"already" doc:"Events that were here in this version"`
	Recalled  int             `json:"recalled" doc:"Recalls of what events say is deleted"`
	Refused   int             `json:"refused" doc:"Events that could not be taken; the report says why"`
	Report    exchange.Report `json:"report"`
}

// PullMISP brings the events of a feed in, each version of an event exactly once: whether one is here already is asked of the
// log, so that a pull that was broken off goes on where it was, and one that is run again does nothing. An event that cannot
// be taken is reported and does not stop the others; a feed that cannot be read does.
func PullMISP(ctx context.Context, t FileTarget, feed MISPFeed, pull MISPPull) (MISPPulled, error) {
	var done MISPPulled
	entries, err := feedEntries(ctx, feed, &done.Report)
	if err != nil {
		return done, err
	}
	done.Events = len(entries)
	for i, e := range entries {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		if pull.Progress != nil {
			pull.Progress(int64(i), int64(len(entries)))
		}
		if !e.Timestamp.IsZero() && e.Timestamp.Before(pull.Since) {
			continue
		}
		if err := pullEvent(ctx, t, feed, pull, e, &done); err != nil {
			return done, err
		}
	}
	return done, nil
}

// feedEntries lists the feed's events: by its manifest, else by its hashes.
func feedEntries(ctx context.Context, feed MISPFeed, report *exchange.Report) ([]misp.Entry, error) {
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

func pullEvent(ctx context.Context, t FileTarget, feed MISPFeed, pull MISPPull, e misp.Entry, done *MISPPulled) error {
	if !e.Timestamp.IsZero() { // what is here need not be fetched again
		before, err := t.Carriers(ctx, "report--"+e.UUID)
		if err != nil {
			return err
		}
		if published(before, e.Timestamp) {
			done.Already++
			return nil
		}
	}
	refuse := func(why string) error {
		done.Refused++
		if pull.Refused != nil {
			pull.Refused(e, why)
		}
		done.Report.Lose(e.FileName(), "%s", why)
		return nil
	}
	b, err := fetchEvent(ctx, feed, e)
	if errors.Is(err, fs.ErrNotExist) {
		return refuse("the feed lists it and does not have it")
	}
	if err != nil {
		return err
	}
	events, err := misp.Read(b)
	switch {
	case err != nil:
		return refuse(err.Error())
	case len(events) != 1 || events[0].UUID() != e.UUID:
		return refuse("it is not the event that the feed says it is")
	}
	out, err := t.PublishFile(ctx, pull.Log, File{Name: e.FileName(), Content: b, Draft: pull.Base, Unmarked: pull.TLP, Format: "misp", Orgs: pull.Orgs})
	switch code := fault.CodeOf(err); {
	case code == fault.Invalid || code == fault.Conflict:
		return refuse(err.Error())
	case err != nil:
		return err
	case out.Already > 0:
		done.Already++
		return nil
	}
	for _, r := range out.Refused { // a recall: the event itself was published
		done.Report.Lose(e.UUID, "%s", r.Why)
	}
	done.Published++
	done.Recalled += len(out.Receipts) - 1
	done.Report.Join(e.UUID, out.Report)
	if pull.Outcome != nil {
		pull.Outcome(e, out.Receipts)
	}
	return nil
}

func fetchEvent(ctx context.Context, feed MISPFeed, e misp.Entry) ([]byte, error) {
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
func MISPFolder(root *os.Root) MISPFeed {
	return func(_ context.Context, name string) (io.ReadCloser, error) { return root.Open(name) }
}

// MISPOverHTTP is a feed that a web server offers below an address. key, where it is not empty, is sent as MISP's own
// servers want it.
func MISPOverHTTP(base, key string) (MISPFeed, error) {
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
