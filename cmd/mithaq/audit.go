package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

type auditCmd struct {
	dirFlag
	Since  string `help:"From then on: a day (2026-01-31), a time, or how long ago (24h)." placeholder:"WHEN"`
	Limit  int    `help:"How many rows." default:"100"`
	Verify bool   `help:"Hold the table against the hourly hashes in the own log."`
	JSON   bool   `help:"Print as JSON."`
}

func (auditCmd) Help() string {
	return `Examples:
  mithaq audit --since 24h
  mithaq audit --verify

Decisions are counted by the hour: who asked, by which exit, for what sort of record, the answer and the reason that weighed most.
When an hour is over, the hash of its rows becomes a leaf of the own log; --verify finds rows that were changed, added or taken
out since, also while the node does not run. What readers of a log check is 'mithaq log verify'.`
}

func (c *auditCmd) Run(ctx context.Context, a *app) error {
	since, err := c.since(a)
	if err != nil {
		return err
	}
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		if c.Verify {
			return c.verify(ctx, a, client)
		}
		rows, err := client.Decisions(ctx, since, c.Limit)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(a, rows)
		}
		if len(rows) == 0 {
			fmt.Fprintln(a.stderr, "nothing was decided in that time")
			return nil
		}
		w := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "LAST\tCOUNT\tANSWER\tEXIT\tWHO\tKIND\tMARKING\tAGREEMENT\tREASON")
		for _, r := range rows {
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", minute(r.Last), r.Count, map[bool]string{true: "given", false: "refused"}[r.Allowed], r.Exit, askedBy(r),
				dash(r.Kind), dash(r.TLP), dash(r.Agreement), oneLine(r.Reason))
		}
		return w.Flush()
	})
}

func askedBy(r node.AuditRowView) string {
	switch {
	case r.Person != "":
		return r.Party + " (" + r.Person + ")"
	case r.Party != "":
		return r.Party
	}
	return "a stranger"
}

func (c *auditCmd) since(a *app) (time.Time, error) {
	if c.Since == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(c.Since); err == nil && ago >= 0 {
		return a.clock().Add(-ago), nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, c.Since); err == nil {
			return t, nil
		}
	}
	return time.Time{}, &fault.Fault{Code: fault.Invalid, What: fmt.Sprintf("--since %q is no time", c.Since), Remedy: "write 24h, 2026-01-31 or 2026-01-31T12:00:00Z"}
}

// verify prints each hour; it ends with 1 where one does not hold.
func (c *auditCmd) verify(ctx context.Context, a *app, client *api.Client) error {
	v, err := client.CheckDecisions(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(a, v); err != nil {
			return err
		}
	} else {
		held := 0
		for _, h := range v.Hours {
			if h.State == "holds" {
				held++
				continue
			}
			line := fmt.Sprintf("%s  %-9s  %d rows, %d decisions", minute(h.Hour), h.State, h.Rows, h.Decisions)
			if h.Why != "" {
				line += ": " + h.Why
			}
			fmt.Fprintln(a.stdout, line)
		}
		fmt.Fprintf(a.stdout, "%d of %d hours hold against the own log\n", held, len(v.Hours))
	}
	if !v.OK {
		return exitCode(exitNo)
	}
	return nil
}
