package node

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
)

type archived struct {
	name, content string
	kind          byte
}

// archiveOf packs entries as a backup, with a right list of sums unless one is among them.
func archiveOf(t testing.TB, entries ...archived) []byte {
	t.Helper()
	var out bytes.Buffer
	zw, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	tw := tar.NewWriter(zw)
	sums := ""
	for _, e := range entries {
		sums += fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(e.content)), e.name)
	}
	if len(entries) == 0 || entries[len(entries)-1].name != sumsName {
		entries = append(entries, archived{name: sumsName, content: sums})
	}
	for _, e := range entries {
		if e.kind == 0 {
			e.kind = tar.TypeReg
		}
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: 0o600, Size: int64(len(e.content)), Linkname: "/etc/passwd"}
		if e.kind != tar.TypeReg {
			h.Size, e.content = 0, ""
		}
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestArchivesThatAreRefused(t *testing.T) {
	good := archiveOf(t, archived{name: "a", content: "1"}, archived{name: "d/b", content: "2"})
	sum := func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
	for what, data := range map[string][]byte{
		"out of the directory":   archiveOf(t, archived{name: "../escaped", content: "x"}),
		"an absolute path":       archiveOf(t, archived{name: "/tmp/escaped", content: "x"}),
		"out by a detour":        archiveOf(t, archived{name: "d/../../escaped", content: "x"}),
		"a link":                 archiveOf(t, archived{name: "l", kind: tar.TypeSymlink}),
		"a hard link":            archiveOf(t, archived{name: "l", kind: tar.TypeLink}),
		"a device":               archiveOf(t, archived{name: "l", kind: tar.TypeChar}),
		"one name twice":         archiveOf(t, archived{name: "a", content: "1"}, archived{name: "a", content: "1"}),
		"a wrong sum":            archiveOf(t, archived{name: "a", content: "1"}, archived{name: sumsName, content: sum("2") + "  a\n"}),
		"a file without a sum":   archiveOf(t, archived{name: "a", content: "1"}, archived{name: "b", content: "2"}, archived{name: sumsName, content: sum("1") + "  a\n"}),
		"one sum twice":          archiveOf(t, archived{name: "a", content: "1"}, archived{name: "b", content: "2"}, archived{name: sumsName, content: sum("1") + "  a\n" + sum("1") + "  a\n"}),
		"a sum without its file": archiveOf(t, archived{name: "a", content: "1"}, archived{name: sumsName, content: sum("1") + "  a\n" + sum("2") + "  b\n"}),
		"cut short":              good[:len(good)-10],
		"not zstd":               []byte("PK\x03\x04"),
		"nothing":                nil,
	} {
		dir := filepath.Join(t.TempDir(), "in")
		if err := readArchive(context.Background(), bytes.NewReader(data), dir); err == nil {
			t.Errorf("%s was not refused", what)
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "escaped")); err == nil {
			t.Errorf("%s: it escaped", what)
		}
	}
	dir := t.TempDir()
	if err := readArchive(context.Background(), bytes.NewReader(good), dir); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "d", "b")); err != nil || string(b) != "2" {
		t.Errorf("%q, %v", b, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := readArchive(ctx, bytes.NewReader(good), t.TempDir()); err == nil {
		t.Error("it does not stop when told to")
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(archiveOf(f, archived{name: "a", content: "1"}, archived{name: "d/b", content: "2"}))
	f.Add(archiveOf(f, archived{name: "../a", content: "1"}))
	f.Add(archiveOf(f, archived{name: "a", content: "1"}, archived{name: sumsName, content: "x  a\n"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		parent := t.TempDir()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = readArchive(ctx, bytes.NewReader(data), filepath.Join(parent, "in"))
		entries, err := os.ReadDir(parent)
		if err != nil || len(entries) > 1 {
			t.Errorf("outside of the directory: %v %v", entries, err)
		}
	})
}

// FuzzKeyrings reads a hostile server's list of keyrings.
func FuzzKeyrings(f *testing.F) {
	n := newNode(f.TempDir(), DefaultConfig(), nil)
	if err := makeKeyFile(filepath.Join(n.dir, defaultKeyFile)); err != nil {
		f.Fatal(err)
	}
	l, err := keyFileLock(filepath.Join(n.dir, defaultKeyFile))
	if err != nil {
		f.Fatal(err)
	}
	draft, root, err := n.makeParty(l, map[string]string{"en": "Sahlan"})
	if err != nil {
		f.Fatal(err)
	}
	envelope, err := draft.Sign(context.Background(), root)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(fmt.Sprintf("[%s]", envelope)))
	f.Add([]byte(fmt.Sprintf("[%s,%s]", envelope, envelope)))
	f.Add([]byte("[]"))
	f.Add([]byte("{}"))
	f.Add([]byte("[null, 1]"))
	var answer []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	f.Cleanup(srv.Close)
	f.Fuzz(func(t *testing.T, data []byte) {
		answer = data
		list, err := fetchKeyrings(context.Background(), srv.URL, "")
		if err != nil {
			return
		}
		chain, err := followKeyrings(list, draft.Log.Origin)
		if err == nil && chain[0].Party != draft.Party {
			t.Errorf("another party's keyring passed: %s", chain[0].Party)
		}
	})
}

func FuzzRefs(f *testing.F) {
	f.Add("about:" + string(bytes.Repeat([]byte("a"), 64)))
	f.Add("about:xyz")
	f.Add("::")
	f.Fuzz(func(t *testing.T, s string) {
		refs, err := parseRefs([]string{s})
		if err != nil {
			wantCode(t, err, fault.Invalid)
			return
		}
		if string(refs[0].Rel)+":"+refs[0].Leaf != s {
			t.Errorf("%q became %+v", s, refs)
		}
	})
}

func FuzzBundle(f *testing.F) {
	f.Add([]byte(`{"type":"bundle","objects":[{"type":"indicator","object_marking_refs":["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]}]}`))
	f.Add([]byte(`{"objects":[{"granular_markings":[{"marking_ref":"x"}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if tlp, ok := bundleTLP(data); ok && !tlp.Valid() {
			t.Errorf("%q", tlp)
		}
		if got, ok := unwrapBundle(wrapBundle(data)); !ok || !bytes.Equal(got, data) {
			t.Errorf("%q came back as %q", data, got)
		}
	})
}

func TestBundleMarkings(t *testing.T) {
	object := func(refs ...string) string {
		list := ""
		for i, r := range refs {
			if i > 0 {
				list += ","
			}
			list += `"marking-definition--` + r + `"`
		}
		return `{"type":"indicator","object_marking_refs":[` + list + `]}`
	}
	const clear, green, red, old = "94868c89-83c2-464b-929b-a1a8aa3c8487", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "e828b379-4e03-4974-9ac4-e53a884c97c1", "613f2e26-407d-48c7-9eca-b8e91df99dc9"
	for objects, want := range map[string]record.TLP{
		object(clear):                                  record.TLPClear,
		object(old):                                    record.TLPClear,
		object(clear) + "," + object(green):            record.TLPGreen,
		object(clear, red):                             record.TLPRed,
		object(clear) + `,{"type":"malware"}`:          "", // nobody said how far it may go
		object("00000000-0000-4000-8000-000000000000"): "",
		`{"type":"marking-definition"}`:                "",
		object("00000000-0000-4000-8000-000000000000") + `,{"type":"marking-definition","id":"marking-definition--00000000-0000-4000-8000-000000000000","definition_type":"tlp","definition":{"tlp":"red"}}`: record.TLPRed,
		"": "",
	} {
		if got, ok := bundleTLP([]byte(`{"type":"bundle","objects":[` + objects + `]}`)); got != want && want != "" || ok != (want != "") {
			t.Errorf("%s: %q %v, want %q", objects, got, ok, want)
		}
	}
}
