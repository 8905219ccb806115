package capture

import (
	"runtime"
	"unsafe"
)

// A file is mapped rather than read: most of a capture's bytes are looked at by nobody, and need not be copied. The price is
// that a file which is cut off while it is read faults; see Options.Map.
const (
	smallestMapped = 1 << 20 // bytes of a file; smaller ones are read as quickly
	mappedStep     = 1 << 22 // bytes that are looked at before the pages of those before them are forgotten; whole pages
)

// Fault tells whether a panic, recovered under debug.SetPanicOnFault, says that the mapped file ends earlier than it did when
// it was opened. It is counted as damage; nothing more can be read.
func (c *Reader) Fault(recovered any) bool {
	fault, ok := recovered.(interface {
		runtime.Error
		Addr() uintptr
	})
	if !ok || len(c.mapped) == 0 {
		return false
	}
	begin := uintptr(unsafe.Pointer(unsafe.SliceData(c.mapped))) // #nosec G103 -- only compared
	if at := fault.Addr(); at < begin || at-begin >= uintptr(len(c.mapped)) {
		return false
	}
	c.damage(DamageRead, "the file became shorter while it was read")
	return true
}

// next brings the next part of a mapped file in view, with what is left of the one before. It tells whether n bytes are there;
// if not, all that is left is in view.
func (in *input) next(n int) bool {
	passed := in.base + in.from
	left := len(in.mapped) - passed
	if from, gone := in.base&^(in.step-1), passed&^(in.step-1); gone > from {
		forget(in.mapped[from:gone])
	}
	in.base, in.from, in.to = passed, 0, left
	if left > in.step && n <= in.step {
		in.to = in.step
	}
	in.buf = in.mapped[passed : passed+in.to]
	return in.to >= n
}
