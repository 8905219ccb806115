//go:build unix

package capture

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps what is in a file, when r is one and stands at its beginning; else it gives nil. r stands behind it then: what
// is written to the file later can be read.
func mapFile(r io.Reader) []byte {
	f, ok := r.(*os.File)
	if !ok {
		return nil
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() < smallestMapped || int64(int(info.Size())) != info.Size() {
		return nil
	}
	if at, err := f.Seek(0, io.SeekCurrent); err != nil || at != 0 {
		return nil
	}
	var head [4]byte
	if _, err := f.ReadAt(head[:], 0); err != nil || isGzip(head[:]) || isZstd(head[:]) {
		return nil // decompressors may read in goroutines of their own, which nobody guards against faults
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil
	}
	if _, err := f.Seek(info.Size(), io.SeekStart); err != nil {
		unmap(b)
		return nil
	}
	_ = unix.Madvise(b, unix.MADV_SEQUENTIAL) // it only says what will happen
	return b
}

// forget tells the system that pages will not be read again: they count as this program's memory until then.
func forget(b []byte) { _ = unix.Madvise(b, unix.MADV_DONTNEED) }

func unmap(b []byte) { _ = unix.Munmap(b) }
