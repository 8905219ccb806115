package store

// filter answers "certainly not there" for numbers that are spread evenly, as hashes are. It takes four bytes for each
// number, grows without reading anything again, and errs for about one absent number in a thousand a layer.
type filter struct {
	layers []filterLayer
}

// filterLayer has words of 64 bits, a power of two of them. A number sets three bits of one word.
type filterLayer struct {
	words []uint64
	room  int // how many more numbers it takes
}

// filterFor returns a filter of one layer for so many numbers: of a hundred absent ones, one at most is not known to be.
func filterFor(n int64) *filter {
	words := 1
	for int64(words)*filterWord*2 < n {
		words *= 2
	}
	return &filter{[]filterLayer{{make([]uint64, words), int(n)}}}
}

// bytes is how much memory it takes.
func (f *filter) bytes() (n int64) {
	for _, l := range f.layers {
		n += 8 * int64(len(l.words))
	}
	return n
}

// filterWord is how many numbers share a word of a full layer.
const filterWord = 2

func (f *filter) add(x int64) {
	if n := len(f.layers); n == 0 || f.layers[n-1].room == 0 {
		words := fileAfter / filterWord
		if n > 0 {
			words = 2 * len(f.layers[n-1].words)
		}
		f.layers = append(f.layers, filterLayer{make([]uint64, words), words * filterWord})
	}
	l := &f.layers[len(f.layers)-1]
	*l.word(x) |= filterBits(x)
	l.room--
}

func (f *filter) mayHold(x int64) bool {
	bits := filterBits(x)
	for i := range f.layers {
		if *f.layers[i].word(x)&bits == bits {
			return true
		}
	}
	return false
}

func (l *filterLayer) word(x int64) *uint64 {
	return &l.words[uint64(x)>>18&uint64(len(l.words)-1)]
}

func filterBits(x int64) uint64 {
	return 1<<(x&63) | 1<<(x>>6&63) | 1<<(x>>12&63)
}
