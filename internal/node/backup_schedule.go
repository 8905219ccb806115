package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/store"
)

const (
	// backupOften is how often at most a backup is made on a schedule, and after how long one that failed is tried again.
	backupOften = time.Hour
	// backupStamp is the time in a backup's name: names sort as times do.
	backupStamp = "20060102T150405Z"
)

func (c Config) checkBackups() error {
	if d, err := time.ParseDuration(c.BackupEvery); c.BackupEvery != "" && (err != nil || d < backupOften) {
		return fmt.Errorf("backup_every = %q: write a duration of an hour or more, as \"24h\", or leave it empty", c.BackupEvery)
	}
	if c.BackupKeep < 0 {
		return fmt.Errorf("backup_keep = %d: write how many stay, or 0 for all", c.BackupKeep)
	}
	return nil
}

// backupEvery is how often a backup is made without being asked for; 0: never.
func (c Config) backupEvery() time.Duration {
	d, err := time.ParseDuration(c.BackupEvery)
	if err != nil {
		return 0 // it is empty: check refused everything else
	}
	return d
}

// lastBackup is what became of the last backup that the node made by itself or over the API; nil: there was none.
func (n *Node) lastBackup(ctx context.Context) (*BackupRun, error) {
	n.saving.mu.Lock()
	last := n.saving.last
	n.saving.mu.Unlock()
	if last != nil {
		return last, nil // whether it could be noted or not
	}
	text, err := n.store.Setting(ctx, backupSetting)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	last = &BackupRun{}
	if err == nil {
		err = json.Unmarshal(text, last)
	}
	return last, err
}

// nextBackup is when the next backup is made without being asked for; zero: never. One that failed is tried again soon.
func (n *Node) nextBackup(last *BackupRun) time.Time {
	every := n.cfg.backupEvery()
	switch {
	case every == 0:
		return time.Time{}
	case last == nil:
		return n.now()
	case last.Error != "":
		return last.At.Add(min(every, backupOften))
	}
	return last.At.Add(every)
}

// overdue says whether no backup was made for twice as long as the schedule says.
func (n *Node) overdue(last *BackupRun) bool {
	every := n.cfg.backupEvery()
	return every > 0 && last != nil && n.now().Sub(last.At) > 2*every
}

func (n *Node) viewSchedule(v *BackupsView) {
	v.Every, v.Keep, v.Overdue = n.cfg.BackupEvery, n.cfg.BackupKeep, n.overdue(v.Last)
	if next := n.nextBackup(v.Last); !next.IsZero() {
		v.Next = &next
	}
}

// backupDue tells when the next backup is due; nothing where there is no schedule.
func (n *Node) backupDue(ctx context.Context) (due <-chan time.Time, stop func()) {
	last, err := n.lastBackup(ctx)
	if err != nil {
		n.logger.Warn("what became of the last backup is not known", "error", err)
		last = &BackupRun{At: n.now()} // as if one had just been made, lest one be made over and over
	}
	next := n.nextBackup(last)
	if next.IsZero() {
		return nil, func() {}
	}
	timer := time.NewTimer(max(0, next.Sub(n.now())))
	return timer.C, func() { timer.Stop() }
}

// backupPrefix begins the names of this node's backups: others may keep theirs in the same folder.
func (n *Node) backupPrefix() string {
	return "mithaq-" + strings.TrimPrefix(n.party.ID, "p-")[:8] + "-"
}

// pruneBackups deletes this node's oldest backups, so many that as many stay as the configuration says.
func (n *Node) pruneBackups() error {
	if n.cfg.BackupKeep == 0 {
		return nil
	}
	entries, err := os.ReadDir(n.backupFolder())
	if err != nil {
		return err
	}
	var own []string
	for _, e := range entries {
		stamp, ok := strings.CutPrefix(strings.TrimSuffix(e.Name(), backupSuffix), n.backupPrefix())
		if _, err := time.Parse(backupStamp, stamp); ok && err == nil && e.Type().IsRegular() && strings.HasSuffix(e.Name(), backupSuffix) {
			own = append(own, e.Name())
		}
	}
	slices.Sort(own)
	for _, name := range own[:max(0, len(own)-n.cfg.BackupKeep)] {
		if err := os.Remove(filepath.Join(n.backupFolder(), name)); err != nil {
			return err
		}
		n.logger.Info("an older backup was deleted", "file", name)
	}
	return nil
}
