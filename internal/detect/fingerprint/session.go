package fingerprint

import (
	"encoding/hex"

	"github.com/mithaq/mithaq/internal/detect/hello"
	"github.com/mithaq/mithaq/internal/detect/packet"
)

const (
	maxHellos       = 4        // client hellos of one connection that make events
	maxCertificates = 32       // of one side
	streamWindow    = 64 << 10 // bytes of a direction that are kept, before they are read and moved on
	maxHandshake    = 4 << 20  // bytes of one direction after which a handshake is given up
	keepRead        = 32 << 10 // bytes already read that are kept, to compare later segments with
)

// candidate is a place where TLS may begin: where a segment began that looks like it.
type candidate struct {
	offset int32
	peer   uint32 // the acknowledgement number of that segment: where the peer's answer begins
	acked  bool
}

// direction is one direction of a session over TCP.
type direction struct {
	stream     packet.Stream
	side       hello.Side
	begun      bool // TLS begins at start
	ssl2       bool // with a hello in the form of SSL 2
	gaveUp     bool
	start      int
	newline    int // First was searched for a line end before TLS up to here
	candidates [4]candidate
	n          int
}

// session is the part of a connection that is read. Sessions come from a fixed slab.
type session struct {
	newer, older int32 // in the order of last use
	flow         int32
	inUse        bool
	client       int8 // the direction of the client: 0, 1, or -1 while unknown
	syn          int8 // the direction that sent a SYN without ACK, -1 when none was seen
	begun        Place
	last         int64
	placed       int64 // when it was last made the newest
	dir          [2]direction
	transport    hello.Transport

	events    [maxHellos]*Event
	n         int
	anomalies uint32 // bits by kind
	server    serverFacts

	quic *quicState
	dtls *[2]hello.DatagramSide
}

// serverFacts is what is learned of a connection beyond its client hello.
type serverFacts struct {
	seen         bool // a ServerHello that is not a HelloRetryRequest
	version      uint16
	cipher       uint16
	hasCipher    bool
	group        uint16
	answer       *hello.Answer // nil before a server hello
	retry        bool
	resumed      bool
	established  bool
	alert        *string
	protocol     *string  // of the last server hello that is no retry
	session      [32]byte // the session id the client offered
	sessionSize  int
	chain        [2]*hello.Chain // 0 the server's, 1 the client's
	ccs          [2]bool         // by direction
	applications [2]bool         // application data after the ServerHello, by direction
}

// item takes note of one thing that direction d sent. It tells whether the handshake is over.
func (s *session) item(d int, it *hello.Item, memory *hello.Memory) bool {
	f := &s.server
	fromServer := int8(d) != s.client
	switch it.Kind {
	case hello.ItemAlert:
		f.alert = memory.Alert(it.Description)
	case hello.ItemCCS:
		f.ccs[d] = true
	case hello.ItemEncrypted:
		return s.encrypted()
	case hello.ItemApplication:
		if f.seen {
			f.applications[d] = true
		}
		return s.encrypted()
	case hello.ItemHandshake:
		if it.Type == hello.TypeServerHello && fromServer {
			f.hello(it.Body, memory)
		}
		if it.Type == hello.TypeCertificate {
			f.certificates(it.Body, fromServer, memory)
		}
		if it.Type == hello.TypeServerKeyExchange && fromServer && f.group == 0 {
			f.group = hello.KeyExchangeGroup(it.Body)
		}
	}
	return false
}

// encrypted decides whether the handshake is over now that something encrypted came: up to TLS 1.2
// when both sides have changed ciphers before, in TLS 1.3 when both have sent encrypted records.
func (s *session) encrypted() bool {
	f := &s.server
	switch {
	case f.established || !f.seen:
	case f.ccs[0] && f.ccs[1]:
		f.established = true
	case f.version >= 0x0304 && f.version < 0xfe00 || f.version == 0xfefc:
		f.established = f.applications[0] && f.applications[1]
	}
	return f.established
}

func (f *serverFacts) hello(body []byte, memory *hello.Memory) {
	var h hello.ServerHello
	if f.seen || h.Parse(body) != nil {
		return
	}
	f.version, f.cipher, f.hasCipher = h.Version, h.Cipher, true
	f.answer = memory.Answer(&h)
	if h.Group != 0 {
		f.group = h.Group
	}
	if h.Retry {
		f.retry = true
		return
	}
	f.seen = true
	f.protocol = f.answer.Protocol
	early := h.Version <= 0x0303 || h.Version >= 0xfe00 && h.Version != 0xfefc
	f.resumed = h.PSK || early && len(h.SessionID) > 0 && string(h.SessionID) == string(f.session[:f.sessionSize])
}

func (f *serverFacts) certificates(body []byte, fromServer bool, memory *hello.Memory) {
	chain := &f.chain[1]
	if fromServer {
		chain = &f.chain[0]
	}
	if *chain == nil {
		*chain = memory.Chain(body, maxCertificates)
	}
}

// fill copies the facts into an event.
func (f *serverFacts) fill(e *Event, memory *hello.Memory) {
	if f.version != 0 {
		e.Version = memory.Version(f.version)
		if f.answer != nil {
			e.JA3S = &f.answer.JA3S
		}
	}
	if f.hasCipher {
		e.Cipher = memory.Cipher(f.cipher)
	}
	if f.group != 0 {
		e.Curve = memory.Group(f.group)
	}
	e.NextProtocol, e.Resumed, e.Established, e.LastAlert = f.protocol, f.resumed, f.established, f.alert
	if c := f.chain[1]; c != nil {
		e.ClientChain, e.ClientHashes = c.Certificates, c.Hashes
	}
	if c := f.chain[0]; c != nil {
		e.ServerChain, e.ChainHashes = c.Certificates, c.Hashes
		own := &e.ServerChain[0]
		e.Subject, e.Issuer = &own.Subject, &own.Issuer
		if e.SNI != nil {
			matches := own.MatchesHost(*e.SNI)
			e.SNIMatches = &matches
		}
	}
}

func hexText(b []byte) string { return hex.EncodeToString(b) }
