package http1

import "bytes"

// Request is the head of one request. Its slices point into the stream.
type Request struct {
	Offset    int // in the bytes given to Requests
	Method    []byte
	Target    []byte // as sent: a path, a whole URL, or host:port for CONNECT
	Version   []byte // "1.1"
	Host      []byte // of the Host header, without spaces; nil when there is none
	UserAgent []byte
	Referer   []byte
	Complete  bool // the empty line at the end of the head is there
}

// maxLine bounds a line in bytes; a longer one is no HTTP.
const maxLine = 16 << 10

// Requests goes through the requests in the first bytes of a client's side. A body whose length
// is stated is passed over; otherwise the next request is looked for at the next line.
func Requests(b []byte) func(yield func(*Request) bool) {
	return func(yield func(*Request) bool) {
		at := 0
		for at < len(b) {
			r, end, length, ok := parse(b, at)
			if !ok {
				next := bytes.IndexByte(b[at:], '\n')
				if next < 0 {
					return
				}
				at += next + 1
				continue
			}
			if !yield(&r) || !r.Complete {
				return
			}
			if at = end; length > 0 {
				if length > len(b)-at {
					return
				}
				at += length
			}
		}
	}
}

// parse reads a request head at an offset. It gives where it ends and the stated length of the body.
func parse(b []byte, at int) (r Request, end, length int, ok bool) {
	line, next, whole := cutLine(b, at)
	if !whole {
		return r, 0, 0, false
	}
	r.Offset = at
	space := bytes.IndexByte(line, ' ')
	last := bytes.LastIndexByte(line, ' ')
	if space <= 0 || space > 32 || last <= space {
		return r, 0, 0, false
	}
	r.Method, r.Target, r.Version = line[:space], bytes.TrimSpace(line[space+1:last]), line[last+1:]
	if !token(r.Method) || len(r.Version) != 8 || !bytes.HasPrefix(r.Version, []byte("HTTP/1.")) || len(r.Target) == 0 {
		return r, 0, 0, false
	}
	r.Version = r.Version[5:]
	for {
		line, after, whole := cutLine(b, next)
		if !whole {
			return r, next, 0, true // the head goes on beyond what is there
		}
		next = after
		if len(line) == 0 {
			r.Complete = true
			return r, next, length, true
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			continue
		}
		value = bytes.TrimSpace(value)
		switch len(name) { // most headers are none of these
		case len("host"):
			if r.Host == nil && bytes.EqualFold(name, []byte("host")) {
				r.Host = value
			}
		case len("referer"):
			if r.Referer == nil && bytes.EqualFold(name, []byte("referer")) {
				r.Referer = value
			}
		case len("user-agent"):
			if r.UserAgent == nil && bytes.EqualFold(name, []byte("user-agent")) {
				r.UserAgent = value
			}
		case len("content-length"):
			if bytes.EqualFold(name, []byte("content-length")) {
				length = number(value)
			}
		}
	}
}

// cutLine gives the line at an offset without its end, and where the next one begins.
func cutLine(b []byte, at int) (line []byte, next int, whole bool) {
	n := bytes.IndexByte(b[at:min(len(b), at+maxLine)], '\n')
	if n < 0 {
		return nil, at, false
	}
	return bytes.TrimSuffix(b[at:at+n], []byte("\r")), at + n + 1, true
}

// token tells whether b is a method (RFC 9110, section 5.6.2).
func token(b []byte) bool {
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			continue
		}
		if c <= ' ' || c >= 0x7f || bytes.IndexByte([]byte(`"(),/:;<=>?@[\]{}`), c) >= 0 {
			return false
		}
	}
	return len(b) > 0
}

// number reads a decimal number that is not absurd, 0 for anything else.
func number(b []byte) int {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' || n > 1<<40 {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// URL gives the URL that was asked for: the target where it is one, else made of host and target.
// For CONNECT it is empty: only Target says where to.
func (r *Request) URL() string { return string(r.AppendURL(nil)) }

// AppendURL appends what URL gives.
func (r *Request) AppendURL(b []byte) []byte {
	switch {
	case bytes.Equal(r.Method, []byte("CONNECT")):
		return b
	case bytes.HasPrefix(r.Target, []byte("http://")), bytes.HasPrefix(r.Target, []byte("https://")):
		return append(b, r.Target...)
	case r.Host == nil || r.Target[0] != '/':
		return b
	default:
		return append(append(append(b, "http://"...), r.Host...), r.Target...)
	}
}

// Status reads the status line that a server's side begins with: 200, 404 and so on.
func Status(b []byte) (code int, ok bool) {
	if len(b) < 12 || !bytes.HasPrefix(b, []byte("HTTP/1.")) || b[8] != ' ' {
		return 0, false
	}
	code = number(b[9:12])
	return code, code >= 100
}
