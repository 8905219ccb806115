package node

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/record"
)

// TestAReleaseOpensWhatWasSealedToOthers widens a record that two had to a third, who had been refused its object, and then to
// everybody; a recall afterwards reaches them all.
func TestAReleaseOpensWhatWasSealedToOthers(t *testing.T) {
	ctx := context.Background()
	nodes, id := circle(t, "none", 4)
	author, first, later := nodes[0], nodes[1], nodes[2]
	for _, n := range nodes[1:] {
		must(carry(n, must(author.RollFileOf(ctx, id))(t)))(t)
	}
	d := reportDraft("walrus of the third floor")
	d.TLP, d.Serves, d.Parties = "AMBER", []string{"1"}, []string{first.party.ID}
	r := must(author.Publish(ctx, id, d))(t)
	l := logOf(t, author, id)
	urls := map[*Node]string{}
	for _, n := range nodes[1:] {
		urls[n] = serve(t, author.LogHandler(func(*http.Request) Viewer { return Viewer{Party: n.party.ID} }))
	}
	for _, n := range nodes[1:] {
		must(n.FollowLog(ctx, FollowRequest{URL: urls[n] + "/log/" + l}))(t)
	}
	look := func() {
		t.Helper()
		for _, n := range nodes[1:] {
			for range 2 { // what a release makes them ask for comes with the second round
				syncOnce(t, n, l)
				if err := n.WaitIndexed(ctx, l, must(author.reader.Log(ctx, l))(t).Size); err != nil {
					t.Fatal(err)
				}
				n.withheldAt(urls[n])
			}
		}
	}
	standings := func(want ...string) {
		t.Helper()
		look()
		for i, n := range nodes[1:] {
			eventually(t, func() bool { return standingAt(t, n, l, r.Index) == want[i] })
			hits := len(found(t, n, "walrus"))
			if (hits > 0) != (want[i] == StandingValid) {
				t.Fatalf("node %d finds %d, and stands to it as %s", i+1, hits, want[i])
			}
		}
	}
	standings(StandingValid, StandingWithheld, StandingWithheld)

	release := Change{Action: "release", Reason: "agreed", Parties: []string{first.party.ID, later.party.ID}}
	rel := must(author.ChangeRecord(ctx, id, r.Index, release))(t)
	standings(StandingValid, StandingValid, StandingWithheld)
	if got := standingAt(t, nodes[3], l, rel.Index); got != StandingWithheld && got != StandingSealed {
		t.Fatalf("who is not meant reads the release: %s", got)
	}
	// A fourth time a new party: the one before keeps it, although the release does not name all who had it by releases before.
	release.Parties = []string{first.party.ID, nodes[3].party.ID}
	must(author.ChangeRecord(ctx, id, r.Index, release))(t)
	look()
	eventually(t, func() bool { return standingAt(t, nodes[3], l, r.Index) == StandingValid })

	// The index is built again and answers the same.
	if _, err := later.Reindex(ctx); err != nil {
		t.Fatal(err)
	}
	if err := later.WaitIndexed(ctx, l, must(later.reader.Log(ctx, l))(t).Size); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return standingAt(t, later, l, r.Index) == StandingValid })

	recall := must(author.ChangeRecord(ctx, id, r.Index, Change{Action: "withdraw", Reason: "error"}))(t)
	look()
	for i, n := range nodes[1:] {
		eventually(t, func() bool { return standingAt(t, n, l, recall.Index) == StandingValid })
		if len(found(t, n, "walrus")) > 0 {
			t.Errorf("node %d still finds it", i+1)
		}
	}
	if why := must(author.Why(ctx, l, r.Index, first.party.ID, "", ""))(t); why.Allow || !strings.Contains(strings.Join(why.Why["en"], " "), recall.Leaf) {
		t.Errorf("%+v does not name the recall %s", why, recall.Leaf)
	}
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never came to it")
		}
	}
}

// TestAnOpeningOfAnotherAuthorOpensNothing opens the released object and nothing else, and by its author's word alone.
func TestAnOpeningOfAnotherAuthorOpensNothing(t *testing.T) {
	ctx := context.Background()
	nodes, id := circle(t, "none", 3)
	author, first := nodes[0], nodes[1]
	d := reportDraft("walrus")
	d.TLP, d.Serves, d.Parties = "AMBER", []string{"1"}, []string{first.party.ID}
	r := must(author.Publish(ctx, id, d))(t)
	l := logOf(t, author, id)
	object := must(author.store.Object(ctx, record.ParseHash(r.Object)))(t)
	ids := must(author.identities(ctx, author.book(l).no))(t)
	o := must(record.OpeningOf(object, ids...))(t)
	if _, err := record.OpenObject(object, record.OpeningIdentity(*o)); err != nil {
		t.Fatal(err)
	}
	other := *o
	other.Stanza = strings.Repeat("0", 64)
	if _, err := record.OpenObject(object, record.OpeningIdentity(other)); err == nil {
		t.Fatal("opened by another object's opening")
	}
	// Another party's word about it counts for nothing.
	first.released.by = map[string][]record.Opening{nodes[2].party.ID: {*o}}
	first.released.ready = true
	if id := must(first.releasedBy(ctx, author.party.ID))(t); id != nil {
		t.Fatal("another party opened the author's record")
	}
}
