package suricata

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
)

// set is one dataset: a list beside the rules, and the rules that ask it.
type set struct {
	name  string
	form  string   // of its lines: string (Base64), md5, sha256, ip; list: one hash a line, for filesha1
	rules []string // with %s for the file's name
	lines bytes.Buffer
	seen  map[string]bool
}

func sets() []*set {
	text := func(keyword string) string {
		return keyword + "; dataset:isset,%[2]s,type string,load %[1]s; "
	}
	return []*set{
		{name: "mithaq-domains", form: "string", rules: []string{"dns any any -> any any (" + text("dns.query; to_lowercase"),
			"tls any any -> any any (" + text("tls.sni; to_lowercase"), "http any any -> any any (" + text("http.host")}},
		{name: "mithaq-ja3", form: "string", rules: []string{"tls any any -> any any (" + text("ja3.hash")}},
		{name: "mithaq-ja3s", form: "string", rules: []string{"tls any any -> any any (" + text("ja3s.hash")}},
		{name: "mithaq-ja4", form: "string", rules: []string{"tls any any -> any any (" + text("ja4.hash")}},
		{name: "mithaq-user-agents", form: "string", rules: []string{"http any any -> any any (" + text("http.user_agent")}},
		{name: "mithaq-addresses", form: "ip", rules: []string{"ip any any -> any any (ip.dst; dataset:isset,%[2]s,type ip,load %[1]s; ",
			"ip any any -> any any (ip.src; dataset:isset,%[2]s,type ip,load %[1]s; "}},
		{name: "mithaq-md5", form: "list", rules: []string{"http any any -> any any (filemd5:%[1]s; ", "smtp any any -> any any (filemd5:%[1]s; "}},
		{name: "mithaq-sha1", form: "list", rules: []string{"http any any -> any any (filesha1:%[1]s; ", "smtp any any -> any any (filesha1:%[1]s; "}},
		{name: "mithaq-sha256", form: "list", rules: []string{"http any any -> any any (filesha256:%[1]s; ", "smtp any any -> any any (filesha256:%[1]s; "}},
	}
}

// Datasets writes an archive (tar) with mithaq.rules and the lists that its rules load. What no list can hold (networks,
// names below a name, URLs, ports) is among the rules as it is.
type Datasets struct {
	out    io.Writer
	opts   Options
	sets   []*set
	plain  bytes.Buffer
	rules  *Writer
	mark   string
	report exchange.Report
}

// NewDatasets begins an archive. The lists are kept in memory until Close.
func NewDatasets(w io.Writer, opts Options) (*Datasets, error) {
	d := &Datasets{out: w, opts: opts, sets: sets()}
	var err error
	d.rules, err = NewWriter(&d.plain, opts)
	return d, err
}

// Add puts an indicator's values on their lists.
func (d *Datasets) Add(in exchange.Indicator) error {
	if in.Inexpressible != "" || in.PatternType != "stix" {
		return d.rules.Add(in) // which reports it
	}
	d.report.Read++
	d.mark = in.Origin.Mark
	rest := in
	rest.Alternatives = nil
	for _, terms := range in.Alternatives {
		if name, line, ok := listed(terms); ok {
			d.put(name, line)
		} else {
			rest.Alternatives = append(rest.Alternatives, terms)
		}
	}
	if len(rest.Alternatives) == 0 {
		return nil
	}
	d.report.Read--
	return d.rules.Add(rest)
}

func (d *Datasets) put(name, line string) {
	for _, s := range d.sets {
		if s.name != name || s.seen[line] {
			continue
		}
		if s.seen == nil {
			s.seen = map[string]bool{}
		}
		s.seen[line] = true
		d.report.Made++
		if s.form == "string" {
			line = base64.StdEncoding.EncodeToString([]byte(line))
		}
		s.lines.WriteString(line + "\n")
	}
}

// listed tells on which list a value belongs.
func listed(terms []exchange.Term) (name, line string, ok bool) {
	t, with, single := exchange.Single(terms)
	if !single || len(with) > 0 || t.Below || t.Value == "" {
		return "", "", false
	}
	lower := strings.ToLower(t.Value)
	switch t.Kind() {
	case exchange.Domain:
		return "mithaq-domains", strings.TrimSuffix(lower, "."), true
	case exchange.Address:
		p, ok := t.Prefix()
		return "mithaq-addresses", p.Addr().String(), ok
	case exchange.JA3, exchange.JA3S, exchange.JA4:
		return "mithaq-" + string(t.Kind()), lower, true
	case exchange.UserAgent:
		return "mithaq-user-agents", t.Value, true
	case exchange.FileHash:
		digits := map[string]int{"MD5": 32, "SHA-1": 40, "SHA-256": 64}[t.Algorithm()]
		if digits == 0 || len(lower) != digits || strings.Trim(lower, "0123456789abcdef") != "" {
			return "", "", false
		}
		return "mithaq-" + strings.ToLower(strings.ReplaceAll(t.Algorithm(), "-", "")), lower, true
	}
	return "", "", false
}

// Close writes the archive.
func (d *Datasets) Close() (exchange.Report, error) {
	plain, err := d.rules.Close()
	if err != nil {
		return d.report, err
	}
	d.report.Join("", plain)
	archive := tar.NewWriter(d.out)
	for _, s := range d.sets {
		if s.lines.Len() == 0 {
			continue
		}
		file := s.name + ".lst"
		for _, r := range s.rules {
			sid, ok := d.rules.sid(s.name + r)
			if !ok {
				d.report.Lose(s.name, "there are no more sids from %d to %d: give a wider range", d.rules.opts.First, d.rules.opts.Last)
				continue
			}
			header, match, _ := strings.Cut(fmt.Sprintf(r+"%.0[2]s", file, s.name), " (")
			fmt.Fprintf(&d.plain, "alert %s (msg:\"%s\"; %smetadata:source mithaq; sid:%d; rev:1;)\n", header, message("mithaq "+d.mark+" "+s.name), match, sid)
		}
		if err := put(archive, file, s.lines.Bytes()); err != nil {
			return d.report, err
		}
	}
	if err := put(archive, "mithaq.rules", d.plain.Bytes()); err != nil {
		return d.report, err
	}
	return d.report, archive.Close()
}

func put(archive *tar.Writer, name string, b []byte) error {
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(b)), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	_, err := archive.Write(b)
	return err
}
