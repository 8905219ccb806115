package room

import "unsafe"

// Make makes a slice of n zero values. Nothing is taken from the system before it is touched.
func Make[T any](n int) []T {
	s := make([]T, n)
	if n > 0 {
		// #nosec G103 -- the bytes are only named to the system, neither read nor written
		advise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), n*int(unsafe.Sizeof(s[0]))))
	}
	return s
}
