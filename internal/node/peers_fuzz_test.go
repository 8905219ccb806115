package node

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/record"
)

// What other nodes and carried files say is read here, whatever it is.

// Keys are made anew in each of the processes that fuzz, so that what is fuzzed is where and how something genuine is changed.

// changes seeds a target with what goes wrong on the way: of several things that are sent, which one, and the bytes from one place
// on replaced by others.
func changes(f *testing.F, kinds int) {
	for which := range kinds {
		f.Add(which, 0, 0, []byte{})
		f.Add(which, 150, 1<<20, []byte{})
		f.Add(which, 0, 1<<20, []byte("null"))
		f.Add(which, 0, 1<<20, bytes.Repeat([]byte(`{"logs":[`), 2000))
		f.Add(which, 1<<20, 0, []byte(" {}"))
		f.Add(which, 30, 1, []byte(`":["`))
		f.Add(which, 90, 3, []byte("%"))
	}
}

// changed is data with drop bytes from at on replaced.
func changed(data []byte, at, drop int, put []byte) []byte {
	from := min(max(at, 0), len(data))
	to := min(from+max(0, min(drop, 1<<24)), len(data))
	return bytes.Join([][]byte{data[:from], put, data[to:]}, nil)
}

// FuzzCard reads what a node says of itself: the party of a card that verifies is the one whose root key signed it.
func FuzzCard(f *testing.F) {
	n := newTestNode(f)
	card := must(json.Marshal(must(n.Card(context.Background()))(f)))(f)
	changes(f, 1)
	f.Fuzz(func(t *testing.T, _, at, drop int, put []byte) {
		c, err := ReadCard(changed(card, at, drop, put))
		if err != nil {
			return
		}
		if k, err := c.read(); err != nil || k.Party != n.party.ID {
			t.Fatalf("a card of %s, which nobody signed: %v", k.Party, err)
		}
	})
}

// FuzzActsAndRolls imports acts and rolls as they are carried: the roll here stays what it is, or becomes what its keeper wrote.
func FuzzActsAndRolls(f *testing.F) {
	ctx := context.Background()
	keeper, other, id := founded(f)
	before := must(keeper.RollFileOf(ctx, id))(f)
	out := must(perform(f, other, id, ActRequest{Act: "withdraw"}))(f)
	files := [][]byte{must(json.Marshal(out.File))(f), must(json.Marshal(before))(f)}
	must(carry(keeper, out.File))(f)
	state := here(f, keeper, id).State
	reader := newTestNode(f)
	changes(f, len(files))
	f.Fuzz(func(t *testing.T, which, at, drop int, put []byte) {
		data := changed(files[which&1], at, drop, put)
		if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
			return // an agreement's text, which has a target of its own
		}
		for _, n := range []*Node{keeper, reader} {
			in, err := n.Import(ctx, "fuzzed", data)
			if err != nil && fault.CodeOf(err) == "" {
				t.Fatalf("an error that tells nobody what to do: %v", err)
			}
			if err == nil && in.Agreement != id {
				t.Fatalf("taken: %+v", in)
			}
		}
		if got := here(t, keeper, id); got.State != state {
			t.Fatalf("the roll is in a state to which nobody brought it: %s", got.State)
		}
	})
}

// FuzzCarriedBundle takes bundles from a stick: what is here of the log afterwards is what its author signed.
func FuzzCarriedBundle(f *testing.F) {
	ctx := context.Background()
	keeper, other, id := founded(f)
	must(keeper.Publish(ctx, id, reportDraft("carried")))(f)
	l := logOf(f, keeper, id)
	var b bytes.Buffer
	all := must(keeper.allChanges(ctx, other.party.ID))(f)
	must(keeper.bundle(ctx, &b, other.party.ID, all, func(string) int64 { return 0 }))(f)
	whole := bytes.Clone(b.Bytes())
	want := must(keeper.reader.Log(ctx, l))(f)
	changes(f, 4)
	f.Add(0, 0, 1<<20, []byte(`{"format":"mithaq-bundle/1","logs":[{"log":"../../x"}]}`))
	f.Fuzz(func(t *testing.T, file, at, drop int, put []byte) {
		data := changedZip(t, must(zip.NewReader(bytes.NewReader(whole), int64(len(whole))))(t), file, at, drop, put)
		files := must(wholeBundle(must(zip.NewReader(bytes.NewReader(data), int64(len(data))))(t)))(t)
		_, _ = other.takeBundle(ctx, files, func(ChangedLog) bool { return true })
		infos := must(other.reader.Logs(ctx))(t)
		for _, got := range infos {
			if got.Followed() && (got.ID != l || got.Size > want.Size || got.Size == want.Size && got.Root != want.Root) {
				t.Fatalf("here is %+v, and nobody signed it", got)
			}
		}
	})
}

// changedZip is an archive with one of its files spliced.
func changedZip(t *testing.T, z *zip.Reader, file, at, drop int, put []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i, f := range z.File {
		data := must(readZipped(&bundleFiles{zipped: map[string]*zip.File{f.Name: f}}, f.Name, 1<<24))(t)
		if i == (file&0xff)%len(z.File) {
			data = changed(data, at, drop, put)
		}
		if _, err := must(w.Create(f.Name))(t).Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// FuzzZippedBundle reads files that are no bundles, or hardly.
func FuzzZippedBundle(f *testing.F) {
	n := newTestNode(f)
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	_, _ = must(w.Create(manifestName))(f).Write([]byte(`{"format":"mithaq-bundle/1","logs":[]}`))
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		files, err := wholeBundle(z)
		if err != nil {
			return
		}
		if out, err := n.takeBundle(context.Background(), files, func(ChangedLog) bool { return true }); err == nil && out.Leaves > 0 {
			t.Fatalf("taken: %+v", out)
		}
	})
}

// FuzzAnswers lets a host answer whatever it is asked with the same bytes: what it says of news, of whom it introduces, of
// rolls and of acts. Nothing is followed and nobody is known whom no roll names.
func FuzzAnswers(f *testing.F) {
	ctx := context.Background()
	keeper, other, id := founded(f)
	stranger := newTestNode(f)
	card := must(stranger.Card(ctx))(f)
	answers := [][]byte{
		must(json.Marshal(Introductions{Cards: []Card{card, {Format: CardFormat}}, Held: []HeldView{{Agreement: id, Log: logOf(f, other, id), What: "x\x1b[2J"}}}))(f),
		must(json.Marshal(Changes{Cursor: "a", Logs: []ChangedLog{{Log: "l-../x", Party: keeper.party.ID, Agreement: id, Size: -1},
			{Log: must(record.NewID(keeper.rand, record.PrefixLog))(f), Party: keeper.party.ID, Agreement: id, Generation: -1, Size: 1 << 62}}}))(f),
		must(json.Marshal([]OfferedRoll{{Agreement: id, Label: "memo", Entries: -1}}))(f),
		must(json.Marshal(ActReply{Agreement: id, Entries: 3}))(f),
		must(json.Marshal(must(keeper.RollFileOf(ctx, id))(f)))(f),
		[]byte(` {"detail":"\u001b]0;x\u0007","code":"busy"}`),
		[]byte(" 4611686018427387904\n"),
	}
	changes(f, len(answers))
	var answer atomic.Pointer[[]byte]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if b := *answer.Load(); len(b) > 0 && b[0] == ' ' {
			w.WriteHeader(http.StatusConflict)
		}
		_, _ = w.Write(*answer.Load())
	}))
	f.Cleanup(srv.Close)
	f.Cleanup(other.outbound.CloseIdleConnections)
	logs := len(must(other.reader.Logs(ctx))(f))
	f.Fuzz(func(t *testing.T, which, at, drop int, put []byte) {
		data := changed(answers[(which&0xff)%len(answers)], at, drop, put)
		answer.Store(&data)
		_ = other.announce(ctx, srv.URL, keeper.party.ID)
		_, _ = other.fetchRoll(ctx, srv.URL, id)
		h := &hostJob{n: other, host: srv.URL, introducer: keeper.party.ID, announced: other.now(), due: map[string]time.Time{}, strange: map[string]strange{}, wake: make(chan struct{}, 1)}
		if changes, err := h.ask(ctx, 0); err == nil && len(changes.Logs) <= maxChanges {
			h.take(ctx, changes.Logs)
		}
		_, _, _ = other.postCheckpoint(ctx, srv.URL, federate.AddCheckpoint{})
		if got := len(must(other.reader.Logs(ctx))(t)); got != logs {
			t.Fatalf("%d logs are here, %d were before", got, logs)
		}
		for _, p := range must(other.store.Peers(ctx))(t) {
			if p.Party == stranger.party.ID {
				t.Fatal("a party that no roll names is known")
			}
		}
		if got := fmt.Sprint(other.heldAt(keeper.party.ID)); strings.ContainsAny(got, "\x1b\x07") {
			t.Fatalf("a terminal would obey %q", got)
		}
	})
}
