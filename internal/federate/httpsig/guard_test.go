package httpsig

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

type testKey struct{ private ed25519.PrivateKey }

func (k testKey) KeyID() string { return "k-test" }

func (k testKey) Sign(_ context.Context, msg []byte) ([]byte, error) {
	return ed25519.Sign(k.private, msg), nil
}

func (k testKey) public(id string) (ed25519.PublicKey, bool) {
	return k.private.Public().(ed25519.PublicKey), id == "k-test"
}

// bench is a signer and a guard with clocks that a test sets.
type bench struct {
	signs, verifies time.Time
	key             testKey
	signer          *Signer
	guard           *Guard
}

func newBench(t testing.TB) *bench {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{key: testKey{private}}
	b.signs = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	b.verifies = b.signs
	b.guard = NewGuard(func() time.Time { return b.verifies })
	if b.signer, err = NewSigner(b.key, rand.Reader, func() time.Time { return b.signs }); err != nil {
		t.Fatal(err)
	}
	return b
}

// arrives is a request as the server sees it.
func arrives(method, target string, body []byte) *http.Request {
	return httptest.NewRequest(method, target, bytes.NewReader(body))
}

func (b *bench) signed(t testing.TB, method, target string, body []byte) *http.Request {
	t.Helper()
	r := arrives(method, target, body)
	if err := b.signer.Sign(r, body); err != nil {
		t.Fatal(err)
	}
	return r
}

func (b *bench) verify(r *http.Request, body []byte) error {
	_, err := b.guard.Verify(Question{Request: r, Content: body, Ours: func(a string) bool { return a == "node.example" }, Key: b.key.public})
	return err
}

const tileURL = "http://node.example/log/l-x/tile/0/000?a=b"

func TestVerify(t *testing.T) {
	body := []byte(`{"act":"join"}`)
	for _, c := range []struct {
		name   string
		method string
		change func(*bench, *http.Request)
		body   []byte // as it arrives; nil: as it was signed
		want   string // empty: believed
	}{
		{name: "a GET"},
		{name: "a POST", method: "POST"},
		{name: "another method", change: func(_ *bench, r *http.Request) { r.Method = "HEAD" }, want: "does not verify"},
		{name: "another path", change: func(_ *bench, r *http.Request) { r.URL.Path = "/log/l-y/checkpoint" }, want: "does not verify"},
		{name: "another query", change: func(_ *bench, r *http.Request) { r.URL.RawQuery = "" }, want: "does not verify"},
		{name: "for another host", change: func(_ *bench, r *http.Request) { r.Host = "other.example" }, want: "it is for the host"},
		{name: "another body", method: "POST", body: []byte("{}"), want: "not the one that its digest names"},
		{name: "no digest", method: "POST", change: func(_ *bench, r *http.Request) { r.Header.Del(digestField) }, want: "content-digest, which is not there"},
		{name: "an unknown key", change: rewrite(`keyid="k-test"`, `keyid="k-else"`), want: "not known"},
		{name: "another algorithm", change: rewrite(`alg="ed25519"`, `alg="hmac-sha256"`), want: "algorithm"},
		{name: "another nonce", change: rewrite(`.1";`, `.2";`), want: "does not verify"},
		{name: "no such nonce", change: rewrite(`.1";`, `";`), want: "nonce"},
		{name: "a component less", change: rewrite(`"@query"`, ``), want: "does not cover @query"},
		{name: "expired", change: rewrite(`;tag`, `;expires=1;tag`), want: "expired"},
		{name: "another purpose", change: rewrite(tag, "other"), want: ErrUnsigned.Error()},
		{name: "no signature field", change: func(_ *bench, r *http.Request) { r.Header.Del("Signature") }, want: "no signature mithaq"},
		{name: "not signed", change: func(_ *bench, r *http.Request) { r.Header = http.Header{} }, want: ErrUnsigned.Error()},
		{name: "garbage", change: func(_ *bench, r *http.Request) { r.Header.Set("Signature-Input", `mithaq=("`) }, want: "malformed"},
		{name: "old", change: func(b *bench, _ *http.Request) { b.verifies = b.verifies.Add(maxAge + time.Second) }, want: "set the clocks"},
		{name: "of the future", change: func(b *bench, _ *http.Request) { b.verifies = b.verifies.Add(-maxSkew - time.Second) }, want: "set the clocks"},
		{name: "a little of the future", change: func(b *bench, _ *http.Request) { b.verifies = b.verifies.Add(-maxSkew / 2) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			var carried []byte
			if c.method == "" {
				c.method = "GET"
			} else {
				carried = body
			}
			r := b.signed(t, c.method, tileURL, carried)
			if c.change != nil {
				c.change(b, r)
			}
			if c.body != nil {
				carried = c.body
			}
			err := b.verify(r, carried)
			if c.want == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func rewrite(old, now string) func(*bench, *http.Request) {
	return func(_ *bench, r *http.Request) {
		r.Header.Set("Signature-Input", strings.Replace(r.Header.Get("Signature-Input"), old, now, 1))
	}
}

func TestReplay(t *testing.T) {
	b := newBench(t)
	r := b.signed(t, "GET", tileURL, nil)
	if err := b.verify(r, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.verify(r, nil); err == nil || !strings.Contains(err.Error(), "before") {
		t.Errorf("the same request again: %v", err)
	}
	// A node that restarted does not know what it let through, so it takes nothing from before.
	b.verifies = b.verifies.Add(10 * time.Second)
	b.guard = NewGuard(func() time.Time { return b.verifies })
	var refusal *Refusal
	if err := b.verify(r, nil); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "before this node started") {
		t.Errorf("after a restart: %v", err)
	}
	b.signs = b.verifies
	if err := b.verify(b.signed(t, "GET", tileURL, nil), nil); err != nil {
		t.Errorf("a new request after the restart: %v", err)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	b := newBench(t)
	for i := range maxSessions + 1 {
		signer, err := NewSigner(b.key, rand.Reader, func() time.Time { return b.signs })
		if err != nil {
			t.Fatal(err)
		}
		b.signer = signer
		if err := b.verify(b.signed(t, "GET", tileURL, nil), nil); (err == nil) != (i < maxSessions) {
			t.Fatalf("session %d: %v", i, err)
		}
	}
	b.verifies = b.verifies.Add(maxAge + maxSkew + time.Second)
	b.signs = b.verifies
	if err := b.verify(b.signed(t, "GET", tileURL, nil), nil); err != nil {
		t.Errorf("after the old sessions ended: %v", err)
	}
}

// TestTakeOnce shows that whatever the order in which numbers come in, none is taken twice, and that those within the
// window are taken once.
func TestTakeOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, taken := &session{}, map[uint64]bool{}
		step := rapid.SampledFrom([]uint64{3, 100, windowBits - 1, windowBits, 3 * windowBits})
		top := uint64(1)
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			spread := step.Draw(t, "spread")
			n := 1 + rapid.Uint64Range(top-min(top, spread), top+spread).Draw(t, "number")
			err := s.take(n)
			if err == nil && taken[n] {
				t.Fatalf("%d was taken twice", n)
			}
			if err != nil && !taken[n] && n+windowBits > top {
				t.Fatalf("%d was refused though it is within the window below %d: %v", n, top, err)
			}
			if err == nil {
				taken[n] = true
			}
			top = max(top, n)
		}
	})
}

// TestTransport signs what a client sends and a server verifies, over a real connection.
func TestTransport(t *testing.T) {
	b := newBench(t)
	var got error
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, got = b.guard.Verify(Question{Request: r, Ours: func(string) bool { return true }, Key: b.key.public})
	}))
	defer srv.Close()
	client := http.Client{Transport: &Transport{Signer: b.signer, Base: srv.Client().Transport}}
	for _, path := range []string{"", "/", "/log/x/tile/0/x001/234.p/5", "/a%20b/%2Fc?x=1&y=%20", "/?"} {
		got = errors.New("the request did not arrive")
		resp, err := client.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got != nil {
			t.Errorf("GET %q: %v", path, got)
		}
	}
}

func FuzzDictionary(f *testing.F) {
	for _, s := range []string{``, `a=1`, `sig=("@method" "x";name="y";b);created=1;keyid="k"`, `a=:AA==:, b=?1;x=tok`, `a=("\"\\")`, `a=-0`, `*=*;*`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		members, err := parseDictionary(s)
		if err != nil {
			return
		}
		var parts []string
		for _, m := range members {
			if !m.inner {
				var b strings.Builder
				b.WriteString(m.key + "=" + m.value.String())
				writeParams(&b, m.params)
				parts = append(parts, b.String())
				continue
			}
			parts = append(parts, m.key+"="+m.innerString())
		}
		canonical := strings.Join(parts, ", ")
		if len(canonical) > maxField {
			return
		}
		again, err := parseDictionary(canonical)
		if err != nil {
			t.Fatalf("%q is spelled %q, which does not parse: %v", s, canonical, err)
		}
		if len(again) != len(members) {
			t.Fatalf("%q has %d members, its own spelling %q has %d", s, len(members), canonical, len(again))
		}
	})
}

func FuzzVerify(f *testing.F) {
	b := newBench(f)
	r := b.signed(f, "GET", tileURL, nil)
	f.Add(r.Header.Get("Signature-Input"), r.Header.Get("Signature"), "/log/l-x/tile/0/000")
	f.Add(`mithaq=()`, `mithaq=::`, "/")
	f.Fuzz(func(t *testing.T, input, signature, path string) {
		b := newBench(t)
		r := arrives("GET", "http://node.example/", nil)
		r.URL.Path = path
		r.Header.Set("Signature-Input", input)
		r.Header.Set("Signature", signature)
		if b.verify(r, nil) == nil {
			t.Fatal("a signature by nobody was believed")
		}
	})
}
