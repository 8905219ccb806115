package fingerprint

import (
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Table writes events as columns for people. Call Close at the end: columns line up only then.
type Table struct{ w *tabwriter.Writer }

// NewTable makes a Table that writes its heading to w.
func NewTable(w io.Writer) *Table {
	t := &Table{tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)}
	t.row("PACKET", "CLIENT", "SERVER", "OVER", "NAME", "ALPN", "JA4", "VERSION", "CIPHER", "NOTES")
	return t
}

// Add writes one event.
func (t *Table) Add(e Event) {
	var notes []string
	if e.Established {
		notes = append(notes, "established")
	}
	if e.Resumed {
		notes = append(notes, "resumed")
	}
	if e.ECH {
		notes = append(notes, "ech")
	}
	if e.Service != "" {
		notes = append(notes, e.Service)
	}
	if e.Hello > 1 {
		notes = append(notes, "hello "+strconv.Itoa(e.Hello))
	}
	if e.LastAlert != nil {
		notes = append(notes, *e.LastAlert)
	}
	if e.Reading != "" {
		notes = append(notes, "other reading")
	}
	notes = append(notes, e.Anomalies...)
	t.row(strconv.FormatInt(e.Packet, 10), end(e.Src, e.SrcPort), end(e.Dst, e.DstPort), e.Transport,
		orDash(textOf(e.SNI)), orDash(strings.Join(e.ALPN, ",")), e.JA4, orDash(textOf(e.Version)), orDash(textOf(e.Cipher)),
		orDash(strings.Join(notes, ", ")))
}

// Close writes what is left.
func (t *Table) Close() error {
	if err := t.w.Flush(); err != nil {
		return fmt.Errorf("writing table: %w", err)
	}
	return nil
}

func (t *Table) row(cells ...string) {
	_, _ = fmt.Fprintln(t.w, strings.Join(cells, "\t")) // Flush reports the error
}

func end(addr netip.Addr, port uint16) string { return netip.AddrPortFrom(addr, port).String() }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
