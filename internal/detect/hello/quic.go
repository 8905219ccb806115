package hello

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// QUIC versions that are read.
const (
	QUICv1 = 0x00000001
	QUICv2 = 0x6b3343cf
)

// Salts of the Initial secrets: RFC 9001 section 5.2, RFC 9369 section 3.3.1, and the drafts of
// draft-ietf-quic-tls that were deployed, also as Facebook's mvfst.
var (
	saltV1      = []byte("\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a")
	saltV2      = []byte("\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9")
	saltDraft29 = []byte("\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99")
	saltDraft22 = []byte("\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a")
	saltDraft23 = []byte("\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02")
)

// quicSalt gives the salt of a version, nil when the version is not known.
func quicSalt(version uint32) []byte {
	switch {
	case version == QUICv1, version == 0xff000021, version == 0xff000022:
		return saltV1
	case version == QUICv2:
		return saltV2
	case version >= 0xff00001d && version <= 0xff000020:
		return saltDraft29
	case version >= 0xff000017 && version <= 0xff00001c, version == 0xfaceb002, version == 0xfaceb00e:
		return saltDraft23
	case version == 0xff000016, version == 0xfaceb001: // the first with connection identifiers of any length
		return saltDraft22
	default:
		return nil
	}
}

// QUICVersionName names a version: "1", "2", "draft-29".
func QUICVersionName(version uint32) string {
	switch {
	case version == QUICv1:
		return "1"
	case version == QUICv2:
		return "2"
	case version>>8 == 0xff0000:
		return "draft-" + strconv.Itoa(int(version&0xff))
	case version == 0xfaceb001:
		return "mvfst-22"
	case version == 0xfaceb002:
		return "mvfst-27"
	case version == 0xfaceb00e:
		return "mvfst-experimental"
	default:
		return fmt.Sprintf("unknown-%x", version)
	}
}

// QUICType is the type of a long header packet.
type QUICType uint8

// The types.
const (
	QUICInitial QUICType = iota
	QUICZeroRTT
	QUICHandshake
	QUICRetry
	QUICNegotiation // of versions
)

// QUICHeader is a long header (RFC 9000, section 17.2). Its slices point into the datagram.
type QUICHeader struct {
	Type       QUICType
	Version    uint32
	DCID, SCID []byte
	Token      []byte // of an Initial
	number     int    // where the protected packet number begins
	length     int    // of the packet in the datagram
}

// maxConnectionID is the longest connection id in bytes that these versions allow (RFC 9000, section 17.2).
const maxConnectionID = 20

// ErrQUIC means that a datagram is not QUIC that can be read.
var ErrQUIC = errors.New("not a readable QUIC packet")

// StartsQUIC tells whether a UDP datagram begins with a long header packet of a version that is
// read. The bit that was fixed says nothing: it may be cleared (RFC 9287).
func StartsQUIC(b []byte) bool {
	return len(b) >= 7 && b[0]&0x80 != 0 && quicSalt(binary.BigEndian.Uint32(b[1:])) != nil
}

// StartsGoogleQUIC tells whether a UDP datagram is of Google's own protocol before QUIC was a
// standard: its versions Q024 to Q050 and T050 are named in the first packets.
func StartsGoogleQUIC(b []byte) bool {
	version := func(v []byte) bool {
		return (v[0] == 'Q' || v[0] == 'T') && v[1] == '0' && v[2] >= '2' && v[2] <= '5' && v[3] >= '0' && v[3] <= '9'
	}
	switch {
	case len(b) >= 5 && b[0]&0x80 != 0 && version(b[1:]):
		return true
	case len(b) >= 13 && b[0]&0x89 == 0x09:
		return version(b[9:])
	default:
		return false
	}
}

// ParseQUIC reads the long header at the start of b. rest is what follows its packet in the
// datagram. The error is ErrQUIC.
func ParseQUIC(b []byte) (h QUICHeader, rest []byte, err error) {
	if len(b) < 7 || b[0]&0x80 == 0 {
		return h, nil, ErrQUIC
	}
	h.Version = binary.BigEndian.Uint32(b[1:])
	c := cursor{b: b[5:]}
	h.DCID, h.SCID = c.vector8(), c.vector8()
	if c.bad || len(h.DCID) > maxConnectionID || len(h.SCID) > maxConnectionID {
		return h, nil, ErrQUIC
	}
	if h.Version == 0 {
		h.Type = QUICNegotiation
		return h, nil, nil
	}
	if quicSalt(h.Version) == nil {
		return h, nil, ErrQUIC
	}
	h.Type = QUICType(b[0] >> 4 & 3)
	if h.Version == QUICv2 { // RFC 9369, section 3.2
		h.Type = (h.Type + 3) & 3
	}
	if h.Type == QUICRetry {
		return h, nil, nil
	}
	if h.Type == QUICInitial {
		h.Token = c.take(c.varint())
	}
	length := c.varint()
	if c.bad || length > len(c.b) || length < 20 {
		return h, nil, ErrQUIC
	}
	h.number = len(b) - len(c.b)
	h.length = h.number + length
	return h, b[h.length:], nil
}

// varint reads a variable-length integer (RFC 9000, section 16) that must be a length.
func (c *cursor) varint() int {
	first := c.u8()
	n := uint64(first & 0x3f)
	for range 1<<(first>>6) - 1 {
		n = n<<8 | uint64(c.u8())
	}
	if n > 1<<30 {
		c.bad = true
		c.b = nil
		return 0
	}
	return int(n)
}

// InitialKeys protect the Initial packets of one connection. Anyone who saw the first packet can
// derive them.
type InitialKeys struct {
	Version        uint32
	secret         [32]byte
	client, server initialKey
}

type initialKey struct {
	aead cipher.AEAD
	mask cipher.Block
	iv   [12]byte
}

// NewInitialKeys derives the keys from the version and the destination connection id of the
// client's first packet (RFC 9001, section 5.2), which has at most 20 bytes. The error tells of an unknown version.
func NewInitialKeys(version uint32, dcid []byte) (*InitialKeys, error) {
	salt := quicSalt(version)
	if salt == nil {
		return nil, fmt.Errorf("deriving Initial keys of version %x: %w", version, ErrQUIC)
	}
	if len(dcid) > maxConnectionID {
		return nil, fmt.Errorf("deriving Initial keys from an identifier of %d bytes: %w", len(dcid), ErrQUIC)
	}
	k := &InitialKeys{Version: version, secret: hmac256(salt, dcid)}
	if err := k.client.derive(k.secret[:], "client in", version == QUICv2); err != nil {
		return nil, err
	}
	return k, nil
}

func (k *initialKey) derive(initial []byte, label string, v2 bool) error {
	key, iv, hp := "quic key", "quic iv", "quic hp"
	if v2 {
		key, iv, hp = "quicv2 key", "quicv2 iv", "quicv2 hp"
	}
	var secret [32]byte
	var keys [2][16]byte
	expandLabel(initial, label, secret[:])
	expandLabel(secret[:], key, keys[0][:])
	expandLabel(secret[:], iv, k.iv[:])
	expandLabel(secret[:], hp, keys[1][:])
	block, err := aes.NewCipher(keys[0][:])
	if err != nil {
		return fmt.Errorf("deriving Initial keys: %w", err)
	}
	if k.aead, err = cipher.NewGCM(block); err != nil {
		return fmt.Errorf("deriving Initial keys: %w", err)
	}
	if k.mask, err = aes.NewCipher(keys[1][:]); err != nil {
		return fmt.Errorf("deriving Initial keys: %w", err)
	}
	return nil
}

// Open removes the protection of an Initial packet that begins at b[0], whose header is h. It
// gives the frames, in space when that is large enough, and whether the packet was authentic.
func (k *InitialKeys) Open(b []byte, h *QUICHeader, fromServer bool, space []byte) ([]byte, bool) {
	key := &k.client
	if fromServer {
		// Many connections are never answered, and deriving costs: not before it is needed.
		if k.server.aead == nil && k.server.derive(k.secret[:], "server in", k.Version == QUICv2) != nil {
			return nil, false
		}
		key = &k.server
	}
	if h.length > len(b) || h.number+4+16 > h.length {
		return nil, false
	}
	var mask [16]byte
	key.mask.Encrypt(mask[:], b[h.number+4:h.number+20])
	first := b[0] ^ mask[0]&0x0f
	size := int(first&3) + 1
	var nonce [12]byte
	copy(nonce[:], key.iv[:])
	head := h.number + size
	need := head + h.length
	if cap(space) < need {
		space = make([]byte, need)
	}
	space = space[:need]
	copy(space, b[:head])
	space[0] = first
	for i := range size {
		v := b[h.number+i] ^ mask[1+i] // #nosec G602 -- size is at most 4
		space[h.number+i] = v
		nonce[12-size+i] ^= v
	}
	frames, err := key.aead.Open(space[head:head], nonce[:], b[head:h.length], space[:head])
	return frames, err == nil
}

// CryptoFrames goes through the frames of an Initial packet and yields the CRYPTO ones. It stops
// at a frame that cannot be in one.
func CryptoFrames(b []byte) func(yield func(offset int, data []byte) bool) {
	return func(yield func(int, []byte) bool) {
		c := cursor{b: b}
		for len(c.b) > 0 && !c.bad {
			switch kind := c.u8(); kind {
			case 0: // PADDING, hundreds of it
				c.b = withoutPadding(c.b)
			case 1: // PING
			case 2, 3: // ACK
				c.bigVarint()
				c.bigVarint()
				ranges := c.varint()
				c.bigVarint()
				for range ranges {
					if c.bad {
						return
					}
					c.bigVarint()
					c.bigVarint()
				}
				if kind == 3 {
					c.bigVarint()
					c.bigVarint()
					c.bigVarint()
				}
			case 6: // CRYPTO
				offset := c.varint()
				data := c.take(c.varint())
				if c.bad || !yield(offset, data) {
					return
				}
			default: // CONNECTION_CLOSE ends it; nothing else is allowed
				return
			}
		}
	}
}

// withoutPadding leaves the zeros out that bytes begin with.
func withoutPadding(b []byte) []byte {
	for len(b) >= 8 && binary.LittleEndian.Uint64(b) == 0 {
		b = b[8:]
	}
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b
}

// bigVarint passes over a variable-length integer of any size.
func (c *cursor) bigVarint() { c.take(1<<(c.u8()>>6) - 1) }
