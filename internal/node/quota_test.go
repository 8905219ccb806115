package node

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/store"
)

// TestAFloodWaitsAndIsNotLost has an author publish more than the agreement's quota of a day: the rest waits, the author and the
// desk are told, a restart forgets nothing of it, and the next day it comes.
func TestAFloodWaitsAndIsNotLost(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := foundedWith(t, "[quota]\nrecords-per-day = 20\n")
	l := logOf(t, keeper, id)
	url := host(t, keeper)
	before := must(keeper.reader.Log(ctx, l))(t).Size
	must(other.FollowLog(ctx, FollowRequest{URL: url + "/log/" + l}))(t)
	for range 30 {
		d := reportDraft("flood")
		d.TLP = "GREEN"
		must(keeper.Publish(ctx, id, d))(t)
	}
	round := must(other.Sync(ctx, l))(t)
	if !errors.Is(round.Err, federate.ErrQuota) || round.Size != before {
		t.Fatalf("%+v", round)
	}
	held := other.heldOf(keeper.Party().ID)
	if c := other.Counts(); c.HeldAuthors != 1 || len(held) != 1 || held[0].Limit != 20 {
		t.Fatalf("the desk sees %+v: %+v", c, held)
	}
	v := must(other.Followed(ctx, l))(t)
	if v.Notices[string(federate.NoticeQuota)] == "" {
		t.Fatalf("%+v", v)
	}
	h := HeldView{Agreement: id, Log: l, What: "records", Limit: 20, Since: other.now(), Until: other.now().Add(time.Hour)}
	if err := keeper.noteHold(ctx, other.Party().ID, h); err != nil {
		t.Fatal(err)
	}
	if got := keeper.heldAt(other.Party().ID); len(got) != 1 || got[0].Limit != 20 || keeper.Counts().HeldLogs != 1 {
		t.Errorf("the author sees %+v", got)
	}
	stranger := newTestNode(t)
	if err := keeper.noteHold(ctx, stranger.Party().ID, h); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a stranger holds a log back: %v", err)
	}
	if _, err := keeper.ReceiveHold(httptest.NewRequest(http.MethodPost, "/holds", nil), []byte("{}")); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("nobody's notice: %v", err)
	}

	dir := other.Dir()
	shut(t, other)
	other = again(t, dir, OpenOptions{})
	if spent := must(other.store.Spent(ctx, id, keeper.Party().ID))(t); spent.Leaves != before {
		t.Errorf("after a restart %+v, %d leaves were taken", spent, before)
	}
	if round = must(other.Sync(ctx, l))(t); !errors.Is(round.Err, federate.ErrQuota) {
		t.Fatalf("a restart lets the rest in: %+v", round)
	}
	for day := 1; day <= 3; day++ {
		other.now = func() time.Time { return time.Now().Add(time.Duration(day) * 25 * time.Hour) }
		other.follower.Clock = other.now
		round = must(other.Sync(ctx, l))(t)
	}
	if there := must(keeper.reader.Log(ctx, l))(t); round.Err != nil || round.Size != there.Size {
		t.Fatalf("%+v, the author has %d leaves", round, there.Size)
	}
}

// TestPurse spends to every bound.
func TestPurse(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := federate.NewPurse(federate.Quota{Garbage: 2, AllLeaves: 10}, store.Spent{AllLeaves: 9})
	if o := p.Held(now); o != nil {
		t.Fatal(o)
	}
	p.Garbage(2)
	if o := p.Held(now); o == nil || o.What != "broken records" || !o.Until.Equal(now.Add(24*time.Hour)) {
		t.Fatal(o)
	}
	if o := p.Held(now.Add(24 * time.Hour)); o != nil {
		t.Fatal(o)
	}
	full := federate.NewPurse(federate.Quota{AllLeaves: 10}, store.Spent{AllLeaves: 10})
	if o := full.Held(now.Add(99 * time.Hour)); o == nil || o.What != "records altogether" {
		t.Fatal(o)
	}
}
