package logs

import (
	"bytes"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/index"
)

// zeekField gives the role of a field by the log it is in and its name. Both forms of Zeek's logs use the same names,
// and only names decide: JSON has no types.
func zeekField(log, name string) field {
	return field{zeekRole(log, name), name}
}

func zeekRole(log, name string) role {
	switch name {
	case "ts":
		return timeOf
	case "uid":
		return uidOf
	case "id.orig_h":
		return srcAddr
	case "id.orig_p":
		return srcPort
	case "id.resp_h":
		return dstAddr
	case "id.resp_p":
		return dstPort
	case "proto", "port_proto":
		return protocolOf
	case "_path":
		return logName
	case "query", "answers", "server_name", "san.dns", "server_dns_computer_name", "domain", "host_name", "client_fqdn", "helo":
		return hostName
	case "md5", "sha1", "sha256", "sha512":
		return fileHash
	case "ja3":
		return ja3
	case "ja3s":
		return ja3s
	case "ja4":
		return ja4
	case "cert_chain_fps", "client_cert_chain_fps", "client_cert_fps":
		return certHash
	case "tx_hosts", "rx_hosts", "client_addr", "server_addr", "assigned_addr", "requested_addr", "san.ip", "x_originating_ip", "src", "dst", "bound_h",
		"assigned_ip", "dest_addr":
		return address
	case "seen.indicator":
		return indicatorSeen
	}
	return zeekRoleInLog(log, name)
}

// zeekRoleInLog knows the names that mean something in one log only.
func zeekRoleInLog(log, name string) role {
	switch log {
	case "conn":
		switch name {
		case "duration":
			return durationOf
		case "orig_bytes", "resp_bytes":
			return bytesOf
		}
	case "ssl":
		switch name {
		case "subject":
			return certSubject
		case "issuer":
			return certIssuer
		case "sni_matches_cert":
			return certName
		case "validation_status":
			return certTrusted
		}
	case "http":
		switch name {
		case "host":
			return httpHost
		case "uri":
			return uri
		case "method":
			return httpMethod
		case "referrer":
			return url
		case "user_agent":
			return userAgent
		case "orig_filenames", "resp_filenames":
			return fileName
		}
	case "x509":
		switch name {
		case "fingerprint":
			return certHash
		case "certificate.serial":
			return certSerial
		case "certificate.subject":
			return certSubject
		case "certificate.issuer":
			return certIssuer
		case "certificate.not_valid_before":
			return certFrom
		case "certificate.not_valid_after":
			return certUntil
		case "san.uri":
			return url
		case "san.email":
			return mailbox
		}
	case "known_certs":
		switch name {
		case "serial":
			return certSerial
		case "host":
			return address
		}
	case "smtp":
		switch name {
		case "mailfrom", "rcptto", "from", "to", "cc", "reply_to":
			return mailboxes
		case "path":
			return address
		}
	case "sip":
		switch name {
		case "request_from", "request_to", "response_from", "response_to":
			return mailboxes
		}
	case "files":
		if name == "filename" {
			return fileName
		}
	case "smb_files":
		if name == "name" {
			return fileName
		}
	case "socks":
		switch name {
		case "request.host", "bound.host":
			return hostName
		}
	case "signatures":
		switch name {
		case "src_addr", "dst_addr":
			return address
		}
	case "traceroute", "known_hosts", "known_services", "software", "known_devices":
		if name == "host" || name == "src" || name == "dst" {
			return address
		}
	}
	return ignored
}

// request gathers the parts of a line that make one value together.
type request struct {
	host, target []byte
	hostField    string
	targetField  string
	connect      bool
}

// take notes a scalar of a field: in the event, or in what is put together at the line's end.
func (f *field) take(ev *event.Event, q *request, text []byte) {
	switch f.role {
	case ignored:
	case timeOf:
		ev.Time = parseTime(text)
	case uidOf:
		ev.UID = text
	case srcAddr:
		if a, ok := index.ParseAddress(text); ok {
			ev.Src = a
			ev.AddAddress(f.name, text, a)
		}
	case dstAddr:
		if a, ok := index.ParseAddress(text); ok {
			ev.Dst = a
			ev.AddAddress(f.name, text, a)
		}
	case srcPort:
		ev.SrcPort = number(text)
	case dstPort:
		ev.DstPort = number(text)
	case protocolOf:
		ev.Protocol = protocolName(text)
	case httpHost:
		q.host, q.hostField = text, f.name
	case uri:
		q.target, q.targetField = text, f.name
	case httpMethod:
		q.connect = string(text) == "CONNECT"
	default:
		if !f.fact(ev, text) {
			f.add(ev, text)
		}
	}
}

// finish puts together what needs several fields of a line.
func (q *request) finish(ev *event.Event) {
	if len(q.host) > 0 {
		name := q.host
		if i := bytes.LastIndexByte(name, ':'); i > 0 && !index.IsIPv6(name) {
			name = name[:i]
		}
		ev.AddHost(q.hostField, name)
	}
	if q.connect {
		if name, _, ok := bytes.Cut(q.target, []byte(":")); ok && len(name) > 0 && !bytes.Equal(name, q.host) {
			ev.AddHost(q.targetField, name)
		}
		return
	}
	if len(q.target) > 0 {
		addURL(ev, q.targetField, q.host, q.target, ev.DstPort)
	}
}
