package node

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
)

// A backup that is asked for is made by the running node's job and opens as a node again; without the job it is refused.
func TestABackupIsMadeWhileTheNodeRuns(t *testing.T) {
	n := newTestNode(t)
	if err := n.StartBackup(); fault.CodeOf(err) != fault.Unavailable {
		t.Fatalf("without the job: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var jobs sync.WaitGroup
	jobs.Go(func() { n.KeepBackups(ctx) })
	defer jobs.Wait()
	defer stop()
	deadline := time.Now().Add(time.Minute)
	for n.StartBackup() != nil {
		if time.Now().After(deadline) {
			t.Fatal("the job does not begin")
		}
		time.Sleep(time.Millisecond)
	}
	var v BackupsView
	for v = must(n.Backups(ctx))(t); v.Running; v = must(n.Backups(ctx))(t) {
		if time.Now().After(deadline) {
			t.Fatalf("%+v", v)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if !v.Inside || v.Last == nil || v.Last.Error != "" || len(v.Files) != 1 || v.Files[0].Name != v.Last.File || v.Files[0].Bytes != v.Last.Bytes || v.Last.Leaves == 0 {
		t.Fatalf("%+v %+v", v, v.Last)
	}
	into := filepath.Join(t.TempDir(), "again")
	if _, err := Restore(context.Background(), into, RestoreOptions{Archive: filepath.Join(v.Folder, v.Last.File)}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what opens the keys is not in a backup: %v", err)
	}
	if restored, err := ReadConfig(into); err != nil || restored.Listen != n.cfg.Listen {
		t.Errorf("%+v, %v", restored, err)
	}
}
