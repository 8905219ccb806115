package record

import (
	"bytes"
)

// checkPayload is the verdict of ParsePayload on a payload that was just made of a head and the record's body. A bundle is read
// once instead of four times; what is not plainly good goes the long way, which says what is wrong.
func (r Record) checkPayload(head, payload []byte) error {
	if r.Kind == KindIntel && len(payload) <= MaxPayload && plainIntel(r.Body) {
		_, err := ParsePayload(splice(head, "body", []byte(leastIntel)))
		return err
	}
	_, err := ParsePayload(payload)
	return err
}

// leastIntel stands for the body that was read, so that the head alone is checked.
const leastIntel = `{"bundle":{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000",` +
	`"objects":[{"type":"identity","id":"identity--00000000-0000-4000-8000-000000000000"}]}}`

// plainIntel says whether ParsePayload would take an intel body, of one that is written as {"bundle":…}; when it says no, it may
// be good all the same. Package stix reads JSON as strictly as section 2 of docs/formats.md asks, but for depth and numbers.
func plainIntel(body []byte) bool {
	bundle, ok := bytes.CutPrefix(body, []byte(`{"bundle":`))
	if !ok {
		return false
	}
	bundle, ok = bytes.CutSuffix(bundle, []byte("}"))
	const above = 2 // the payload and the body
	return ok && shallowAndExact(bundle, MaxDepth-above) && goodBundle(bundle)
}

// shallowAndExact says whether JSON is nested no deeper than most levels and all its numbers are carried. Of what is not JSON it
// says anything.
func shallowAndExact(b []byte, most int) bool {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			end := endOfString(b[i+1:])
			if end < 0 {
				return false
			}
			i += end + 1
		case c == '{' || c == '[':
			if depth++; depth > most {
				return false
			}
		case c == '}' || c == ']':
			depth--
		case c == '-' || c >= '0' && c <= '9':
			end := i + 1
			for end < len(b) && bytes.IndexByte([]byte("0123456789+-.eE"), b[end]) >= 0 {
				end++
			}
			if !carried(string(b[i:end])) {
				return false
			}
			i = end - 1
		}
	}
	return true
}

// endOfString finds the quote that ends a string, -1 when there is none.
func endOfString(b []byte) int {
	for i, quote := 0, -1; i < len(b); {
		if quote < i { // looked for once each, so that time is linear whatever is escaped
			n := bytes.IndexByte(b[i:], '"')
			if n < 0 {
				return -1
			}
			quote = i + n
		}
		escape := bytes.IndexByte(b[i:quote], '\\')
		if escape < 0 {
			return quote
		}
		i += escape + 2 // what a backslash is before, ends nothing
	}
	return -1
}
