package plan

import (
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/stix/pattern"
)

// Atom is a value to look for.
type Atom struct {
	Kind index.Kind
	Key  []byte
}

// atoms are values of which an event has at least one, if an expression holds of it.
type atoms struct {
	any []Atom
	// exact tells that, the other way round, each of them is enough for the expression to hold.
	exact bool
}

// atomsOf finds the atoms of a comparison expression; ok is false when it can hold without any known value.
func atomsOf(e pattern.ComparisonExpression) (a atoms, ok bool) {
	switch e := e.(type) {
	case *pattern.ComparisonGroup:
		return atomsOf(e.Expression)
	case *pattern.ComparisonOr:
		a.exact = true
		for _, operand := range e.Operands {
			part, ok := atomsOf(operand)
			if !ok {
				return atoms{}, false
			}
			a.any = append(a.any, part.any...)
			a.exact = a.exact && part.exact
		}
		return a, true
	case *pattern.ComparisonAnd:
		for _, operand := range e.Operands {
			if part, found := atomsOf(operand); found && (!ok || part.rarer(a)) {
				a, ok = part, true
			}
		}
		a.exact = false
		return a, ok
	case *pattern.Comparison:
		return atomsOfComparison(e)
	}
	return atoms{}, false
}

// rarity orders the kinds by how seldom traffic shows a value by accident, rarest first.
func rarity(k index.Kind) int {
	return slices.Index([]index.Kind{index.FileHash, index.CertHash, index.CertSerial, index.Mutex, index.URL, index.Email,
		index.JA4, index.JA3, index.JA3S, index.Domain, index.Subdomain, index.Address, index.Network, index.Other}, k)
}

func (a atoms) worst() int {
	worst := 0
	for _, atom := range a.any {
		worst = max(worst, rarity(atom.Kind))
	}
	return worst
}

// rarer tells whether a wakes a plan less often than b.
func (a atoms) rarer(b atoms) bool {
	if x, y := a.worst(), b.worst(); x != y {
		return x < y
	}
	return len(a.any) < len(b.any)
}

func atomsOfComparison(e *pattern.Comparison) (atoms, bool) {
	kind, exact := KindOf(e.Path)
	if e.Negated {
		return atoms{}, false
	}
	var constants []pattern.Constant
	switch e.Operator {
	case pattern.Equal:
		constants = []pattern.Constant{e.Value}
	case pattern.In:
		constants = e.Set
	case pattern.Like:
		return subdomains(e, kind, exact)
	case pattern.IsSubset:
		if kind != index.Address {
			return atoms{}, false
		}
		constants = []pattern.Constant{e.Value}
	default:
		return atoms{}, false
	}
	a := atoms{exact: exact}
	for _, c := range constants {
		if c.Kind != pattern.String {
			return atoms{}, false
		}
		atom, ok := atomFor(e.Path, kind, c.Text)
		if !ok {
			return atoms{}, false
		}
		a.any = append(a.any, atom)
	}
	return a, len(a.any) > 0
}

// atomFor makes the atom of an equality.
func atomFor(path pattern.ObjectPath, kind index.Kind, text string) (Atom, bool) {
	if kind == index.Address && strings.Contains(text, "/") {
		kind = index.Network
	}
	if kind == index.Domain {
		if _, is := index.ParseAddress([]byte(text)); is { // published indicators name servers by either
			kind = index.Address
		}
	}
	if kind != index.Other {
		key, ok := index.AppendKey(nil, kind, []byte(text))
		if ok && kind == index.Network && key[16] == 128 {
			return atomFor(path, index.Address, text[:strings.IndexByte(text, '/')])
		}
		return Atom{kind, key}, ok
	}
	if !plain(path) {
		return Atom{}, false
	}
	key, ok := index.AppendText(nil, []byte(path.String()+"="+text))
	return Atom{index.Other, key}, ok
}

// plain tells whether a path names one property of an object: what events carry as index.Other.
func plain(path pattern.ObjectPath) bool {
	return len(path.Steps) == 1 && !strings.HasSuffix(path.Steps[0].Key, "_ref") && !strings.HasSuffix(path.Steps[0].Key, "_refs")
}

// subdomains reads LIKE '%.name' on a domain: every name below this one.
func subdomains(e *pattern.Comparison, kind index.Kind, exact bool) (atoms, bool) {
	rest, ok := strings.CutPrefix(e.Value.Text, "%.")
	if kind != index.Domain || !ok || strings.ContainsAny(rest, "%_") {
		return atoms{}, false
	}
	key, ok := index.AppendDomain(nil, []byte(rest))
	return atoms{any: []Atom{{index.Subdomain, key}}, exact: exact}, ok
}

// KindOf says what kind of value stands at a path. With exact, a value of the kind anywhere in an event decides;
// without, where it stands does as well (a destination is no source).
func KindOf(path pattern.ObjectPath) (kind index.Kind, exact bool) {
	first := path.Steps[0].Key
	last := path.Steps[len(path.Steps)-1]
	one := len(path.Steps) == 1
	switch path.Type {
	case "ipv4-addr", "ipv6-addr":
		if one && first == "value" {
			return index.Address, true
		}
	case "domain-name":
		if one && first == "value" {
			return index.Domain, true
		}
	case "url":
		if one && first == "value" {
			return index.URL, true
		}
	case "email-addr":
		if one && first == "value" {
			return index.Email, true
		}
	case "email-message":
		if last.Kind == pattern.Key && last.Key == "value" {
			return index.Email, false
		}
	case "mutex":
		if one && first == "name" {
			return index.Mutex, true
		}
	case "file", "artifact":
		if first == "hashes" && len(path.Steps) == 2 && isPlainHash(last.Key) {
			return index.FileHash, true
		}
	case "x509-certificate":
		if first == "hashes" && len(path.Steps) == 2 && isPlainHash(last.Key) {
			return index.CertHash, true
		}
		if one && first == "serial_number" {
			return index.CertSerial, true
		}
	case "network-traffic":
		if len(path.Steps) == 2 && last.Key == "value" && (first == "dst_ref" || first == "src_ref") {
			return index.Address, false
		}
	}
	if kind := fingerprintKind(last); kind != 0 {
		return kind, true
	}
	return index.Other, true
}

// isPlainHash tells whether a hash by this name is the bytes themselves, not a fuzzy one.
func isPlainHash(algorithm string) bool {
	name := strings.ToUpper(strings.ReplaceAll(algorithm, "_", "-"))
	return name == "MD5" || strings.HasPrefix(name, "SHA")
}

// fingerprintKind knows the many names under which JA3, JA3S and JA4 stand in patterns.
func fingerprintKind(last pattern.Step) index.Kind {
	if last.Kind != pattern.Key {
		return 0
	}
	name := strings.ToLower(last.Key)
	for _, suffix := range []string{"_hash", "-hash", "_md5", "-md5", "_fingerprint", "-fingerprint", "_digest"} {
		name = strings.TrimSuffix(name, suffix)
	}
	if i := strings.LastIndex(name, "ja"); i >= 0 {
		name = name[i:]
	}
	for _, suffix := range []string{"-fingerprint", "_fingerprint"} {
		name = strings.TrimSuffix(name, suffix)
	}
	switch name {
	case "ja3":
		return index.JA3
	case "ja3s":
		return index.JA3S
	case "ja4":
		return index.JA4
	}
	return 0
}
