package siem

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mithaq/mithaq/internal/exchange"
)

// Device is who writes the lines.
type Device struct {
	Host    string // in the syslog header
	Version string // of the program
}

// CEF is the event as a line of syslog (RFC 5424) with an ArcSight CEF message, without a line end. Lengths are bounded as
// CEF's dictionary says (1,023 bytes a field).
func (e *Event) CEF(d Device) string {
	var b strings.Builder
	at := "-"
	if !e.Time.IsZero() {
		at = e.Time.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	fmt.Fprintf(&b, "<134>1 %s %s mithaq - %s - ", at, syslogName(d.Host), e.Kind) // facility local0, severity informational
	b.WriteString("CEF:0|mithaq|mithaq|" + cefHeader(d.Version) + "|" + cefHeader(e.Kind) + "|" + cefHeader(strings.TrimSpace(e.Origin.Mark+" "+e.Name)) + "|" + strconv.Itoa(e.severity()) + "|")
	first := true
	put := func(key, value string) {
		if value == "" {
			return
		}
		if !first {
			b.WriteByte(' ')
		}
		first = false
		b.WriteString(key + "=" + cefValue(value))
	}
	number := func(key string, n int64) {
		if n > 0 {
			put(key, strconv.FormatInt(n, 10))
		}
	}
	put("externalId", e.ID)
	put("rt", millis(e.Time))
	put("start", millis(e.First))
	put("end", millis(e.Last))
	number("cnt", e.Count)
	put("src", e.Source)
	number("spt", int64(e.SourcePort))
	put("dst", e.Destination)
	number("dpt", int64(e.DestPort))
	switch e.Value.Kind() {
	case exchange.URL:
		put("request", e.Value.Value)
	case exchange.Domain:
		put("dhost", e.Value.Value)
	case exchange.FileHash:
		put("fileHash", e.Value.Value)
	case exchange.FileName:
		put("fname", e.Value.Value)
	}
	for i, pair := range [][2]string{{"indicator", e.Indicator}, {"value", e.Value.Value}, {"marking", strings.TrimSpace(e.Origin.TLP + " " + e.Origin.PAP)},
		{"agreement", e.Origin.Agreement}, {"author", e.Origin.Name}, {"record", e.Origin.Record}} {
		if pair[1] != "" {
			n := strconv.Itoa(i + 1)
			put("cs"+n, pair[1])
			put("cs"+n+"Label", pair[0])
		}
	}
	if e.Confidence >= 0 {
		put("cn1", strconv.Itoa(e.Confidence))
		put("cn1Label", "confidence")
	}
	put("msg", e.Description)
	return b.String()
}

// maxField is the longest value of a CEF field, in bytes.
const maxField = 1023

func cut(s string) string {
	for len(s) > maxField {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

func millis(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return strconv.FormatInt(at.UnixMilli(), 10)
}

// cefHeader writes a field of the header: bars and backslashes are escaped, lines are one.
func cefHeader(s string) string {
	return strings.NewReplacer(`\`, `\\`, `|`, `\|`).Replace(cut(exchange.OneLine(s)))
}

// cefValue writes a field of the extension: equal signs and backslashes are escaped, line ends are written as \n.
func cefValue(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	for i, line := range lines {
		lines[i] = exchange.OneLine(line)
	}
	return strings.NewReplacer(`\`, `\\`, `=`, `\=`, "\n", `\n`).Replace(cut(strings.Join(lines, "\n")))
}

// syslogName makes a host's name fit for the header: printable ASCII without blanks, 255 at most.
func syslogName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r
		}
		return -1
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), 255)]
}
