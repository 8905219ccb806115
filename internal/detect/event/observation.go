package event

import (
	"strconv"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/stix/pattern"
)

// Observation gives the event as patterns see it: cyber observables with canonical values, and next to them the values
// as they were written, where these differ. It allocates: only events that wake a pattern come here.
func (e *Event) Observation() pattern.Observation {
	if e.Observed != nil {
		return *e.Observed
	}
	at := time.Unix(0, e.Time).UTC().Truncate(time.Microsecond)
	o := observation{Observation: pattern.Observation{First: at, Last: at, Number: 1}, seen: map[string]string{}}
	traffic := map[string]any{}
	if e.Src.IsValid() {
		traffic["src_ref"] = o.address(e.Src.String())
	}
	if e.Dst.IsValid() {
		traffic["dst_ref"] = o.address(e.Dst.String())
	}
	if e.SrcPort != 0 || e.DstPort != 0 {
		traffic["src_port"], traffic["dst_port"] = int64(e.SrcPort), int64(e.DstPort)
	}
	protocols := []any{}
	for _, p := range []string{e.Protocol, applicationProtocol(e.Log)} {
		if p != "" {
			protocols = append(protocols, p)
		}
	}
	traffic["protocols"] = protocols
	for _, v := range e.Values {
		o.value(v, traffic)
	}
	if e.Src.IsValid() || e.Dst.IsValid() || len(traffic) > 1 {
		o.object("network-traffic", traffic)
	}
	return o.Observation
}

// Observable tells whether Observation can make an object of a type, for events that are no observed data.
func Observable(typeName string) bool {
	switch typeName {
	case "ipv4-addr", "ipv6-addr", "domain-name", "url", "email-addr", "mutex", "file", "x509-certificate", "network-traffic":
		return true
	}
	return false
}

// applicationProtocol gives the protocol that a log is about, as network-traffic writes it.
func applicationProtocol(log string) string {
	switch log {
	case "dns", "http", "tls", "smtp", "ssh", "rdp", "ntp", "ntlm", "kerberos", "ftp", "quic", "sip", "snmp", "smb":
		return log
	case "ssl":
		return "tls"
	}
	return ""
}

type observation struct {
	pattern.Observation
	seen map[string]string // type and value to id: a value is one object
}

func (o *observation) object(typeName string, properties map[string]any) string {
	id := typeName + "--" + strconv.Itoa(len(o.Objects))
	properties["type"], properties["id"] = typeName, id
	o.Objects = append(o.Objects, &pattern.Object{ID: id, Type: typeName, Properties: properties})
	return id
}

func (o *observation) once(typeName, property, value string) string {
	name := typeName + "\x00" + property + "\x00" + value
	if id, ok := o.seen[name]; ok {
		return id
	}
	id := o.object(typeName, map[string]any{property: value})
	o.seen[name] = id
	return id
}

func (o *observation) address(text string) string {
	if strings.Contains(text, ":") {
		return o.once("ipv6-addr", "value", text)
	}
	return o.once("ipv4-addr", "value", text)
}

func (o *observation) value(v Value, traffic map[string]any) {
	raw := string(v.Text)
	text := raw
	key, ok := index.AppendKey(nil, v.Kind, v.Text)
	if ok && v.Kind != index.Other {
		text = index.Render(v.Kind, key)
	}
	switch v.Kind {
	case index.Address:
		o.address(text)
	case index.Domain:
		o.both("domain-name", text, raw)
	case index.URL:
		o.both("url", text, raw)
		if scheme, rest, found := strings.Cut(text, "//"); found && (scheme == "http:" || scheme == "https:") {
			o.once("url", "value", "//"+rest)
		}
	case index.Email:
		o.both("email-addr", text, raw)
	case index.Mutex:
		o.once("mutex", "name", text)
	case index.FileHash, index.CertHash:
		if ok {
			o.hashes(v.Kind, text, len(key))
		}
	case index.CertSerial:
		o.once("x509-certificate", "serial_number", text)
	case index.JA3, index.JA3S, index.JA4:
		traffic["x_"+v.Kind.String()] = text
	case index.Other:
		typeName, property, found := strings.Cut(v.Path, ":")
		if found && !strings.ContainsAny(property, ".'[") {
			o.once(typeName, property, raw)
		}
	}
}

func (o *observation) both(typeName, text, raw string) {
	o.once(typeName, "value", text)
	if raw != text {
		o.once(typeName, "value", raw)
	}
}

// hashes joins all hashes of an event's file in one object, and likewise of its certificate: a log line is about one.
func (o *observation) hashes(kind index.Kind, text string, size int) {
	typeName := "file"
	if kind == index.CertHash {
		typeName = "x509-certificate"
	}
	name := map[int]string{16: "MD5", 20: "SHA-1", 28: "SHA-224", 32: "SHA-256", 48: "SHA-384", 64: "SHA-512"}[size]
	for _, object := range o.Objects {
		if hashes, ok := object.Properties["hashes"].(map[string]any); ok && object.Type == typeName {
			if _, there := hashes[name]; !there {
				hashes[name] = text
				return
			}
		}
	}
	o.object(typeName, map[string]any{"hashes": map[string]any{name: text}})
}
