package hello

import (
	"encoding/binary"
	"errors"
)

// Extension numbers (https://www.iana.org/assignments/tls-extensiontype-values).
const (
	extServerName          = 0
	extSupportedGroups     = 10
	extPointFormats        = 11
	extSignatureAlgorithms = 13
	extALPN                = 16
	extPreSharedKey        = 41
	extSupportedVersions   = 43
	extKeyShare            = 51
	extECH                 = 0xfe0d // RFC 9849
	extESNI                = 0xffce // its predecessor
)

// ErrMalformed means that bytes are not the message they should be.
var ErrMalformed = errors.New("malformed hello")

// ClientHello is what a client says first. Its slices point into the bytes it was parsed from.
type ClientHello struct {
	Version    uint16 // the version field of the message itself
	Random     []byte // 32 bytes; 16 to 32 in the form of SSL 2
	SessionID  []byte
	Ciphers    []byte // two bytes each; three in the form of SSL 2
	Extensions []byte // type, length, body, one after the other

	HasServerName       bool   // the extension is there, even without a name
	ServerName          []byte // the first host name, as sent
	ALPN                []byte // one length byte and a name, one after the other
	HasVersions         bool
	Versions            []byte // supported_versions, two bytes each
	SignatureAlgorithms []byte // of signature_algorithms only, two bytes each
	Groups              []byte // two bytes each
	PointFormats        []byte
	ECH                 bool // encrypted_client_hello or its predecessor is there: ServerName is the outer one
	SSL2                bool // in the form of SSL 2
	CutExtensions       bool // the extensions end in the middle of one
}

// Parse reads the body of a ClientHello message (RFC 8446, section 4.1.2, and its predecessors),
// with the cookie of DTLS where dtls says so. The error is ErrMalformed.
func (h *ClientHello) Parse(body []byte, dtls bool) error {
	*h = ClientHello{}
	c := cursor{b: body}
	h.Version = uint16(c.u16())
	h.Random = c.take(32)
	h.SessionID = c.vector8()
	if dtls {
		c.vector8() // cookie
	}
	h.Ciphers = c.vector16()
	c.vector8() // compression methods
	if c.bad || len(h.SessionID) > 32 || len(h.Ciphers)%2 != 0 {
		return ErrMalformed
	}
	if major := h.Version >> 8; major != 3 && major != 0xfe && major != 1 && major != 0x7f && major != 2 {
		return ErrMalformed
	}
	if len(c.b) == 0 {
		return nil // extensions came later in history
	}
	h.Extensions = c.vector16()
	if c.bad {
		return ErrMalformed
	}
	h.readExtensions()
	return nil
}

func (h *ClientHello) readExtensions() {
	for rest := h.Extensions; len(rest) > 0; {
		var kind uint16
		var body []byte
		if kind, body, rest = nextExtension(rest); rest == nil {
			h.CutExtensions = true
			return
		}
		c := cursor{b: body}
		switch kind {
		case extServerName:
			h.HasServerName = true
			h.serverName(c.vector16())
		case extALPN:
			if h.ALPN == nil {
				h.ALPN = c.vector16()
			}
		case extSupportedVersions:
			h.HasVersions = true
			h.Versions = even(c.vector8())
		case extSignatureAlgorithms:
			h.SignatureAlgorithms = even(c.vector16())
		case extSupportedGroups:
			h.Groups = even(c.vector16())
		case extPointFormats:
			h.PointFormats = c.vector8()
		case extECH, extESNI:
			h.ECH = true
		}
	}
}

func even(b []byte) []byte { return b[:len(b)&^1] }

func (h *ClientHello) serverName(list []byte) {
	c := cursor{b: list}
	for len(c.b) > 0 && !c.bad {
		kind, name := c.u8(), c.vector16()
		if kind == 0 && !c.bad {
			h.ServerName = name
			return
		}
	}
}

// nextExtension takes the first of an extension list that is not empty. rest is nil when that ends in the middle of one.
func nextExtension(list []byte) (kind uint16, body, rest []byte) {
	if len(list) < 4 {
		return 0, nil, nil
	}
	end := 4 + (int(list[2])<<8 | int(list[3]))
	if end > len(list) {
		return 0, nil, nil
	}
	return uint16(list[0])<<8 | uint16(list[1]), list[4:end:end], list[end:]
}

// extensions goes through an extension list. cut is set when it ends in the middle of one.
func extensions(list []byte, cut *bool) func(yield func(kind uint16, body []byte) bool) {
	return func(yield func(uint16, []byte) bool) {
		for rest := list; len(rest) > 0; {
			var kind uint16
			var body []byte
			if kind, body, rest = nextExtension(rest); rest == nil {
				*cut = true
				return
			}
			if !yield(kind, body) {
				return
			}
		}
	}
}

// Protocols goes through the names of an ALPN list.
func Protocols(alpn []byte) func(yield func(name []byte) bool) {
	return func(yield func([]byte) bool) {
		c := cursor{b: alpn}
		for len(c.b) > 0 {
			name := c.vector8()
			if c.bad || !yield(name) {
				return
			}
		}
	}
}

// ParseSSL2 reads a client hello in the form of SSL 2 (RFC 5246, appendix E.2), which clients sent
// to servers that might be old. It gives the length of the record, 0 when more bytes are needed.
// The error is ErrMalformed when the bytes are something else.
func (h *ClientHello) ParseSSL2(b []byte) (int, error) {
	*h = ClientHello{}
	if len(b) < 11 {
		if len(b) > 0 && b[0]&0x80 == 0 || len(b) > 2 && b[2] != 1 {
			return 0, ErrMalformed
		}
		return 0, nil
	}
	length := int(b[0]&0x7f)<<8 | int(b[1])
	version := binary.BigEndian.Uint16(b[3:])
	ciphers, session, challenge := int(binary.BigEndian.Uint16(b[5:])), int(binary.BigEndian.Uint16(b[7:])), int(binary.BigEndian.Uint16(b[9:]))
	if b[0]&0x80 == 0 || b[2] != 1 || version != 2 && (version < 0x300 || version > 0x304) ||
		ciphers == 0 || ciphers%3 != 0 || session != 0 && session != 16 || challenge < 16 || challenge > 32 ||
		length != 9+ciphers+session+challenge {
		return 0, ErrMalformed
	}
	if len(b) < 2+length {
		return 0, nil
	}
	c := cursor{b: b[11 : 2+length]}
	h.SSL2, h.Version = true, version
	h.Ciphers, h.SessionID, h.Random = c.take(ciphers), c.take(session), c.take(challenge)
	return 2 + length, nil
}

// grease tells whether a value is one of those sent to keep peers tolerant (RFC 8701).
func grease(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }
