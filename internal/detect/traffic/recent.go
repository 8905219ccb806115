package traffic

import (
	"encoding/binary"
	"math/bits"

	"github.com/mithaq/mithaq/internal/detect/packet"
)

// recent remembers connections in fixed memory: a table of 64-bit hashes, four in each row, the one that came longest
// ago gives way. A connection that was forgotten is told of again; one in 2^48 or so is taken for another.
type recent struct {
	seed uint64
	rows [1 << 15][4]uint64
}

func newRecent(seed uint64) *recent { return &recent{seed: seed | 1} }

// again tells whether the packet's connection is remembered, and remembers it. Both directions are one connection.
func (r *recent) again(p *packet.Info) bool {
	h := r.end(&p.Src, p.SrcPort) + r.end(&p.Dst, p.DstPort)
	hi, lo := bits.Mul64(h^uint64(p.Protocol)*0x9e3779b97f4a7c15, r.seed|0xa0761d6478bd642f)
	h = hi ^ lo
	row := &r.rows[h>>49]
	for _, have := range row {
		if have == h {
			return true
		}
	}
	copy(row[1:], row[:3])
	row[0] = h
	return false
}

func (r *recent) end(a *[16]byte, port uint16) uint64 {
	hi, lo := bits.Mul64(binary.LittleEndian.Uint64(a[:])^r.seed, binary.LittleEndian.Uint64(a[8:])^0xe7037ed1a0b428db)
	hi, lo = bits.Mul64(hi^lo^uint64(port)<<17, r.seed^0x8ebc6af09c88c6a3)
	return hi ^ lo
}
