package stix

import "bytes"

// isCPE is a formatted string of CPE 2.3 (NISTIR 7695, section 6.2): "cpe:2.3:" and eleven attributes.
func isCPE(b []byte) bool {
	rest, ok := bytes.CutPrefix(b, []byte("cpe:2.3:"))
	if !ok {
		return false
	}
	attribute, start := 0, 0
	for i := 0; i <= len(rest); i++ {
		if i < len(rest) && rest[i] == '\\' {
			i++
			continue
		}
		if i < len(rest) && rest[i] != ':' {
			continue
		}
		if i > len(rest) || !isCPEAttribute(attribute, rest[start:i]) {
			return false
		}
		attribute, start = attribute+1, i+1
	}
	return attribute == 11
}

func isCPEAttribute(index int, v []byte) bool {
	if string(v) == "*" || string(v) == "-" {
		return true
	}
	switch index {
	case 0: // part
		return len(v) == 1 && bytes.IndexByte([]byte("aho"), v[0]) >= 0
	case 6: // language
		tag, region, found := bytes.Cut(v, []byte("-"))
		if (len(tag) != 2 && len(tag) != 3) || !all(tag, lower|upper, "") {
			return false
		}
		return !found || len(region) == 2 && all(region, lower|upper, "") || len(region) == 3 && all(region, digit, "")
	}
	v = bytes.Trim(v, "?")
	v = bytes.TrimPrefix(v, []byte("*"))
	if n := len(v); n > 0 && v[n-1] == '*' && (n < 2 || v[n-2] != '\\') {
		v = v[:n-1]
	}
	if len(v) == 0 {
		return false
	}
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case class[c]&word != 0 || c == '-' || c == '.' || c == '_':
		case c == '\\':
			if i++; i >= len(v) || v[i] <= ' ' || v[i] > '~' || class[v[i]]&word != 0 {
				return false
			}
		default:
			return false
		}
	}
	return true
}
