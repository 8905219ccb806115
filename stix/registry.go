package stix

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"strings"
	"sync"
)

// The registries that STIX's rules point to, one entry a line, sorted by bytes. They grow: a newer list can change what
// is a recommendation broken today. The two long ones are compressed (gzip -9n): they would be the largest text of a program.
var (
	//go:embed registry/media-types.txt.gz
	mediaTypesPacked []byte
	mediaTypes       = unpacked(mediaTypesPacked) // IANA Media Types
	//go:embed registry/protocols.txt.gz
	protocolNamesPacked []byte
	protocolNames       = unpacked(protocolNamesPacked) // IANA Service Name and Transport Protocol Port Number Registry, and STIX's own ipv4, ipv6, tls …

	//go:embed registry/character-sets.txt
	characterSets string // IANA Character Sets: preferred MIME names, else names
	//go:embed registry/ipfix.txt
	ipfixElements string // IANA IP Flow Information Export Entities
	//go:embed registry/languages.txt
	languageSubtags string // primary subtags of RFC 5646: ISO 639-1, and ISO 639-2 where that has no shorter one
	//go:embed registry/languages-iso639-2.txt
	iso639part2 string
	//go:embed registry/countries.txt
	countryCodes string // ISO 3166-1 alpha-2, reserved ones included
	//go:embed registry/http-request-headers.txt
	httpRequestHeaders string
	//go:embed registry/socket-options.txt
	socketOptions string
)

// unpacked is a list that is unpacked when it is first asked for.
func unpacked(packed []byte) func() string {
	return sync.OnceValue(func() string {
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return ""
		}
		list, err := io.ReadAll(z)
		if err != nil {
			return ""
		}
		return string(list)
	})
}

// registered says whether a sorted list, one entry a line, has the entry.
func registered(list string, entry []byte) bool {
	low, high := 0, len(list)
	for low < high {
		mid := int(uint(low+high) >> 1)
		start := strings.LastIndexByte(list[low:mid], '\n') + 1 + low
		end := start + strings.IndexByte(list[start:], '\n')
		switch line := list[start:end]; {
		case line == string(entry):
			return true
		case line < string(entry):
			low = end + 1
		default:
			high = start
		}
	}
	return false
}

// isLanguage is a language tag of RFC 5646 in its usual letter case: a registered primary subtag, then optionally a
// script (Cyrl), a region (ES, 419) and variants.
func isLanguage(b []byte) bool {
	tag := string(b)
	primary, rest, more := strings.Cut(tag, "-")
	if len(primary) < 2 || len(primary) > 3 || !registered(languageSubtags, []byte(primary)) {
		return false
	}
	stage := 0
	for more {
		var sub string
		sub, rest, more = strings.Cut(rest, "-")
		s := []byte(sub)
		switch {
		case len(s) == 4 && stage < 1 && class[s[0]] == upper && all(s[1:], lower, ""):
			stage = 1
		case stage < 2 && (len(s) == 2 && all(s, upper, "") || len(s) == 3 && all(s, digit, "")):
			stage = 2
		case len(s) >= 5 && len(s) <= 8 && all(s, lower|digit, "") || len(s) == 4 && class[s[0]] == digit && all(s, lower|digit, ""):
			stage = 3
		default:
			return false
		}
	}
	return true
}

// isSoftwareLanguage also takes the ISO 639-2 codes that STIX 2.1 asked for before Errata 01.
func isSoftwareLanguage(b []byte) bool { return isLanguage(b) || registered(iso639part2, b) }
