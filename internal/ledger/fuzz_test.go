package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func hexOf(h Hash) string { return hex.EncodeToString(h[:]) }

func FuzzPath(f *testing.F) {
	for _, s := range []string{"/log/l-a/checkpoint", "/log/l-a/tile/0/000", "/log/l-a/tile/63/x001/x234/067.p/8", "/log/l-a/tile/entries/999.p/255",
		"/object/" + strings.Repeat("0a", 32), "/objects/" + strings.Repeat("0a", 32) + "," + strings.Repeat("0b", 32), "/log/l-a/tile/0/x000/001", "/log/l-a/tile/+1/001", "/log/../checkpoint"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		r, ok := parsePath(path)
		if !ok {
			return
		}
		var again string
		switch r.kind {
		case resourceObject:
			again = "/object/" + hexOf(r.hash)
		case resourceBatch:
			names := make([]string, len(r.batch))
			for i, h := range r.batch {
				names[i] = hexOf(h)
			}
			again = "/objects/" + strings.Join(names, ",")
		case resourceCheckpoint:
			again = "/log/" + r.logID + "/checkpoint"
		case resourceTile:
			again = "/log/" + r.logID + "/" + tilePath(r.level, r.n, r.width)
		case resourceBundle:
			again = "/log/" + r.logID + "/" + tilePath(-1, r.n, r.width)
		}
		if again != path {
			t.Fatalf("%q has a second spelling, %q", path, again)
		}
	})
}

func FuzzGuard(f *testing.F) {
	good := appendGuardLine(appendGuardLine([]byte(guardMagic), Head{Origin: "mithaq/l-a", Size: 7}), Head{Origin: "mithaq/l-b", Size: 1 << 40, Root: Hash{1}})
	for _, b := range [][]byte{good, good[:len(good)-9], []byte(guardMagic), []byte("mithaq gu"), append(bytes.Clone(good), "torn"...), {}} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		heads, err := parseGuard(data)
		if err != nil {
			return
		}
		b := []byte(guardMagic)
		for _, h := range heads {
			b = appendGuardLine(b, h)
		}
		again, err := parseGuard(b)
		if err != nil || len(again) != len(heads) {
			t.Fatalf("writing what was read: %v", err)
		}
		for o, h := range heads {
			if again[o] != h {
				t.Fatalf("%q: %+v became %+v", o, h, again[o])
			}
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	f.Add("mithaq/l-a\n7\n" + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
	f.Add("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nextension\n")
	f.Add("o\n-1\nx\n")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHead(text)
		if err == nil && !strings.HasPrefix(text, h.Body()) {
			t.Fatalf("%q was read as %q", text, h.Body())
		}
	})
}

func FuzzBundle(f *testing.F) {
	var bundle, tile []byte
	for i := range 3 {
		h := sha256.Sum256([]byte{byte(i)})
		l, lh := leafOf(h), leafHashOf(h)
		bundle = append(append(bundle, 0, LeafSize), l[:]...)
		tile = append(tile, lh[:]...)
	}
	f.Add(bundle, tile)
	f.Add(bundle[:40], tile)
	f.Fuzz(func(t *testing.T, b, hashes []byte) {
		hashes = hashes[:min(len(hashes), tileWidth*hashSize)/hashSize*hashSize]
		if checkBundle(b, hashes, 0) != nil {
			return
		}
		got, err := bundleHashes(b)
		if err != nil || !bytes.Equal(bytes.Join(got, nil), hashes) {
			t.Fatalf("a bundle passes that another parser reads differently: %v", err)
		}
	})
}

func FuzzErasures(f *testing.F) {
	f.Add([]byte(`{"v":1,"object":"` + strings.Repeat("ab", 32) + `","at":"2026-01-02T03:04:05Z","issuer":"k","reason":"r"}`))
	f.Add([]byte(`{"v":1,"obj`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if h, _, ok := parseErasure(line); ok && !bytes.Contains(bytes.ToLower(line), []byte(hexOf(h)[:4])) && !bytes.Contains(line, []byte(`\u`)) {
			t.Fatal("an object that the line does not name")
		}
	})
}

func TestGuardSurvivesATornLineAndRefusesDamage(t *testing.T) {
	a, b := Head{Origin: "a", Size: 5}, Head{Origin: "b", Size: 6}
	whole := appendGuardLine(appendGuardLine([]byte(guardMagic), a), b)
	for cut := len(guardMagic); cut < len(whole); cut++ {
		heads, err := parseGuard(whole[:cut])
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if _, ok := heads["b"]; ok {
			t.Fatalf("cut at %d: the torn line counts", cut)
		}
	}
	whole[len(guardMagic)+2] ^= 1
	if _, err := parseGuard(whole); err == nil || !strings.Contains(err.Error(), "line 2 is damaged") {
		t.Fatalf("damage in the middle: %v", err)
	}
}

func TestHostileServers(t *testing.T) {
	cases := map[string]struct {
		h    http.HandlerFunc
		want string
	}{
		"redirects": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}, "redirects, which is refused"},
		"announces too much": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "999999999999")
			w.WriteHeader(http.StatusOK)
		}, "more than the"},
		"sends without end": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, "more than"},
		"never answers":    {func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "does not answer"},
		"sends too little": {func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("x")) }, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(c.h)
			defer s.Close()
			patience := time.Minute
			if name == "never answers" {
				patience = 300 * time.Millisecond
			}
			src, err := HTTPSourceWith(s.URL+"/log/l-x", HTTPOptions{Patience: patience})
			if err != nil {
				t.Fatal(err)
			}
			_, err = src.Checkpoint(context.Background())
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("checkpoint: %v, want %q", err, c.want)
			}
			if _, err := src.Tile(context.Background(), 0, 0, 256); err == nil {
				t.Error("a tile was accepted")
			}
			if _, err := src.Entries(context.Background(), 0, 256); err == nil {
				t.Error("a bundle was accepted")
			}
			if _, err := src.Object(context.Background(), Hash{}); err == nil {
				t.Error("an object was accepted")
			}
		})
	}
	for _, u := range []string{"ftp://x/log/l-a", "http://x/", "http://x/log/A", "http://u:p@x/log/l-a", "://"} {
		if _, err := HTTPSource(u, ""); err == nil {
			t.Errorf("%q was accepted", u)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	f := openFixture(t, t.TempDir())
	mustCreate(t, f.Ledger, "l-a", true)
	ctx := context.Background()
	if _, err := f.Append(ctx, "l-a", Entry{Object: make([]byte, MaxObject+1)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if _, err := f.Append(ctx, "l-a", Entry{}); err == nil {
		t.Error("an empty object was accepted")
	}
	if _, err := f.Append(ctx, "l-none", Entry{Object: []byte("x")}); !errors.Is(err, ErrNotFound) {
		t.Errorf("no such log: %v", err)
	}
	if err := f.Create(ctx, LogSpec{ID: "l-a", Origin: "mithaq/l-a"}); err == nil {
		t.Error("a log was created twice")
	}
	if err := f.Create(ctx, LogSpec{ID: "../x", Origin: "o"}); err == nil {
		t.Error("a path was accepted as an id")
	}
	if err := f.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Append(ctx, "l-a", Entry{Object: []byte("x")}); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
