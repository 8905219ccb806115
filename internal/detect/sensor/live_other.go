//go:build !linux

package sensor

import "errors"

// OpenLive is for Linux alone.
func OpenLive(string, uint64) (Source, error) {
	return nil, errors.New("opening an interface: only on Linux: write captures into a folder and use a spool")
}
