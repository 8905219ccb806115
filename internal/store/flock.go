package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// ErrLocked is returned when another process holds a lock file.
var ErrLocked = errors.New("another process holds the lock")

// TryLock takes an exclusive lock on the file at path, creating it, or fails with ErrLocked. The kernel drops the lock
// when the process ends, however it ends. Release by calling the returned function.
func TryLock(path string) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w", path, ErrLocked)
		}
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return f.Close, nil
}

// lockFile waits for the lock until ctx ends.
func lockFile(ctx context.Context, path string) (func(), error) {
	for {
		release, err := TryLock(path)
		if err == nil {
			return func() { _ = release() }, nil
		}
		if !errors.Is(err, ErrLocked) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
