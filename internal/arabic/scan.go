package arabic

import (
	"net/netip"
	"strings"
)

// unit is one thing found in a text: a word, or a compound (an indicator, a hyphenated word) with its parts.
type unit struct {
	from, to int      // the places [from, to) it covers
	word     string   // folded; empty for a compound
	hamza    bool     // of the word's first letter
	whole    []string // terms of the compound itself and of what contains it (a domain's parents)
	exact    string   // what a query for the compound looks for; empty: its parts
	parts    []unit
}

// maxCompound bounds one compound, in places: no indicator is longer, and hostile text without spaces is cut up.
const maxCompound = 2048

// scan calls yield for each unit of the folded text, in order.
func scan(f []place, yield func(unit)) {
	for i := 0; i < len(f); {
		switch {
		case isAlnum(f[i].r):
			n := compound(f[i:min(len(f), i+maxCompound)], i, yield)
			i += n
		case isTermRune(f[i].r):
			n := wordLen(f[i:])
			emitWord(f[i:i+n], i, yield)
			i += n
		default:
			i++
		}
	}
}

// wordLen is the length of the run at the start of f that belongs to one word: letters of one side (Arabic or not),
// with apostrophes inside a word that is not Arabic.
func wordLen(f []place) int {
	arab := isArabic(f[0].r)
	n := 1
	for ; n < len(f); n++ {
		r := f[n].r
		if r == '\'' && !arab && n+1 < len(f) && isTermRune(f[n+1].r) && !isArabic(f[n+1].r) {
			continue
		}
		if !isTermRune(r) || isArabic(r) != arab || arab && isAlnum(r) {
			break
		}
	}
	return n
}

// emitWord yields the word f, whose first place is number base, without a French elision or an English possessive.
func emitWord(f []place, base int, yield func(unit)) {
	var b strings.Builder
	from, to := 0, len(f)
	for i := 0; i < to; i++ {
		if f[i].r != '\'' {
			b.WriteRune(f[i].r)
			continue
		}
		switch {
		case elided(b.String()):
			from = i + 1
			b.Reset()
		case i == len(f)-2 && f[i+1].r == 's':
			to = i
		}
	}
	if b.Len() > 0 {
		yield(unit{from: base + from, to: base + to, word: b.String(), hamza: f[from].hamza})
	}
}

// elided says whether a word before an apostrophe is a French one that lost its vowel: l'accord, qu'il, jusqu'au.
func elided(w string) bool {
	switch w {
	case "l", "d", "j", "m", "t", "s", "n", "c", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu":
		return true
	}
	return false
}

// run is one alphanumeric run of a compound and the separator before it.
type run struct {
	sep      string // "", ".", ":", "@", "/", "-", "_" or "://"
	text     string
	from, to int // places, counted from the start of the whole text
}

// compound yields what starts with the ASCII letter or digit f[0], which is place number base, and returns how many
// places it took.
func compound(f []place, base int, yield func(unit)) int {
	var few [8]run
	runs := few[:0]
	n, sep := 0, ""
	for {
		end := n + 1
		for end < len(f) && isAlnum(f[end].r) {
			end++
		}
		runs = append(runs, run{sep: sep, text: text(f[n:end]), from: base + n, to: base + end})
		s, width := separator(f[end:])
		if width == 0 || end+width >= len(f) || !isAlnum(f[end+width].r) {
			// A lone word can go on in letters that are not ASCII, or after an apostrophe.
			if len(runs) == 1 && end < len(f) && (f[end].r == '\'' || isTermRune(f[end].r) && !isArabic(f[end].r)) {
				m := wordLen(f)
				emitWord(f[:m], base, yield)
				return m
			}
			emitCompound(runs, yield)
			return end
		}
		n, sep = end+width, s
	}
}

func text(f []place) string {
	var few [64]byte
	b := few[:0]
	for _, p := range f {
		b = append(b, byte(p.r))
	}
	return string(b)
}

// separator reads what can join two runs of an indicator, defanged or not, and how many places it takes.
func separator(f []place) (string, int) {
	if len(f) == 0 || f[0].r == ' ' || isTermRune(f[0].r) {
		return "", 0
	}
	switch f[0].r {
	case '-':
		return "-", 1
	case '_':
		return "_", 1
	case '@':
		return "@", 1
	case '/':
		return "/", 1
	case '.':
		if len(f) < 2 || f[1].r != ']' {
			return ".", 1
		}
	case ':', '[', '(', '{', '\\':
	default:
		return "", 0
	}
	for _, s := range [...]struct{ written, meant string }{
		{"[://]", "://"}, {"://", "://"}, {"[:]//", "://"}, {":\\\\", "://"},
		{"[.]", "."}, {"(.)", "."}, {"{.}", "."}, {"[dot]", "."}, {"(dot)", "."}, {"\\.", "."}, {"[.", "."}, {".]", "."},
		{"[:]", ":"}, {"[@]", "@"}, {"[at]", "@"}, {"(at)", "@"}, {"[/]", "/"},
		{"::", "::"}, {":", ":"},
	} {
		if hasPrefix(f, s.written) {
			return s.meant, len(s.written)
		}
	}
	return "", 0
}

func hasPrefix(f []place, s string) bool {
	if len(f) < len(s) {
		return false
	}
	for i := range len(s) {
		if f[i].r != rune(s[i]) {
			return false
		}
	}
	return true
}

// emitCompound yields a chain of runs: the pieces between slashes, and their whole when the first is a host.
func emitCompound(runs []run, yield func(unit)) {
	if len(runs) > 1 && runs[1].sep == "://" {
		yield(wordOf(runs[0])) // the scheme; hxxp is http
		emitCompound(runs[1:], yield)
		return
	}
	var units []unit
	start := 0
	for i := 1; i <= len(runs); i++ {
		if i == len(runs) || runs[i].sep == "/" || runs[i].sep == "://" {
			units = append(units, piece(runs[start:i]))
			start = i
		}
	}
	if len(units) > 1 && isHost(units[0]) {
		u := unit{from: runs[0].from, to: runs[len(runs)-1].to, parts: units}
		if whole := encode(joined(runs)); len(whole) <= maxTermBytes {
			u.whole, u.exact = []string{whole}, whole
		}
		yield(u)
		return
	}
	for _, u := range units {
		yield(u)
	}
}

func isHost(u unit) bool { return u.exact != "" && len(u.parts) > 1 }

func wordOf(r run) unit {
	w := r.text
	switch w {
	case "hxxp", "hxtp", "htxp":
		w = "http"
	case "hxxps", "hxtps", "htxps":
		w = "https"
	}
	return unit{from: r.from, to: r.to, word: w}
}

func joined(runs []run) string {
	var b strings.Builder
	for i, r := range runs {
		if i > 0 {
			b.WriteString(r.sep)
		}
		b.WriteString(r.text)
	}
	return b.String()
}

// piece reads runs without a slash among them: a hash, an address, a host with or without a port, a mailbox, an
// identifier, or a hyphenated word.
func piece(runs []run) unit {
	u := unit{from: runs[0].from, to: runs[len(runs)-1].to}
	if len(runs) == 1 {
		if isHash(runs[0].text) {
			u.exact = encode(runs[0].text)
			u.whole = []string{u.exact}
			return u
		}
		return wordOf(runs[0])
	}
	for _, r := range runs {
		u.parts = append(u.parts, wordOf(r))
	}
	s := joined(runs)
	seps := func(sep string) (n int) {
		for _, r := range runs[1:] {
			if r.sep == sep {
				n++
			}
		}
		return n
	}
	colons, ats, dots := seps(":"), seps("@"), seps(".")
	switch {
	case colons >= 2 || strings.Contains(s, "::"):
		if a, err := netip.ParseAddr(s); err == nil {
			s = a.String() // one address has many spellings
		}
		u.exact = encode(s)
		u.whole = []string{u.exact}
	case ats > 0:
		u.exact = encode(s)
		u.whole = []string{u.exact}
		if host := afterLast(runs, "@"); len(host) > 1 {
			u.whole = append(u.whole, parents(host)...)
		}
	case dots > 0:
		host := runs
		if colons == 1 && runs[len(runs)-1].sep == ":" {
			host = runs[:len(runs)-1]
		}
		if len(host) > 1 {
			u.exact = encode(joined(host))
			u.whole = parents(host)
		}
	case identifier(runs):
		u.whole = []string{encode(s)}
		if runs[0].text == "cve" {
			u.exact = u.whole[0]
		}
	}
	if len(u.exact) > maxTermBytes {
		u.exact = ""
	}
	u.whole = shortEnough(u.whole)
	return u
}

func afterLast(runs []run, sep string) []run {
	for i := len(runs) - 1; i > 0; i-- {
		if runs[i].sep == sep {
			return runs[i:]
		}
	}
	return nil
}

// parents returns the terms of a dotted name and of each name above it with a dot still in it, at most eight: what is
// asked for as example.com is found in www.example.com. An address has none above it.
func parents(runs []run) []string {
	s := joined(runs)
	terms := []string{encode(s)}
	if strings.Trim(s, "0123456789.") == "" {
		return terms
	}
	for i := 1; i < len(runs)-1 && len(terms) < 8; i++ {
		if rest := joined(runs[i:]); runs[i].sep == "." && strings.Contains(rest, ".") {
			terms = append(terms, encode(rest))
		}
	}
	return terms
}

func shortEnough(terms []string) []string {
	kept := terms[:0]
	for _, t := range terms {
		if len(t) <= maxTermBytes {
			kept = append(kept, t)
		}
	}
	return kept
}

// identifier says whether hyphens or underscores join something with a digit in it: CVE-2021-44228, APT-29.
func identifier(runs []run) bool {
	for _, r := range runs {
		if strings.ContainsAny(r.text, "0123456789") {
			return true
		}
	}
	return false
}

// isHash says whether a word has the length and the digits of an MD5, SHA-1, SHA-2 or SHA-3 in hexadecimal.
func isHash(s string) bool {
	switch len(s) {
	case 32, 40, 56, 64, 96, 128:
		return strings.Trim(s, "0123456789abcdef") == ""
	}
	return false
}

// indicatorMark begins every term that stands for a whole indicator, so that the term starts with a letter and no
// tokenizer takes it for a number.
const indicatorMark = "zi"

// encode writes an indicator as one run of letters and digits, different indicators differently; a prefix of the
// indicator gives a prefix of the term. z is the escape: . zd, : zc, @ za, / zs, - zh, _ zu, z zz.
func encode(s string) string {
	b := make([]byte, 0, len(indicatorMark)+len(s)+8)
	b = append(b, indicatorMark...)
	for i := range len(s) {
		switch c := s[i]; c {
		case 'z':
			b = append(b, "zz"...)
		case '.':
			b = append(b, "zd"...)
		case ':':
			b = append(b, "zc"...)
		case '@':
			b = append(b, "za"...)
		case '/':
			b = append(b, "zs"...)
		case '-':
			b = append(b, "zh"...)
		case '_':
			b = append(b, "zu"...)
		default:
			b = append(b, c)
		}
	}
	return string(b)
}
