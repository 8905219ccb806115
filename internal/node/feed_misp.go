package node

import (
	"context"
	"time"

	"github.com/mithaq/mithaq/internal/exchange/misp"
	"github.com/mithaq/mithaq/internal/foreign"
	"github.com/mithaq/mithaq/taxii"
)

// readMISPFeed publishes what is new in a MISP feed. It needs no cursor: which versions of which events are here is asked of
// the log.
func (n *Node) readMISPFeed(ctx context.Context, f Feed, secret string) (PullReport, error) {
	report := PullReport{Name: f.Name, Collection: f.URL, Done: true}
	to, err := n.feedTarget(ctx, f.Agreement)
	if err != nil {
		return report, err
	}
	if err := n.awaitOwn(ctx, to.log); err != nil {
		return report, err
	}
	feed, err := foreign.MISPOverHTTP(f.URL, secret)
	if err != nil {
		return report, err
	}
	pull := MISPPull{Log: to.log, Base: Draft{DespiteWarnings: f.Despite}, TLP: f.TLP}
	if f.Since != "" {
		if pull.Since, err = time.Parse(time.RFC3339, f.Since); err != nil {
			return report, err
		}
	}
	pull.Refused = func(e misp.Entry, why string) {
		report.refuse(taxii.StatusDetail{ID: "report--" + e.UUID, Version: taxii.FormatTime(e.Timestamp), Message: why})
	}
	pulled, err := PullMISP(ctx, n, feed, pull)
	report.Received = pulled.Published + pulled.Refused
	report.Taken = pulled.Published
	n.tellLosses(f, pulled.Report, &report)
	if err != nil {
		return report, foreign.Fault(err)
	}
	return report, nil
}
