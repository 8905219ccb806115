package taxii

import (
	"mime"
	"strconv"
	"strings"
)

// MediaType is the type of every TAXII 2.1 body; "application/taxii+json" without a version asks for the newest that the
// server speaks (section 1.6.8), which here is the same.
const MediaType = "application/taxii+json;version=2.1"

// ObjectMediaType is the type of a STIX 2.1 object, as collections and manifests name it (sections 5.2.1 and 5.3.1).
const ObjectMediaType = "application/stix+json;version=2.1"

// maxRanges bounds how many media ranges of an Accept header are looked at.
const maxRanges = 64

// accepts reports whether the Accept headers of a request admit MediaType. Section 3.2 asks clients to send one; a request
// without any admits everything (RFC 9110, section 12.5.1). The most specific range that fits decides, so that
// "application/taxii+json;q=0, */*" is a no.
func accepts(headers []string) bool {
	if len(headers) == 0 {
		return true
	}
	best, admitted, seen := 0, false, 0
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ",") {
			if seen++; seen > maxRanges {
				return admitted
			}
			precision, quality := fits(part)
			if precision > best || precision == best && precision > 0 && quality > 0 {
				best, admitted = precision, quality > 0
			}
		}
	}
	return admitted
}

// fits tells how precisely a media range names MediaType (0: not at all, 4: with its version) and with what quality.
func fits(mediaRange string) (precision int, quality float64) {
	name, params, err := mime.ParseMediaType(mediaRange)
	if err != nil {
		return 0, 0
	}
	quality = 1
	if q, ok := params["q"]; ok {
		quality, err = strconv.ParseFloat(q, 64)
		if err != nil || !(quality >= 0 && quality <= 1) {
			return 0, 0
		}
	}
	version, versioned := params["version"]
	switch {
	case name == "*/*" && !versioned:
		return 1, quality
	case name == "application/*" && !versioned:
		return 2, quality
	case name != "application/taxii+json":
		return 0, 0
	case !versioned:
		return 3, quality
	case version == "2.1":
		return 4, quality
	}
	return 0, 0
}

// contentTypeFits reports whether a body declared as contentType is a TAXII 2.1 body: a type has to be there, and its
// version, when named, to be 2.1 (section 5.5, status 415).
func contentTypeFits(contentType string) bool {
	name, params, err := mime.ParseMediaType(contentType)
	if err != nil || name != "application/taxii+json" {
		return false
	}
	version, versioned := params["version"]
	return !versioned || version == "2.1"
}
