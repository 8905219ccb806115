package intel

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"golang.org/x/net/publicsuffix"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/plan"
	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/lists"
)

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
	row.Indicator = index.ListID(atoms[0].Kind, atoms[0].Key)
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

// guess tells what a value is by its looks, as everywhere else ([lists.Guess]). A URL without a scheme stands for http and https
// alike; *.name stands for what is below it, .name for the name and what is below it.
func (c *Compiler) guess(value []byte) (atoms []plan.Atom, reason string) {
	text := lists.Refang(string(value))
	dotted := strings.HasPrefix(text, ".")
	if dotted {
		text = "*" + text
	}
	t, why := lists.Guess(text)
	if why != "" {
		name := strings.ToLower(strings.TrimSuffix(text, "."))
		if suffix, known := publicsuffix.PublicSuffix(name); !known || suffix != name || name == "" {
			return nil, why
		}
		t = exchange.Term{Path: "domain-name:value", Value: name} // com: it is refused for what it is, over-broad
	}
	kind, key, ok := index.Kind(0), []byte(nil), false
	switch t.Kind() {
	case exchange.Domain:
		return c.domain(t, dotted)
	case exchange.Address:
		var a netip.Addr
		if a, ok = index.ParseAddress([]byte(t.Value)); ok {
			kind, key = index.Address, index.AppendAddress(nil, a)
		}
	case exchange.Network:
		if p, err := netip.ParsePrefix(t.Value); err == nil {
			kind, key, ok = index.Network, index.AppendNetwork(nil, p), true
		}
	case exchange.FileHash:
		kind = index.FileHash
		key, ok = index.AppendHash(nil, []byte(t.Value))
	case exchange.JA4:
		kind = index.JA4
		key, ok = index.AppendJA4(nil, []byte(t.Value))
	case exchange.URL:
		if !strings.Contains(text, "://") {
			t.Value = text
		}
		kind = index.URL
		key, ok = index.AppendURL(nil, []byte(t.Value))
	case exchange.Email:
		kind = index.Email
		key, ok = index.AppendEmail(nil, []byte(t.Value))
	}
	if !ok {
		return nil, "nothing that traffic holds"
	}
	return []plan.Atom{{Kind: kind, Key: key}}, ""
}

// domain makes the atoms of a name: itself, what is below it, or both.
func (c *Compiler) domain(t exchange.Term, dotted bool) ([]plan.Atom, string) {
	key, ok := index.AppendDomain(nil, []byte(t.Value))
	if !ok {
		return nil, "it is no domain name"
	}
	var atoms []plan.Atom
	if dotted || !t.Below {
		atoms = append(atoms, plan.Atom{Kind: index.Domain, Key: key})
	}
	if t.Below || c.Subdomains {
		atoms = append(atoms, plan.Atom{Kind: index.Subdomain, Key: key})
	}
	return atoms, ""
}
