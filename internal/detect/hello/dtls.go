package hello

import "github.com/mithaq/mithaq/internal/detect/packet"

const (
	dtlsRecordHeader  = 13
	dtlsMessageHeader = 12
	dtlsSlots         = 6       // messages of one side that are put together at the same time
	dtlsMessage       = 1 << 16 // the largest message kept, in bytes
)

// StartsDTLS tells whether a UDP datagram is DTLS with a ClientHello in the clear (RFC 6347,
// RFC 9147): the first record, of epoch 0, begins a handshake message of that type.
func StartsDTLS(b []byte) bool { return startsDTLS(b, TypeClientHello) }

// LooksLikeDTLS tells whether a UDP datagram begins with a record of DTLS in the clear.
func LooksLikeDTLS(b []byte) bool {
	return len(b) >= dtlsRecordHeader && b[0] >= recordCCS && b[0] <= recordHeartbeat && dtlsVersion(b[1], b[2])
}

func startsDTLS(b []byte, message byte) bool {
	return len(b) >= dtlsRecordHeader+dtlsMessageHeader && b[0] == recordHandshake && dtlsVersion(b[1], b[2]) &&
		b[3] == 0 && b[4] == 0 && b[dtlsRecordHeader] == message
}

// dtlsVersion knows the versions and 0x0100, with which OpenSSL began.
func dtlsVersion(major, minor byte) bool {
	return major == 0xfe && (minor == 0xff || minor == 0xfd || minor == 0xfc) || major == 1 && minor == 0
}

// DatagramSide puts the handshake messages of one direction of a DTLS connection together.
type DatagramSide struct {
	pool      *packet.Pool
	slots     [dtlsSlots]dtlsSlot
	done      uint64 // message numbers below 64 that were given out
	next      int
	encrypted bool
}

type dtlsSlot struct {
	used   bool
	kind   uint8
	number uint16
	length int
	stream packet.Stream
}

// Reset begins anew.
func (s *DatagramSide) Reset(pool *packet.Pool) {
	s.Release()
	*s = DatagramSide{pool: pool}
}

// Release gives the buffers back.
func (s *DatagramSide) Release() {
	for i := range s.slots {
		s.slots[i].stream.Release()
		s.slots[i].used = false
	}
}

// Read goes through the records of one datagram and calls yield for every item in them.
// An item's body is valid during the call.
func (s *DatagramSide) Read(b []byte, yield func(*Item)) {
	for LooksLikeDTLS(b) {
		kind, epoch, length := b[0], int(b[3])<<8|int(b[4]), int(b[11])<<8|int(b[12])
		if length > len(b)-dtlsRecordHeader {
			length = len(b) - dtlsRecordHeader // the capture cut the packet
		}
		body := b[dtlsRecordHeader : dtlsRecordHeader+length]
		b = b[dtlsRecordHeader+length:]
		switch {
		case kind == recordApplication:
			yield(&Item{Kind: ItemApplication})
		case epoch != 0:
			yield(&Item{Kind: ItemEncrypted})
		case kind == recordCCS:
			s.encrypted = true
			yield(&Item{Kind: ItemCCS})
		case kind == recordAlert && len(body) == 2:
			yield(&Item{Kind: ItemAlert, Description: body[1]})
		case kind == recordHandshake:
			s.messages(body, yield)
		}
	}
}

// messages goes through the handshake messages, or parts of them, of one record.
func (s *DatagramSide) messages(b []byte, yield func(*Item)) {
	for len(b) >= dtlsMessageHeader {
		kind, length := b[0], int(b[1])<<16|int(b[2])<<8|int(b[3])
		number := uint16(b[4])<<8 | uint16(b[5])
		offset, size := int(b[6])<<16|int(b[7])<<8|int(b[8]), int(b[9])<<16|int(b[10])<<8|int(b[11])
		b = b[dtlsMessageHeader:]
		if size > len(b) || offset+size > length || length > dtlsMessage {
			return
		}
		part := b[:size]
		b = b[size:]
		if number < 64 && s.done>>number&1 == 1 {
			continue // sent again
		}
		if offset == 0 && size == length {
			s.finish(number)
			yield(&Item{Kind: ItemHandshake, Type: kind, Body: part})
			continue
		}
		slot := s.slot(kind, number, length)
		slot.stream.Add(offset, part, false)
		if whole := slot.stream.First(); len(whole) >= length {
			s.finish(number)
			yield(&Item{Kind: ItemHandshake, Type: slot.kind, Body: whole[:length]})
			slot.stream.Release()
			slot.used = false
		}
	}
}

func (s *DatagramSide) finish(number uint16) {
	if number < 64 {
		s.done |= 1 << number
	}
}

func (s *DatagramSide) slot(kind uint8, number uint16, length int) *dtlsSlot {
	for i := range s.slots {
		if t := &s.slots[i]; t.used && t.number == number && t.kind == kind && t.length == length {
			return t
		}
	}
	t := &s.slots[s.next%dtlsSlots]
	for i := range s.slots {
		if !s.slots[i].used {
			t = &s.slots[i]
			break
		}
	}
	s.next++
	t.stream.Reset(s.pool, dtlsMessage)
	t.used, t.kind, t.number, t.length = true, kind, number, length
	return t
}
