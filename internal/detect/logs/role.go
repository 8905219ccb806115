package logs

import (
	"bytes"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/index"
)

// role says what a field of a log is to detection.
type role uint8

const (
	ignored role = iota
	timeOf
	uidOf
	srcAddr
	srcPort
	dstAddr
	dstPort
	protocolOf
	logName // Zeek's _path
	hostName
	address
	url
	uri // a path, or a whole URL; made one with the host
	httpHost
	httpMethod
	mailbox
	mailboxes // several in one text
	fileHash
	certHash
	certSerial
	ja3
	ja3s
	ja4
	fileName
	userAgent
	indicatorSeen
	beginOf // of the connection
	durationOf
	bytesOf // in one direction
	certSubject
	certIssuer
	certFrom
	certUntil
	certName    // whether the certificate is for the name that was asked for
	certTrusted // in words
)

// field is a field of a log: its role and its name, which matches print.
type field struct {
	role role
	name string
}

// add notes a scalar of the field in an event.
func (f *field) add(ev *event.Event, text []byte) {
	if len(text) == 0 {
		return
	}
	switch f.role {
	case hostName, indicatorSeen:
		ev.AddHost(f.name, text)
	case address:
		ev.Add(index.Address, f.name, text)
	case url:
		ev.Add(index.URL, f.name, text)
	case mailbox:
		addMailboxes(ev, f.name, text)
	case mailboxes:
		addMailboxes(ev, f.name, text)
	case fileHash:
		ev.Add(index.FileHash, f.name, text)
	case certHash:
		ev.Add(index.CertHash, f.name, text)
	case certSerial:
		ev.Add(index.CertSerial, f.name, text)
	case ja3:
		ev.Add(index.JA3, f.name, text)
	case ja3s:
		ev.Add(index.JA3S, f.name, text)
	case ja4:
		ev.Add(index.JA4, f.name, text)
	case fileName:
		ev.AddOther("file:name", f.name, text)
	case userAgent:
		ev.AddOther("network-traffic:x_user_agent", f.name, text)
	}
}

// fact notes what an event tells beside its values. It tells whether the field is of that sort.
func (f *field) fact(ev *event.Event, text []byte) bool {
	facts := &ev.Facts
	switch f.role {
	case beginOf:
		facts.Begin = parseTime(text)
	case durationOf:
		facts.Duration = parseSeconds(text)
	case bytesOf:
		facts.Bytes += count(text)
	case certSubject:
		facts.Certificate.Subject = text
	case certIssuer:
		facts.Certificate.Issuer = text
	case certFrom:
		facts.Certificate.From = parseTime(text) / 1e9
	case certUntil:
		facts.Certificate.Until = parseTime(text) / 1e9
	case certName:
		facts.Certificate.Name = yesOrNo(text, "T", "true", "F", "false")
	case certTrusted:
		// "ok", or what is wrong. That a root is not known to the sensor is no news on a network with authorities of its own.
		if facts.Certificate.Trusted = yesOrNo(text, "ok", "ok", "self signed certificate", "self-signed certificate"); facts.Certificate.Trusted == event.NotSaid &&
			string(text) == "certificate has expired" {
			facts.Certificate.Trusted = event.No
		}
	default:
		return false
	}
	return true
}

func yesOrNo(text []byte, yes, alsoYes, no, alsoNo string) event.Answer {
	switch string(text) {
	case yes, alsoYes:
		return event.Yes
	case no, alsoNo:
		return event.No
	}
	return event.NotSaid
}

// count reads a number of bytes; what is none is 0.
func count(b []byte) int64 {
	n := int64(0)
	for _, c := range b {
		if c < '0' || c > '9' || n > 1<<53 {
			return 0
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// addMailboxes splits a list of mailboxes at its commas.
func addMailboxes(ev *event.Event, name string, text []byte) {
	for len(text) > 0 {
		part := text
		if i := bytes.IndexByte(text, ','); i >= 0 {
			part, text = text[:i], text[i+1:]
		} else {
			text = nil
		}
		if bytes.IndexByte(part, '@') > 0 {
			ev.Add(index.Email, name, part)
		}
	}
}

// protocolName gives a transport protocol in lower case without allocating.
func protocolName(b []byte) string {
	switch string(b) {
	case "tcp", "TCP":
		return "tcp"
	case "udp", "UDP":
		return "udp"
	case "icmp", "ICMP":
		return "icmp"
	case "ICMPv6", "IPv6-ICMP", "ipv6-icmp":
		return "ipv6-icmp"
	case "sctp", "SCTP":
		return "sctp"
	}
	return ""
}

// number reads a port.
func number(b []byte) uint16 {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' || n > 1<<16 {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	if n >= 1<<16 {
		return 0
	}
	return uint16(n)
}

// addURL puts a URL together from what an HTTP request line and its Host header say.
func addURL(ev *event.Event, name string, host, target []byte, port uint16) {
	if len(target) == 0 {
		return
	}
	if bytes.Contains(target[:min(len(target), 16)], []byte("://")) {
		ev.Add(index.URL, name, target)
		return
	}
	if len(host) == 0 || target[0] != '/' {
		return
	}
	begin := len(ev.Scratch)
	ev.Scratch = append(ev.Scratch, "http://"...)
	bare := bytes.IndexByte(host, ':') < 0
	if !bare && host[0] != '[' && index.IsIPv6(host) {
		ev.Scratch = append(append(append(ev.Scratch, '['), host...), ']')
		bare = true
	} else {
		ev.Scratch = append(ev.Scratch, host...)
	}
	if bare && port != 0 && port != 80 {
		ev.Scratch = appendPort(ev.Scratch, port)
	}
	ev.Scratch = append(ev.Scratch, target...)
	ev.Add(index.URL, name, ev.Scratch[begin:])
}

func appendPort(dst []byte, port uint16) []byte {
	dst = append(dst, ':')
	for div := uint16(10000); div > 0; div /= 10 {
		if port >= div {
			dst = append(dst, '0'+byte(port/div%10))
		}
	}
	return dst
}
