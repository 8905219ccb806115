package exchange

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/stix"
)

// Indicator is a STIX indicator as exports read it, with what the record that carried it says.
type Indicator struct {
	ID           string
	Name         string
	Description  string
	Labels       []string
	Types        []string
	Created      time.Time
	Modified     time.Time
	From, Until  time.Time // zero: not said
	Confidence   int       // 0 to 100; -1: not said
	Revoked      bool
	PatternType  string
	Pattern      string
	CreatedBy    string // a STIX id
	Alternatives [][]Term
	// Inexpressible says why there are no alternatives; empty when there are some.
	Inexpressible string
	Origin        Origin
}

// Origin is where an object stands: what every export carries beside the object itself.
type Origin struct {
	Agreement string // id
	Label     string // what people call the agreement
	Record    string // record id
	Leaf      string // leaf hash, hexadecimal
	Author    string // party id
	Name      string // the author's name
	TLP       string // "TLP:AMBER": the stricter of the record's and the object's
	PAP       string
	Mark      string // what stands on everything invented; empty for what is real
}

// ReadIndicator reads an indicator. The error says that the object is none; a pattern that cannot be taken apart is no error.
func ReadIndicator(o stix.Object, origin Origin) (Indicator, error) {
	if o.Type != "indicator" {
		return Indicator{}, fmt.Errorf("reading an indicator: %s is none", Clip(o.ID))
	}
	v, err := o.Open()
	if err != nil {
		return Indicator{}, fmt.Errorf("reading indicator %s: %w", Clip(o.ID), err)
	}
	in := Indicator{ID: o.ID, Name: v.Get("name").Text(), Description: v.Get("description").Text(), Labels: v.Get("labels").Texts(),
		Types: v.Get("indicator_types").Texts(), Created: o.Created, Modified: o.Modified, Confidence: -1, Revoked: o.Revoked,
		PatternType: v.Get("pattern_type").Text(), Pattern: v.Get("pattern").Text(), CreatedBy: v.Get("created_by_ref").Text(), Origin: origin}
	if n, ok := v.Get("confidence").Int(); ok && n >= 0 && n <= 100 {
		in.Confidence = int(n)
	}
	for name, to := range map[string]*time.Time{"valid_from": &in.From, "valid_until": &in.Until} {
		if at, err := stix.ParseTimestamp(v.Get(name).Text()); err == nil {
			*to = at
		}
	}
	if in.PatternType == "" {
		in.PatternType = "stix" // STIX 2.0 knew no other
	}
	if in.PatternType != "stix" {
		in.Inexpressible = "its pattern is of type " + Clip(in.PatternType)
		return in, nil
	}
	if in.Alternatives, err = Alternatives(in.Pattern); err != nil {
		in.Inexpressible = OneLine(err.Error())
	}
	return in, nil
}

// Title is how an indicator is called in one line: its name, else its first value, else its id.
func (in *Indicator) Title() string {
	if name := strings.TrimSpace(OneLine(in.Name)); name != "" {
		return Clip(name)
	}
	if len(in.Alternatives) > 0 {
		return Clip(in.Alternatives[0][0].Value)
	}
	return in.ID
}

// UUID is the identifier without its type.
func (in *Indicator) UUID() string {
	_, uuid, _ := stix.SplitID(in.ID)
	return uuid
}

// Single gives the value of an alternative that is about one value alone. A port or a protocol beside an address does not
// count as one; with then tells that there was one.
func Single(terms []Term) (t Term, with []Term, ok bool) {
	main := slices.DeleteFunc(slices.Clone(terms), func(t Term) bool { k := t.Kind(); return k == Port || k == Protocol })
	if len(main) != 1 {
		return Term{}, nil, false
	}
	for _, t := range terms {
		if t != main[0] {
			with = append(with, t)
		}
	}
	return main[0], with, true
}

// Writer writes indicators in one format.
type Writer interface {
	// Add writes one. The error is that of the writer below; what the format cannot carry is in the report.
	Add(in Indicator) error
	// Close writes what is left and says what became of it all. It does not close the writer below.
	Close() (Report, error)
}
