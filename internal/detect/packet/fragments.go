package packet

// fragmentTimeout is how long an incomplete datagram waits, in nanoseconds (RFC 8200 says 60 s,
// systems mostly take 30 s).
const fragmentTimeout = 30e9

// maxDatagram is the largest payload of an IP packet.
const maxDatagram = 65535

type fragmentKey struct {
	src, dst [16]byte
	id       uint32
	protocol uint8
	v6       bool
}

// datagram is a reassembled IP payload.
type datagram struct {
	src, dst [16]byte
	protocol uint8
	v6       bool
	data     []byte
}

type fragmentSlot struct {
	key      fragmentKey
	used     bool
	protocol uint8
	total    int // -1 until the last fragment came
	when     int64
	stream   Stream
}

// fragments keeps incomplete datagrams in a fixed number of slots. The oldest gives way.
type fragments struct {
	slots []fragmentSlot
	pool  *Pool
	done  []byte // the bytes of the datagram just completed, both readings one after the other
}

func newFragments(datagrams, bytes int) fragments {
	return fragments{slots: make([]fragmentSlot, datagrams), pool: NewPool(bytes)}
}

// fragment adds a fragment and decodes the datagram when it is complete.
func (d *Decoder) fragment(key fragmentKey, offset int, more bool, data []byte) Problem {
	end := offset + len(data)
	if end > maxDatagram || more && len(data)%8 != 0 || len(data) == 0 {
		return ProblemFragmentBad
	}
	protocol := key.protocol
	if key.v6 { // an IPv6 datagram is the same whatever its fragments say comes next (RFC 8200, 4.5)
		key.protocol = 0
	}
	f := &d.fragments
	slot := d.findDatagram(key)
	if offset == 0 || slot.protocol == 0 {
		slot.protocol = protocol
	}
	if !more {
		if slot.total >= 0 && slot.total != end {
			d.overlap = true
			d.Counts[ProblemFragmentOverlap]++
		} else {
			slot.total = end
		}
	}
	added := slot.stream.Add(offset, data, false)
	for try := 0; added&AddedNoRoom != 0 && try < 4 && d.dropOldest(slot); try++ {
		added = slot.stream.Add(offset, data, false)
	}
	if added&AddedConflict != 0 {
		d.overlap = true
		d.Counts[ProblemFragmentOverlap]++
	}
	if added&(AddedScattered|AddedNoRoom) != 0 {
		d.dropDatagram(slot)
		return ProblemFragmentEvicted
	}
	first := slot.stream.First()
	if slot.total < 0 || len(first) < slot.total {
		return ProblemFragmentPending
	}
	f.done = append(f.done[:0], first[:slot.total]...)
	if later := slot.stream.Later(); later != nil {
		f.done = append(f.done, later[:slot.total]...)
	}
	total := slot.total
	protocol = slot.protocol
	slot.used = false
	slot.stream.Release()
	d.info.Reassembled = true
	if len(f.done) > total {
		d.hasLater, d.outer = true, d.info.Tunnels
		d.later = datagram{src: key.src, dst: key.dst, protocol: protocol, v6: key.v6, data: f.done[total:]}
	}
	if d.deeper() {
		return ProblemTooDeep
	}
	return d.transport(protocol, f.done[:total:total], key.v6, false)
}

// findDatagram gives the slot of the datagram, or makes one.
func (d *Decoder) findDatagram(key fragmentKey) *fragmentSlot {
	f := &d.fragments
	var free, oldest *fragmentSlot
	for i := range f.slots {
		s := &f.slots[i]
		if !s.used {
			if free == nil {
				free = s
			}
			continue
		}
		if s.key == key {
			if d.now-s.when <= fragmentTimeout {
				return s
			}
			d.dropDatagram(s)
			free = s
			continue
		}
		if oldest == nil || s.when < oldest.when {
			oldest = s
		}
	}
	if free == nil {
		d.dropDatagram(oldest)
		free = oldest
	}
	*free = fragmentSlot{key: key, used: true, total: -1, when: d.now}
	free.stream.Reset(f.pool, maxDatagram)
	return free
}

// dropDatagram gives an incomplete datagram up.
func (d *Decoder) dropDatagram(s *fragmentSlot) {
	s.used = false
	s.stream.Release()
	d.Counts[ProblemFragmentEvicted]++
}

// dropOldest gives up the incomplete datagram that waits longest, to make room for another.
func (d *Decoder) dropOldest(keep *fragmentSlot) bool {
	var oldest *fragmentSlot
	for i := range d.fragments.slots {
		s := &d.fragments.slots[i]
		if s.used && s != keep && (oldest == nil || s.when < oldest.when) {
			oldest = s
		}
	}
	if oldest == nil {
		return false
	}
	d.dropDatagram(oldest)
	return true
}
