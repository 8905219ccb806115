package node

import (
	"context"
	"slices"
	"testing"
	"time"
)

// Heads that a node only passes on may be gathered, for a caller who follows them from elsewhere; what it publishes itself is told
// at once, with what was gathered.
func TestPassedOnHeadsWaitForOwnOnes(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	passed := follows(t, other, keeper, id)
	own := logOf(t, other, id)
	all := must(other.Changes(ctx, keeper.party.ID, ChangesQuery{}))(t)
	must(keeper.Publish(ctx, id, reportDraft("passed on")))(t)
	syncOnce(t, other, passed)
	heads := func(c Changes) (out []string) {
		for _, l := range c.Logs {
			out = append(out, l.Log)
		}
		slices.Sort(out)
		return out
	}
	at := must(other.Changes(ctx, keeper.party.ID, ChangesQuery{After: all.Cursor, Wait: time.Minute}))(t)
	if got := heads(at); !slices.Equal(got, []string{passed}) {
		t.Fatalf("who is not calm is told of %q", got)
	}
	told := make(chan Changes, 1)
	go func() {
		c, err := other.Changes(ctx, keeper.party.ID, ChangesQuery{After: all.Cursor, Wait: time.Minute, Calm: time.Minute})
		if err != nil {
			t.Error(err)
		}
		told <- c
	}()
	select {
	case c := <-told:
		t.Fatalf("told at once of %q", heads(c))
	case <-time.After(100 * time.Millisecond):
	}
	must(other.Publish(ctx, id, reportDraft("its own")))(t)
	want := []string{own, passed}
	slices.Sort(want)
	if got := heads(<-told); !slices.Equal(got, want) {
		t.Fatalf("told of %q, want %q", got, want)
	}
}

// What the program writes of its own accord is told when something else is, or a little later; no head of a person's waits for it.
func TestReceiptsAreNoUrgentNews(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	ofKeeper, ofOther := mutual(t, keeper, other, id)
	signing := primed(t, keeper, other, id, ofKeeper)
	shareReport(t, keeper, id, "shared")
	synced(t, other, ofKeeper)
	all := must(other.Changes(ctx, keeper.party.ID, ChangesQuery{}))(t)
	receipts(t, signing)
	news, urgent, _, err := other.changesNow(ctx, keeper.party.ID, all.Cursor)
	if err != nil || len(news.Logs) != 1 || news.Logs[0].Log != ofOther || urgent {
		t.Fatalf("a receipt: %v, urgent %t, %v", news.Logs, urgent, err)
	}
	must(other.Publish(ctx, id, reportDraft("its own")))(t)
	if _, urgent, _, err = other.changesNow(ctx, keeper.party.ID, all.Cursor); err != nil || !urgent {
		t.Fatalf("a person's record: urgent %t, %v", urgent, err)
	}
}
