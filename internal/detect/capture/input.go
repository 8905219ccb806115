package capture

import "io"

// input is a window onto the bytes of a capture. bufio.Reader does the same; what is called for every packet is small enough
// here to be put in line, which halves the time of a capture of small packets in this package.
type input struct {
	source   io.Reader
	buf      []byte
	from, to int // what of buf was read and not passed over yet
	over     error
	mapped   []byte // a file of which buf is a part, up to its end; nil: none
	base     int    // where in mapped buf begins
	step     int    // bytes of mapped that are in view at once: whole pages, a power of two
}

func newInput(source io.Reader) *input { return &input{source: source, buf: make([]byte, window)} }

// newMapped looks at a mapped file first, then at what source has.
func newMapped(source io.Reader, mapped []byte) *input {
	return &input{source: source, mapped: mapped, step: mappedStep}
}

// peek gives the next n bytes, at most as many as the window has; fewer only at the end. They are valid until the next
// call but pass.
func (in *input) peek(n int) []byte {
	if in.to-in.from < n {
		in.fill(n)
		n = min(n, in.to-in.from)
	}
	return in.buf[in.from : in.from+n]
}

// pass goes n bytes on, which were peeked at.
func (in *input) pass(n int) { in.from += n }

// buffered is how many bytes can be peeked at without reading.
func (in *input) buffered() int { return in.to - in.from }

// fill reads until n bytes are there, or the end.
func (in *input) fill(n int) {
	if in.over != nil || in.mapped != nil && in.next(n) {
		return
	}
	room := in.buf
	if in.mapped != nil {
		room, in.mapped = make([]byte, window), nil
	}
	in.to = copy(room, in.buf[in.from:in.to])
	in.buf, in.from = room, 0
	for n = min(n, len(in.buf)); in.to < n && in.over == nil; {
		var got int
		got, in.over = in.source.Read(in.buf[in.to:])
		in.to += got
	}
}

// Read is for decompressors.
func (in *input) Read(p []byte) (int, error) {
	if in.from == in.to {
		in.fill(1)
	}
	if in.from == in.to {
		return 0, in.over
	}
	n := copy(p, in.buf[in.from:in.to])
	in.from += n
	return n, nil
}

// ReadByte is for decompressors, too: without it they would read ahead.
func (in *input) ReadByte() (byte, error) {
	b := in.peek(1)
	if len(b) == 0 {
		return 0, in.over
	}
	in.from++
	return b[0], nil
}
