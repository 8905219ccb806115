package suricata

import (
	"bufio"
	"fmt"
	"hash/fnv"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/mithaq/mithaq/internal/exchange"
)

// Options of rules.
type Options struct {
	// First and Last bound the rules' identifiers (sid). By default 1,000,000 to 1,999,999: what Suricata leaves to local rules.
	First, Last int
	// Banner stands before the rules as comments.
	Banner []string
}

// Defaults of the range of identifiers.
const (
	DefaultFirst = 1_000_000
	DefaultLast  = 1_999_999
)

func (o Options) orDefaults() (Options, error) {
	if o.First == 0 && o.Last == 0 {
		o.First, o.Last = DefaultFirst, DefaultLast
	}
	if o.First < 1 || o.Last < o.First || o.Last > 1<<31-1 {
		return o, fmt.Errorf("writing rules: %d to %d is no range of sids: give two numbers from 1 to %d", o.First, o.Last, 1<<31-1)
	}
	return o, nil
}

// Writer writes rules.
type Writer struct {
	out    *bufio.Writer
	opts   Options
	sids   map[int]bool
	seen   map[string]bool // rules without their identifiers
	report exchange.Report
}

// NewWriter begins a file of rules.
func NewWriter(w io.Writer, opts Options) (*Writer, error) {
	opts, err := opts.orDefaults()
	if err != nil {
		return nil, err
	}
	s := &Writer{out: bufio.NewWriter(w), opts: opts, sids: map[int]bool{}, seen: map[string]bool{}}
	for _, line := range opts.Banner {
		fmt.Fprintf(s.out, "# %s\n", exchange.OneLine(line))
	}
	return s, nil
}

// rule is what one rule looks for.
type rule struct {
	header string // protocol and addresses
	match  string // options that match; may be empty
}

// Add writes the rules of an indicator.
func (s *Writer) Add(in exchange.Indicator) error {
	s.report.Read++
	if in.PatternType == "suricata" || in.PatternType == "snort" {
		s.report.Lose(in.ID, "it is a rule of its own (%s): take it from the STIX export and read it before you run it", in.PatternType)
		return nil
	}
	if in.Inexpressible != "" {
		s.report.Lose(in.ID, "%s", in.Inexpressible)
		return nil
	}
	for _, terms := range in.Alternatives {
		rules, why := rulesOf(terms)
		if why != "" {
			s.report.Lose(in.ID, "%s", why)
			continue
		}
		for _, r := range rules {
			if err := s.write(in, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// write writes one rule, each once.
func (s *Writer) write(in exchange.Indicator, r rule) error {
	key := r.header + r.match
	if s.seen[key] {
		return nil
	}
	sid, ok := s.sid(key)
	if !ok {
		s.report.Lose(in.ID, "there are no more sids from %d to %d: give a wider range", s.opts.First, s.opts.Last)
		return nil
	}
	s.seen[key] = true
	s.report.Made++
	_, err := fmt.Fprintf(s.out, "alert %s (msg:\"%s\"; %smetadata:%s; sid:%d; rev:1;)\n", r.header, message("mithaq "+in.Origin.Mark+" "+in.Title()), r.match, metadata(in), sid)
	return err
}

// sid gives a rule its identifier: it follows from the rule, and moves on only where another has it.
func (s *Writer) sid(key string) (int, bool) {
	size := s.opts.Last - s.opts.First + 1
	if len(s.sids) >= size {
		return 0, false
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // a hash takes everything
	for at := int(h.Sum64() % uint64(size)); ; at = (at + 1) % size {
		if !s.sids[at] {
			s.sids[at] = true
			return s.opts.First + at, true
		}
	}
}

// metadata says where a rule comes from.
func metadata(in exchange.Indicator) string {
	parts := []string{"indicator " + word(in.ID)}
	for _, p := range [][2]string{{"agreement", in.Origin.Agreement}, {"record", in.Origin.Record}, {"tlp", strings.TrimPrefix(in.Origin.TLP, "TLP:")}, {"pap", strings.TrimPrefix(in.Origin.PAP, "PAP:")}} {
		if p[1] != "" {
			parts = append(parts, p[0]+" "+word(p[1]))
		}
	}
	return strings.Join(parts, ", ")
}

// Close writes what is left.
func (s *Writer) Close() (exchange.Report, error) { return s.report, s.out.Flush() }

// rulesOf makes the rules for values that hold together; why says why there are none.
func rulesOf(terms []exchange.Term) (rules []rule, why string) {
	t, with, ok := exchange.Single(terms)
	if !ok {
		return nil, "several values at once are in no one packet that a rule could look at"
	}
	kind := t.Kind()
	if len(with) > 0 && kind != exchange.Address && kind != exchange.Network {
		return nil, "a port beside something that is no address"
	}
	switch kind {
	case exchange.Address, exchange.Network:
		return hostRules(t, with)
	case exchange.Domain:
		return domainRules(t), ""
	case exchange.URL:
		return urlRules(t.Value)
	case exchange.JA3, exchange.JA3S:
		name := string(kind)
		return []rule{{"tls any any -> any any", fmt.Sprintf("%s.hash; content:\"%s\"; bsize:%d; ", name, content(strings.ToLower(t.Value)), len(t.Value))}}, ""
	case exchange.JA4:
		return []rule{{"tls any any -> any any", fmt.Sprintf("ja4.hash; content:\"%s\"; bsize:%d; ", content(strings.ToLower(t.Value)), len(t.Value))}}, ""
	case exchange.UserAgent:
		if t.Value == "" {
			return nil, "its value is empty"
		}
		return []rule{{"http any any -> any any", fmt.Sprintf("http.user_agent; content:\"%s\"; bsize:%d; ", content(t.Value), len(t.Value))}}, ""
	case exchange.CertHash:
		if t.Algorithm() != "SHA-1" || len(t.Value) != 40 || strings.Trim(strings.ToLower(t.Value), "0123456789abcdef") != "" {
			return nil, "Suricata knows certificates by their SHA-1 alone"
		}
		return []rule{{"tls any any -> any any", fmt.Sprintf("tls.cert_fingerprint; content:\"%s\"; bsize:59; ", content(colons(strings.ToLower(t.Value))))}}, ""
	case exchange.FileHash:
		return nil, "hashes of files need a list beside the rules: export suricata-datasets"
	}
	return nil, "rules have no place for " + exchange.Clip(t.Path)
}

func colons(digits string) string {
	var parts []string
	for i := 0; i+1 < len(digits); i += 2 {
		parts = append(parts, digits[i:i+2])
	}
	return strings.Join(parts, ":")
}

// hostRules look for an address, or for a port of it.
func hostRules(t exchange.Term, with []exchange.Term) ([]rule, string) {
	p, ok := t.Prefix()
	if !ok {
		return nil, "its value is no address"
	}
	if p.Bits() == 0 {
		return nil, "it is about every address there is"
	}
	host := p.String()
	if p.IsSingleIP() {
		host = p.Addr().String()
	}
	protocols, port := []string{"ip"}, ""
	for _, w := range with {
		switch {
		case w.Kind() == exchange.Protocol && (w.Value == "tcp" || w.Value == "udp"):
			protocols = []string{w.Value}
		case w.Kind() == exchange.Port && strings.HasSuffix(w.Path, "dst_port") && port == "":
			n, err := strconv.ParseUint(w.Value, 10, 16)
			if err != nil {
				return nil, "its port is no port"
			}
			port = strconv.FormatUint(n, 10)
		case w.Kind() == exchange.Protocol:
			// what lies above or below TCP and UDP changes nothing in whom one talks to
		default:
			return nil, "a rule about both ends of a connection cannot be made of it"
		}
	}
	if port == "" {
		return []rule{{protocols[0] + " any any <> " + host + " any", ""}}, ""
	}
	if protocols[0] == "ip" {
		protocols = []string{"tcp", "udp"}
	}
	var rules []rule
	for _, protocol := range protocols {
		rules = append(rules, rule{protocol + " any any -> " + host + " " + port, ""})
	}
	return rules, ""
}

// domainRules look for a name in DNS, TLS and HTTP: exactly it, or every name below it.
func domainRules(t exchange.Term) []rule {
	name := strings.ToLower(strings.TrimSuffix(t.Value, "."))
	match := fmt.Sprintf("content:\"%s\"; nocase; bsize:%d; ", content(name), len(name))
	dot := ""
	if t.Below {
		dot, match = "dotprefix; ", fmt.Sprintf("content:\".%s\"; nocase; endswith; ", content(name))
	}
	lower := strings.Replace(match, "nocase; ", "", 1) // http.host is in small letters already
	return []rule{
		{"dns any any -> any any", "dns.query; " + dot + match},
		{"tls any any -> any any", "tls.sni; " + dot + match},
		{"http any any -> any any", "http.host; " + dot + lower},
	}
}

// urlRules look for a URL in HTTP. What TLS hides is seen only where it is terminated.
func urlRules(text string) ([]rule, string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, "rules look for http and https URLs alone"
	}
	host, uri := strings.ToLower(u.Hostname()), u.RequestURI()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	ports := "any"
	if p := u.Port(); p != "" {
		ports = p
	}
	if _, err := strconv.ParseUint(ports, 10, 16); err != nil && ports != "any" {
		return nil, "its port is no port"
	}
	return []rule{{"http any any -> any " + ports, fmt.Sprintf("http.host; content:\"%s\"; bsize:%d; http.uri.raw; content:\"%s\"; bsize:%d; ", content(host), len(host), content(uri), len(uri))}}, ""
}
