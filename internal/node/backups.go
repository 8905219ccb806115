package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
)

// BackupFile is a backup in the folder for backups.
type BackupFile struct {
	Name  string    `json:"name"`
	Bytes int64     `json:"bytes"`
	At    time.Time `json:"at"`
}

// BackupRun is what became of a backup that was asked for over the API.
type BackupRun struct {
	At     time.Time `json:"at" doc:"When it ended"`
	File   string    `json:"file,omitempty"`
	Logs   int       `json:"logs"`
	Leaves int64     `json:"leaves"`
	Bytes  int64     `json:"bytes"`
	Error  string    `json:"error,omitempty"`
}

// BackupsView says which backups there are, and whether one is made now.
type BackupsView struct {
	Folder  string       `json:"folder" doc:"On the node's machine: backup_folder in the configuration"`
	Inside  bool         `json:"inside" doc:"Whether the folder is on the node's own disk, in its directory: what takes the disk takes them too"`
	Every   string       `json:"every,omitempty" doc:"How often one is made without being asked for: backup_every in the configuration; absent: never"`
	Keep    int          `json:"keep,omitempty" doc:"How many of this node's stay in the folder: backup_keep; absent: all"`
	Next    *time.Time   `json:"next,omitempty" doc:"When the next one is made without being asked for"`
	Overdue bool         `json:"overdue,omitempty" doc:"None was made for twice as long as the schedule says"`
	Running bool         `json:"running"`
	Done    int64        `json:"done,omitempty" doc:"Of the one that is made now, in bytes"`
	Total   int64        `json:"total,omitempty"`
	Last    *BackupRun   `json:"last,omitempty"`
	Files   []BackupFile `json:"files" doc:"The newest first"`
}

// backups are the backups that are asked for over the API: one at a time.
type backups struct {
	asked chan struct{} // of the job, room for one
	mu    sync.Mutex    // guards what follows
	kept  bool          // the job runs
	busy  bool
	done  int64
	total int64
	last  *BackupRun // of this process
}

func (b *backups) keep(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = on
}

const (
	backupSetting = "backup"
	backupSuffix  = ".mithaq"
	// maxBackupsListed bounds the list.
	maxBackupsListed = 100
)

func (n *Node) backupFolder() string { return Within(n.dir, n.cfg.BackupFolder) }

// StartBackup asks the job for a backup into the folder for backups; see [Node.Backups] for what becomes of it.
func (n *Node) StartBackup() error {
	b := &n.saving
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.busy {
		return fault.New(fault.Conflict, "wait until it is done", "backing up: a backup is being made")
	}
	if !b.kept {
		return fault.New(fault.Unavailable, "run 'mithaq serve', or use 'mithaq backup'", "backing up: this process makes no backups by itself")
	}
	b.busy, b.done, b.total = true, 0, 0
	b.asked <- struct{}{} // there is room: nothing is busy
	return nil
}

// KeepBackups makes the backups that are asked for, and those that the schedule says, until ctx is done.
func (n *Node) KeepBackups(ctx context.Context) {
	n.saving.keep(true)
	defer n.saving.keep(false)
	for {
		due, stop := n.backupDue(ctx)
		select {
		case <-ctx.Done():
			stop()
			return
		case <-n.saving.asked:
			n.saveOnce(ctx)
		case <-due:
			if err := n.StartBackup(); err != nil {
				n.logger.Debug("a backup that is due is made already", "error", err)
			}
		}
		stop()
	}
}

func (n *Node) saveOnce(ctx context.Context) {
	run := BackupRun{}
	name := n.backupPrefix() + n.now().UTC().Format(backupStamp) + backupSuffix
	err := os.MkdirAll(n.backupFolder(), 0o700)
	if err == nil {
		var s BackupSummary
		s, err = Backup(ctx, n.dir, filepath.Join(n.backupFolder(), name), func(done, total int64) {
			n.saving.mu.Lock()
			n.saving.done, n.saving.total = done, total
			n.saving.mu.Unlock()
		})
		run.Logs, run.Leaves, run.Bytes = s.Logs, s.Leaves, s.Bytes
	}
	run.At = n.now().UTC()
	if err != nil {
		run.Error = err.Error()
		n.logger.Warn("a backup was not made", "error", err)
	} else {
		run.File = name
		n.logger.Info("a backup was made", "file", name, "bytes", run.Bytes)
		if err := n.pruneBackups(); err != nil {
			n.logger.Warn("older backups could not be deleted", "error", err)
		}
	}
	text, err := json.Marshal(run)
	if err == nil {
		err = n.store.SetSetting(context.WithoutCancel(ctx), backupSetting, text)
	}
	if err != nil {
		n.logger.Warn("what became of a backup could not be noted", "error", err)
	}
	n.saving.mu.Lock()
	n.saving.busy, n.saving.last = false, &run
	n.saving.mu.Unlock()
}

// Backups lists the backups in the folder for them, and says whether one is being made.
func (n *Node) Backups(ctx context.Context) (v BackupsView, err error) {
	v = BackupsView{Folder: n.backupFolder(), Files: []BackupFile{}}
	inside, err := filepath.Rel(n.dir, v.Folder)
	v.Inside = err == nil && !strings.HasPrefix(inside, "..")
	n.saving.mu.Lock()
	v.Running, v.Done, v.Total = n.saving.busy, n.saving.done, n.saving.total
	n.saving.mu.Unlock()
	if v.Last, err = n.lastBackup(ctx); err != nil {
		return v, fmt.Errorf("listing backups: %w", err)
	}
	n.viewSchedule(&v)
	entries, err := os.ReadDir(v.Folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return v, &fault.Fault{Code: fault.Unavailable, What: "listing backups", Err: err}
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), backupSuffix) {
			continue
		}
		v.Files = append(v.Files, BackupFile{Name: e.Name(), Bytes: info.Size(), At: info.ModTime().UTC()})
	}
	slices.SortStableFunc(v.Files, func(a, b BackupFile) int { return b.At.Compare(a.At) })
	v.Files = v.Files[:min(len(v.Files), maxBackupsListed)]
	return v, nil
}
