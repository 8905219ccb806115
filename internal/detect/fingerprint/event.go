package fingerprint

import (
	"net/netip"
	"time"

	"github.com/mithaq/mithaq/internal/detect/hello"
)

// Event is one client hello with what is known of the connection it began. Its JSON form is the
// output of `mithaq fingerprint --json`, one line each; a null or an absent member is not known.
type Event struct {
	Packet    int64      `json:"packet"` // the packet that completed the hello, from 1
	Time      time.Time  `json:"time"`
	Src       netip.Addr `json:"src"` // the client
	Dst       netip.Addr `json:"dst"`
	SrcPort   uint16     `json:"srcport"`
	DstPort   uint16     `json:"dstport"`
	Transport string     `json:"transport"` // tcp, quic or dtls
	SNI       *string    `json:"sni"`       // for an encrypted client hello the outer, public name
	ALPN      []string   `json:"alpn"`
	ALPNHex   []string   `json:"alpn_hex,omitempty"` // all of ALPN, when one of them is not text
	JA3       string     `json:"ja3"`
	JA4       string     `json:"ja4"`
	ECH       bool       `json:"ech"`
	// Service is dot, doh or doq where the hello begins DNS under encryption.
	Service string `json:"service,omitempty"`
	// HelloVersion is the highest version the client offers.
	HelloVersion string `json:"client_version"`
	// Hello is the number of this hello on its connection, from 1. A second one comes when the
	// server asks for it with a HelloRetryRequest.
	Hello int `json:"hello"`
	// Reading is "other" when this hello is only seen in the other reading of overlapping segments.
	Reading   string   `json:"reading,omitempty"`
	Anomalies []string `json:"anomalies,omitempty"`
	Tunnels   int      `json:"tunnels,omitempty"` // how many IP packets this one travelled in

	Version      *string             `json:"version"` // chosen by the server
	Cipher       *string             `json:"cipher"`
	Curve        *string             `json:"curve,omitempty"`
	JA3S         *string             `json:"ja3s"`
	NextProtocol *string             `json:"next_protocol,omitempty"` // chosen by the server in the clear
	Resumed      bool                `json:"resumed"`
	LastAlert    *string             `json:"last_alert,omitempty"`
	Established  bool                `json:"established"` // both sides were seen to encrypt; never told for QUIC
	ServerChain  []hello.Certificate `json:"certificates,omitempty"`
	ChainHashes  []string            `json:"cert_chain_fps,omitempty"` // SHA-256, the server's own first
	ClientChain  []hello.Certificate `json:"client_certificates,omitempty"`
	ClientHashes []string            `json:"client_cert_chain_fps,omitempty"`
	Subject      *string             `json:"subject,omitempty"` // of the server's own certificate
	Issuer       *string             `json:"issuer,omitempty"`
	SNIMatches   *bool               `json:"sni_matches_cert,omitempty"`
	QUIC         *QUICFacts          `json:"quic,omitempty"`

	random [32]byte
}

// QUICFacts is what the headers of a QUIC connection show. Identifiers are in hexadecimal.
type QUICFacts struct {
	Version      string `json:"version"`
	ClientDCID   string `json:"client_initial_dcid"`
	ClientSCID   string `json:"client_scid"`
	ServerSCID   string `json:"server_scid,omitempty"`
	OriginalDCID string `json:"original_dcid,omitempty"` // before a Retry
	Retry        bool   `json:"retry,omitempty"`
}

// AnomalyKind is something odd about a connection.
type AnomalyKind uint8

// The kinds of anomalies.
const (
	AnomalyOverlap         AnomalyKind = iota // TCP segments overlap with different bytes
	AnomalyFragmentOverlap                    // IP fragments overlap with different bytes
	AnomalyTimestamp                          // a TCP segment with a timestamp its sender cannot have sent
	AnomalySequence                           // data far outside of where the stream is
	AnomalyHandshake                          // a second SYN or SYN-ACK that contradicts the first
	AnomalyCryptoOverlap                      // QUIC CRYPTO frames overlap with different bytes
	anomalyKinds
)

// String names the kind the way events print it.
func (k AnomalyKind) String() string {
	switch k {
	case AnomalyOverlap:
		return "tcp-overlap"
	case AnomalyFragmentOverlap:
		return "ip-fragment-overlap"
	case AnomalyTimestamp:
		return "tcp-timestamp"
	case AnomalySequence:
		return "tcp-sequence"
	case AnomalyHandshake:
		return "tcp-handshake"
	case AnomalyCryptoOverlap:
		return "quic-crypto-overlap"
	default:
		return "unknown"
	}
}

// Anomaly is one anomaly, with the packet in which it showed.
type Anomaly struct {
	Kind             AnomalyKind
	Packet           int64
	Time             time.Time
	Src, Dst         string
	SrcPort, DstPort uint16
}

// describe fills in what the client hello itself says.
func (e *Event) describe(h *hello.ClientHello, transport hello.Transport, memory *hello.Memory) {
	prints := memory.Prints(h, transport)
	e.Transport = transport.String()
	e.JA3, e.JA4, e.ECH, e.HelloVersion = prints.JA3, prints.JA4, h.ECH, prints.Version
	e.ALPN, e.ALPNHex = prints.ALPN, prints.ALPNHex
	copy(e.random[:], h.Random)
	if h.ServerName != nil {
		name := hello.Text(h.ServerName)
		e.SNI = &name
	}
}

// same tells whether two hellos say the same.
func (e *Event) same(o *Event) bool {
	return e.random == o.random && e.JA3 == o.JA3 && e.JA4 == o.JA4 && textOf(e.SNI) == textOf(o.SNI)
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
