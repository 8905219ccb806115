package hello

import (
	"bytes"
	"encoding/hex"
	"hash/maphash"
	"math/bits"
)

// Memory remembers what was made of the hellos and certificates seen last. A network has few programs and visits the same
// servers again and again, and hashing is most of what a hello costs. It has fixed room, compares all bytes before it
// believes to have seen them, and is for one goroutine.
type Memory struct {
	prints  table[*Prints]
	chains  table[*Chain]
	answers table[*Answer]
	names   map[name]*string
	key     []byte
}

// What a Memory has room for: places, and bytes of what is compared.
const (
	printPlaces, printRoom   = 1 << 11, 1 << 20
	chainPlaces, chainRoom   = 1 << 8, 8 << 20
	answerPlaces, answerRoom = 1 << 9, 1 << 18
)

// NewMemory makes an empty one.
func NewMemory() *Memory {
	return &Memory{
		prints:  newTable[*Prints](printPlaces, printRoom),
		chains:  newTable[*Chain](chainPlaces, chainRoom),
		answers: newTable[*Answer](answerPlaces, answerRoom), names: map[name]*string{},
	}
}

// Prints is what a client hello says about the program that sent it. It is shared: not to be changed.
type Prints struct {
	JA3, JA4 string
	Version  string   // the highest version that is offered, by name
	ALPN     []string // never nil
	ALPNHex  []string // all of ALPN, when one of them is not text
}

// Prints gives the fingerprints of a hello.
func (m *Memory) Prints(h *ClientHello, transport Transport) *Prints {
	m.key = h.appendParts(m.key[:0], transport)
	known, ok := m.prints.find(m.key)
	if !ok {
		*known = &Prints{JA3: h.JA3(), JA4: h.JA4(transport), Version: VersionName(h.Highest())}
		(*known).protocols(h.ALPN)
	}
	return *known
}

func (p *Prints) protocols(alpn []byte) {
	p.ALPN = []string{}
	odd := false
	for name := range Protocols(alpn) {
		text := Text(name)
		odd = odd || text != string(name)
		p.ALPN = append(p.ALPN, text)
	}
	if odd {
		for name := range Protocols(alpn) {
			p.ALPNHex = append(p.ALPNHex, hex.EncodeToString(name))
		}
	}
}

// appendParts adds all that fingerprints are made of, so that hellos with equal parts have equal ones. Values that stand
// for nothing (GREASE) are left out: clients draw them anew each time.
func (h *ClientHello) appendParts(b []byte, transport Transport) []byte {
	flags := byte(0)
	for i, is := range [...]bool{h.SSL2, h.HasServerName} {
		if is {
			flags |= 1 << i
		}
	}
	highest := h.highestVersion()
	b = append(b, byte(transport), flags, byte(h.Version>>8), byte(h.Version), byte(highest>>8), byte(highest))
	if h.SSL2 {
		b = appendPart(b, h.Ciphers)
	} else {
		b = appendWithoutGrease(b, h.Ciphers)
	}
	b = appendKinds(b, h.Extensions, true)
	b = appendWithoutGrease(b, h.Groups)
	b = appendPart(b, h.PointFormats)
	b = appendWithoutGrease(b, h.SignatureAlgorithms)
	return appendPart(b, h.ALPN)
}

// appendKinds adds the kinds of the extensions in a list; without says that those that stand for nothing are left out.
func appendKinds(b, list []byte, without bool) []byte {
	mark := len(b)
	b = append(b, 0, 0)
	for rest := list; len(rest) > 0; {
		var kind uint16
		if kind, _, rest = nextExtension(rest); rest == nil {
			break
		}
		if !without || !grease(kind) {
			b = append(b, byte(kind>>8), byte(kind))
		}
	}
	writeSize(b, mark)
	return b
}

func appendPart(b, part []byte) []byte {
	mark := len(b)
	b = append(append(b, 0, 0), part...)
	writeSize(b, mark)
	return b
}

func appendWithoutGrease(b, values []byte) []byte {
	mark := len(b)
	b = append(b, 0, 0)
	from := 0 // of what was not added yet
	for i := 0; i+1 < len(values); i += 2 {
		if values[i]&0xf == 0xa && grease(uint16(values[i])<<8|uint16(values[i+1])) {
			b = append(b, values[from:i]...)
			from = i + 2
		}
	}
	b = append(b, values[from:len(values)&^1]...)
	writeSize(b, mark)
	return b
}

// writeSize writes how long the part behind a mark is, so that parts cannot be taken for one another.
func writeSize(b []byte, mark int) {
	size := len(b) - mark - 2
	b[mark], b[mark+1] = byte(size>>8), byte(size)
}

// Answer is what a server hello says about who sent it. It is shared: not to be changed.
type Answer struct {
	JA3S     string
	Protocol *string // of ALPN; nil where none was chosen
}

// Answer gives the fingerprint of a server hello.
func (m *Memory) Answer(h *ServerHello) *Answer {
	m.key = append(m.key[:0], byte(h.Legacy>>8), byte(h.Legacy), byte(h.Cipher>>8), byte(h.Cipher))
	m.key = appendKinds(m.key, h.Extensions, false)
	if h.ALPN != nil {
		m.key = appendPart(m.key, h.ALPN)
	}
	known, ok := m.answers.find(m.key)
	if !ok {
		*known = &Answer{JA3S: h.JA3S()}
		if h.ALPN != nil {
			text := Text(h.ALPN)
			(*known).Protocol = &text
		}
	}
	return *known
}

// name is a number of a registry that has a name.
type name struct {
	registry byte
	number   uint16
}

// Version gives a version's name, as VersionName does, in the same place each time: not to be changed. So do the others.
func (m *Memory) Version(v uint16) *string { return m.name(name{'v', v}, VersionName) }

// Cipher gives a cipher suite's name.
func (m *Memory) Cipher(id uint16) *string { return m.name(name{'c', id}, CipherName) }

// Group gives a group's name.
func (m *Memory) Group(id uint16) *string { return m.name(name{'g', id}, GroupName) }

// Alert gives an alert's name.
func (m *Memory) Alert(id uint8) *string {
	return m.name(name{'a', uint16(id)}, func(id uint16) string { return AlertName(uint8(id)) })
}

func (m *Memory) name(n name, of func(uint16) string) *string {
	text, ok := m.names[n]
	if !ok {
		made := of(n.number)
		text = &made
		m.names[n] = text
	}
	return text
}

// Chain is the certificates of one Certificate message, the sender's own first. It is shared: not to be changed.
type Chain struct {
	Certificates []Certificate
	Hashes       []string // SHA-256 of each
}

// Chain reads the Certificate message of TLS up to 1.2, the first most certificates of it; nil when there is none in it.
func (m *Memory) Chain(body []byte, most int) *Chain {
	known, ok := m.chains.find(body)
	if !ok {
		*known = chainOf(body, most)
	}
	return *known
}

func chainOf(body []byte, most int) *Chain {
	var c *Chain
	for der := range Certificates(body) {
		if c == nil {
			c = &Chain{}
		}
		if len(c.Certificates) == most {
			break
		}
		c.Add(der)
	}
	return c
}

// Add reads one more certificate. It is for who makes a chain himself.
func (c *Chain) Add(der []byte) {
	c.Certificates = append(c.Certificates, ParseCertificate(der))
	c.Hashes = append(c.Hashes, c.Certificates[len(c.Certificates)-1].SHA256)
}

// table remembers what was made of byte strings, in rows of four places: the one not used for longest gives way. When the
// byte strings have become too many bytes, it begins anew.
type table[V any] struct {
	seed    maphash.Seed
	rows    [][4]*remembered[V] // used last first
	used    int                 // bytes of keys
	room    int
	passing V // of a key that is too long to be kept
}

type remembered[V any] struct {
	hash  uint64
	key   []byte
	value V
}

func newTable[V any](places, room int) table[V] {
	return table[V]{seed: maphash.MakeSeed(), rows: make([][4]*remembered[V], places/4), room: room}
}

// partlyHashed is how many bytes of a long key are hashed at its beginning and its end: certificates have what tells them apart
// there, and all bytes are compared anyway.
const partlyHashed = 256

func (t *table[V]) hash(key []byte) uint64 {
	if len(key) <= 2*partlyHashed {
		return maphash.Bytes(t.seed, key)
	}
	end := maphash.Bytes(t.seed, key[len(key)-partlyHashed:])
	return maphash.Bytes(t.seed, key[:partlyHashed]) ^ bits.RotateLeft64(end, 21) ^ uint64(len(key))*0x9e3779b97f4a7c15
}

// find gives the place of a key's value, and whether it is there already; if not, the caller puts it there.
func (t *table[V]) find(key []byte) (value *V, known bool) {
	if len(key) > t.room/8 {
		return &t.passing, false
	}
	hash := t.hash(key)
	row := &t.rows[hash>>32%uint64(len(t.rows))]
	for i, p := range row {
		if p != nil && p.hash == hash && bytes.Equal(p.key, key) {
			copy(row[1:i+1], row[:i])
			row[0] = p
			return &p.value, true
		}
	}
	if p := row[3]; p != nil {
		t.used -= len(p.key)
	}
	if t.used += len(key); t.used > t.room {
		clear(t.rows)
		t.used = len(key)
	}
	copy(row[1:], row[:3])
	row[0] = &remembered[V]{hash: hash, key: bytes.Clone(key)}
	return &row[0].value, false
}
