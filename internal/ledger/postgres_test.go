package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/store"
)

// TestPostgres runs a ledger on PostgreSQL: append from several goroutines, hand the lease over, audit.
func TestPostgres(t *testing.T) {
	dsn := os.Getenv("MITHAQ_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("MITHAQ_TEST_POSTGRES is not set: run with tools/postgres.sh")
	}
	ctx := context.Background()
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("ledger_%d", os.Getpid())
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	_ = admin.Close()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	dir := t.TempDir()
	db, err := store.OpenWith(ctx, u.String(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	g, err := OpenFileGuard(store.OS(), filepath.Join(dir, "guard"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	cfg := Config{Store: db, Guard: g, Signer: testSigner, LeaseTTL: time.Minute}
	l, err := Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{"l-p1", "l-p2"}
	for _, id := range ids {
		mustCreate(t, l, id, true)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() { appendRange(t, l, ids[g%2], g*50, g*50+50) })
	}
	wg.Wait()
	if _, err := Open(ctx, cfg); !errors.Is(err, store.ErrLeaseHeld) {
		t.Fatalf("a second writer: %v", err)
	}
	waited := cfg
	waited.WaitLease = true
	if err := l.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if l, err = Open(ctx, waited); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close(ctx) }()
	for _, id := range ids {
		appendRange(t, l, id, 1000, 1200)
		rep, err := Audit(ctx, StoreSource(l, id), AuditOptions{Origin: "mithaq/" + id, Verifier: testVerifier(t, "mithaq/"+id)})
		if err != nil || rep.Head.Size != 400 {
			t.Fatalf("%s: %+v, %v", id, rep, err)
		}
		if err := runFsck(t, serveLogs(t, l).URL, id, ""); err != nil {
			t.Fatal(err)
		}
	}
}
