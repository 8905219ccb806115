package node

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// follows makes other follow the log of keeper under an agreement, and returns its id.
func follows(t testing.TB, other, keeper *Node, id string) string {
	t.Helper()
	l := logOf(t, keeper, id)
	must(other.FollowLog(context.Background(), FollowRequest{URL: host(t, keeper) + "/log/" + l}))(t)
	return l
}

func syncOnce(t testing.TB, n *Node, log string) {
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
	wantCode(t, err, fault.Forbidden)
	_, err = stranger.FollowLog(ctx, FollowRequest{URL: url, Party: stranger.Party().ID})
	wantCode(t, err, fault.Invalid)
	v := must(stranger.FollowLog(ctx, FollowRequest{URL: url, Party: keeper.Party().ID}))(t)
	if v.Size == 0 {
		t.Fatalf("%+v", v)
	}
	_, err = keeper.FollowLog(ctx, FollowRequest{URL: url, Party: keeper.Party().ID})
	wantCode(t, err, fault.Invalid)
}

// TestARewrittenLogIsCaughtByThoseWhoCompare has an author show one history to one party and another to the other.
func TestARewrittenLogIsCaughtByThoseWhoCompare(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	l := follows(t, other, keeper, id)
	d := reportDraft("what was said first")
	d.TLP = "GREEN"
	must(keeper.Publish(ctx, id, d))(t)

	// The author's other face: the same keys, an older store, another word.
	dir := filepath.Join(t.TempDir(), "twin")
	if err := os.CopyFS(dir, os.DirFS(keeper.Dir())); err != nil {
		t.Fatal(err)
	}
	syncOnce(t, other, l)
	twin := again(t, dir, OpenOptions{})
	d = reportDraft("what was never said")
	d.TLP = "GREEN"
	for range 2 {
		must(twin.Publish(ctx, id, d))(t)
	}
	for range 1 {
		must(keeper.Publish(ctx, id, reportDraft("more")))(t)
	}
	syncOnce(t, other, l)
	size := must(other.reader.Log(ctx, l))(t).Size

	// The job for the host that shows the other history compares, although the log is followed from elsewhere: also when what is
	// shown is smaller.
	job := &hostJob{n: other, host: host(t, twin), due: map[string]time.Time{}, beside: map[string]shown{}, mended: map[string]time.Time{}, strange: map[string]strange{}}
	head := must(twin.reader.Log(ctx, l))(t)
	if err := other.putPeer(ctx, store.Peer{Party: keeper.Party().ID, URL: "https://elsewhere.example", Keyring: mustKeyring(t, keeper)}); err != nil {
		t.Fatal(err)
	}
	job.take(ctx, []ChangedLog{{Log: l, Party: keeper.Party().ID, Agreement: id, Size: head.Size, Checkpoint: string(head.Checkpoint)}})
	if wait := job.patience(); len(job.beside) != 1 || wait > besideAfter {
		t.Fatalf("it compares %d logs after %s", len(job.beside), wait)
	}
	job.beside[l] = shown{job.beside[l].ChangedLog, other.now()}
	job.take(ctx, nil)
	job.compares.Wait()
	if must(other.reader.Log(ctx, l))(t).Size != size || len(job.beside) > 0 {
		t.Fatal("another history was taken")
	}
	v := must(other.Followed(ctx, l))(t)
	if len(v.Evidence) != 1 || v.Notices["history mismatch"] == "" {
		t.Fatalf("%+v", v)
	}
	file := must(other.EvidenceFile(ctx, v.Evidence[0]))(t)
	if c, err := VerifyEvidence(file); err != nil || c.Party != keeper.Party().ID {
		t.Fatalf("%+v, %v", c, err)
	}
	forged := strings.Replace(string(file), keeper.Party().ID, other.Party().ID, 1)
	if _, err := VerifyEvidence([]byte(forged)); err == nil {
		t.Fatal("evidence against somebody else was made of it")
	}

	// The twin signs on: each tree is another proof of the same two histories, of which few are kept, and one matter for people.
	keyed := must(other.Matters(ctx))(t)
	for i := range maxProofs + 2 {
		must(twin.Publish(ctx, id, reportDraft(fmt.Sprintf("and another %d", i))))(t)
		head := must(twin.reader.Log(ctx, l))(t)
		job.beside[l] = shown{ChangedLog{Log: l, Party: keeper.Party().ID, Agreement: id, Size: head.Size, Checkpoint: string(head.Checkpoint)}, other.now()}
		job.take(ctx, nil)
		job.compares.Wait()
	}
	if v := must(other.Followed(ctx, l))(t); len(v.Evidence) != maxProofs {
		t.Fatalf("%d proofs", len(v.Evidence))
	}
	if m := must(other.Matters(ctx))(t); len(m) != 1 || len(keyed) != 1 || m[0] != keyed[0] || m[0].Path != "/record/"+l {
		t.Fatalf("%+v, and before %+v", m, keyed)
	}

	// Nobody else learns of it before a person says so.
	url := host(t, other) + "/log/" + l + "/evidence"
	if got := get(t, url); got != "[]\n" {
		t.Fatalf("before a person decided: %s", got)
	}
	must(other.PublishEvidence(ctx, v.Evidence[0]))(t)
	if m := must(other.Matters(ctx))(t); len(m) != 0 {
		t.Fatalf("somebody decided, and it waits: %+v", m)
	}
	if got := get(t, url); !strings.Contains(got, "mithaq-evidence/1") {
		t.Fatalf("after it: %s", got)
	}
	// The history that is here stays, and goes on.
	must(keeper.Publish(ctx, id, reportDraft("and more")))(t)
	syncOnce(t, other, l)
	if got := must(other.Evidences(ctx))(t); len(got) != maxProofs || got[0].Published == nil || got[0].Says == "" {
		t.Fatalf("%+v", got)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url) //nolint:noctx // a test server
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A host that tells of a new head is believed as if it had been asked for it; what it told before more came is no rollback.
func TestAHeadThatIsToldIsNotAskedFor(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	l := follows(t, other, keeper, id)
	silent, _ := spoiled(t, keeper.LogHandler(func(*http.Request) Viewer { return Viewer{Own: true} }), "/checkpoint", http.NotFound)
	b := other.book(l)
	if err := other.FollowAs(ctx, record.LogIdentity{ID: l, Origin: b.log.Origin, Agreement: id, Generation: b.log.Generation}, keeper.party.ID, silent); err != nil {
		t.Fatal(err)
	}
	var told []string
	var last Receipt
	for _, words := range []string{"Observed a walrus", "Observed a narwhal"} {
		last = must(keeper.Publish(ctx, id, reportDraft(words)))(t)
		told = append(told, string(must(keeper.reader.Checkpoint(ctx, l))(t)))
	}
	slices.Reverse(told) // the older one was under way for longer
	h := &hostJob{n: other, host: silent, introducer: keeper.party.ID, due: map[string]time.Time{}, strange: map[string]strange{}}
	for _, checkpoint := range told {
		h.follow(ctx, ChangedLog{Log: l, Party: keeper.party.ID, Agreement: id, Generation: b.log.Generation, Size: last.Size, Checkpoint: checkpoint})
	}
	if v := must(other.Followed(ctx, l))(t); v.Size != last.Size || len(v.Notices) > 0 {
		t.Errorf("%d leaves are here, want %d; notices: %v", v.Size, last.Size, v.Notices)
	}
}
