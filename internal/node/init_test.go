package node

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
)

func TestInitThatFailsLeavesNothing(t *testing.T) {
	ctx := context.Background()
	missing := filepath.Join(t.TempDir(), "deep", "node")
	_, err := Init(ctx, missing, InitOptions{Names: map[string]string{"en": "two\nlines"}})
	wantCode(t, err, fault.Invalid)
	if _, err := os.Stat(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is there: %v", err)
	}
	own := t.TempDir()
	if err := os.WriteFile(filepath.Join(own, "mine.txt"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Init(ctx, own, InitOptions{Names: map[string]string{"not a tag": "Sahlan"}})
	wantCode(t, err, fault.Invalid)
	entries, err := os.ReadDir(own)
	if err != nil || len(entries) != 1 || entries[0].Name() != "mine.txt" {
		t.Errorf("left behind: %v %v", entries, err)
	}
	n, err := Init(ctx, own, InitOptions{Names: map[string]string{"en": "Sahlan"}})
	if err != nil {
		t.Fatal(err)
	}
	shut(t, n)
}

func TestInitSaysWhatAKilledOneLeft(t *testing.T) {
	for _, name := range []string{claimName, rootName, keysName, dbName, guardName} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Init(context.Background(), dir, InitOptions{Names: map[string]string{"en": "Sahlan"}})
		wantCode(t, err, fault.Conflict)
		if err == nil || !strings.Contains(err.Error(), "interrupted") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("it removed %s: %v", name, err)
		}
	}
}

func TestInitRefusesADirectoryInUse(t *testing.T) {
	n := newTestNode(t)
	before := mustPublish(t, n, reportDraft("kept"))
	_, err := Init(context.Background(), n.dir, InitOptions{Names: map[string]string{"en": "Darb"}})
	wantCode(t, err, fault.Conflict)
	if got, err := n.Record(context.Background(), n.Owner(), "own", before.Index); err != nil || got.Standing != StandingValid {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPrivateFilesArePrivate(t *testing.T) {
	n := newTestNode(t)
	for _, name := range []string{ConfigName, keysName, rootName, defaultKeyFile} {
		info, err := os.Stat(filepath.Join(n.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if info, err := os.Stat(n.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v, %v", info.Mode(), err)
	}
	keys, err := os.ReadFile(filepath.Join(n.dir, keysName))
	if err != nil || !strings.HasPrefix(string(keys), "age-encryption.org/v1") {
		t.Errorf("the keys are not encrypted: %.40q %v", keys, err)
	}
}

func TestPassphrase(t *testing.T) {
	ctx := context.Background()
	dir, pass := filepath.Join(t.TempDir(), "node"), filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(pass, []byte("correct horse battery\r\nsecond line"), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := Init(ctx, dir, InitOptions{Names: map[string]string{"en": "Sahlan"}, PassphraseFile: pass})
	if err != nil {
		t.Fatal(err)
	}
	sealed := reportDraft("sealed")
	sealed.TLP = "AMBER"
	mustPublish(t, n, sealed)
	shut(t, n)
	_, err = Open(ctx, dir, OpenOptions{})
	wantCode(t, err, fault.Forbidden)
	_, err = Open(ctx, dir, OpenOptions{Secret: SecretSource{Ask: func(string) ([]byte, error) { return []byte("wrong horse battery"), nil }}})
	wantCode(t, err, fault.Forbidden)
	// Without the keys a reader sees that a record is sealed, and everything else.
	r := again(t, dir, OpenOptions{ReadOnly: true})
	got, err := r.Record(ctx, r.Owner(), "own", 1)
	if err != nil || got.Standing != StandingSealed || !strings.Contains(got.Why, "not opened") || got.Kind != "" {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = r.RecordBody(ctx, r.Owner(), "own", 1)
	wantCode(t, err, fault.Forbidden)
	for what, err := range map[string]error{
		"publish": errOf(r.Publish(ctx, "own", reportDraft("x"))),
		"erase":   errOf(r.Erase(ctx, "own", 1, Erasure{Reason: "error"})),
		"pin":     errOf(r.Pin(ctx, nil)),
		"propose": errOf(r.ProposeKeyrings(ctx, KeyChange{Action: "root"})),
		"apply":   errOf(r.ApplyKeyrings(ctx, SignedKeyrings{})),
	} {
		if fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("%s read-only: %v", what, err)
		}
	}
	if _, err := r.CreateToken(ctx, account.TokenRequest{Name: "x", Scopes: []string{account.ScopeRead}}); err == nil {
		t.Error("a token was made read-only")
	}
	again(t, dir, OpenOptions{Secret: SecretSource{PassphraseFile: pass}})
}

func errOf[T any](_ T, err error) error { return err }
