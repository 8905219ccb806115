package entry

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mithaq/mithaq/internal/arabic"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/stix"
)

// partBytes is about how much text makes one part of a record. The words of a query are looked for within one part; a
// STIX object stays in one when it fits.
const partBytes = 16 << 10

// A Segment is a piece of text in one language.
type Segment struct {
	Text     string
	Language arabic.Language
}

// content is what the index takes from a record's body.
type content struct {
	parts [][]Segment
	stage string // within the record's kind
	size  int    // of the last part
	open  bool
	last  int  // the last part that is wanted
	intel bool // a bundle
}

// unit ends what should stay together: the next text begins a new part when this one is full.
func (c *content) unit() {
	if c.size > partBytes/2 {
		c.open = false
	}
}

func (c *content) add(text string, lang arabic.Language) {
	for text != "" {
		piece := text
		if len(piece) > partBytes {
			piece = piece[:breakBefore(piece, partBytes)]
		}
		text = text[len(piece):]
		if !c.open || c.size > 0 && c.size+len(piece) > partBytes {
			c.parts, c.size, c.open = append(c.parts, nil), 0, true
		}
		last := len(c.parts) - 1
		c.parts[last] = append(c.parts[last], Segment{piece, lang})
		c.size += len(piece) + 1
	}
}

// breakBefore returns where to cut s so that at most n bytes stand before: after white space if there is any.
func breakBefore(s string, n int) int {
	if i := strings.LastIndexAny(s[:n], " \n\t"); i > 0 {
		return i + 1
	}
	for n > 1 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// TextPart reads the text of one part of a record, as the index has it; nil where it has no such part.
func TextPart(r record.Reread, part int) ([]Segment, error) {
	c, err := contentUpTo(r, part)
	if err != nil || part >= len(c.parts) {
		return nil, err
	}
	return c.parts[part], nil
}

// TextIn reads the texts of a STIX object, as the index reads those of a record.
func TextIn(v stix.Value) [][]Segment {
	c := content{last: math.MaxInt}
	c.walk(v, nil, 0)
	return c.parts
}

// contentOf reads the text out of a record.
func contentOf(r record.Reread) (content, error) { return contentUpTo(r, math.MaxInt) }

// contentUpTo is contentOf, but reads no further than it must for one part.
func contentUpTo(r record.Reread, last int) (content, error) {
	c := content{last: last}
	switch r.Record.Kind {
	case record.KindReceipt:
		c.stage = r.Body.Get("state").Text()
		return c, nil // for programs alone
	case record.KindEpoch, record.KindAudit:
		return c, nil // for programs alone
	case record.KindKeyring:
		k, err := record.CarriedKeyring(r.Record)
		if err != nil {
			return c, err
		}
		for _, tag := range slices.Sorted(maps.Keys(k.Names)) {
			c.add(k.Names[tag], languageOf([]byte(tag)))
		}
		return c, nil
	}
	c.intel = r.Record.Kind == record.KindIntel
	c.walk(r.Body, nil, 0)
	return c, nil
}

// stixDepth is how deep the members of a bundle's object are: body, bundle, objects, object.
const stixDepth = 4

// walk goes over a value of a body and all that is in it. name is the member's that it is, or that the list is in which it
// stands; depth is how many values it is in.
func (c *content) walk(v stix.Value, name []byte, depth int) {
	switch {
	case len(c.parts)-1 > c.last:
	case v.IsString():
		c.text(v, name, depth)
	default:
		for member, inner := range v.Children() {
			if member == nil {
				member = name
			}
			c.walk(inner, member, depth+1)
		}
		if c.intel && depth+1 == stixDepth && (v.IsObject() || v.IsList()) {
			c.unit()
		}
	}
}

// text takes a string value.
func (c *content) text(v stix.Value, name []byte, depth int) {
	if depth == 1 && string(name) == "stage" {
		if s := v.Text(); stageShape(s) {
			c.stage = s
			return
		}
	}
	if !silent(name) {
		c.add(v.Text(), languageOf(name))
	}
}

// stageShape says whether a text can be a stage of a kind, as deadlines name it after the kind: early-warning, final.
func stageShape(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && r != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 40
}

// silent says whether a member's text is for programs: ids, references, times, hashes of our own. Hashes that are
// indicators stand in patterns and under the names of algorithms.
func silent(name []byte) bool {
	switch string(name) {
	case "id", "type", "spec_version", "created", "modified", "revoked", "valid_from", "valid_until", "pattern_type", "pattern_version",
		"lang", "first_seen", "last_seen", "first_observed", "last_observed", "published", "action", "reason", "target", "objects", "parent",
		"proposal", "objects_to", "sha256", "act", "date", "from", "to", "status", "party", "tlp", "pap", "vkey", "origin", "stance", "commitment":
		return true
	}
	return bytes.HasSuffix(name, []byte("_ref")) || bytes.HasSuffix(name, []byte("_refs"))
}

// languageOf reads a member's name as a language tag: what it is in a text map.
func languageOf(name []byte) arabic.Language {
	switch primary, _, _ := bytes.Cut(name, []byte("-")); string(primary) {
	case "ar":
		return arabic.Arabic
	case "en":
		return arabic.English
	case "fr":
		return arabic.French
	}
	return arabic.Unknown
}

// KindTerm is the index term that every part of a record of a kind has besides its words. No word that a person types makes one.
func KindTerm(kind string) string { return "zzk" + strings.ReplaceAll(kind, "-", "") }

// AgreementTerm is KindTerm for an agreement.
func AgreementTerm(agreement string) string { return "zzg" + strings.ReplaceAll(agreement, "-", "") }

// numbersOf makes the index terms of each part, as numbers of the vocabulary that the caller asks for afterwards.
func (m *Maker) numbersOf(parts [][]Segment, kind, agreement string) [][]uint32 {
	out := make([][]uint32, len(parts))
	if kind != m.filters.kind || agreement != m.filters.agreement {
		m.filters.kind, m.filters.agreement = kind, agreement
		m.filters.terms = [2]string{KindTerm(kind), AgreementTerm(agreement)}
	}
	for i, part := range parts {
		m.numbers = append(m.numbers[:0], m.Words.Verbatim(m.filters.terms[0]), m.Words.Verbatim(m.filters.terms[1]))
		for _, s := range part {
			m.numbers = m.Words.Numbers(m.numbers, s.Text, s.Language)
		}
		out[i] = slices.Clone(m.numbers)
	}
	return out
}

func namesJSON(names map[string]string) string {
	if len(names) == 0 {
		return ""
	}
	b, err := json.Marshal(names) // sorted by tag
	if err != nil {
		return ""
	}
	return string(b)
}
