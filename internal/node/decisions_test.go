package node

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/store"
)

// auditedNode is a node whose clock the test sets, with decisions counted in two hours and sealed.
func auditedNode(t *testing.T) (n *Node, at time.Time) {
	t.Helper()
	ctx := context.Background()
	n = newTestNode(t)
	at = n.now().UTC().Truncate(time.Hour)
	n.now = func() time.Time { return at }
	r := mustPublish(t, n, reportDraft("Observed a walrus"))
	if err := n.allIndexed(ctx); err != nil {
		t.Fatal(err)
	}
	for hour := range 2 {
		for range 3 + hour {
			must(n.Record(ctx, n.Owner(), "own", r.Index))(t)
			must(n.Record(ctx, Viewer{}, "own", r.Index))(t)
		}
		at = at.Add(time.Hour)
		if err := n.sealAudit(ctx, at); err != nil {
			t.Fatal(err)
		}
	}
	return n, at
}

func stateOfHours(t *testing.T, n *Node) (states string, ok bool) {
	t.Helper()
	if err := n.allIndexed(context.Background()); err != nil {
		t.Fatal(err)
	}
	c := must(n.CheckDecisions(context.Background()))(t)
	for _, h := range c.Hours {
		states += h.State + " "
	}
	return states, c.OK
}

func TestDecisionsAreCountedByTheHourAndSealedInTheLog(t *testing.T) {
	ctx := context.Background()
	n, at := auditedNode(t)
	rows := must(n.Decisions(ctx, at.Add(-time.Hour), 100))(t)
	counts := map[string]int64{}
	for _, r := range rows {
		if r.Kind == "report" {
			counts[r.Exit+" "+r.Party] += r.Count
		}
	}
	if counts["api "+n.Party().ID] != 4 || counts["api "] != 4 {
		t.Fatalf("%v in %+v", counts, rows)
	}
	if states, ok := stateOfHours(t, n); states != "holds holds " || !ok {
		t.Fatal(states)
	}
	// Nothing is sealed twice, nor an hour in which nothing was decided.
	size := leaves(t, n)
	if err := n.sealAudit(ctx, at.Add(5*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if leaves(t, n) != size {
		t.Fatalf("%d more leaves", leaves(t, n)-size)
	}
	// It is the same after a restart, and goes on in the chain.
	dir := n.Dir()
	shut(t, n)
	n = again(t, dir, OpenOptions{Clock: func() time.Time { return at }})
	must(n.Record(ctx, n.Owner(), "own", 1))(t)
	if err := n.sealAudit(ctx, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if states, ok := stateOfHours(t, n); states != "holds holds holds " || !ok {
		t.Fatal(states)
	}
}

// Whoever changes, adds or takes out a row of a sealed hour is found out.
func TestAChangedAuditTableIsCaught(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		change func(t *testing.T, n *Node, at time.Time)
		want   string
	}{
		"a count": {func(t *testing.T, n *Node, at time.Time) {
			rows := must(n.store.AuditOf(ctx, at.Add(-2*time.Hour)))(t)
			if err := n.store.AddAudit(ctx, rows[:1]); err != nil {
				t.Fatal(err)
			}
		}, "changed holds "},
		"a row more": {func(t *testing.T, n *Node, at time.Time) {
			row := store.AuditRow{AuditClass: store.AuditClass{Hour: at.Add(-time.Hour), Exit: "api", Reason: "made up"}, Count: 1, First: at, Last: at}
			if err := n.store.AddAudit(ctx, []store.AuditRow{row}); err != nil {
				t.Fatal(err)
			}
		}, "holds changed "},
		"an hour less": {func(t *testing.T, n *Node, at time.Time) {
			if err := n.store.DropAudit(ctx, at.Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
		}, "missing holds "},
		"an hour that was not": {func(t *testing.T, n *Node, at time.Time) {
			row := store.AuditRow{AuditClass: store.AuditClass{Hour: at.Add(-9 * time.Hour), Exit: "api"}, Count: 1, First: at, Last: at}
			if err := n.store.AddAudit(ctx, []store.AuditRow{row}); err != nil {
				t.Fatal(err)
			}
		}, "holds holds unsealed "},
	} {
		t.Run(name, func(t *testing.T) {
			n, at := auditedNode(t)
			c.change(t, n, at)
			if states, ok := stateOfHours(t, n); states != c.want || ok {
				t.Fatalf("%s%v, want %s", states, ok, c.want)
			}
		})
	}
}

// Rows are forgotten when they were kept long enough, and that is no fault.
func TestOldRowsOfTheAuditTableAreForgotten(t *testing.T) {
	ctx := context.Background()
	n, at := auditedNode(t)
	n.cfg.AuditDays = 1
	later := at.Add(25 * time.Hour)
	n.now = func() time.Time { return later }
	if err := n.sealAudit(ctx, later.Truncate(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if states, ok := stateOfHours(t, n); states != "forgotten forgotten " || !ok {
		t.Fatal(states)
	}
}

// However many sorts of questions there are, what is counted stays bounded, and every decision is counted.
func TestWhatIsCountedIsBounded(t *testing.T) {
	var a auditor
	now := time.Now()
	const many = 3 * maxAuditRows
	for i := range many {
		a.note(policy.Request{Exit: policy.ToAPI(), Now: now, Item: policy.Item{Kind: "k" + strconv.Itoa(i)}}, policy.Decision{})
	}
	rows := a.take(time.Time{})
	total := int64(0)
	for _, r := range rows {
		total += r.Count
	}
	if len(rows) > maxAuditRows+1 || total != many {
		t.Fatalf("%d rows for %d decisions", len(rows), total)
	}
	a.put(rows)
	if again := a.take(now.Add(time.Hour)); len(again) != len(rows) {
		t.Fatalf("%d rows of %d", len(again), len(rows))
	}
	a.note(policy.Request{Exit: policy.ToAPI(), Now: now}, policy.Decision{})
	if late := a.take(time.Time{}); !late[0].Hour.After(now) {
		t.Fatalf("counted in the closed hour of %s", late[0].Hour)
	}
}
