package fingerprint

import (
	"encoding/binary"
	"math/bits"

	"github.com/mithaq/mithaq/internal/detect/packet"
	"github.com/mithaq/mithaq/internal/detect/room"
)

const ways = 8

// flowKey names a connection in both directions: the smaller end first. Its parts are as large as what they are made from
// was written: the processor waits where it reads in pieces of another size than were written just before.
type flowKey struct {
	low, high [2]uint64 // addresses
	rest      uint64    // from the lowest bit: the low end's port, the high end's, the protocol
}

func (k *flowKey) lowPort() uint16  { return uint16(k.rest) }
func (k *flowKey) highPort() uint16 { return uint16(k.rest >> 16) }

// set makes it the key of a packet and tells which end sent that: 0 the low one, 1 the high one.
func (k *flowKey) set(p *packet.Info) int {
	src := [2]uint64{binary.BigEndian.Uint64(p.Src[:8]), binary.BigEndian.Uint64(p.Src[8:])}
	dst := [2]uint64{binary.BigEndian.Uint64(p.Dst[:8]), binary.BigEndian.Uint64(p.Dst[8:])}
	rest := uint64(p.Protocol) << 32
	if src[0] < dst[0] || src[0] == dst[0] && (src[1] < dst[1] || src[1] == dst[1] && p.SrcPort <= p.DstPort) {
		k.low[0], k.low[1], k.high[0], k.high[1] = src[0], src[1], dst[0], dst[1]
		k.rest = rest | uint64(p.DstPort)<<16 | uint64(p.SrcPort)
		return 0
	}
	k.low[0], k.low[1], k.high[0], k.high[1] = dst[0], dst[1], src[0], src[1]
	k.rest = rest | uint64(p.SrcPort)<<16 | uint64(p.DstPort)
	return 1
}

// is tells whether two keys are the same. In line, which == on the type is not.
func (k *flowKey) is(o *flowKey) bool {
	return k.rest == o.rest && k.low[1] == o.low[1] && k.high[1] == o.high[1] && k.low[0] == o.low[0] && k.high[0] == o.high[0]
}

func (k *flowKey) hash(seed uint64) uint64 {
	h := fold(k.low[0]^seed, k.low[1]^0x9e3779b97f4a7c15)
	h = fold(k.high[0]^h, k.high[1]^0xd6e8feb86659fd93)
	return fold(k.rest|h<<40^h, 0xa0761d6478bd642f^seed)
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// halfState is what is known of one direction of a TCP connection.
type halfState struct {
	base            uint32 // the sequence number of the stream's first byte
	tsFirst, tsLast uint32
	known           bool // base is
	midstream       bool // base is a guess: the beginning was not seen
	tsKnown         bool
	confirmed       bool // the other side acknowledged base
	closed          bool // FIN was seen
	doubtedInARow   uint8
	_               [2]byte
}

// flow is one connection.
type flow struct {
	key     flowKey
	last    int64 // time of the last packet
	session int32 // -1 for none
	done    bool  // nothing more is read
	reset   bool  // RST was seen
	dcid    uint64
	half    [2]halfState
}

// flowTable keeps a fixed number of flows in sets of eight. A full set gives its least valuable
// flow up: one without a session that was not heard of for the longest time, if there is one.
type flowTable struct {
	flows []flow
	tags  []uint16 // zero for an empty place; looked at before the flow itself
	mask  uint64
	seed  uint64
}

func newFlowTable(n int, seed uint64) flowTable {
	sets := 1 << bits.Len(uint(max(n, ways)-1)/ways)
	return flowTable{flows: room.Make[flow](sets * ways), tags: room.Make[uint16](sets * ways), mask: uint64(sets - 1), seed: seed}
}

func tagOf(hash uint64) uint16 { return uint16(hash>>48) | 1 }

// ahead has the place of a flow fetched, for find.
func (t *flowTable) ahead(hash uint64) { room.Ahead(&t.tags[int(hash&t.mask)*ways]) }

// find gives the index of the flow, -1 when there is none.
func (t *flowTable) find(key *flowKey, hash uint64) int32 {
	at := int(hash&t.mask) * ways
	tag := tagOf(hash)
	for i, v := range t.tags[at : at+ways] {
		if v == tag && t.flows[at+i].key.is(key) {
			return int32(at + i)
		}
	}
	return -1
}

// place gives the index for a new flow: an empty place, or that of the flow to give up.
func (t *flowTable) place(hash uint64) (index int32, occupied bool) {
	at := int(hash&t.mask) * ways
	victim := -1
	for i, v := range t.tags[at : at+ways] {
		if v == 0 {
			return int32(at + i), false
		}
		if victim < 0 || t.lessValuable(at+i, victim) {
			victim = at + i
		}
	}
	return int32(victim), true
}

func (t *flowTable) lessValuable(a, b int) bool {
	fa, fb := &t.flows[a], &t.flows[b]
	if (fa.session < 0) != (fb.session < 0) {
		return fa.session < 0
	}
	return fa.last < fb.last
}

func (t *flowTable) put(index int32, key *flowKey, hash uint64, now int64) *flow {
	t.tags[index] = tagOf(hash)
	f := &t.flows[index]
	*f = flow{key: *key, last: now, session: -1}
	return f
}
