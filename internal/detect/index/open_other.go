//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package index

import (
	"fmt"
	"os"
)

// Open reads a file that WriteTo wrote. The error is ErrFile, or that of the system.
func Open(name string) (*Set, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("opening an index: %w", err)
	}
	s, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("opening the index %s: %w", name, err)
	}
	return s, nil
}
