//go:build linux || darwin || freebsd || netbsd || openbsd

package index

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Open maps a file that WriteTo wrote. The set's keys stay on disk until they are asked for; Close gives the mapping
// back. The error is ErrFile, or that of the system.
func Open(name string) (*Set, error) {
	f, err := os.Open(name) // #nosec G304 -- the caller names the file
	if err != nil {
		return nil, fmt.Errorf("opening an index: %w", err)
	}
	defer func() { _ = f.Close() }() // the mapping stays
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening an index: %w", err)
	}
	if info.Size() < headSize || info.Size() != int64(int(info.Size())) {
		return nil, fmt.Errorf("opening the index %s: %w", name, ErrFile)
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("opening an index: mapping %s: %w", name, err)
	}
	s, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("opening the index %s: %w", name, errors.Join(err, syscall.Munmap(b)))
	}
	s.tiers[0].close = func() error { return syscall.Munmap(b) }
	return s, nil
}
