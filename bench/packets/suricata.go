package main

import (
	"iter"
	"os"
	"regexp"
	"strings"
)

const outputs = `outputs:
  - eve-log:
      enabled: yes
      filetype: regular
      filename: eve.json
      types: [tls, quic, dns, http, flow]
`

// bare is next to no configuration: all that is not in it is as Suricata is compiled. Hashes of hellos are on, which mithaq makes too.
const bare = `%YAML 1.1
---
vars:
  address-groups: {HOME_NET: "any", EXTERNAL_NET: "any"}
  port-groups: {HTTP_PORTS: "80"}
` + outputs + `app-layer:
  protocols:
    tls: {enabled: yes, detection-ports: {dp: 443}, ja3-fingerprints: yes}
    quic: {enabled: yes, ja3-fingerprints: yes}
    dns: {tcp: {enabled: yes, detection-ports: {dp: 53}}, udp: {enabled: yes, detection-ports: {dp: 53}}}
    http: {enabled: yes}
logging:
  default-log-level: error
`

// configurations gives Suricata's configurations by what they are called: the one in a file, if there is one, with other outputs and hashes of
// hellos, and one with next to nothing in it.
func configurations(file string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		text, err := os.ReadFile(file) // #nosec G304 -- a benchmark reads what it is told to
		if err != nil || yield("packaged", cut(string(text))) {
			yield("bare", bare)
		}
	}
}

// cut replaces the outputs of a configuration.
func cut(text string) string {
	at := strings.Index(text, "\noutputs:\n")
	if at < 0 {
		return text + "\n" + outputs
	}
	rest := text[at+len("\noutputs:\n"):]
	if next := regexp.MustCompile(`(?m)^[a-z]`).FindStringIndex(rest); next != nil {
		rest = rest[next[0]:]
	} else {
		rest = ""
	}
	return strings.Replace(text[:at+1]+outputs+rest, "#ja3-fingerprints: auto", "ja3-fingerprints: yes", 1)
}
