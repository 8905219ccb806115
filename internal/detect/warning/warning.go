// Package warning holds lists of well-known harmless values (MISP's warninglists format): what a match is checked
// against before somebody is woken.
//
// It promises that a value is compared the way each list's type says, in the canonical forms of package index, and
// that a hit names its list. It does not decide what follows from a hit. Start reading at [Lists.Check].
package warning

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/detect/index"
)

// Lists is a collection of warning lists. The zero value is empty. It is not changed by checking.
type Lists struct {
	lists    []List
	exact    map[string][]uint16 // kind and key, for string, hostname and single addresses
	below    map[string][]uint16 // names whose every sub-name is on the list
	networks map[netip.Prefix][]uint16
	bits     [2][]int // lengths of the networks in use, of IPv4 and IPv6, descending
	text     []textRule
}

// List is one list without its entries.
type List struct {
	Name    string
	Type    string // cidr, string, hostname, substring, regex
	Entries int
	Skipped int // entries that are not of the list's type
	// Sinkholes tells that the list means the opposite: traffic there is a sign of infection.
	Sinkholes bool
}

type textRule struct {
	list      uint16
	substring string
	regex     *regexp.Regexp
}

// maxTextRules bounds substrings and regular expressions: each of them is tried on each match.
const maxTextRules = 10_000

// Lists tells which lists there are.
func (l *Lists) Lists() []List { return slices.Clone(l.lists) }

// Add reads one list. The error says why it is none.
func (l *Lists) Add(text []byte) error {
	var file struct {
		Name string   `json:"name"`
		Type string   `json:"type"`
		List []string `json:"list"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return fmt.Errorf("reading a warning list: %w", err)
	}
	if file.Name == "" || file.List == nil {
		return fmt.Errorf("reading a warning list: it has no name or no list")
	}
	if len(l.lists) >= 1<<16-1 {
		return fmt.Errorf("reading the warning list %q: too many lists", file.Name)
	}
	if l.exact == nil {
		l.exact, l.below, l.networks = map[string][]uint16{}, map[string][]uint16{}, map[netip.Prefix][]uint16{}
	}
	n := uint16(len(l.lists))
	list := List{Name: file.Name, Type: file.Type, Sinkholes: strings.Contains(strings.ToLower(file.Name), "sinkhole")}
	for _, entry := range file.List {
		var ok bool
		switch file.Type {
		case "cidr":
			ok = l.addNetwork(n, entry)
		case "string":
			ok = l.addString(n, entry)
		case "hostname":
			ok = l.addHostname(n, entry)
		case "substring":
			ok = l.addText(textRule{list: n, substring: strings.ToLower(entry)}, entry)
		case "regex":
			re, err := regexp.Compile(goRegex(entry))
			ok = err == nil && l.addText(textRule{list: n, regex: re}, entry)
		default:
			return fmt.Errorf("reading the warning list %q: its type %q is not known", file.Name, file.Type)
		}
		if ok {
			list.Entries++
		} else {
			list.Skipped++
		}
	}
	l.lists = append(l.lists, list)
	return nil
}

// goRegex takes the slashes off that some lists put around their expressions.
func goRegex(entry string) string {
	if end := strings.LastIndexByte(entry, '/'); len(entry) > 1 && entry[0] == '/' && end > 0 {
		if flags := entry[end+1:]; strings.Contains(flags, "i") {
			return "(?i)" + entry[1:end]
		}
		return entry[1:end]
	}
	return entry
}

func (l *Lists) addNetwork(n uint16, entry string) bool {
	entry = strings.TrimSpace(entry)
	p, err := netip.ParsePrefix(entry)
	if err != nil {
		a, err := netip.ParseAddr(entry)
		if err != nil {
			return false
		}
		a = a.Unmap().WithZone("")
		p = netip.PrefixFrom(a, a.BitLen())
	}
	p = p.Masked()
	l.networks[p] = append(l.networks[p], n)
	family := 0
	if p.Addr().Is6() {
		family = 1
	}
	if !slices.Contains(l.bits[family], p.Bits()) {
		l.bits[family] = append(l.bits[family], p.Bits())
		slices.Sort(l.bits[family])
		slices.Reverse(l.bits[family])
	}
	return true
}

// addString notes an entry under every kind of value it can be.
func (l *Lists) addString(n uint16, entry string) bool {
	text, found := []byte(strings.TrimSpace(entry)), false
	for _, kind := range []index.Kind{index.Address, index.Domain, index.URL, index.Email, index.FileHash} {
		if kind == index.URL && !bytes.Contains(text, []byte("/")) {
			continue
		}
		if key, ok := index.AppendKey([]byte{byte(kind)}, kind, text); ok {
			l.exact[string(key)] = append(l.exact[string(key)], n)
			found = true
		}
	}
	if !found && len(text) > 0 {
		key := append([]byte{byte(index.Other)}, text...)
		l.exact[string(key)] = append(l.exact[string(key)], n)
		found = true
	}
	return found
}

func (l *Lists) addHostname(n uint16, entry string) bool {
	entry = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(entry), "*"), ".")
	key, ok := index.AppendDomain(nil, []byte(entry))
	if ok {
		l.below[string(key)] = append(l.below[string(key)], n)
	}
	return ok
}

func (l *Lists) addText(r textRule, entry string) bool {
	if entry == "" || len(l.text) >= maxTextRules {
		return false
	}
	l.text = append(l.text, r)
	return true
}

// Check gives the lists that a value with this canonical key is on, each once.
func (l *Lists) Check(kind index.Kind, key []byte) []List {
	if len(l.lists) == 0 {
		return nil
	}
	var on []uint16
	text := index.Render(kind, key)
	switch kind {
	case index.Address:
		on = l.address(on, text)
	case index.Network:
		on = l.network(on, text)
	case index.Domain, index.Subdomain:
		on = l.domain(on, string(key))
	case index.URL:
		_, rest, _ := strings.Cut(string(key), "//")
		host, _, _ := strings.Cut(rest, "/")
		host, _, _ = strings.Cut(host, ":")
		for _, n := range l.domain(l.address(nil, host), host) {
			// A whole site on a list says little about one of its pages, save where the list is of sites.
			if l.lists[n].Type == "hostname" || strings.HasSuffix(rest, host+"/") {
				on = append(on, n)
			}
		}
	case index.CertHash:
		kind = index.FileHash
	}
	if kind == index.Other {
		if _, value, ok := strings.Cut(text, "="); ok {
			text, key = value, []byte(value)
		}
	}
	if kind != index.Domain && kind != index.Address {
		on = append(on, l.exact[string(append([]byte{byte(kind)}, key...))]...)
	}
	on = l.texts(on, text)
	slices.Sort(on)
	var lists []List
	for _, n := range slices.Compact(on) {
		lists = append(lists, l.lists[n])
	}
	return lists
}

func (l *Lists) address(on []uint16, text string) []uint16 {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return on
	}
	on = append(on, l.exact[string(index.AppendAddress([]byte{byte(index.Address)}, a))]...)
	return l.network(on, netip.PrefixFrom(a, a.BitLen()).String())
}

// network finds the listed networks that hold all of one.
func (l *Lists) network(on []uint16, text string) []uint16 {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return on
	}
	family := 0
	if p.Addr().Is6() {
		family = 1
	}
	for _, bits := range l.bits[family] {
		if bits > p.Bits() {
			continue
		}
		if outer, err := p.Addr().Prefix(bits); err == nil {
			on = append(on, l.networks[outer]...)
		}
	}
	return on
}

func (l *Lists) domain(on []uint16, name string) []uint16 {
	on = append(on, l.exact[string(byte(index.Domain))+name]...)
	for {
		on = append(on, l.below[name]...)
		_, parent, ok := strings.Cut(name, ".")
		if !ok {
			return on
		}
		name = parent
	}
}

func (l *Lists) texts(on []uint16, text string) []uint16 {
	lower := strings.ToLower(text)
	for _, rule := range l.text {
		if rule.regex != nil && rule.regex.MatchString(text) || rule.regex == nil && strings.Contains(lower, rule.substring) {
			on = append(on, rule.list)
		}
	}
	return on
}
