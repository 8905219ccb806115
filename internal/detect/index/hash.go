package index

import (
	"encoding/binary"
	"math/bits"
)

const (
	mulA = 0xa0761d6478bd642f
	mulB = 0xe7037ed1a0b428db
	mulC = 0x8ebc6af09c88c6a3
)

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// hashKey spreads keys over 64 bits. The seed is drawn for each table, so that who writes indicators cannot make
// them meet in one bucket. It is no cryptographic hash: equality is always checked on the bytes.
func hashKey(seed uint64, kind Kind, key []byte) uint64 {
	h := mix(seed^mulA, uint64(kind)<<32^uint64(len(key))^mulB)
	for len(key) > 16 {
		h = mix(binary.LittleEndian.Uint64(key)^mulC, binary.LittleEndian.Uint64(key[8:])^h)
		key = key[16:]
	}
	var a, b uint64
	switch {
	case len(key) >= 8:
		a, b = binary.LittleEndian.Uint64(key), binary.LittleEndian.Uint64(key[len(key)-8:])
	case len(key) >= 4:
		a, b = uint64(binary.LittleEndian.Uint32(key)), uint64(binary.LittleEndian.Uint32(key[len(key)-4:]))
	case len(key) > 0:
		a, b = uint64(key[0])<<16|uint64(key[len(key)/2])<<8|uint64(key[len(key)-1]), 0
	}
	return mix(mix(a^mulA, b^h)^mulB, h^seed)
}
