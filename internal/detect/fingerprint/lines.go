package fingerprint

import (
	"fmt"
	"io"
	"strconv"

	"github.com/mithaq/mithaq/internal/detect/hello"
)

// Lines writes events as JSON lines, the same bytes as encoding/json writes without escaping HTML. It is for one goroutine.
type Lines struct {
	w      io.Writer
	line   []byte
	chains map[*hello.Certificate][]byte
	kept   int // bytes in chains
	failed error
}

// What is remembered of certificate chains as JSON: about twice as many as hello.Memory has, and no more bytes than that.
// Then they are forgotten.
const (
	mostChains     = 1 << 9
	mostChainBytes = 16 << 20
)

// NewLines makes a Lines that writes to w, which should be buffered.
func NewLines(w io.Writer) *Lines { return &Lines{w: w, chains: map[*hello.Certificate][]byte{}} }

// Add writes one event.
func (l *Lines) Add(e Event) {
	if l.failed != nil {
		return
	}
	l.line = append(l.append(l.line[:0], &e), '\n')
	if _, err := l.w.Write(l.line); err != nil {
		l.failed = fmt.Errorf("writing events: %w", err)
	}
}

// Close tells whether all could be written.
func (l *Lines) Close() error { return l.failed }

// append appends an event. Who reads it beside the struct Event sees the same members in the same order.
func (l *Lines) append(b []byte, e *Event) []byte {
	b = strconv.AppendInt(append(b, `{"packet":`...), e.Packet, 10)
	b = hello.AppendTime(append(b, `,"time":`...), e.Time)
	b = append(e.Src.AppendTo(append(b, `,"src":"`...)), '"')
	b = append(e.Dst.AppendTo(append(b, `,"dst":"`...)), '"')
	b = strconv.AppendUint(append(b, `,"srcport":`...), uint64(e.SrcPort), 10)
	b = strconv.AppendUint(append(b, `,"dstport":`...), uint64(e.DstPort), 10)
	b = hello.AppendQuoted(append(b, `,"transport":`...), e.Transport)
	b = orNull(b, `,"sni":`, e.SNI)
	b = hello.AppendStrings(append(b, `,"alpn":`...), e.ALPN)
	b = unlessEmpty(b, `,"alpn_hex":`, e.ALPNHex)
	b = hello.AppendQuoted(append(b, `,"ja3":`...), e.JA3)
	b = hello.AppendQuoted(append(b, `,"ja4":`...), e.JA4)
	b = strconv.AppendBool(append(b, `,"ech":`...), e.ECH)
	b = unlessBlank(b, `,"service":`, e.Service)
	b = hello.AppendQuoted(append(b, `,"client_version":`...), e.HelloVersion)
	b = strconv.AppendInt(append(b, `,"hello":`...), int64(e.Hello), 10)
	b = unlessBlank(b, `,"reading":`, e.Reading)
	b = unlessEmpty(b, `,"anomalies":`, e.Anomalies)
	if e.Tunnels != 0 {
		b = strconv.AppendInt(append(b, `,"tunnels":`...), int64(e.Tunnels), 10)
	}
	return append(l.appendServer(b, e), '}')
}

// appendServer appends what the server's side showed.
func (l *Lines) appendServer(b []byte, e *Event) []byte {
	b = orNull(b, `,"version":`, e.Version)
	b = orNull(b, `,"cipher":`, e.Cipher)
	b = unlessNil(b, `,"curve":`, e.Curve)
	b = orNull(b, `,"ja3s":`, e.JA3S)
	b = unlessNil(b, `,"next_protocol":`, e.NextProtocol)
	b = strconv.AppendBool(append(b, `,"resumed":`...), e.Resumed)
	b = unlessNil(b, `,"last_alert":`, e.LastAlert)
	b = strconv.AppendBool(append(b, `,"established":`...), e.Established)
	b = l.chain(b, `,"certificates":`, e.ServerChain)
	b = unlessEmpty(b, `,"cert_chain_fps":`, e.ChainHashes)
	b = l.chain(b, `,"client_certificates":`, e.ClientChain)
	b = unlessEmpty(b, `,"client_cert_chain_fps":`, e.ClientHashes)
	b = unlessNil(b, `,"subject":`, e.Subject)
	b = unlessNil(b, `,"issuer":`, e.Issuer)
	if e.SNIMatches != nil {
		b = strconv.AppendBool(append(b, `,"sni_matches_cert":`...), *e.SNIMatches)
	}
	if q := e.QUIC; q != nil {
		b = hello.AppendQuoted(append(b, `,"quic":{"version":`...), q.Version)
		b = hello.AppendQuoted(append(b, `,"client_initial_dcid":`...), q.ClientDCID)
		b = hello.AppendQuoted(append(b, `,"client_scid":`...), q.ClientSCID)
		b = unlessBlank(b, `,"server_scid":`, q.ServerSCID)
		b = unlessBlank(b, `,"original_dcid":`, q.OriginalDCID)
		if q.Retry {
			b = append(b, `,"retry":true`...)
		}
		b = append(b, '}')
	}
	return b
}

// chain appends a chain of certificates, unless it is empty. One that was seen before is the same in memory, see
// hello.Memory, so that it is known by its first certificate.
func (l *Lines) chain(b []byte, name string, chain []hello.Certificate) []byte {
	if len(chain) == 0 {
		return b
	}
	text, ok := l.chains[&chain[0]]
	if !ok {
		for i := range chain {
			text = chain[i].AppendJSON(append(text, ','))
		}
		text = append(text, ']')
		text[0] = '['
		if l.kept += len(text); len(l.chains) >= mostChains || l.kept > mostChainBytes {
			clear(l.chains)
			l.kept = len(text)
		}
		l.chains[&chain[0]] = text
	}
	return append(append(b, name...), text...)
}

func orNull(b []byte, name string, text *string) []byte {
	b = append(b, name...)
	if text == nil {
		return append(b, "null"...)
	}
	return hello.AppendQuoted(b, *text)
}

func unlessNil(b []byte, name string, text *string) []byte {
	if text == nil {
		return b
	}
	return hello.AppendQuoted(append(b, name...), *text)
}

func unlessBlank(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	return hello.AppendQuoted(append(b, name...), text)
}

func unlessEmpty(b []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	return hello.AppendStrings(append(b, name...), list)
}
