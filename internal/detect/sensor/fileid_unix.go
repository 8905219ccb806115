//go:build linux || darwin || freebsd || netbsd || openbsd

package sensor

import (
	"fmt"
	"io/fs"
	"syscall"
)

// fileID names a file by the system's number, which a rotated log takes with it.
func fileID(info fs.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprint(st.Ino)
	}
	return "file"
}
