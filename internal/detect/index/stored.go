package index

import "encoding/binary"

// How keys stand in the arena. One byte says kind and length, for those that nearly all indicators have; of names and most
// URLs three characters stand in two bytes, since names are made of 39 characters and 40³ is just less than 2¹⁶. What does not fit that has its
// kind in the first byte and its length in the next two. A key has exactly one stored form, so that keys are equal when
// these are.

// Heads of the short forms; those up to kinds-1 are the kinds of the long form.
const (
	headDomain    = 16                     // and 1 to mostWords words, less one
	headSubdomain = headDomain + mostWords // likewise
	headURL       = headSubdomain + mostWords
	headSized     = headURL + mostWords // one for each of sized
	mostWords     = 60                  // of two bytes, three characters each
	maxStored     = 2 * mostWords       // bytes of the longest packed form
)

// shape is what a head stands for: how many bytes follow, and whether they are packed.
type shape struct {
	kind   Kind
	size   uint16
	packed bool
}

// sized are the keys of fixed lengths that have a head of their own.
var sized = [...]shape{{kind: Address, size: 4}, {kind: Address, size: 16}, {kind: Network, size: 17}, {kind: FileHash, size: 16},
	{kind: FileHash, size: 20}, {kind: FileHash, size: 32}, {kind: CertHash, size: 20}, {kind: CertHash, size: 32}, {kind: JA3, size: 16},
	{kind: JA3S, size: 16}, {kind: JA4, size: 36}}

var shapes = makeShapes()

func makeShapes() (all [256]shape) {
	for n := range mostWords {
		size := uint16(2 * (n + 1))
		all[headDomain+n] = shape{Domain, size, true}
		all[headSubdomain+n] = shape{Subdomain, size, true}
		all[headURL+n] = shape{URL, size, true}
	}
	copy(all[headSized:], sized[:])
	return all
}

// An alphabet numbers the characters of packed keys from 1 on; 0 is none. The two differ in one character.
const (
	nameAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789-._"
	urlAlphabet  = "abcdefghijklmnopqrstuvwxyz0123456789-./"
	base         = 40
)

var numbers = [2][256]uint8{numbersOf(nameAlphabet), numbersOf(urlAlphabet)}

func numbersOf(alphabet string) (n [256]uint8) {
	for i := range len(alphabet) {
		n[alphabet[i]] = uint8(i + 1)
	}
	return n
}

// stored gives a key's head and the bytes behind it; for the long form these are the key itself. space is where packed bytes go.
func stored(space *[maxStored]byte, kind Kind, key []byte) (head byte, b []byte) {
	var first byte
	alphabet := 0
	switch kind {
	case Domain:
		first = headDomain
	case Subdomain:
		first = headSubdomain
	case URL:
		first, alphabet = headURL, 1
	default:
		for i, s := range sized {
			if s.kind == kind && int(s.size) == len(key) {
				return headSized + byte(i), key
			}
		}
		return byte(kind), key
	}
	if words, ok := pack(space, key, &numbers[alphabet]); ok {
		return first + byte(words-1), space[:2*words]
	}
	return byte(kind), key
}

// pack writes the words of a key. It tells whether it has any, not too many, and of the alphabet only.
func pack(space *[maxStored]byte, key []byte, numbers *[256]uint8) (words int, ok bool) {
	if len(key) == 0 || len(key) > 3*mostWords {
		return 0, false
	}
	for at := 0; at < len(key); words++ {
		word := uint16(0)
		for range 3 {
			n := uint8(0)
			if at < len(key) {
				if n = numbers[key[at]]; n == 0 {
					return 0, false
				}
			}
			word = word*base + uint16(n)
			at++
		}
		binary.LittleEndian.PutUint16(space[2*words:], word)
	}
	return words, true
}

// appendStored appends a key in its stored form.
func appendStored(dst []byte, kind Kind, key []byte) []byte {
	var space [maxStored]byte
	head, b := stored(&space, kind, key)
	dst = append(dst, head)
	if head == byte(kind) {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(len(key)))
	}
	return append(dst, b...)
}

// appendUnpacked appends the key that a stored form stands for. Words that pack does not write give other characters or none:
// a file that was tampered with finds nothing, and does no harm.
func appendUnpacked(dst []byte, s shape, b []byte) []byte {
	if !s.packed {
		return append(dst, b...)
	}
	alphabet := nameAlphabet
	if s.kind == URL {
		alphabet = urlAlphabet
	}
	for ; len(b) >= 2; b = b[2:] {
		word := binary.LittleEndian.Uint16(b)
		for _, n := range [3]uint16{word / (base * base), word / base % base, word % base} {
			if n != 0 {
				dst = append(dst, alphabet[(int(n)-1)%len(alphabet)])
			}
		}
	}
	return dst
}
