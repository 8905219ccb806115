package dns

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// Record types that are read in full.
const (
	TypeA     = 1
	TypeNS    = 2
	TypeCNAME = 5
	TypePTR   = 12
	TypeMX    = 15
	TypeTXT   = 16
	TypeAAAA  = 28
	TypeSRV   = 33
	TypeSVCB  = 64
	TypeHTTPS = 65
)

// maxRecords bounds how many records of a message are read.
const maxRecords = 512

// ErrNotDNS means that bytes are no DNS message.
var ErrNotDNS = errors.New("not a DNS message")

// Question is one question.
type Question struct {
	Name  string // in lower case, without the last dot; "" is the root
	Type  uint16
	Class uint16
}

// Record is one resource record of any section.
type Record struct {
	Name   string
	Type   uint16
	TTL    uint32     // seconds
	Addr   netip.Addr // of A and AAAA
	Target string     // the name in CNAME, NS, PTR, MX, SRV, SVCB and HTTPS
	Data   []byte     // as sent; points into the message
}

// Message is a DNS message.
type Message struct {
	ID        uint16
	Response  bool
	Truncated bool // the server says so
	Opcode    uint8
	Code      uint8 // 0 no error, 3 no such name
	Questions []Question
	Records   []Record // answers, authorities and additional ones
	Cut       bool     // it ends before what its counts announce
}

// Parse reads a message. The error is ErrNotDNS when its head makes no sense.
func Parse(b []byte) (Message, error) {
	var m Message
	if len(b) < 12 {
		return m, ErrNotDNS
	}
	flags := binary.BigEndian.Uint16(b[2:])
	m.ID, m.Response, m.Truncated = binary.BigEndian.Uint16(b), flags&0x8000 != 0, flags&0x0200 != 0
	m.Opcode, m.Code = uint8(flags>>11&15), uint8(flags&15)
	questions := int(binary.BigEndian.Uint16(b[4:]))
	records := int(binary.BigEndian.Uint16(b[6:])) + int(binary.BigEndian.Uint16(b[8:])) + int(binary.BigEndian.Uint16(b[10:]))
	if m.Opcode > 6 || flags&0x0040 != 0 || questions > 16 || questions+records == 0 {
		return m, ErrNotDNS
	}
	at, budget := 12, 4*len(b)+1024
	for range questions {
		name, next, ok := readName(b, at, &budget)
		if !ok || next+4 > len(b) {
			if len(m.Questions) == 0 {
				return m, ErrNotDNS
			}
			m.Cut = true
			return m, nil
		}
		m.Questions = append(m.Questions, Question{name, binary.BigEndian.Uint16(b[next:]), binary.BigEndian.Uint16(b[next+2:])})
		at = next + 4
	}
	if records > 0 {
		m.Records = make([]Record, 0, min(records, 8))
	}
	for i := range records {
		r, next, ok := readRecord(b, at, &budget)
		if !ok || i >= maxRecords {
			m.Cut = true
			return m, nil
		}
		m.Records = append(m.Records, r)
		at = next
	}
	return m, nil
}

func readRecord(b []byte, at int, budget *int) (r Record, next int, ok bool) {
	name, at, ok := readName(b, at, budget)
	if !ok || at+10 > len(b) {
		return r, 0, false
	}
	r.Name, r.Type, r.TTL = name, binary.BigEndian.Uint16(b[at:]), binary.BigEndian.Uint32(b[at+4:])
	length := int(binary.BigEndian.Uint16(b[at+8:]))
	at += 10
	if at+length > len(b) {
		return r, 0, false
	}
	r.Data, next = b[at:at+length], at+length
	skip := -1
	switch r.Type {
	case TypeA, TypeAAAA:
		if r.Type == TypeA && length == 4 || r.Type == TypeAAAA && length == 16 {
			r.Addr, _ = netip.AddrFromSlice(r.Data)
		}
	case TypeNS, TypeCNAME, TypePTR:
		skip = 0
	case TypeMX, TypeSVCB, TypeHTTPS:
		skip = 2
	case TypeSRV:
		skip = 6
	}
	if skip >= 0 && skip < length {
		if target, _, ok := readName(b[:next], at+skip, budget); ok {
			r.Target = target
		}
	}
	return r, next, true
}

// readName reads a name, following compression pointers backwards only. budget bounds the bytes
// that all names of a message may come to.
func readName(b []byte, at int, budget *int) (name string, next int, ok bool) {
	if at < len(b) && b[at] == 0 {
		return "", at + 1, true
	}
	var text [256]byte // more for names full of odd characters
	out := text[:0]
	next = -1
	limit, total := at, 0
	for {
		if at >= len(b) {
			return "", 0, false
		}
		length := int(b[at])
		switch {
		case length == 0:
			if next < 0 {
				next = at + 1
			}
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
			return string(out), next, true
		case length&0xc0 == 0xc0:
			if at+2 > len(b) {
				return "", 0, false
			}
			target := int(binary.BigEndian.Uint16(b[at:]) & 0x3fff)
			if next < 0 {
				next = at + 2
			}
			if target >= limit {
				return "", 0, false
			}
			at, limit = target, target
		case length > 63:
			return "", 0, false
		default:
			total += length + 1
			*budget -= length + 1
			if total > 254 || at+1+length > len(b) || *budget < 0 {
				return "", 0, false
			}
			for _, c := range b[at+1 : at+1+length] {
				if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' {
					out = append(out, c)
				} else {
					out = appendChar(out, c)
				}
			}
			out = append(out, '.')
			at += 1 + length
		}
	}
}

// appendChar writes a character of a label: letters in lower case, odd ones as RFC 1035, section
// 5.1, writes them.
func appendChar(out []byte, c byte) []byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return append(out, c+'a'-'A')
	case c == '.' || c == '\\':
		return append(out, '\\', c)
	case c <= ' ' || c >= 0x7f:
		return append(out, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
	default:
		return append(out, c)
	}
}

// Stream goes through the messages of one direction of a DNS connection over TCP: each comes
// behind its length in two bytes. It stops at the first that is not whole.
func Stream(b []byte) func(yield func(message []byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) >= 2 {
			n := 2 + int(binary.BigEndian.Uint16(b))
			if n > len(b) || !yield(b[2:n]) {
				return
			}
			b = b[n:]
		}
	}
}
