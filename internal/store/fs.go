package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// FS is the little of a file system that durable writing needs; tests put faults behind it.
// Names are paths of the operating system.
type FS interface {
	MkdirAll(dir string) error
	// Create makes a new file for writing and fails when it exists.
	Create(name string) (File, error)
	// Append opens a file for appending, making it when it is not there.
	Append(name string) (File, error)
	// Open opens a file for reading, or for overwriting in place when write is set.
	Open(name string, write bool) (File, error)
	Rename(from, to string) error
	Remove(name string) error
	// SyncDir makes the names in dir durable.
	SyncDir(dir string) error
	ReadDir(dir string) ([]fs.DirEntry, error)
}

// File is an open file of an FS.
type File interface {
	io.ReadWriteSeeker
	io.ReaderAt
	io.Closer
	Sync() error
	Truncate(size int64) error
	Stat() (fs.FileInfo, error)
}

// OS returns the operating system's file system.
func OS() FS { return osFS{} }

type osFS struct{}

func (osFS) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o700) }

func (osFS) Create(name string) (File, error) {
	return orNil(os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600))
}

func (osFS) Append(name string) (File, error) {
	return orNil(os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600))
}

func (osFS) Open(name string, write bool) (File, error) {
	if write {
		return orNil(os.OpenFile(name, os.O_RDWR, 0))
	}
	return orNil(os.Open(name))
}

// orNil keeps a nil *os.File from becoming a non-nil File.
func orNil(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (osFS) Rename(from, to string) error              { return os.Rename(from, to) }
func (osFS) Remove(name string) error                  { return os.Remove(name) }
func (osFS) ReadDir(dir string) ([]fs.DirEntry, error) { return os.ReadDir(dir) }

func (osFS) SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// WriteFile writes a file so that, after it returns, either all of data is durable under name or the file that was
// there before is: temporary file, write, fsync, rename, fsync of the folder. A power cut between the last two can
// bring the old file back, which is why the folder's fsync comes before WriteFile returns.
func WriteFile(f FS, name string, data []byte, unique string) error {
	return writeFile(f, name, unique, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// writeFile is WriteFile of what fill writes; when fill fails nothing stands under name that did not before.
func writeFile(f FS, name, unique string, fill func(io.Writer) error) (err error) {
	tmp := name + "." + unique + ".tmp"
	file, err := f.Create(tmp)
	if err != nil {
		return fmt.Errorf("creating a temporary file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Remove(tmp)
		}
	}()
	err = fill(file)
	if err == nil {
		err = file.Sync()
	}
	if e := file.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(name), err)
	}
	if err := f.Rename(tmp, name); err != nil {
		return fmt.Errorf("renaming %s into place: %w", filepath.Base(name), err)
	}
	if err := f.SyncDir(filepath.Dir(name)); err != nil {
		return fmt.Errorf("syncing the folder of %s: %w", filepath.Base(name), err)
	}
	return nil
}
