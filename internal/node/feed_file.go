package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/convert"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/foreign"
	"github.com/mithaq/mithaq/stix"
	"github.com/mithaq/mithaq/taxii"
)

// readFileFeed publishes what is new in one file: a STIX bundle, MISP events, a table or a list of values. A value of a list
// is published once, when the list has it first; what a list drops stays until somebody recalls it.
func (n *Node) readFileFeed(ctx context.Context, f Feed, secret string) (PullReport, error) {
	report := PullReport{Name: f.Name, Collection: f.URL, Done: true}
	to, err := n.feedTarget(ctx, f.Agreement)
	if err != nil {
		return report, err
	}
	if err := n.awaitOwn(ctx, to.log); err != nil {
		return report, err
	}
	before, err := n.fileCursor(ctx, f.Name)
	if err != nil {
		return report, err
	}
	b, now, err := foreign.File(ctx, f.URL, f.User, secret, before)
	if err != nil || b == nil {
		return report, err
	}
	_, lost, err := convert.Read(b, n.fileOptions(n.party.ID+"/"+f.Name), func(bundle convert.Bundle) error { return n.takeConverted(ctx, f, to, bundle, &report) })
	n.tellLosses(f, lost, &report)
	if err != nil {
		return report, fileFault(err)
	}
	cursor, err := json.Marshal(now)
	if err != nil {
		return report, fmt.Errorf("noting how far %s was read: %w", f.Name, err)
	}
	return report, feedCursor{n, f.Name}.Save(ctx, cursor)
}

func (n *Node) fileCursor(ctx context.Context, name string) (c foreign.FileVersion, err error) {
	text, err := feedCursor{n, name}.Load(ctx)
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &c)
	}
	return c, err
}

// fileFault is what is said of a file that is in no format that is read.
func fileFault(err error) error {
	if fault.CodeOf(err) != "" || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &fault.Fault{Code: fault.Invalid, What: "reading the feed's file", Err: err, Remedy: "it is read again when it has changed"}
}

// takeConverted publishes what of a file's bundle is not here yet.
func (n *Node) takeConverted(ctx context.Context, f Feed, to collection, b convert.Bundle, report *PullReport) error {
	if b.Event != nil {
		base := Draft{DespiteWarnings: f.Despite}
		if b.Event.TLP == stix.TLPNone {
			base.TLP = f.TLP
		}
		report.Received++
		var partly exchange.Report
		_, already, err := n.publishEvent(ctx, to.log, base, *b.Event, nil, &partly)
		n.tellLosses(f, partly, report)
		switch code := fault.CodeOf(err); {
		case code == fault.Invalid || code == fault.Conflict:
			report.refuse(taxii.StatusDetail{ID: b.Event.Event, Version: stix.FormatTimestamp(b.Event.Modified), Message: err.Error()})
		case err != nil:
			return err
		case already:
			report.Received--
		default:
			report.Taken++
		}
		return nil
	}
	bundle, err := stix.Parse(b.STIX)
	if err != nil {
		return err
	}
	var batch taxii.Batch
	for i, o := range bundle.Objects {
		object, err := taxii.ReadObject(o.Raw)
		var refusal *taxii.Refusal
		if errors.As(err, &refusal) {
			refusal.Index = i
			batch.Refused = append(batch.Refused, refusal)
			continue
		}
		object.Index = i
		batch.Objects = append(batch.Objects, object)
	}
	if b.List {
		if batch.Objects, err = n.unseen(ctx, batch.Objects); err != nil {
			return err
		}
	}
	return n.takeBatch(ctx, f, to, batch, report)
}

// unseen takes out the objects of a list whose identifiers are here already, in whatever version.
func (n *Node) unseen(ctx context.Context, objects []taxii.Object) ([]taxii.Object, error) {
	here, err := n.store.Index().HasSTIX(ctx, idsOf(objects))
	if err != nil {
		return nil, err
	}
	kept := objects[:0]
	for _, o := range objects {
		if !here[o.ID] {
			kept = append(kept, o)
		}
	}
	return kept, nil
}

// tellLosses counts what a conversion could not carry and writes the first of it into the node's log.
func (n *Node) tellLosses(f Feed, lost exchange.Report, report *PullReport) {
	const named = 20
	report.Lost += lost.Lost()
	for _, l := range lost.Losses[:min(named, len(lost.Losses))] {
		n.logger.Warn("not all of a feed could be carried", "feed", f.Name, "place", l.Place, "why", l.Why)
	}
}
