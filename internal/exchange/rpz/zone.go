package rpz

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/mithaq/mithaq/internal/exchange"
)

// Options of a zone.
type Options struct {
	// Zone is the zone's name, "mithaq.rpz" by default.
	Zone string
	// Action is what a name server does: "nxdomain" (there is no such name; the default), "nodata", "drop" or "passthru".
	Action string
	// Serial is when the zone was made: its serial number is the seconds since 1970.
	Serial time.Time
	// Banner stands before the records as comments.
	Banner []string
}

// maxName is the longest name, in bytes as it travels: labels with their lengths, and the root.
const maxName = 255

// Writer writes a zone.
type Writer struct {
	out    *bufio.Writer
	zone   string
	target string
	seen   map[string]bool
	report exchange.Report
}

// NewWriter begins a zone.
func NewWriter(w io.Writer, opts Options) (*Writer, error) {
	if opts.Zone == "" {
		opts.Zone = "mithaq.rpz"
	}
	if opts.Action == "" {
		opts.Action = "nxdomain"
	}
	target := map[string]string{"nxdomain": ".", "nodata": "*.", "drop": "rpz-drop.", "passthru": "rpz-passthru."}[opts.Action]
	if target == "" {
		return nil, fmt.Errorf("writing a zone: %q is no action: use nxdomain, nodata, drop or passthru", exchange.Clip(opts.Action))
	}
	zone, ok := name(strings.TrimSuffix(opts.Zone, "."))
	if !ok {
		return nil, errors.New("writing a zone: its name is no domain name: write for example mithaq.rpz")
	}
	z := &Writer{out: bufio.NewWriter(w), zone: zone, target: target, seen: map[string]bool{}}
	for _, line := range opts.Banner {
		fmt.Fprintf(z.out, "; %s\n", exchange.OneLine(line))
	}
	fmt.Fprintf(z.out, "$ORIGIN %s.\n$TTL 300\n@ IN SOA localhost. hostmaster.localhost. %d 3600 600 604800 300\n@ IN NS localhost.\n", zone, uint32(max(opts.Serial.Unix(), 1)))
	return z, nil
}

// Add writes an indicator's records.
func (z *Writer) Add(in exchange.Indicator) error {
	z.report.Read++
	if in.Inexpressible != "" {
		z.report.Lose(in.ID, "%s", in.Inexpressible)
		return nil
	}
	for _, terms := range in.Alternatives {
		trigger, why := z.trigger(terms)
		if why != "" {
			z.report.Lose(in.ID, "%s", why)
			continue
		}
		if z.seen[trigger] {
			continue
		}
		z.seen[trigger] = true
		z.report.Made++
		if _, err := fmt.Fprintf(z.out, "%s CNAME %s ; %s %s\n", trigger, z.target, in.ID, in.Origin.TLP); err != nil {
			return err
		}
	}
	return nil
}

// Close writes what is left.
func (z *Writer) Close() (exchange.Report, error) { return z.report, z.out.Flush() }

// trigger is the name below the zone that stands for a value.
func (z *Writer) trigger(terms []exchange.Term) (trigger, why string) {
	t, with, ok := exchange.Single(terms)
	if !ok || len(with) > 0 {
		return "", "several values at once: a zone is about names and addresses alone"
	}
	switch t.Kind() {
	case exchange.Domain:
		n, ok := name(strings.TrimSuffix(t.Value, "."))
		if !ok {
			return "", "its value is no domain name"
		}
		if t.Below {
			n = "*." + n
		}
		trigger = n
	case exchange.Address, exchange.Network:
		p, ok := t.Prefix()
		if !ok || p.Bits() == 0 {
			return "", "it is about every address there is"
		}
		trigger = address(p)
	case exchange.URL:
		return "", "a zone would block the whole host, not the URL"
	default:
		return "", "a zone is about names and addresses alone"
	}
	if len(trigger)+1+len(z.zone)+2 > maxName {
		return "", "its name would be too long below the zone's"
	}
	return trigger, ""
}

// name brings a name into the form of zone files: letters, digits, hyphens and underscores, internationalised names in
// ASCII. Nothing of it has to be escaped.
func name(s string) (string, bool) {
	ascii, err := idna.Lookup.ToASCII(s)
	if err != nil {
		if ascii, err = idna.Punycode.ToASCII(s); err != nil {
			return "", false
		}
	}
	ascii = strings.ToLower(ascii)
	for label := range strings.SplitSeq(ascii, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", false
		}
	}
	return ascii, true
}

// address writes a prefix backwards: 24.0.2.0.192.rpz-ip, 128.1.zz.db8.2001.rpz-ip.
func address(p netip.Prefix) string {
	parts := []string{strconv.Itoa(p.Bits())}
	if a := p.Addr(); a.Is4() {
		b := a.As4()
		for i := 3; i >= 0; i-- {
			parts = append(parts, strconv.Itoa(int(b[i])))
		}
		return strings.Join(parts, ".") + ".rpz-ip"
	}
	b := p.Addr().As16()
	var words []uint16
	for i := 14; i >= 0; i -= 2 {
		words = append(words, uint16(b[i])<<8|uint16(b[i+1]))
	}
	from, length := longestZeros(words)
	for i := 0; i < len(words); i++ {
		if length > 1 && i == from {
			parts = append(parts, "zz")
			i += length - 1
			continue
		}
		parts = append(parts, strconv.FormatUint(uint64(words[i]), 16))
	}
	return strings.Join(parts, ".") + ".rpz-ip"
}

// longestZeros finds the longest run of zero words.
func longestZeros(words []uint16) (from, length int) {
	for i := 0; i < len(words); i++ {
		n := 0
		for i+n < len(words) && words[i+n] == 0 {
			n++
		}
		if n > length {
			from, length = i, n
		}
		i += n
	}
	return from, length
}
