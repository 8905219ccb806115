package logs

import (
	"strings"

	"github.com/mithaq/mithaq/internal/detect/event"
)

// eveFields are the fields of Suricata's EVE events that indicators are about, by their path, lists passed through.
// Source: the EVE JSON format of the Suricata documentation, for DNS its versions 1, 2 and 3.
func eveFields() map[string]field {
	fields := map[string]role{
		"timestamp": timeOf, "flow_id": uidOf, "src_ip": srcAddr, "src_port": srcPort, "dest_ip": dstAddr, "dest_port": dstPort,
		"proto": protocolOf, "event_type": logName,
		"dns.rrname": hostName, "dns.rdata": hostName, "dns.answers.rrname": hostName, "dns.answers.rdata": hostName,
		"dns.queries.rrname": hostName, "dns.query.rrname": hostName, "dns.authorities.rrname": hostName, "dns.authorities.soa.mname": hostName,
		"dns.grouped.A": address, "dns.grouped.AAAA": address, "dns.grouped.CNAME": hostName, "dns.grouped.NS": hostName,
		"dns.grouped.MX": hostName, "dns.grouped.PTR": hostName, "dns.grouped.SRV.name": hostName,
		"tls.sni": hostName, "tls.fingerprint": certHash, "tls.serial": certSerial, "tls.ja3.hash": ja3, "tls.ja3s.hash": ja3s, "tls.ja4": ja4,
		"tls.subjectaltname": hostName, "tls.client.fingerprint": certHash, "tls.client.serial": certSerial,
		"tls.subject": certSubject, "tls.issuerdn": certIssuer, "tls.notbefore": certFrom, "tls.notafter": certUntil,
		"flow.start": beginOf, "flow.bytes_toserver": bytesOf, "flow.bytes_toclient": bytesOf, "flow.age": durationOf,
		"netflow.start": beginOf, "netflow.bytes": bytesOf, "netflow.age": durationOf,
		"quic.sni": hostName, "quic.ja3.hash": ja3, "quic.ja3s.hash": ja3s, "quic.ja4": ja4,
		"http.hostname": httpHost, "http.url": uri, "http.http_method": httpMethod, "http.http_refer": url, "http.redirect": url,
		"http.http_user_agent": userAgent, "http.xff": address,
		"fileinfo.md5": fileHash, "fileinfo.sha1": fileHash, "fileinfo.sha256": fileHash, "fileinfo.filename": fileName,
		"files.md5": fileHash, "files.sha1": fileHash, "files.sha256": fileHash, "files.filename": fileName,
		"smtp.mail_from": mailbox, "smtp.rcpt_to": mailbox, "smtp.helo": hostName,
		"email.from": mailboxes, "email.to": mailboxes, "email.cc": mailboxes, "email.url": url, "email.attachment": fileName,
		"email.body_md5":   ignored,
		"dhcp.assigned_ip": address, "dhcp.client_ip": address, "dhcp.hostname": hostName, "dhcp.dns_servers": address,
		"smb.filename": fileName, "nfs.filename": fileName, "tunnel.src_ip": address, "tunnel.dest_ip": address,
	}
	out := map[string]field{}
	for path, r := range fields {
		out[path] = field{r, path}
	}
	return out
}

// jsonEvents reads JSON lines by the paths of their fields: EVE, and others with a mapping.
type jsonEvents struct {
	root   *object
	log    string // when the line does not say
	names  names
	cursor cursor
}

func newJSONEvents(fields map[string]field, log string) *jsonEvents {
	return &jsonEvents{root: pathObject(fields, ""), log: log, names: names{}}
}

// pathObject gives the object whose members' paths begin with a prefix. Objects that no field is in are stepped over.
func pathObject(fields map[string]field, prefix string) *object {
	inner := map[string]bool{}
	for path := range fields {
		if rest, ok := strings.CutPrefix(path, prefix); ok {
			if name, _, more := strings.Cut(rest, "."); more {
				inner[name] = true
			}
		}
	}
	return newObject(func(name string) *member {
		m := newMember(name, fields[prefix+name], nil)
		if inner[name] {
			m.inner = pathObject(fields, prefix+name+".")
		}
		return m
	})
}

// maxNesting is how deep lists in lists are followed; objects go as deep as the paths of fields.
const maxNesting = 16

func (j *jsonEvents) line(ev *event.Event, line []byte) (problem string) {
	c := &j.cursor
	*c = cursor{b: line, room: c.room[:0]}
	ev.Log = j.log
	var q request
	j.object(ev, &q, j.root)
	if c.peek(); c.bad || c.i != len(c.b) {
		return "bad-json"
	}
	q.finish(ev)
	return ""
}

func (j *jsonEvents) object(ev *event.Event, q *request, o *object) {
	for m := j.cursor.wanted(o, nil); m != nil; m = j.cursor.wanted(o, m) {
		j.value(ev, q, m, 0)
	}
}

func (j *jsonEvents) value(ev *event.Event, q *request, m *member, depth int) {
	c := &j.cursor
	first := byte('"')
	if !c.at('"') {
		first = c.peek()
	}
	switch first {
	case '{':
		if m.inner == nil {
			c.skip()
			return
		}
		j.object(ev, q, m.inner)
	case '[':
		for first := true; c.element(first); first = false {
			if depth >= maxNesting {
				c.skip()
				continue
			}
			j.value(ev, q, m, depth+1)
		}
	default:
		text := c.scalar()
		if text == nil {
			return
		}
		if m.field.role == logName {
			ev.Log = j.names.of(text)
			return
		}
		m.field.take(ev, q, text)
	}
}

func newEVE() *jsonEvents { return newJSONEvents(eveFields(), "") }
