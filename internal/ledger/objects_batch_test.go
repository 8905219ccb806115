package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/store"
)

// Several objects come in one answer, each decided about as if it were asked for alone; what does not come so says nothing of why.
func TestABatchHoldsWhatTheCallerMayHaveAndIsSmall(t *testing.T) {
	ctx := context.Background()
	f := openFixture(t, t.TempDir())
	mustCreate(t, f.Ledger, "l-open", true)
	mustCreate(t, f.Ledger, "l-shut", false)
	add := func(log string, object []byte) Hash {
		t.Helper()
		if _, err := f.Append(ctx, log, Entry{Object: object}); err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(object)
	}
	clear, shut := add("l-open", objectNo("l-open", 1)), add("l-shut", objectNo("l-shut", 1))
	amber := add("l-open", objectNo("l-open", 2))
	large := add("l-open", append(make([]byte, store.SmallObject), objectNo("l-open", 3)...))
	gate := newTestGate(t)
	gate.marking = func(h Hash) policy.TLP {
		if h == amber {
			return policy.TLPAmber
		}
		return policy.TLPClear
	}
	h := NewHandler(f.Ledger, gate, slog.New(slog.DiscardHandler))
	s := httptest.NewServer(h)
	defer s.Close()
	hashes := [][32]byte{shut, clear, large, {1}, amber, clear}
	for token, want := range map[string]string{"": ".o...o", testToken: "oo..oo"} {
		src, err := HTTPSourceWith(s.URL+"/log/l-open", HTTPOptions{Token: token})
		if err != nil {
			t.Fatal(err)
		}
		objects, err := src.Objects(ctx, hashes)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(objects))
		for i, o := range objects {
			got[i] = '.'
			if o != nil {
				got[i] = 'o'
				if sha256.Sum256(o) != hashes[i] {
					t.Errorf("other bytes than object %d", i)
				}
			}
		}
		if string(got) != want {
			t.Errorf("with token %q: %s, want %s", token, got, want)
		}
	}
	for _, path := range []string{"/objects/", "/objects/" + hexOf(clear) + ",", "/objects/" + strings.ToUpper(hexOf(clear)),
		"/objects/" + strings.Repeat(hexOf(clear)+",", BatchObjects) + hexOf(clear)} {
		if w := ask(h, path, ""); w.Code != http.StatusNotFound {
			t.Errorf("%.40s…: %d", path, w.Code)
		}
	}
}

// A server that knows no batches is asked once, and one that sends something else is refused.
func TestABatchFromElsewhere(t *testing.T) {
	ctx := context.Background()
	frame := func(n uint32, rest string) []byte { return append(binary.BigEndian.AppendUint32(nil, n), rest...) }
	for _, c := range []struct {
		what string
		body []byte
		kind fetch.Kind
		came int
	}{
		{"two objects", append(frame(1, "a"), frame(2, "bc")...), "", 2},
		{"one of two", append(frame(0, ""), frame(2, "bc")...), "", 1},
		{"too few", frame(1, "a"), fetch.WrongLength, 1},
		{"cut in an object", append(frame(1, "a"), frame(9, "bc")...), fetch.WrongLength, 1},
		{"too many", append(append(frame(1, "a"), frame(1, "b")...), 'c'), fetch.WrongLength, 2},
		{"a large one", frame(store.SmallObject+1, strings.Repeat("x", store.SmallObject+1)), fetch.TooLong, 0},
	} {
		asked := 0
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked++
			_, _ = w.Write(c.body)
		}))
		src, err := HTTPSourceWith(s.URL+"/log/l-a", HTTPOptions{})
		if err != nil {
			t.Fatal(err)
		}
		objects, err := src.Objects(ctx, [][32]byte{{1}, {2}})
		came := 0
		for _, o := range objects {
			if o != nil {
				came++
			}
		}
		if fetch.KindOf(err) != c.kind || came != c.came || asked != 1 {
			t.Errorf("%s: %d came, asked %d times, %v", c.what, came, asked, err)
		}
		s.Close()
	}
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		http.NotFound(w, nil)
	}))
	defer s.Close()
	src, err := HTTPSourceWith(s.URL+"/log/l-a", HTTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if objects, err := src.Objects(ctx, [][32]byte{{1}, {2}}); err != nil || len(objects) != 2 || objects[0] != nil {
			t.Fatal(objects, err)
		}
	}
	if asked != 1 {
		t.Errorf("a server that knows no batches was asked %d times", asked)
	}
}

func FuzzBatch(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 'a', 0, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 1, 'a', 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		out := make([][]byte, 2)
		if err := readBatch(bytes.NewReader(b), out); err != nil {
			return
		}
		if n := len(out[0]) + len(out[1]) + 2*batchHead; n != len(b) {
			t.Fatalf("%d of %d bytes were read", n, len(b))
		}
	})
}
