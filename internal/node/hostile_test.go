package node

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// metered counts what a host gets rid of.
type metered struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (m metered) Write(p []byte) (int, error) {
	n, err := m.ResponseWriter.Write(p)
	m.sent.Add(int64(n))
	return n, err
}

func (m metered) Unwrap() http.ResponseWriter { return m.ResponseWriter }

// spoiled is a host that serves what next does, but answers certain paths by spoil. It ends what it has begun when the test does.
func spoiled(t *testing.T, next http.Handler, path string, spoil http.HandlerFunc) (url string, sent *atomic.Int64) {
	t.Helper()
	sent = new(atomic.Int64)
	ending, end := context.WithCancel(context.Background())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, path) {
			next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(ending, cancel)()
		spoil(metered{w, sent}, r.WithContext(ctx))
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(end)
	return srv.URL, sent
}

// endless sends piece until the other side has enough.
func endless(piece []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}
}

// trickle sends a byte now and then, for as long as it is let.
func trickle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/octet-stream")
	for r.Context().Err() == nil {
		if _, err := w.Write([]byte{'x'}); err != nil || http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// bombSize is what a bomb becomes: what says that it is compressed is refused before anything of it is read, however long it is.
func bombSize() int {
	if testing.Short() {
		return 2 << 20
	}
	return 64 << 20
}

func gzipBomb() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for range bombSize() >> 20 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	return b.Bytes()
}

// bytesInFlight is what two machines' sockets hold of an answer that nobody reads any more.
const bytesInFlight = 16 << 20

// beside asks a host for a log. One that is to be found too slow is given a moment, any other as long as a busy machine needs.
func beside(t *testing.T, n *Node, l, url string, kind fetch.Kind) federate.Round {
	t.Helper()
	if n.patience = 0; kind == fetch.TooSlow {
		n.patience = 500 * time.Millisecond
		defer func() { n.patience = 0 }()
	}
	return must(n.follower.SyncBeside(context.Background(), l, url, 0))(t)
}

// TestAHostileHostIsRefused has one host after the other misbehave while another, honest one serves the same log.
func TestAHostileHostIsRefused(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	honest := keeper.LogHandler(func(*http.Request) Viewer { return Viewer{Own: true} })
	l := follows(t, other, keeper, id)
	source := must(other.Followed(ctx, l))(t).Source

	text := func(kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write([]byte(body))
		}
	}
	to := func(where string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, where, http.StatusFound) }
	}
	coded := func(coding string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", coding)
			_, _ = w.Write(body)
		}
	}
	altered := func(change func([]byte) []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			honest.ServeHTTP(rec, r)
			w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
			_, _ = w.Write(change(rec.Body.Bytes()))
		}
	}
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	encoder := must(zstd.NewWriter(nil))(t)
	bomb := encoder.EncodeAll(make([]byte, bombSize()), nil)
	zeros := make([]byte, 1<<16)

	for _, c := range []struct {
		name, path string
		spoil      http.HandlerFunc
		kind       fetch.Kind
	}{
		{"a checkpoint without end", "/checkpoint", endless(zeros), fetch.TooLong},
		{"a tile without end", "/tile/0/", endless(zeros), fetch.TooLong},
		{"a bundle without end", "/tile/entries/", endless(zeros), fetch.TooLong},
		{"an object without end", "/object/", endless(zeros), fetch.TooLong},
		{"a slow checkpoint", "/checkpoint", trickle, fetch.TooSlow},
		{"a slow bundle", "/tile/entries/", trickle, fetch.TooSlow},
		{"a slow object", "/object/", trickle, fetch.TooSlow},
		{"silence", "/checkpoint", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, fetch.TooSlow},
		{"a web page", "/checkpoint", text("text/html; charset=utf-8", "<html>200 OK</html>"), fetch.WrongType},
		{"a web page for a bundle", "/tile/entries/", text("text/html", "<html>"), fetch.WrongType},
		{"no type that there is", "/checkpoint", text("a;;b/", "x"), fetch.WrongType},
		{"a narrow tile", "/tile/0/", text("application/octet-stream", "short"), fetch.WrongLength},
		{"a wide tile", "/tile/0/", altered(func(b []byte) []byte { return append(b, b...) }), fetch.TooLong},
		{"another tile", "/tile/0/", altered(flip), fetch.WrongHash},
		{"another bundle", "/tile/entries/", altered(flip), fetch.WrongHash},
		{"another object", "/object/", altered(flip), fetch.WrongHash},
		{"a large other object", "/object/", text("application/octet-stream", string(make([]byte, store.SmallObject+1))), fetch.WrongHash},
		{"another signature", "/checkpoint", altered(func(b []byte) []byte { b[len(b)-8] ^= 1; return b }), fetch.BadSigned},
		{"a hundred signatures", "/checkpoint", altered(func(b []byte) []byte {
			line := "— x " + base64.StdEncoding.EncodeToString(make([]byte, 68)) + "\n"
			return append(b, strings.Repeat(line, 101)...)
		}), fetch.BadSigned},
		{"a gzip bomb", "/checkpoint", coded("gzip", gzipBomb()), fetch.Compressed},
		{"a zstd bomb", "/object/", coded("zstd", bomb), fetch.Compressed},
		{"another host", "/checkpoint", to("https://elsewhere.example/checkpoint"), fetch.Redirected},
		{"this machine's secrets", "/checkpoint", to("http://169.254.169.254/latest/meta-data/"), fetch.Redirected},
		{"a file", "/object/", to("file:///etc/passwd"), fetch.Redirected},
		{"a loop", "/tile/", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusMovedPermanently)
		}, fetch.Redirected},
		{"a head without end", "/checkpoint", func(w http.ResponseWriter, _ *http.Request) {
			for i := range 4000 {
				w.Header().Set(fmt.Sprintf("X-Flood-%d", i), strings.Repeat("x", 100))
			}
			_, _ = w.Write([]byte("x"))
		}, fetch.HeaderFlood},
		{"a body that breaks off", "/tile/entries/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "35")
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write([]byte("x"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, fetch.BrokenOff},
		{"500", "/checkpoint", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }, fetch.BadStatus},
		{"keyrings of nobody", "/keyrings", text("application/json", `[{}]`), fetch.BadSigned},
		{"no keyrings", "/keyrings", text("application/json", strings.Repeat("[", 1<<16)), fetch.Malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := reportDraft(c.name)
			d.TLP = "GREEN"
			must(keeper.Publish(ctx, id, d))(t)
			url, sent := spoiled(t, honest, c.path, c.spoil)
			before := other.Counts().RefusedAnswers[string(c.kind)]
			if c.path == "/keyrings" { // they are asked for at the beginning only
				_, err := other.FollowLog(ctx, FollowRequest{URL: url + "/log/" + l, Party: keeper.Party().ID})
				if err == nil {
					t.Fatal("it was believed")
				}
				return
			}
			round := beside(t, other, l, url, c.kind)
			if round.Err == nil && c.path != "/object/" {
				t.Fatalf("it was believed: %+v", round)
			}
			if got := other.Counts().RefusedAnswers[string(c.kind)]; got == before {
				t.Errorf("nothing of kind %s was counted: %v, %v", c.kind, round.Err, other.Counts().RefusedAnswers)
			}
			if got := sent.Load(); got > 128*(4<<10)+record.MaxObject+bytesInFlight {
				t.Errorf("it got rid of %d bytes", got)
			}
			// The honest host is served meanwhile, and what a bad one left out comes from it.
			syncOnce(t, other, l)
			if here, there := must(other.reader.Log(ctx, l))(t), must(keeper.reader.Log(ctx, l))(t); here.Size != there.Size || here.Root != there.Root {
				t.Fatalf("%d leaves are here, %d there", here.Size, there.Size)
			}
			if seen := other.refusals.of(url); seen == nil || seen.Kinds[string(c.kind)] == 0 || seen.Last == "" {
				t.Errorf("the host is not blamed: %+v", seen)
			}
		})
	}
	v := must(other.Followed(ctx, l))(t)
	if v.Source != source || v.Refused == nil || len(v.Refused.Kinds) < 10 {
		t.Errorf("%+v", v)
	}
}

// A host that answers for single objects as it should, and spoils what is asked for together: that is refused and counted, and
// every object comes all the same.
func TestAHostileBatchIsRefused(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	honest := keeper.LogHandler(func(*http.Request) Viewer { return Viewer{Own: true} })
	l := follows(t, other, keeper, id)
	for _, c := range []struct {
		name  string
		spoil http.HandlerFunc
		kind  fetch.Kind
	}{
		{"without end", endless(make([]byte, 1<<16)), fetch.WrongLength}, // lengths of 0, and more of them than were asked for
		{"silence", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, fetch.TooSlow},
		{"a web page", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, fetch.WrongType},
		{"elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		}, fetch.Redirected},
		{"a large one", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0xff, 0xff, 0xff, 0xff, 0}) }, fetch.TooLong},
		{"500", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }, fetch.BadStatus},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 3 {
				must(keeper.Publish(ctx, id, reportDraft(c.name)))(t)
			}
			url, _ := spoiled(t, honest, "/objects/", c.spoil)
			before := other.Counts().RefusedAnswers[string(c.kind)]
			round := beside(t, other, l, url, c.kind)
			if round.Err != nil {
				t.Fatal(round.Err)
			}
			if got := other.Counts().RefusedAnswers[string(c.kind)]; got == before {
				t.Errorf("nothing of kind %s was counted: %v", c.kind, other.Counts().RefusedAnswers)
			}
			if absent := must(other.store.Absent(ctx, other.book(l).no, 0, 10))(t); len(absent) > 0 || round.Size != must(keeper.reader.Log(ctx, l))(t).Size {
				t.Errorf("%d leaves are here, without objects at %v", round.Size, absent)
			}
		})
	}
}

// rawHost answers every connection with the same bytes.
func rawHost(t *testing.T, answer string) string {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = c.Write([]byte(answer))
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

// TestOddConnections asks hosts that speak something else, and ones whose certificate nobody signed.
func TestOddConnections(t *testing.T) {
	n := newTestNode(t)
	n.patience = 300 * time.Millisecond
	unknown := httptest.NewTLSServer(http.NotFoundHandler())
	defer unknown.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10} // #nosec G402 -- what is refused
	old.StartTLS()
	defer old.Close()
	gone := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	nobody := gone.Addr().String()
	_ = gone.Close()
	for _, c := range []struct {
		url  string
		kind fetch.Kind
	}{
		{unknown.URL, fetch.BadTLS},
		{old.URL, fetch.BadTLS},
		{"https://" + strings.TrimPrefix(plain.URL, "http://"), fetch.BadTLS},
		{"http://" + nobody, fetch.Unreachable},
		{"http://" + rawHost(t, "SSH-2.0-OpenSSH\r\n"), fetch.NotHTTP},
		{"http://" + rawHost(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), fetch.NotHTTP},
		{"http://" + rawHost(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), fetch.NotHTTP},
		{"http://" + rawHost(t, strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 8000)), fetch.HeaderFlood},
		{"http://169.254.169.254", fetch.ForbiddenIP},
		{"http://[::]:80", fetch.ForbiddenIP},
	} {
		_, err := n.LookAtPeer(context.Background(), PeerRequest{URL: c.url})
		if fetch.KindOf(err) != c.kind {
			t.Errorf("%s: kind %q (%v), want %q", c.url, fetch.KindOf(err), err, c.kind)
		}
	}
}

// TestWhoSaysTooMuchIsNotHeard is told of more logs and parties than there can be, by a cursor of a megabyte, of logs that are
// nobody's, and of addresses inside this network.
func TestWhoSaysTooMuchIsNotHeard(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	card := must(keeper.Card(ctx))(t)
	var answer atomic.Pointer[any]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/changes" {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(*answer.Load())
			return
		}
		http.NotFound(w, r)
	}))
	defer srv.Close()
	h := &hostJob{n: other, host: srv.URL, introducer: keeper.Party().ID, due: map[string]time.Time{}, wake: make(chan struct{}, 1)}
	logs := func(n int, party string) []ChangedLog {
		out := make([]ChangedLog, n)
		for i := range out {
			out[i] = ChangedLog{Log: must(record.NewID(other.rand, record.PrefixLog))(t), Party: party, Agreement: id, Generation: 1, Size: 3}
		}
		return out
	}
	before := len(must(other.reader.Logs(ctx))(t))
	for _, c := range []struct {
		what  string
		say   any
		kind  fetch.Kind
		fails bool
	}{
		{"many logs", Changes{Cursor: "a", Logs: logs(maxChanges+1, keeper.Party().ID)}, fetch.TooMany, true},
		{"a long cursor", Changes{Cursor: strings.Repeat("c", 1<<20)}, fetch.TooMany, true},
		{"more than 8 MiB", Changes{Cursor: strings.Repeat("c", maxChangesSent)}, fetch.TooLong, true},
		{"something else", []string{"no changes"}, fetch.Malformed, true},
		{"logs that nobody began", Changes{Cursor: "b", Logs: logs(20, keeper.Party().ID)}, "", false},
	} {
		answer.Store(&c.say)
		was := other.Counts().RefusedAnswers[string(c.kind)]
		h.announced = other.now()
		err := h.round(ctx)
		if (err != nil) != c.fails {
			t.Errorf("%s: %v", c.what, err)
		}
		if c.kind != "" && other.Counts().RefusedAnswers[string(c.kind)] == was {
			t.Errorf("%s: not counted as %s: %v", c.what, c.kind, other.Counts().RefusedAnswers)
		}
	}
	if got := len(must(other.reader.Logs(ctx))(t)); got != before {
		t.Errorf("room was made for %d logs of nobody's", got-before)
	}
	k := must(card.read())(t)
	for _, url := range []string{"http://169.254.169.254/", "http://[fe80::1]:80", "http://0.0.0.0:1"} {
		if _, err := other.meet(ctx, k, url, k.Party); fetch.KindOf(err) != fetch.ForbiddenIP {
			t.Errorf("a node said to be at %s: %v", url, err)
		}
	}
	other.cfg.PublicURL = "https://node.example"
	for _, url := range []string{"http://127.0.0.1:6379", "http://localhost", "http://10.0.0.1", "http://[fd12::1]"} {
		if _, err := other.meet(ctx, k, url, k.Party); fetch.KindOf(err) != fetch.ForbiddenIP {
			t.Errorf("a node on the Internet is told of %s: %v", url, err)
		}
	}
}
