package intel

import (
	"bufio"
	"bytes"
	"crypto/sha1" // #nosec G505 -- RFC 9562 makes identifiers of version 5 with it; nothing is protected by it
	"errors"
	"io"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/plan"
)

// listNamespace is the UUID under which the indicators of plain lists get identifiers of their own.
var listNamespace = [16]byte{0x2b, 0x1f, 0x7a, 0x5c, 0x8d, 0x1e, 0x4e, 0x0a, 0x9a, 0x35, 0x0b, 0x55, 0x61, 0x7e, 0x90, 0x3d}

// open undoes compression and finds out whether it is STIX, by the first bytes.
func open(r io.Reader) (text *bufio.Reader, isSTIX bool, err error) {
	text = bufio.NewReaderSize(r, 1<<16)
	head, err := text.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	switch {
	case len(head) > 1 && head[0] == 0x1f && head[1] == 0x8b:
		z, err := gzip.NewReader(text)
		if err != nil {
			return nil, false, err
		}
		text = bufio.NewReaderSize(z, 1<<16)
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(text, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<28))
		if err != nil {
			return nil, false, err
		}
		text = bufio.NewReaderSize(z, 1<<16)
	}
	head, err = text.Peek(1 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	return text, len(head) > 0 && (head[0] == '{' || head[0] == '[' && len(bytes.TrimLeft(head[1:], " \t\r\n")) > 0 &&
		strings.IndexByte("{]", bytes.TrimLeft(head[1:], " \t\r\n")[0]) >= 0), nil
}

// readList reads one value a line. Empty lines and comments (#, ;, //) are passed over, and what follows a value after
// a blank, a comma or a #.
func (c *Compiler) readList(name string, text *bufio.Reader) error {
	source, err := c.builder.Source(index.Source{Feed: name})
	if err != nil {
		return err
	}
	row := index.Row{Source: source, Confidence: index.NoConfidence}
	for line := 1; ; line++ {
		b, err := text.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = text.ReadSlice('\n')
		}
		if long {
			c.refuse(Refusal{File: name, Line: line, Reason: "the line is too long"}, "unreadable")
		} else if err := c.listed(name, line, b, row); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// listed takes one line.
func (c *Compiler) listed(name string, line int, b []byte, row index.Row) error {
	value := listValue(b)
	if len(value) == 0 {
		return nil
	}
	atoms, reason := c.guess(value)
	where := Refusal{File: name, Line: line, Value: printable(value), Reason: reason}
	if reason != "" {
		c.refuse(where, "unreadable")
		return nil
	}
	row.Indicator = listID(atoms[0])
	added, err := c.add(atoms, row, where)
	if added {
		c.report.Indicators++
	}
	return err
}

func listValue(b []byte) []byte {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	if len(b) == 0 || b[0] == '#' || b[0] == ';' || bytes.HasPrefix(b, []byte("//")) {
		return nil
	}
	if i := bytes.IndexAny(b, " \t,"); i > 0 {
		b = b[:i]
	}
	return bytes.Trim(b, `"'`)
}

func printable(b []byte) string {
	if len(b) > 200 {
		b = b[:200]
	}
	if !utf8.Valid(b) {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(b)
}

// guess tells what a value is by its looks: an address, a network, a hash, a JA4, a URL, a mailbox, else a domain.
// Values that were made harmless for mail (hxxp, [.]) are read as what they were.
func (c *Compiler) guess(value []byte) (atoms []plan.Atom, reason string) {
	value = refang(value)
	one := func(kind index.Kind, key []byte) ([]plan.Atom, string) {
		return []plan.Atom{{Kind: kind, Key: key}}, ""
	}
	if a, ok := index.ParseAddress(value); ok {
		return one(index.Address, index.AppendAddress(nil, a))
	}
	if slash := bytes.IndexByte(value, '/'); slash > 0 {
		if p, err := netip.ParsePrefix(string(value)); err == nil {
			if p.IsSingleIP() {
				return one(index.Address, index.AppendAddress(nil, p.Addr()))
			}
			return one(index.Network, index.AppendNetwork(nil, p))
		}
	} else if key, ok := index.AppendHash(nil, value); ok && bytes.IndexByte(value, '.') < 0 {
		return one(index.FileHash, key)
	} else if key, ok := index.AppendJA4(nil, value); ok {
		return one(index.JA4, key)
	}
	if bytes.Contains(value, []byte("://")) || bytes.IndexAny(value, "/?") > 0 {
		if key, ok := index.AppendURL(nil, value); ok {
			return one(index.URL, key)
		}
		return nil, "not a URL"
	}
	if bytes.IndexByte(value, '@') > 0 {
		if key, ok := index.AppendEmail(nil, value); ok {
			return one(index.Email, key)
		}
		return nil, "not a mail address"
	}
	return c.guessDomain(value)
}

// guessDomain reads a name; *.name stands for what is below it, .name for the name and what is below it.
func (c *Compiler) guessDomain(value []byte) ([]plan.Atom, string) {
	below, only := c.Subdomains, false
	if rest, ok := bytes.CutPrefix(value, []byte("*.")); ok {
		value, below, only = rest, true, true
	} else if rest, ok := bytes.CutPrefix(value, []byte(".")); ok {
		value, below = rest, true
	}
	if host, port, ok := bytes.Cut(value, []byte(":")); ok && len(bytes.Trim(port, "0123456789")) == 0 {
		if a, ok := index.ParseAddress(host); ok {
			return []plan.Atom{{Kind: index.Address, Key: index.AppendAddress(nil, a)}}, ""
		}
		value = host
	}
	key, ok := index.AppendDomain(nil, value)
	if !ok {
		return nil, "neither a domain, an address, a URL, a mail address nor a hash"
	}
	var atoms []plan.Atom
	if !only {
		atoms = append(atoms, plan.Atom{Kind: index.Domain, Key: key})
	}
	if below {
		atoms = append(atoms, plan.Atom{Kind: index.Subdomain, Key: key})
	}
	return atoms, ""
}

func refang(value []byte) []byte {
	if bytes.IndexByte(value, '[') < 0 && !bytes.HasPrefix(bytes.ToLower(value[:min(4, len(value))]), []byte("hxxp")) {
		return value
	}
	s := strings.NewReplacer("[.]", ".", "[:]", ":", "[@]", "@", "[dot]", ".").Replace(string(value))
	if len(s) > 4 && strings.EqualFold(s[:4], "hxxp") {
		s = "http" + s[4:]
	}
	return []byte(s)
}

// listID makes the same identifier for the same value everywhere (UUID version 5, RFC 9562).
func listID(a plan.Atom) index.ID {
	h := sha1.New() // #nosec G401 -- see the import
	h.Write(listNamespace[:])
	h.Write([]byte{byte(a.Kind)})
	h.Write(a.Key)
	id := index.ID(h.Sum(nil)[:16])
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}
