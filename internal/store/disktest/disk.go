// Package disktest gives tests a disk of their own that can be filled and made read-only.
//
// It promises nothing to production code, which must not import it. Tests that use it are skipped where mounting is not
// permitted.
package disktest

import (
	"fmt"
	"syscall"
	"testing"
)

// Small mounts a file system of a few megabytes for the time of the test and returns a way to change it, by the flags and options
// of mount(2).
func Small(t *testing.T, megabytes int) (dir string, remount func(flags uintptr, options string)) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		t.Skipf("mounting needs root: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir, func(flags uintptr, options string) {
		t.Helper()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, options); err != nil {
			t.Fatal(err)
		}
	}
}
