package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mithaq/mithaq/internal/arabic"
	"github.com/mithaq/mithaq/internal/record"
)

// partBytes is about how much text makes one part of a record. The words of a query are looked for within one part; a
// STIX object stays in one when it fits.
const partBytes = 16 << 10

// A segment is a piece of text in one language.
type segment struct {
	text string
	lang arabic.Language
}

// content is what the index takes from a record's body.
type content struct {
	parts [][]segment
	stage string // within the record's kind
	size  int    // of the last part
	open  bool
	last  int // the last part that is wanted
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
		c.parts[last] = append(c.parts[last], segment{piece, lang})
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

// contentOf reads the text out of a record.
func contentOf(r record.Record) (content, error) { return contentUpTo(r, math.MaxInt) }

// contentUpTo is contentOf, but reads no further than it must for one part.
func contentUpTo(r record.Record, last int) (content, error) {
	c := content{last: last}
	switch r.Kind {
	case record.KindEpoch, record.KindReceipt:
		return c, nil // for programs alone
	case record.KindKeyring:
		k, err := record.CarriedKeyring(r)
		if err != nil {
			return c, err
		}
		for tag, name := range sortedNames(k.Names) {
			c.add(name, languageOf(tag))
		}
		return c, nil
	}
	w := bodyWalker{content: &c, intel: r.Kind == record.KindIntel, dec: jsontext.NewDecoder(bytes.NewBuffer(r.Body), jsontext.AllowDuplicateNames(true))}
	return c, w.walk()
}

// bodyWalker goes over a body's JSON once.
type bodyWalker struct {
	*content
	dec    *jsontext.Decoder
	intel  bool
	frames []frame
}

// frame is an object or array that the walk is in.
type frame struct {
	array bool
	named bool   // a member's name was read, its value comes next
	name  string // of the member; of an array, the name under which it stands
}

// stixDepth is how deep the members of a bundle's object are: body, bundle, objects, object.
const stixDepth = 4

func (w *bodyWalker) walk() error {
	for len(w.parts)-1 <= w.last {
		tok, err := w.dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch kind := tok.Kind(); kind {
		case '{', '[':
			name := w.name()
			w.frames = append(w.frames, frame{array: kind == '[', name: name})
		case '}', ']':
			if w.intel && len(w.frames) == stixDepth {
				w.unit()
			}
			w.frames = w.frames[:len(w.frames)-1]
			w.valueDone()
		case '"':
			if f := w.top(); f != nil && !f.array && !f.named {
				f.name, f.named = tok.String(), true
				continue
			}
			w.text(tok.String())
			w.valueDone()
		default:
			w.valueDone()
		}
	}
	return nil
}

func (w *bodyWalker) top() *frame {
	if len(w.frames) == 0 {
		return nil
	}
	return &w.frames[len(w.frames)-1]
}

func (w *bodyWalker) name() string {
	if f := w.top(); f != nil {
		return f.name
	}
	return ""
}

func (w *bodyWalker) valueDone() {
	if f := w.top(); f != nil {
		f.named = false
	}
}

// text takes a string value.
func (w *bodyWalker) text(s string) {
	name := w.name()
	if name == "stage" && len(w.frames) == 1 && stageShape(s) {
		w.stage = s
		return
	}
	if silent(name) {
		return
	}
	w.add(s, languageOf(name))
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
func silent(name string) bool {
	switch name {
	case "id", "type", "spec_version", "created", "modified", "revoked", "valid_from", "valid_until", "pattern_type", "pattern_version",
		"lang", "first_seen", "last_seen", "first_observed", "last_observed", "published", "action", "reason", "target", "objects", "parent",
		"proposal", "objects_to", "sha256", "act", "date", "from", "to", "status", "party", "tlp", "pap", "vkey", "origin", "stance", "commitment":
		return true
	}
	return strings.HasSuffix(name, "_ref") || strings.HasSuffix(name, "_refs")
}

// languageOf reads a member's name as a language tag: what it is in a text map.
func languageOf(name string) arabic.Language {
	switch primary, _, _ := strings.Cut(name, "-"); primary {
	case "ar":
		return arabic.Arabic
	case "en":
		return arabic.English
	case "fr":
		return arabic.French
	}
	return arabic.Unknown
}

// filterTerm is the index term that every part of a record of a kind, or under an agreement, has besides its words. No
// word that a person types makes one.
func kindTerm(kind string) string           { return "zzk" + strings.ReplaceAll(kind, "-", "") }
func agreementTerm(agreement string) string { return "zzg" + strings.ReplaceAll(agreement, "-", "") }

// wordsOf makes the index terms of each part.
func wordsOf(x *arabic.Indexer, parts [][]segment, kind, agreement string) []string {
	out := make([]string, len(parts))
	for i, part := range parts {
		var b strings.Builder
		b.Grow(2*partSize(part) + 64)
		put := func(term string) {
			b.WriteByte(' ')
			b.WriteString(term)
		}
		b.WriteString(kindTerm(kind))
		put(agreementTerm(agreement))
		for _, s := range part {
			x.Terms(s.text, s.lang, put)
		}
		out[i] = b.String()
	}
	return out
}

func partSize(part []segment) (n int) {
	for _, s := range part {
		n += len(s.text)
	}
	return n
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
