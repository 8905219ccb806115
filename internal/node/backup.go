package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/store"
)

// BackupSummary says what a backup holds.
type BackupSummary struct {
	Logs   int   `json:"logs"`
	Leaves int64 `json:"leaves"`
	Bytes  int64 `json:"bytes"`
}

// A backup holds these files of a node's directory besides the store. What opens the keys is not among them, and neither is
// the root key.
//
// The guard goes before the store: a copy whose database is ahead of its guard is harmless, the other way round it looks like
// a lost tail. The keys go after it: a key is kept before a keyring in the log names it, so the copy holds every key that the
// copied log needs. So does an erasure under way, and then the journal of erasures, which is written before it is forgotten.
func beforeStore() []string { return []string{ConfigName, guardName} }
func afterStore() []string  { return []string{keysName, intentName, erasuresName} }

// Backup writes a consistent copy of the node in dir into the new file out, while the node runs or not.
// progress may be nil.
func Backup(ctx context.Context, dir, out string, progress func(done, total int64)) (s BackupSummary, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("backing up %s: %w", dir, err)
		}
	}()
	cfg, err := ReadConfig(dir)
	if err != nil {
		return s, err
	}
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
		return s, fault.New(fault.Conflict, "choose another name", "%s exists already", out)
	}
	db, err := store.OpenWith(ctx, cfg.storeDSN(dir), store.Options{Dir: dir, ReadOnly: true})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	// The copy is made beside the archive: it is as large, and the disk of the node may be full.
	work, err := os.MkdirTemp(filepath.Dir(out), ".mithaq-backup-*")
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := copyBeside(dir, work, beforeStore()); err != nil {
		return s, err
	}
	for _, folder := range []string{shelfName, rollsName, docketName} {
		if err := copyFolder(filepath.Join(dir, folder), filepath.Join(work, folder)); err != nil {
			return s, err
		}
	}
	size := folderSize(dir)
	watched := watchGrowth(work, func(done int64) {
		if progress != nil {
			progress(min(done, size), 2*size) // the copy is the first half, the archive the second
		}
	})
	err = store.Backup(ctx, db, work)
	watched()
	if err != nil {
		return s, err
	}
	if err := copyBeside(dir, work, afterStore()); err != nil {
		return s, err
	}
	if s, err = countCopy(ctx, work); err != nil {
		return s, err
	}
	return s, publishArchive(ctx, work, out, &s, progress)
}

func copyBeside(dir, work string, names []string) error {
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name)) // #nosec G304 -- below the node's directory
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(work, name), data, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// copyFolder copies the plain files of a folder that may be missing: agreement files, rolls of others, proofs kept.
func copyFolder(from, to string) error {
	entries, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = os.MkdirAll(to, 0o700)
	}
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return copyBeside(from, to, names)
}

func publishArchive(ctx context.Context, work, out string, s *BackupSummary, progress func(done, total int64)) error {
	tmp, err := os.CreateTemp(filepath.Dir(out), ".mithaq-backup-*")
	if err != nil {
		return err
	}
	size, packed := folderSize(work), int64(0)
	err = writeArchive(ctx, work, tmp, func(n int64) {
		if packed += n; progress != nil {
			progress(min(size+packed, 2*size), 2*size)
		}
	})
	if err == nil {
		err = tmp.Sync()
	}
	if info, statErr := tmp.Stat(); statErr == nil {
		s.Bytes = info.Size()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), out)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(os.Remove(tmp.Name())))
	}
	return syncDir(filepath.Dir(out))
}

func countCopy(ctx context.Context, work string) (s BackupSummary, err error) {
	db, err := store.OpenWith(ctx, "sqlite:"+filepath.Join(work, dbName), store.Options{ReadOnly: true})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	logs, err := db.Logs(ctx)
	if err != nil {
		return s, err
	}
	heads, err := db.Heads(ctx)
	if err != nil {
		return s, err
	}
	for _, l := range logs {
		s.Logs++
		s.Leaves += heads[l.No].Size
	}
	return s, nil
}
