package index

import (
	"bytes"
	"strconv"
)

// AppendURL appends a URL's key, its normal form (RFC 3986, section 6.2): scheme and host in lower case, the host as
// AppendDomain has it, no user, no port where it is the scheme's, no fragment, dot segments resolved, percent-encoding
// only where it is needed and then in upper case, a path of at least "/". A URL without a scheme keeps none: its key
// begins with "//", and it stands for http and https alike.
func AppendURL(dst, text []byte) (key []byte, ok bool) {
	begin := len(dst)
	text = bytes.TrimSpace(text)
	if len(text) == 0 || len(text) > maxKey/4 {
		return dst, false
	}
	scheme, rest := splitScheme(text)
	for _, c := range scheme {
		dst = append(dst, lowerASCII(c))
	}
	if len(scheme) > 0 {
		dst = append(dst, ':')
	}
	schemeKey := string(dst[begin:])
	dst = append(dst, "//"...)
	end := bytes.IndexAny(rest, "/?#\\")
	authority, path := rest, []byte(nil)
	if end >= 0 {
		authority, path = rest[:end], rest[end:]
	}
	if at := bytes.LastIndexByte(authority, '@'); at >= 0 {
		authority = authority[at+1:]
	}
	host, port := splitPort(authority)
	if dst, ok = appendHost(dst, host); !ok {
		return dst[:begin], false
	}
	if len(port) > 0 {
		n, err := strconv.ParseUint(string(port), 10, 16)
		if err != nil {
			return dst[:begin], false
		}
		if !defaultPort(schemeKey, n) {
			dst = strconv.AppendUint(append(dst, ':'), n, 10)
		}
	}
	return appendPath(dst, path), true
}

// splitScheme gives what stands before "://", and the rest; a URL may also begin with "//" or with its host.
func splitScheme(text []byte) (scheme, rest []byte) {
	i := bytes.Index(text, []byte("://"))
	if i > 0 && i < 16 && isScheme(text[:i]) {
		return text[:i], text[i+3:]
	}
	return nil, bytes.TrimPrefix(text, []byte("//"))
}

func isScheme(b []byte) bool {
	for i, c := range b {
		c = lowerASCII(c)
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func splitPort(authority []byte) (host, port []byte) {
	colon := bytes.LastIndexByte(authority, ':')
	if colon < 0 || bytes.IndexByte(authority[colon:], ']') >= 0 {
		return authority, nil
	}
	return authority[:colon], authority[colon+1:]
}

func defaultPort(scheme string, port uint64) bool {
	switch scheme {
	case "http:", "ws:":
		return port == 80
	case "https:", "wss:":
		return port == 443
	case "ftp:":
		return port == 21
	}
	return false
}

func appendHost(dst, host []byte) ([]byte, bool) {
	if a, ok := ParseAddress(host); ok {
		if a.Is6() {
			return append(a.AppendTo(append(dst, '[')), ']'), true
		}
		return a.AppendTo(dst), true
	}
	if bytes.IndexByte(host, '%') >= 0 {
		host = decodePercent(host)
	}
	return AppendDomain(dst, host)
}

func decodePercent(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if c, ok := percent(b[i:]); ok {
			out = append(out, c)
			i += 2
			continue
		}
		out = append(out, b[i])
	}
	return out
}

// percent reads a percent-encoded byte at the start of b.
func percent(b []byte) (byte, bool) {
	if len(b) < 3 || b[0] != '%' {
		return 0, false
	}
	high, ok := hexDigit(b[1])
	low, okLow := hexDigit(b[2])
	return high<<4 | low, ok && okLow
}

// appendPath appends path and query in normal form, and leaves the fragment out.
func appendPath(dst, path []byte) []byte {
	if i := bytes.IndexByte(path, '#'); i >= 0 {
		path = path[:i]
	}
	var query []byte
	if i := bytes.IndexByte(path, '?'); i >= 0 {
		path, query = path[:i], path[i:]
	}
	root := len(dst)
	dst = append(dst, '/')
	for len(path) > 0 && (path[0] == '/' || path[0] == '\\') {
		path = path[1:]
		end := bytes.IndexAny(path, "/\\")
		last := end < 0
		if last {
			end = len(path)
		}
		segment := len(dst)
		dst = appendEncoded(dst, path[:end])
		path = path[end:]
		switch string(dst[segment:]) {
		case ".":
			dst = dst[:segment]
			continue
		case "..":
			dst = dst[:segment]
			if segment > root+1 {
				dst = dst[:bytes.LastIndexByte(dst[:segment-1], '/')+1]
			}
			continue
		}
		if !last {
			dst = append(dst, '/')
		}
	}
	return appendEncoded(dst, query)
}

// appendEncoded decodes what needs no encoding (RFC 3986, section 2.3), and encodes what does.
func appendEncoded(dst, b []byte) []byte {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(b); i++ {
		c := b[i]
		if decoded, ok := percent(b[i:]); ok {
			i += 2
			if unreserved(decoded) {
				dst = append(dst, decoded)
			} else {
				dst = append(dst, '%', hex[decoded>>4], hex[decoded&15])
			}
			continue
		}
		if c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}
