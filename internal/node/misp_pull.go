package node

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/misp"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/foreign"
)

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
func PullMISP(ctx context.Context, t FileTarget, feed foreign.MISP, pull MISPPull) (MISPPulled, error) {
	var done MISPPulled
	entries, err := foreign.Events(ctx, feed, &done.Report)
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

func pullEvent(ctx context.Context, t FileTarget, feed foreign.MISP, pull MISPPull, e misp.Entry, done *MISPPulled) error {
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
	b, err := foreign.Event(ctx, feed, e)
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
