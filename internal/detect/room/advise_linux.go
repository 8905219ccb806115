package room

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// large is the size of a large page on the machines that have one of interest.
const large = 2 << 20

// advise asks for large pages (madvise(2), MADV_HUGEPAGE) for the whole pages within b. That the system refuses, or has
// none, changes nothing but speed.
func advise(b []byte) {
	if len(b) < large {
		return
	}
	page := uintptr(os.Getpagesize())
	begin := uintptr(unsafe.Pointer(unsafe.SliceData(b))) // #nosec G103 -- to find where pages begin
	skip := (page - begin%page) % page
	whole := (uintptr(len(b)) - skip) / page * page
	_ = unix.Madvise(b[skip:skip+whole], unix.MADV_HUGEPAGE)
}
