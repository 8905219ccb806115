package logs

import (
	"fmt"

	"github.com/pelletier/go-toml/v2"
)

// Mapping says what the fields of JSON lines are that are neither Zeek's nor Suricata's.
type Mapping struct {
	log    string
	fields map[string]field
}

// roleNames are the words of mapping files.
func roleNames() map[string]role {
	return map[string]role{"time": timeOf, "connection": uidOf, "source": srcAddr, "source-port": srcPort, "destination": dstAddr,
		"destination-port": dstPort, "protocol": protocolOf, "log": logName, "host": hostName, "domain": hostName, "address": address, "url": url,
		"http-host": httpHost, "http-target": uri, "email": mailboxes, "file-hash": fileHash, "certificate-hash": certHash,
		"certificate-serial": certSerial, "ja3": ja3, "ja3s": ja3s, "ja4": ja4, "file-name": fileName,
		"begin": beginOf, "duration": durationOf, "bytes": bytesOf, "certificate-subject": certSubject, "certificate-issuer": certIssuer,
		"certificate-from": certFrom, "certificate-until": certUntil}
}

// ParseMapping reads a mapping file (TOML): an optional name of the log, and for each field's path (with dots; lists
// are passed through) what it is:
//
//	log = "proxy"
//	[fields]
//	"client.ip" = "source"
//	"request.host" = "host"
//
// The error names the word that is not known, and those that are.
func ParseMapping(text []byte) (*Mapping, error) {
	var file struct {
		Log    string            `toml:"log"`
		Fields map[string]string `toml:"fields"`
	}
	if err := toml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("reading a mapping: %w", err)
	}
	if len(file.Fields) == 0 {
		return nil, fmt.Errorf("reading a mapping: there is no table [fields], or nothing in it")
	}
	roles := roleNames()
	m := &Mapping{log: file.Log, fields: map[string]field{}}
	for path, word := range file.Fields {
		r, ok := roles[word]
		if !ok {
			return nil, fmt.Errorf("reading a mapping: %s is %q: it can be time, source, destination, host, address, url, email, file-hash and others, see the documentation", path, word)
		}
		m.fields[path] = field{r, path}
	}
	return m, nil
}

func (m *Mapping) reader(log string) *jsonEvents {
	if m.log != "" {
		log = m.log
	}
	return newJSONEvents(m.fields, log)
}
