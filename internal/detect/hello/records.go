package hello

import "github.com/mithaq/mithaq/internal/detect/packet"

// maxMessage bounds a handshake message in bytes; longer ones are passed over. The protocol
// allows 16 MiB, certificate chains of some hundred kilobytes have been seen.
const maxMessage = 1<<20 - 4

// maxRecord is the largest record in bytes: 2^14 and the expansion that old versions allow.
const maxRecord = 1<<14 + 2048

// Record content types.
const (
	recordCCS         = 20
	recordAlert       = 21
	recordHandshake   = 22
	recordApplication = 23
	recordHeartbeat   = 24
)

// ItemKind says what Side.Next found.
type ItemKind uint8

// The kinds of items.
const (
	ItemHandshake   ItemKind = iota // a handshake message in the clear
	ItemAlert                       // an alert in the clear
	ItemCCS                         // change of cipher spec
	ItemEncrypted                   // a handshake or alert record after the change of cipher spec
	ItemApplication                 // an application data record
)

// Item is one thing a side of a TLS connection sent.
type Item struct {
	Kind        ItemKind
	Type        uint8  // of a handshake message
	Body        []byte // of a handshake message; valid until the next call
	Description uint8  // of an alert
}

// Side reads the records of one direction of a TLS connection, as far as their bytes have come,
// and puts handshake messages together that are split over records. Buffers for those come from
// the pool it was reset with. The work is linear in the bytes, however they arrive.
type Side struct {
	pool      *packet.Pool
	record    int // stream offset of the next record
	at, end   int // what is left of the current handshake record
	partial   []byte
	have      int // bytes of a message in partial
	skip      int // bytes of a message that is passed over
	encrypted bool
	broken    bool
	release   bool
}

// Reset starts at the given offset of the stream.
func (s *Side) Reset(pool *packet.Pool, offset int) {
	s.Release()
	*s = Side{pool: pool, record: offset, at: offset, end: offset}
}

// Release gives the buffer back.
func (s *Side) Release() {
	if s.partial != nil {
		s.pool.Put(s.partial)
		s.partial = nil
	}
	s.have = 0
}

// Broken tells that the bytes are not TLS records any more.
func (s *Side) Broken() bool { return s.broken }

// Consumed is the stream offset up to which no byte is needed any more.
func (s *Side) Consumed() int {
	if s.at < s.end {
		return s.at
	}
	return s.record
}

// Next gives the next item in stream, whose first byte is at offset start. It returns false when
// more bytes are needed, or nothing more can be read.
func (s *Side) Next(stream []byte, start int, item *Item) bool {
	if s.release {
		s.release, s.have = false, 0
	}
	have := start + len(stream)
	for !s.broken {
		if s.at < s.end {
			if s.at < start { // bytes were lost before they were read
				s.broken = true
				return false
			}
			if s.at >= have {
				return false
			}
			found, wait := s.message(stream[s.at-start:min(s.end, have)-start], have >= s.end, item)
			if found {
				return true
			}
			if wait {
				return false
			}
			continue
		}
		if s.record < start {
			s.broken = true
			return false
		}
		if s.record+5 > have {
			if s.record < have {
				s.checkStart(stream[s.record-start:])
			}
			return false
		}
		found, wait := s.header(stream[s.record-start:], item)
		if found {
			return true
		}
		if wait {
			return false
		}
	}
	return false
}

// checkStart notices from the first bytes of a header that this is no record.
func (s *Side) checkStart(b []byte) {
	if b[0] < recordCCS || b[0] > recordHeartbeat || len(b) > 1 && b[1] != 3 {
		s.broken = true
	}
}

// header reads a record header and what need not wait for the rest of the record.
func (s *Side) header(b []byte, item *Item) (found, wait bool) {
	kind, length := b[0], int(b[3])<<8|int(b[4])
	if kind < recordCCS || kind > recordHeartbeat || b[1] != 3 || length > maxRecord {
		s.broken = true
		return false, true
	}
	body := b[5:]
	switch kind {
	case recordHandshake:
		if s.encrypted {
			if len(body) < min(length, 5) {
				return false, true
			}
			if !clearHello(body, length) {
				s.pass(length)
				*item = Item{Kind: ItemEncrypted}
				return true, false
			}
		}
		s.at, s.end = s.record+5, s.record+5+length
		s.record = s.end
		return false, false
	case recordAlert:
		if s.encrypted || length != 2 {
			s.pass(length)
			*item = Item{Kind: ItemEncrypted}
			return true, false
		}
		if len(body) < 2 {
			return false, true
		}
		*item = Item{Kind: ItemAlert, Description: body[1]}
	case recordCCS:
		s.encrypted = true
		*item = Item{Kind: ItemCCS}
	case recordApplication:
		*item = Item{Kind: ItemApplication}
	default:
		s.pass(length)
		return false, false
	}
	s.pass(length)
	return true, false
}

func (s *Side) pass(length int) {
	s.record += 5 + length
	s.at, s.end = s.record, s.record
}

// clearHello tells whether a handshake record after a change of cipher spec is a hello in the
// clear after all: TLS 1.3 sends a change of cipher spec for show, and after a HelloRetryRequest
// both hellos come behind it.
func clearHello(body []byte, length int) bool {
	return length > 38 && (body[0] == TypeClientHello || body[0] == TypeServerHello) &&
		int(body[1])<<16|int(body[2])<<8|int(body[3]) == length-4 && body[4] == 3
}

// message reads the next handshake message from the content of the current record. whole says
// that b holds all of the record that is left.
func (s *Side) message(b []byte, whole bool, item *Item) (found, wait bool) {
	if s.skip > 0 {
		n := min(s.skip, len(b))
		s.skip -= n
		s.at += n
		return false, false
	}
	if s.have == 0 {
		if len(b) >= 4 {
			need := 4 + (int(b[1])<<16 | int(b[2])<<8 | int(b[3]))
			if need <= len(b) {
				*item = Item{Kind: ItemHandshake, Type: b[0], Body: b[4:need:need]}
				s.at += need
				return true, false
			}
		}
		if !whole {
			return false, true
		}
	}
	// The message goes on in the next record.
	need := 4
	if s.have >= 4 {
		need = 4 + (int(s.partial[1])<<16 | int(s.partial[2])<<8 | int(s.partial[3]))
	}
	n := min(need-s.have, len(b))
	if !s.reserve(s.have + n) {
		s.broken = true
		return false, true
	}
	copy(s.partial[s.have:], b[:n])
	s.have += n
	s.at += n
	if s.have < need {
		return false, false
	}
	if need == 4 {
		size := int(s.partial[1])<<16 | int(s.partial[2])<<8 | int(s.partial[3])
		if size > maxMessage {
			s.have, s.skip = 0, size
			return false, false
		}
		if size > 0 {
			return false, false
		}
	}
	*item = Item{Kind: ItemHandshake, Type: s.partial[0], Body: s.partial[4:need:need]}
	s.release = true
	return true, false
}

func (s *Side) reserve(n int) bool {
	if n <= len(s.partial) {
		return true
	}
	b := s.pool.Get(n)
	if b == nil {
		return false
	}
	copy(b, s.partial[:s.have])
	s.pool.Put(s.partial)
	s.partial = b
	return true
}

// StartsTLS tells whether b can be the first bytes of a TLS connection's client side: a handshake
// record with the beginning of a ClientHello. sure says that enough bytes were there to tell.
func StartsTLS(b []byte) (possible, sure bool) {
	return starts(b, TypeClientHello)
}

// StartsServerTLS is StartsTLS for the server's side, which may also begin with an alert.
func StartsServerTLS(b []byte) (possible, sure bool) {
	if len(b) >= 1 && b[0] == recordAlert {
		if len(b) < 7 {
			return len(b) < 2 || b[1] == 3, false
		}
		return b[1] == 3 && b[2] <= 4 && b[3] == 0 && b[4] == 2 && b[5] >= 1 && b[5] <= 2, true
	}
	return starts(b, TypeServerHello)
}

func starts(b []byte, message byte) (possible, sure bool) {
	for i, v := range b[:min(len(b), 6)] {
		ok := true
		switch i {
		case 0:
			ok = v == recordHandshake
		case 1:
			ok = v == 3
		case 2:
			ok = v <= 4
		case 3:
			ok = v <= maxRecord>>8
		case 5:
			ok = v == message
		}
		if !ok {
			return false, true
		}
	}
	if len(b) < 9 {
		return true, false
	}
	record, size := int(b[3])<<8|int(b[4]), int(b[6])<<16|int(b[7])<<8|int(b[8])
	if record == 0 {
		return false, true
	}
	if record >= 4 && (size < 38 || size > maxMessage) {
		return false, true
	}
	if record > 4 && len(b) > 9 && b[9] != 3 && b[9] != 0x7f {
		return false, true
	}
	return true, true
}
