package node

import (
	"context"
	"fmt"
	"testing"
)

// follows makes other follow the log of keeper under an agreement, and returns its id.
func follows(t *testing.T, other, keeper *Node, id string) string {
	t.Helper()
	l := logOf(t, keeper, id)
	must(other.FollowLog(context.Background(), FollowRequest{URL: host(t, keeper) + "/log/" + l}))(t)
	return l
}

func syncOnce(t *testing.T, n *Node, log string) {
	t.Helper()
	round := must(n.Sync(context.Background(), log))(t)
	if round.Err != nil {
		t.Fatal(round.Err)
	}
}

func found(t *testing.T, n *Node, text string) []SearchResult {
	t.Helper()
	return must(n.Search(context.Background(), SearchQuery{Text: text}))(t).Results
}

func TestWhatOnePartyPublishesTheOtherHasVerifiedAndSearchable(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	for i := range 40 {
		d := reportDraft(fmt.Sprintf("Observed walrus number%d", 100+i))
		d.TLP, d.Serves = []string{"CLEAR", "GREEN", "AMBER"}[i%3], []string{"1"}
		must(keeper.Publish(ctx, id, d))(t)
	}
	l := follows(t, other, keeper, id)
	size := must(keeper.reader.Log(ctx, l))(t).Size
	if err := other.WaitIndexed(ctx, l, size); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"number100", "number101", "number138"} {
		if got := found(t, other, text); len(got) != 1 || got[0].Author != keeper.Party().ID || got[0].Standing != StandingValid || got[0].Log != l {
			t.Fatalf("%s: %+v", text, got)
		}
	}
	d := reportDraft("Observed a narwhal")
	d.TLP = "AMBER"
	r := must(keeper.Publish(ctx, id, d))(t)
	syncOnce(t, other, l)
	if err := other.WaitIndexed(ctx, l, r.Size); err != nil {
		t.Fatal(err)
	}
	if got := found(t, other, "narwhal"); len(got) != 1 || got[0].Index != r.Index {
		t.Fatalf("%+v", got)
	}
	if v := must(other.Record(ctx, other.Owner(), l, r.Index))(t); v.Standing != StandingValid || v.Author != keeper.Party().ID {
		t.Fatalf("%+v", v)
	}
	if _, err := other.Publish(ctx, l, reportDraft("in a stranger's log")); err == nil {
		t.Fatal("a record was published in another party's log")
	}

	// What is here stays searchable after a restart, and after the index is built again.
	dir := other.Dir()
	shut(t, other)
	other = again(t, dir, OpenOptions{})
	must(other.Reindex(ctx))(t)
	if err := other.WaitIndexed(ctx, l, r.Size); err != nil {
		t.Fatal(err)
	}
	if got := found(t, other, "narwhal"); len(got) != 1 {
		t.Fatalf("after a restart %+v", got)
	}
	if v := must(other.Follows(ctx))(t); len(v) != 1 || v[0].Size != r.Size || v[0].Party != keeper.Party().ID || v[0].State != "followed" || len(v[0].Notices) > 0 {
		t.Fatalf("%+v", v)
	}
	shut(t, other)
	if got := audited(t, dir); got[StandingInvalid] > 0 || got[StandingValid] < 40 {
		t.Fatalf("%+v", got)
	}
}

func TestAStrangerIsNotFollowed(t *testing.T) {
	ctx := context.Background()
	keeper, _, id := founded(t)
	stranger := newTestNode(t)
	url := host(t, keeper) + "/log/" + logOf(t, keeper, id)
	_, err := stranger.FollowLog(ctx, FollowRequest{URL: url})
	wantCode(t, err, CodeForbidden)
	_, err = stranger.FollowLog(ctx, FollowRequest{URL: url, Party: stranger.Party().ID})
	wantCode(t, err, CodeInvalid)
	v := must(stranger.FollowLog(ctx, FollowRequest{URL: url, Party: keeper.Party().ID}))(t)
	if v.Size == 0 {
		t.Fatalf("%+v", v)
	}
	_, err = keeper.FollowLog(ctx, FollowRequest{URL: url, Party: keeper.Party().ID})
	wantCode(t, err, CodeInvalid)
}
