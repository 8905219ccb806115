//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package sensor

import "io/fs"

// fileID cannot tell files apart here: a rotated log is told by being shorter.
func fileID(fs.FileInfo) string { return "file" }
