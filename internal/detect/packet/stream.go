package packet

import "bytes"

// maxSpans bounds how many separate pieces of a stream are kept.
const maxSpans = 16

// Added says what Add did with the bytes it was given.
type Added uint8

// The results of Add; several can hold at once.
const (
	AddedConflict  Added = 1 << iota // bytes differ from those already there: two readings from now on
	AddedBeyond                      // bytes beyond the window were left out
	AddedScattered                   // left out: too many separate pieces
	AddedNoRoom                      // left out: the pool is exhausted
	AddedNew                         // there are bytes that were not there before
)

type span struct{ from, to int32 }

// Stream puts a stream of bytes together from pieces that come in any order, twice or overlapping.
// It holds a window of bytes, which Discard moves on.
//
// The overlap policy: where pieces overlap with the same bytes, nothing happens. Where they differ,
// there are two readings from then on. First keeps the bytes that came first; Later has the bytes
// that came last. A piece added as doubted never replaces an undoubted one in First, and is
// replaced by one, whichever came first.
//
// The zero value with Reset called is ready. A Stream is for one goroutine.
type Stream struct {
	pool    *Pool
	first   []byte
	later   []byte // nil while there is one reading only
	start   int32  // the stream offset of first[0]
	limit   int32  // the size of the window
	n       int32
	spans   [maxSpans]span // sorted, apart; offsets in the stream
	doubted [4]span        // parts of First that a later undoubted piece may replace
	d       int32
}

// Reset makes the stream empty, with the given window in bytes; buffers come from pool.
func (s *Stream) Reset(pool *Pool, window int) {
	s.Release()
	*s = Stream{pool: pool, limit: int32(window)}
}

// Release gives the buffers back. The stream is empty afterwards.
func (s *Stream) Release() {
	if s.pool != nil {
		s.pool.Put(s.first)
		s.pool.Put(s.later)
	}
	s.first, s.later, s.n, s.d = nil, nil, 0, 0
}

// Start is the stream offset of the first byte of the window.
func (s *Stream) Start() int { return int(s.start) }

// Conflict tells whether there are two readings.
func (s *Stream) Conflict() bool { return s.later != nil }

// First gives the bytes from the start of the window to the first gap.
func (s *Stream) First() []byte { return s.reading(s.first) }

// Later gives the other reading, or nil where there is only one.
func (s *Stream) Later() []byte {
	if s.later == nil {
		return nil
	}
	return s.reading(s.later)
}

func (s *Stream) reading(b []byte) []byte {
	if s.n == 0 || s.spans[0].from != s.start {
		return nil
	}
	return b[:s.spans[0].to-s.start]
}

// Pieces tells how many separate pieces there are.
func (s *Stream) Pieces() int { return int(s.n) }

// Piece gives piece i: its offset in the stream and its bytes in the first reading.
func (s *Stream) Piece(i int) (offset int, data []byte) {
	p := s.spans[i]
	return int(p.from), s.first[p.from-s.start : p.to-s.start]
}

// End is the offset behind the last byte that is there.
func (s *Stream) End() int {
	if s.n == 0 {
		return int(s.start)
	}
	return int(s.spans[s.n-1].to)
}

// Add puts a piece at its offset in the stream.
func (s *Stream) Add(offset int, data []byte, doubted bool) Added {
	if offset < int(s.start) {
		cut := int(s.start) - offset
		if cut >= len(data) {
			return 0
		}
		offset, data = int(s.start), data[cut:]
	}
	var result Added
	if room := int(s.start) + int(s.limit) - offset; room < len(data) {
		result = AddedBeyond
		if room <= 0 {
			return result
		}
		data = data[:room]
	}
	if len(data) == 0 {
		return result
	}
	piece := span{int32(offset), int32(offset + len(data))}
	if !s.grow(int(piece.to - s.start)) {
		return result | AddedNoRoom
	}
	// The usual case: the next piece in order.
	if s.later == nil && !doubted && (s.n == 0 && piece.from == s.start || s.n == 1 && s.spans[0].to == piece.from) {
		copy(s.first[piece.from-s.start:], data)
		if s.n == 0 {
			s.n, s.spans[0] = 1, piece
		} else {
			s.spans[0].to = piece.to
		}
		return result | AddedNew
	}
	return result | s.addSlow(piece, data, doubted)
}

func (s *Stream) addSlow(piece span, data []byte, doubted bool) Added {
	if !s.fits(piece) {
		return AddedScattered
	}
	var result Added
	if s.differs(piece, data) {
		result |= AddedConflict
		if s.later == nil {
			s.later = s.pool.Get(len(s.first))
			if s.later == nil {
				result |= AddedNoRoom
			} else {
				copy(s.later, s.first)
			}
		}
	}
	replace := !doubted && s.replaceDoubted(piece, data)
	if s.later != nil && !replace {
		copy(s.later[piece.from-s.start:], data)
	}
	at := piece.from
	for _, have := range s.spans[:s.n] {
		if have.to <= at {
			continue
		}
		if have.from >= piece.to {
			break
		}
		if have.from > at {
			s.fill(piece, data, at, have.from, replace)
			result |= AddedNew
		}
		at = max(at, have.to)
	}
	if at < piece.to {
		s.fill(piece, data, at, piece.to, replace)
		result |= AddedNew
	}
	if doubted && result&AddedNew != 0 {
		if int(s.d) < len(s.doubted) {
			s.doubted[s.d] = piece
			s.d++
		}
	}
	s.merge(piece)
	return result
}

// fill copies data into a gap of First, and of Later when that was not written yet.
func (s *Stream) fill(piece span, data []byte, from, to int32, both bool) {
	part := data[from-piece.from : to-piece.from]
	copy(s.first[from-s.start:], part)
	if both && s.later != nil {
		copy(s.later[from-s.start:], part)
	}
}

// replaceDoubted writes undoubted bytes over doubted ones in First. It tells whether it did; then
// Later keeps the doubted bytes.
func (s *Stream) replaceDoubted(piece span, data []byte) bool {
	done := false
	for i := 0; i < int(s.d); i++ {
		from, to := max(piece.from, s.doubted[i].from), min(piece.to, s.doubted[i].to)
		if from >= to {
			continue
		}
		copy(s.first[from-s.start:], data[from-piece.from:to-piece.from])
		done = true
		if from == s.doubted[i].from && to == s.doubted[i].to {
			s.d--
			s.doubted[i] = s.doubted[s.d]
			i--
		}
	}
	return done
}

// differs tells whether data contradicts bytes that are there.
func (s *Stream) differs(piece span, data []byte) bool {
	for _, have := range s.spans[:s.n] {
		from, to := max(piece.from, have.from), min(piece.to, have.to)
		if from < to && !bytes.Equal(s.first[from-s.start:to-s.start], data[from-piece.from:to-piece.from]) {
			return true
		}
	}
	return false
}

// fits tells whether the piece can be kept: it touches another, or there is a place for one more.
func (s *Stream) fits(piece span) bool {
	if s.n < maxSpans {
		return true
	}
	for _, have := range s.spans[:s.n] {
		if piece.from <= have.to && piece.to >= have.from {
			return true
		}
	}
	return false
}

func (s *Stream) merge(piece span) {
	i := int32(0)
	for i < s.n && s.spans[i].to < piece.from {
		i++
	}
	j := i
	for j < s.n && s.spans[j].from <= piece.to {
		piece.from, piece.to = min(piece.from, s.spans[j].from), max(piece.to, s.spans[j].to)
		j++
	}
	if i == j { // apart from all others: make a place
		copy(s.spans[i+1:s.n+1], s.spans[i:s.n])
		s.n++
	} else {
		copy(s.spans[i+1:], s.spans[j:s.n])
		s.n -= j - i - 1
	}
	s.spans[i] = piece
}

// grow makes the buffers at least n bytes long.
func (s *Stream) grow(n int) bool {
	if n <= len(s.first) {
		return true
	}
	first := s.pool.Get(n)
	if first == nil {
		return false
	}
	if s.later != nil {
		later := s.pool.Get(n)
		if later == nil {
			s.pool.Put(first)
			return false
		}
		copy(later, s.later)
		s.pool.Put(s.later)
		s.later = later
	}
	copy(first, s.first)
	s.pool.Put(s.first)
	s.first = first
	return true
}

// Discard moves the window's start on to the offset, when there is no gap before it.
// What was before can no longer be compared with what comes.
func (s *Stream) Discard(offset int) {
	n := int32(offset) - s.start
	if n <= 0 || s.n == 0 || s.spans[0].from != s.start || s.spans[0].to < int32(offset) {
		return
	}
	used := s.spans[s.n-1].to - s.start
	copy(s.first, s.first[n:used])
	if s.later != nil {
		copy(s.later, s.later[n:used])
	}
	s.start += n
	if s.spans[0].from = s.start; s.spans[0].to == s.start {
		copy(s.spans[:], s.spans[1:s.n])
		s.n--
	}
	keep := int32(0)
	for _, d := range s.doubted[:s.d] {
		if d.to > s.start {
			s.doubted[keep] = span{max(d.from, s.start), d.to}
			keep++
		}
	}
	s.d = keep
}

// SkipGap moves the window's start over a gap at its beginning, to the first piece there is.
func (s *Stream) SkipGap() {
	if s.n == 0 || s.spans[0].from == s.start {
		return
	}
	n, used := s.spans[0].from-s.start, s.spans[s.n-1].to-s.start
	copy(s.first, s.first[n:used])
	if s.later != nil {
		copy(s.later, s.later[n:used])
	}
	s.start += n
}

// Shift makes room for n bytes before the start of a stream whose beginning was not seen.
// It tells whether that was possible.
func (s *Stream) Shift(n int) bool {
	if s.start != 0 || n <= 0 {
		return false
	}
	used := 0
	if s.n > 0 {
		used = int(s.spans[s.n-1].to)
	}
	if used+n > int(s.limit) || !s.grow(used+n) {
		return false
	}
	copy(s.first[n:], s.first[:used])
	if s.later != nil {
		copy(s.later[n:], s.later[:used])
	}
	for i := range s.spans[:s.n] {
		s.spans[i].from += int32(n)
		s.spans[i].to += int32(n)
	}
	for i := range s.doubted[:s.d] {
		s.doubted[i].from += int32(n)
		s.doubted[i].to += int32(n)
	}
	return true
}
