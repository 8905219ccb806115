//go:build !linux

package sensor

import (
	"errors"
	"time"
)

// OpenLive is for Linux alone.
func OpenLive(string, uint64, func() time.Time) (Source, error) {
	return nil, errors.New("opening an interface: only on Linux: write captures into a folder and use a spool")
}
