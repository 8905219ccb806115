package index

import (
	"encoding/binary"
	"net/netip"
	"sort"
)

// layer is a table with the rows behind its keys. Row n belongs to key n; keys with several indicators have the
// others behind the last key's, and more leads there.
type layer struct {
	Table
	provenance
	more    []byte // pairs of uint32, ascending: key, row
	gate    []byte // see gate.go
	sources []Source
	names   []string // name n stands at n-1
	close   func() error
}

func (l *layer) size() int {
	return l.Table.Size() + l.provenance.size() + len(l.more) + len(l.gate)
}

// eachRow goes through the rows of the key with a number.
func (l *layer) eachRow(number uint32, kind Kind, key []byte, yield func(Row)) {
	row, more, ok := l.row(number, kind, key)
	if ok {
		yield(row)
	}
	if !more {
		return
	}
	n := len(l.more) / 8
	for i := sort.Search(n, func(i int) bool { return binary.LittleEndian.Uint32(l.more[i*8:]) >= number }); i < n; i++ {
		if binary.LittleEndian.Uint32(l.more[i*8:]) != number {
			return
		}
		if row, _, ok := l.row(binary.LittleEndian.Uint32(l.more[i*8+4:]), kind, key); ok {
			yield(row)
		}
	}
}

// The gate keeps look-ups away that cannot succeed, before anything is hashed: which kinds there are, which lengths
// of prefixes, and which of the 65,536 beginnings of an address some prefix shares.
const (
	gateKinds   = 0               // 4 bytes, one bit a kind
	gateLengths = 4               // 17 bytes, one bit for each of 0 to 128 bits
	gateFour    = 24              // one bit for each first 16 bits of an IPv4 address
	gateSix     = gateFour + 8192 // one bit for each first 32 bits of an IPv6 address, folded to 16
	gateSize    = gateSix + 8192  // bytes
	sixBits     = 32              // prefixes shorter than this open the gate of IPv6 for all
	fourBits    = 96 + 16         // likewise for IPv4, mapped
)

func bit(b []byte, n uint32) bool { return b[n>>3]&(1<<(n&7)) != 0 }
func setBit(b []byte, n uint32)   { b[n>>3] |= 1 << (n & 7) }

func (l *layer) has(kind Kind) bool { return bit(l.gate[gateKinds:], uint32(kind)) }

func foldSix(a *[16]byte) uint32 {
	h := binary.BigEndian.Uint32(a[:]) * 0x9e3779b1
	return h >> 16
}

// openGate notes a key in the gate.
func openGate(gate []byte, kind Kind, key []byte) {
	setBit(gate[gateKinds:], uint32(kind))
	if kind != Network || len(key) != 17 {
		return
	}
	a, bits := [16]byte(key[:16]), uint32(key[16])
	if bits > 128 {
		return
	}
	setBit(gate[gateLengths:], bits)
	if bits >= 96 && netip.AddrFrom16(a).Is4In6() {
		first, n := uint32(a[12])<<8|uint32(a[13]), uint32(1)
		if bits < fourBits {
			n = 1 << (fourBits - bits)
		}
		for i := range n {
			setBit(gate[gateFour:], (first+i)&0xffff)
		}
		return
	}
	if bits < sixBits {
		for i := range 8192 {
			gate[gateSix+i] = 0xff
		}
		return
	}
	setBit(gate[gateSix:], foldSix(&a))
}

// eachNetwork looks for the prefixes that hold an address, the longest first.
func (l *layer) eachNetwork(addr netip.Addr, yield func(number uint32, bits int)) {
	if !l.has(Network) {
		return
	}
	a := addr.As16()
	low, high := 0, 128
	if addr.Is4() {
		if !bit(l.gate[gateFour:], uint32(a[12])<<8|uint32(a[13])) {
			return
		}
		low = 96
	} else if !bit(l.gate[gateSix:], foldSix(&a)) {
		return
	}
	var key [17]byte
	copy(key[:], a[:])
	for bits := high; bits >= low; bits-- {
		if bits < 128 {
			key[bits>>3] &= 0xff << (8 - bits&7)
		}
		if !bit(l.gate[gateLengths:], uint32(bits)) {
			continue
		}
		key[16] = byte(bits)
		if number, ok := l.Find(Network, key[:]); ok {
			yield(number, bits)
		}
		if bits < 128 {
			key[16] = 0
		}
	}
}
