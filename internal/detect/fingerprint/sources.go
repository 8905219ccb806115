package fingerprint

import "encoding/binary"

// sources limits how many QUIC Initials of one source are opened: deriving keys costs microseconds,
// and anyone can send Initials from any address. It is a table of token buckets in fixed memory;
// sources that share a place share the tokens.
type sources struct {
	buckets [4096]bucket
	rate    float64 // tokens a second
	seed    uint64
}

type bucket struct {
	tokens float64
	when   int64
}

// allow takes a token of the source's bucket, if there is one.
func (s *sources) allow(address *[16]byte, now int64) bool {
	h := binary.BigEndian.Uint64(address[:])
	if h == 0 { // an IPv4 address is its own network; of IPv6 the first 64 bits are
		h = binary.BigEndian.Uint64(address[8:])
	}
	h = (h ^ s.seed) * 0x9e3779b97f4a7c15
	b := &s.buckets[h>>52]
	burst := 4 * s.rate
	if b.when == 0 {
		b.tokens = burst
	} else if now > b.when {
		b.tokens = min(burst, b.tokens+s.rate*float64(now-b.when)/1e9)
	}
	b.when = max(now, 1)
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
