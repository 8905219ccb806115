//go:build amd64 || arm64

package room

import "unsafe"

//go:noescape
func ahead(p unsafe.Pointer)
