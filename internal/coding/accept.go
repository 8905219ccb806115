package coding

import (
	"cmp"
	"slices"
	"strings"
)

// Coding is a content coding by its registered name; the empty one is the plain form ("identity").
type Coding string

// The codings that can be sent, the one preferred among equals first.
const (
	Zstd Coding = "zstd"
	Gzip Coding = "gzip"
)

func offered() []Coding { return []Coding{Zstd, Gzip} }

// accepted is what a client takes: codings, the best first, and whether it takes the plain form as well. Codings that the
// client likes less than the plain form are left out when it takes that.
type accepted struct {
	codings []Coding
	plain   bool
}

// weight is a quality value in thousandths; absent when the header does not name the coding.
const absent = -1

// accept reads the values of Accept-Encoding (RFC 9110, section 12.5.3). No header asks for nothing, so the plain form is
// sent. An element that breaks the grammar counts as not there; of one named twice the lower weight counts, because what
// was refused once is refused.
func accept(values []string) accepted {
	weights := map[string]int{}
	for _, v := range values {
		for element := range strings.SplitSeq(v, ",") {
			name, q, ok := acceptElement(element)
			if !ok {
				continue
			}
			if before, twice := weights[name]; !twice || q < before {
				weights[name] = q
			}
		}
	}
	of := func(name string) int {
		if q, ok := weights[name]; ok {
			return q
		}
		if q, ok := weights["*"]; ok {
			return q
		}
		return absent
	}
	plain := of("identity")
	a := accepted{plain: plain != 0}
	for _, c := range offered() {
		if q := of(string(c)); q > 0 && q >= plain {
			a.codings = append(a.codings, c)
		}
	}
	slices.SortStableFunc(a.codings, func(x, y Coding) int { return cmp.Compare(of(string(y)), of(string(x))) })
	return a
}

// acceptElement reads one "coding;q=0.5": the name in lower case and the weight in thousandths.
func acceptElement(s string) (name string, q int, ok bool) {
	name, weight, weighed := strings.Cut(s, ";")
	name = strings.ToLower(strings.Trim(name, " \t"))
	if name == "" || strings.ContainsAny(name, " \t=\"") {
		return "", 0, false
	}
	if name == "x-gzip" {
		name = string(Gzip) // section 8.4.1.3
	}
	if !weighed {
		return name, 1000, true
	}
	weight = strings.Trim(weight, " \t")
	if len(weight) < 2 || weight[0]|0x20 != 'q' || weight[1] != '=' {
		return "", 0, false
	}
	q, ok = quality(weight[2:])
	return name, q, ok
}

// quality reads a qvalue, "0" to "1" with at most three decimals, in thousandths (section 12.4.2).
func quality(s string) (int, bool) {
	whole, decimals, _ := strings.Cut(s, ".")
	if whole != "0" && whole != "1" || len(decimals) > 3 {
		return 0, false
	}
	q := 0
	for _, d := range []byte((decimals + "000")[:3]) {
		if d < '0' || d > '9' {
			return 0, false
		}
		q = q*10 + int(d-'0')
	}
	if whole == "1" {
		return 1000, q == 0
	}
	return q, true
}
