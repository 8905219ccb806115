package zeek

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/mithaq/mithaq/internal/exchange"
)

// Writer writes an intelligence file.
type Writer struct {
	out    *bufio.Writer
	seen   map[string]bool
	report exchange.Report
}

// NewWriter begins a file. Banner lines stand before its header as comments.
func NewWriter(w io.Writer, banner []string) *Writer {
	z := &Writer{out: bufio.NewWriter(w), seen: map[string]bool{}}
	for _, line := range banner {
		fmt.Fprintf(z.out, "# %s\n", exchange.OneLine(line))
	}
	fmt.Fprintln(z.out, "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url")
	return z
}

// Add writes an indicator's lines.
func (z *Writer) Add(in exchange.Indicator) error {
	z.report.Read++
	if in.Inexpressible != "" {
		z.report.Lose(in.ID, "%s", in.Inexpressible)
		return nil
	}
	for _, terms := range in.Alternatives {
		value, typ, why := entry(terms)
		if why != "" {
			z.report.Lose(in.ID, "%s", why)
			continue
		}
		key := typ + "\t" + value
		if z.seen[key] {
			continue
		}
		z.seen[key] = true
		z.report.Made++
		desc := strings.TrimSpace(in.Origin.Mark + " " + in.Title() + " " + strings.TrimSpace(in.Origin.TLP+" "+in.Origin.PAP))
		if _, err := fmt.Fprintf(z.out, "%s\t%s\t%s\t%s\t%s\n", field(value), typ, field("mithaq "+in.Origin.Agreement), field(desc), field(in.ID)); err != nil {
			return err
		}
	}
	return nil
}

// Close writes what is left.
func (z *Writer) Close() (exchange.Report, error) { return z.report, z.out.Flush() }

// entry is a value as Zeek writes it, and its type.
func entry(terms []exchange.Term) (value, typ, why string) {
	t, with, ok := exchange.Single(terms)
	switch {
	case !ok:
		return "", "", "several values at once: Zeek looks for one"
	case len(with) > 0:
		return "", "", "a port beside an address: Zeek looks for addresses whatever the port"
	case t.Below:
		return "", "", "every name below a name: Zeek looks for names one by one"
	case t.Value == "":
		return "", "", "its value is empty"
	}
	switch t.Kind() {
	case exchange.Address:
		p, ok := t.Prefix()
		if !ok {
			return "", "", "its value is no address"
		}
		return p.Addr().String(), "Intel::ADDR", ""
	case exchange.Network:
		p, ok := t.Prefix()
		if !ok || p.Bits() == 0 {
			return "", "", "it is about every address there is"
		}
		return p.String(), "Intel::SUBNET", ""
	case exchange.Domain:
		return strings.ToLower(strings.TrimSuffix(t.Value, ".")), "Intel::DOMAIN", ""
	case exchange.URL:
		u, err := url.Parse(t.Value)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", "", "Zeek looks for http and https URLs alone"
		}
		return strings.ToLower(u.Host) + u.RequestURI(), "Intel::URL", "" // Zeek's URLs have no scheme
	case exchange.Email:
		return strings.ToLower(t.Value), "Intel::EMAIL", ""
	case exchange.FileHash:
		return strings.ToLower(t.Value), "Intel::FILE_HASH", ""
	case exchange.CertHash:
		if t.Algorithm() != "SHA-1" {
			return "", "", "Zeek knows certificates by their SHA-1 alone"
		}
		return strings.ToLower(t.Value), "Intel::CERT_HASH", ""
	case exchange.FileName:
		return t.Value, "Intel::FILE_NAME", ""
	case exchange.UserAgent:
		return t.Value, "Intel::SOFTWARE", ""
	}
	return "", "", "Zeek has no type for " + exchange.Clip(t.Path)
}

// field writes a value so that it stays in its column: what separates, and what Zeek takes for an escape, is written in
// hexadecimal (\x09). A lone hyphen would say that there is no value.
func field(s string) string {
	if s == "" {
		return "-"
	}
	if s == "-" || s == "(empty)" {
		return fmt.Sprintf("\\x%02x%s", s[0], s[1:])
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == 0x7f || c == '\\' || c == '#' && i == 0 || c == ',' {
			fmt.Fprintf(&b, "\\x%02x", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
