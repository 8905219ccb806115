package logs

import (
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
		"sip.uri": ignored,
	}
	out := map[string]field{}
	for path, r := range fields {
		if r != ignored {
			out[path] = field{r, path}
		}
		// Every prefix is worth entering.
		for i := range len(path) {
			if path[i] == '.' {
				if _, is := out[path[:i]]; !is {
					out[path[:i]] = field{ignored, path[:i]}
				}
			}
		}
	}
	return out
}

// jsonEvents reads JSON lines by the paths of their fields: EVE, and others with a mapping.
type jsonEvents struct {
	fields map[string]field
	log    string // when the line does not say
	names  map[string]string
	cursor cursor
	path   []byte
}

// maxNesting is how deep objects are followed; EVE's go to 4.
const maxNesting = 16

func (j *jsonEvents) line(ev *event.Event, line []byte) (problem string) {
	c := &j.cursor
	*c = cursor{b: line, room: c.room[:0]}
	ev.Log = j.log
	var q request
	if c.peek() != '{' {
		return "bad-json"
	}
	j.object(ev, &q, 0, 0)
	if c.bad {
		return "bad-json"
	}
	c.space()
	if c.i != len(c.b) {
		return "bad-json"
	}
	q.finish(ev)
	return ""
}

// object reads one object whose members' paths begin with the first prefix bytes of j.path.
func (j *jsonEvents) object(ev *event.Event, q *request, prefix, depth int) {
	c := &j.cursor
	for first := true; ; first = false {
		name, ok := c.key(first)
		if !ok {
			return
		}
		j.path = append(j.path[:prefix], name...)
		f, known := j.fields[string(j.path)]
		if !known || depth >= maxNesting {
			c.skip()
			continue
		}
		j.value(ev, q, &f, len(j.path), depth)
	}
}

func (j *jsonEvents) value(ev *event.Event, q *request, f *field, end, depth int) {
	c := &j.cursor
	switch c.peek() {
	case '{':
		j.path = append(j.path[:end], '.')
		j.object(ev, q, end+1, depth+1)
	case '[':
		for first := true; c.element(first); first = false {
			if depth >= maxNesting {
				c.skip()
				continue
			}
			j.value(ev, q, f, end, depth+1)
		}
	default:
		text := c.scalar()
		if text == nil {
			return
		}
		if f.role == logName {
			ev.Log = j.intern(text)
			return
		}
		f.take(ev, q, text)
	}
}

func (j *jsonEvents) intern(b []byte) string {
	if s, ok := j.names[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(j.names) < maxLogs {
		j.names[s] = s
	}
	return s
}

func newEVE() *jsonEvents {
	return &jsonEvents{fields: eveFields(), names: map[string]string{}}
}
