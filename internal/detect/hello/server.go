package hello

import (
	"bytes"
	"encoding/binary"
)

// Numbers of handshake message types (RFC 8446, section 4, and RFC 5246, section 7.4).
const (
	TypeClientHello        = 1
	TypeServerHello        = 2
	TypeHelloVerifyRequest = 3
	TypeCertificate        = 11
	TypeServerKeyExchange  = 12
)

// retryRandom marks a ServerHello as a HelloRetryRequest: the SHA-256 of "HelloRetryRequest"
// (RFC 8446, section 4.1.3).
var retryRandom = []byte("\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91" +
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c")

// ServerHello is the server's answer. Its slices point into the bytes it was parsed from.
type ServerHello struct {
	Legacy     uint16 // the version field of the message itself
	Version    uint16 // the version chosen
	Random     []byte
	SessionID  []byte
	Cipher     uint16
	Extensions []byte
	Group      uint16 // of key_share, 0 when there is none
	ALPN       []byte // the protocol chosen, nil when none was
	PSK        bool   // a pre-shared key was accepted: the session is resumed
	Retry      bool   // a HelloRetryRequest
}

// Parse reads the body of a ServerHello message. The error is ErrMalformed.
func (h *ServerHello) Parse(body []byte) error {
	*h = ServerHello{}
	c := cursor{b: body}
	h.Legacy = uint16(c.u16())
	h.Version = h.Legacy
	h.Random = c.take(32)
	if draft := h.Legacy>>8 == 0x7f && h.Legacy&0xff < 22; !draft { // drafts of TLS 1.3 up to 21 lack these fields
		h.SessionID = c.vector8()
		h.Cipher = uint16(c.u16())
		c.u8() // compression method
	} else {
		h.Cipher = uint16(c.u16())
	}
	if c.bad {
		return ErrMalformed
	}
	if major := h.Legacy >> 8; major != 3 && major != 0xfe && major != 0x7f && major != 1 {
		return ErrMalformed
	}
	h.Retry = bytes.Equal(h.Random, retryRandom)
	if len(c.b) == 0 {
		return nil
	}
	h.Extensions = c.vector16()
	if c.bad {
		return ErrMalformed
	}
	var cut bool
	for kind, body := range extensions(h.Extensions, &cut) {
		switch kind {
		case extSupportedVersions:
			if len(body) == 2 {
				h.Version = binary.BigEndian.Uint16(body)
			}
		case extKeyShare:
			if len(body) >= 2 {
				h.Group = binary.BigEndian.Uint16(body)
			}
		case extALPN:
			e := cursor{b: body}
			e = cursor{b: e.vector16()}
			if name := e.vector8(); !e.bad {
				h.ALPN = name
			}
		case extPreSharedKey:
			h.PSK = true
		}
	}
	return nil
}

// KeyExchangeGroup gives the named curve of a ServerKeyExchange message for an elliptic curve
// cipher (RFC 8422, section 5.4), 0 when there is none.
func KeyExchangeGroup(body []byte) uint16 {
	if len(body) < 4 || body[0] != 3 {
		return 0
	}
	return binary.BigEndian.Uint16(body[1:])
}

// Certificates goes through the certificates of a Certificate message up to TLS 1.2, leaf first.
func Certificates(body []byte) func(yield func(der []byte) bool) {
	return func(yield func([]byte) bool) {
		c := cursor{b: body}
		list := c.u24()
		if list < len(c.b) {
			c.b = c.b[:list]
		}
		for len(c.b) > 0 {
			der := c.vector24()
			if c.bad || !yield(der) {
				return
			}
		}
	}
}

// ServerHello2 is the server hello of SSL 2.
type ServerHello2 struct {
	Version     uint16
	SessionHit  bool
	Certificate []byte
}

// Parse reads a record of SSL 2 with a server hello. It gives the record's length, 0 when more
// bytes are needed; the error is ErrMalformed when the bytes are something else.
func (h *ServerHello2) Parse(b []byte) (int, error) {
	*h = ServerHello2{}
	if len(b) < 13 {
		if len(b) > 0 && b[0]&0x80 == 0 || len(b) > 2 && b[2] != 4 {
			return 0, ErrMalformed
		}
		return 0, nil
	}
	length := int(b[0]&0x7f)<<8 | int(b[1])
	h.Version = binary.BigEndian.Uint16(b[5:])
	certificate, ciphers, id := int(binary.BigEndian.Uint16(b[7:])), int(binary.BigEndian.Uint16(b[9:])), int(binary.BigEndian.Uint16(b[11:]))
	if b[0]&0x80 == 0 || b[2] != 4 || h.Version != 2 || ciphers%3 != 0 || length != 11+certificate+ciphers+id {
		return 0, ErrMalformed
	}
	if len(b) < 2+length {
		return 0, nil
	}
	h.SessionHit = b[3] != 0
	h.Certificate = b[13 : 13+certificate]
	return 2 + length, nil
}
