package node

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
)

// receipts signs what is due for one node's followed logs, once everything here is indexed.
func receipts(t *testing.T, r *receipting) {
	t.Helper()
	ctx := context.Background()
	if err := r.n.allIndexed(ctx); err != nil {
		t.Fatal(err)
	}
	for r.round(ctx) == time.Nanosecond {
	}
}

func receiptsOf(n *Node) *receipting {
	return &receipting{n: n, logs: map[string]*pendingReceipts{}}
}

// each follows the other's log under the agreement.
func mutual(t *testing.T, keeper, other *Node, id string) (ofKeeper, ofOther string) {
	t.Helper()
	return follows(t, other, keeper, id), follows(t, keeper, other, id)
}

// primed has the receipts signed for what stood in a log before the test: what is sealed to others, told of with the first.
func primed(t *testing.T, keeper, other *Node, id, ofKeeper string) *receipting {
	t.Helper()
	shareReport(t, keeper, id, "before everything")
	synced(t, other, ofKeeper)
	r := receiptsOf(other)
	receipts(t, r)
	r.due, r.last = time.Time{}, time.Time{}
	return r
}

func synced(t *testing.T, n *Node, log string) {
	t.Helper()
	syncOnce(t, n, log)
	if err := n.allIndexed(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func shareReport(t *testing.T, n *Node, id, text string) Receipt {
	t.Helper()
	d := reportDraft(text)
	d.TLP, d.Serves = "AMBER", []string{"1"}
	return must(n.Publish(context.Background(), id, d))(t)
}

func TestAuthorSeesWhoHasOpenedAndReadWhatItShared(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	ofKeeper, ofOther := mutual(t, keeper, other, id)
	signing := primed(t, keeper, other, id, ofKeeper)

	var shared []Receipt
	for i := range 300 {
		shared = append(shared, shareReport(t, keeper, id, fmt.Sprint("Observed a walrus ", i)))
	}
	v := must(keeper.Receipts(ctx, keeper.Owner(), id, shared[7].Index))(t)
	if len(v.Holders) != 1 || v.Holders[0].Party != other.Party().ID || v.Holders[0].Opened != nil || len(v.Holders[0].Names) == 0 {
		t.Fatalf("before anything came: %+v", v)
	}
	synced(t, other, ofKeeper)
	before := must(other.reader.Log(ctx, ofOther))(t).Size
	receipts(t, signing)
	if grown := must(other.reader.Log(ctx, ofOther))(t).Size - before; grown != 1 {
		t.Fatalf("300 records are acknowledged in %d records", grown)
	}
	synced(t, keeper, ofOther)
	for _, r := range []Receipt{shared[0], shared[255], shared[299]} {
		v := must(keeper.Receipts(ctx, keeper.Owner(), id, r.Index))(t)
		if len(v.Holders) != 1 || v.Holders[0].Opened == nil || v.Holders[0].Read != nil {
			t.Fatalf("%+v", v)
		}
	}

	// A person says so too, once.
	read := must(other.ReadByPerson(ctx, other.Owner(), ofKeeper, shared[3].Index))(t)
	if err := other.allIndexed(ctx); err != nil {
		t.Fatal(err)
	}
	if twice := must(other.ReadByPerson(ctx, other.Owner(), ofKeeper, shared[3].Index))(t); twice.Index != read.Index || !twice.Duplicate {
		t.Fatalf("said twice: %+v, then %+v", read, twice)
	}
	synced(t, keeper, ofOther)
	h := must(keeper.Receipts(ctx, keeper.Owner(), id, shared[3].Index))(t).Holders[0]
	if h.Read == nil || !slices.Equal(h.Readers, []string{other.Owner().Person}) {
		t.Fatalf("%+v", h)
	}
	if h := must(keeper.Receipts(ctx, keeper.Owner(), id, shared[4].Index))(t).Holders[0]; h.Read != nil {
		t.Fatalf("another record passes for read: %+v", h)
	}
	_, err := keeper.ReadByPerson(ctx, keeper.Owner(), id, shared[3].Index)
	wantCode(t, err, fault.Invalid)

	// Receipts have no receipts, however often one looks.
	size := must(keeper.reader.Log(ctx, ofKeeper))(t).Size
	receipts(t, receiptsOf(keeper))
	if now := must(keeper.reader.Log(ctx, ofKeeper))(t).Size; now != size {
		t.Fatalf("%d records about receipts", now-size)
	}
	// The index says the same when it is built again.
	must(keeper.Reindex(ctx))(t)
	if err := keeper.allIndexed(ctx); err != nil {
		t.Fatal(err)
	}
	if again := must(keeper.Receipts(ctx, keeper.Owner(), id, shared[3].Index))(t).Holders[0]; !again.Read.Equal(*h.Read) || !again.Opened.Equal(*h.Opened) {
		t.Fatalf("after building the index again: %+v, before %+v", again, h)
	}
}

// What was acknowledged is not acknowledged again: after a restart, and when the node forgot how far it was.
func TestNothingIsAcknowledgedTwice(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	ofKeeper, ofOther := mutual(t, keeper, other, id)
	shareReport(t, keeper, id, "one")
	synced(t, other, ofKeeper)
	receipts(t, receiptsOf(other))
	size := must(other.reader.Log(ctx, ofOther))(t).Size

	dir := other.Dir()
	shut(t, other)
	other = again(t, dir, OpenOptions{})
	receipts(t, receiptsOf(other))
	if err := other.store.SetReceipted(ctx, other.book(ofKeeper).no, 0); err != nil {
		t.Fatal(err)
	}
	receipts(t, receiptsOf(other))
	if now := must(other.reader.Log(ctx, ofOther))(t).Size; now != size {
		t.Fatalf("%d more records", now-size)
	}
}

// Receipts for one log are gathered: the first goes out at once, the next when it is due; recalls do not wait.
func TestReceiptsAreGatheredAndRecallsAcknowledgedAtOnce(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	ofKeeper, ofOther := mutual(t, keeper, other, id)
	at := time.Now()
	other.now = func() time.Time { return at }
	signing := primed(t, keeper, other, id, ofKeeper)
	size := func() int64 { return must(other.reader.Log(ctx, ofOther))(t).Size }
	share := func(text string) Receipt {
		r := shareReport(t, keeper, id, text)
		synced(t, other, ofKeeper)
		receipts(t, signing)
		return r
	}
	before := size()
	first := share("one")
	share("two")
	share("three")
	if size() != before+1 {
		t.Fatalf("%d records for the first of three", size()-before)
	}
	must(keeper.ChangeRecord(ctx, id, first.Index, Change{Action: "withdraw", Reason: "error"}))(t)
	synced(t, other, ofKeeper)
	receipts(t, signing)
	synced(t, keeper, ofOther)
	v := must(keeper.Receipts(ctx, keeper.Owner(), id, first.Index))(t)
	if len(v.Changes) != 1 || v.Changes[0].Action != "withdraw" || v.Changes[0].Obeyed != 1 || v.Changes[0].Holders[0].Obeyed == nil {
		t.Fatalf("%+v", v)
	}
	if v.Holders[0].Opened == nil {
		t.Fatalf("that it was opened is forgotten: %+v", v)
	}
	was := size()
	share("four")
	at = at.Add(2 * time.Minute)
	receipts(t, signing)
	if size() != was+1 {
		t.Fatalf("%d records once the time had come", size()-was)
	}
}

// Nodes take turns: what begins to wait is signed soon, what waits after that not before its time and never much later.
func TestReceiptsHaveTheirTurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		every := time.Duration(rapid.Int64Range(int64(time.Second), int64(time.Hour)).Draw(t, "every"))
		r := &receipting{n: &Node{cfg: Config{ReceiptEvery: every.String()}}, share: turnOf(rapid.String().Draw(t, "party"))}
		now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "now")))
		if at, soon := r.next(now); !soon || at.Before(now) || at.Sub(now) > every/receiptSoon {
			t.Fatalf("the first waits for %s of %s", at.Sub(now), every)
		}
		if at := r.place(now); at.Before(now) || at.Sub(now) >= every {
			t.Fatalf("the first of many logs waits for %s of %s", at.Sub(now), every)
		}
		r.last = now
		for range 3 {
			at, soon := r.next(r.last.Add(every / 2))
			if wait := at.Sub(r.last); soon || wait < every || wait >= 2*every {
				t.Fatalf("the next one waits for %s of %s", wait, every)
			}
			r.last = at
		}
		if at, _ := r.next(r.last.Add(every / 2)); at.Sub(r.last) != every {
			t.Fatalf("a turn later: %s of %s", at.Sub(r.last), every)
		}
	})
}

// Who wants no receipts signs none, but for recalls.
func TestReceiptsCanBeTurnedOff(t *testing.T) {
	ctx := context.Background()
	for name, off := range map[string]func(*Config, string){
		"kinds":     func(c *Config, _ string) { c.ReceiptKinds = nil },
		"agreement": func(c *Config, id string) { c.NoReceipts = []string{id} },
	} {
		t.Run(name, func(t *testing.T) {
			keeper, other, id := founded(t)
			ofKeeper, ofOther := mutual(t, keeper, other, id)
			signing := primed(t, keeper, other, id, ofKeeper)
			off(&other.cfg, id)
			r := shareReport(t, keeper, id, "one")
			synced(t, other, ofKeeper)
			before := must(other.reader.Log(ctx, ofOther))(t).Size
			receipts(t, signing)
			if now := must(other.reader.Log(ctx, ofOther))(t).Size; now != before {
				t.Fatalf("%d records", now-before)
			}
			must(keeper.ChangeRecord(ctx, id, r.Index, Change{Action: "withdraw", Reason: "error"}))(t)
			synced(t, other, ofKeeper)
			receipts(t, signing)
			if now := must(other.reader.Log(ctx, ofOther))(t).Size; now != before+1 {
				t.Fatalf("%d records for a recall", now-before)
			}
		})
	}
}

// What is left of ranges without others is what no other covers, in order and apart.
func TestWithoutTakesRangesOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (list [][2]int64, in map[int64]bool) {
			in = map[int64]bool{}
			at := int64(0)
			for range rapid.IntRange(0, 6).Draw(t, name) {
				from := at + rapid.Int64Range(1, 4).Draw(t, "gap")
				at = from + rapid.Int64Range(1, 5).Draw(t, "width")
				list = append(list, [2]int64{from, at})
				for i := from; i < at; i++ {
					in[i] = true
				}
			}
			return list, in
		}
		a, inA := draw("ranges")
		b, inB := draw("out")
		var list []record.Range
		for _, r := range a {
			list = append(list, r)
		}
		left := map[int64]bool{}
		end := int64(-1)
		for _, r := range without(list, b) {
			if r[0] <= end || r[0] >= r[1] {
				t.Fatalf("%v without %v: %v", a, b, without(list, b))
			}
			end = r[0]
			for i := r[0]; i < r[1]; i++ {
				left[i] = true
			}
		}
		for i := range int64(64) {
			if left[i] != (inA[i] && !inB[i]) {
				t.Fatalf("%v without %v: %v", a, b, without(list, b))
			}
		}
	})
}
