package agreement

import (
	"strings"

	"github.com/mithaq/mithaq/internal/agreement/strictoml"
)

// Fields reads the values that agreement files and fact files share: names, texts, dates. Problems go to its log.
type Fields struct {
	log *strictoml.Log
}

// NewFields reads to a log.
func NewFields(log *strictoml.Log) Fields { return Fields{log} }

var (
	countryShape = shaped(`^[A-Z]{2}$`)
	factRefShape = shaped(`^[0-9]{3}-[0-9]{1,3}$`)
)

// Names reads name.en, name.ar, …: short, one line, without bidirectional controls.
func (f Fields) Names(t *strictoml.Table, key string, required bool) Text {
	return f.text(t, key, required, CheckName, "write it in plain letters, on one line, without hidden direction marks")
}

// Text reads text.en, text.ar, …: up to 64 KiB, line breaks allowed.
func (f Fields) Text(t *strictoml.Table, key string, required bool) Text {
	return f.text(t, key, required, CheckText, "remove it, or save the text in Unicode NFC")
}

func (f Fields) text(t *strictoml.Table, key string, required bool, check func(string) error, remedy string) Text {
	if !t.Has(key) {
		if required {
			f.log.Add(t.Pos(), "add "+key+".en = \"…\" and the other languages", "%q is missing", key)
		}
		return nil
	}
	sub := t.Table(key)
	if sub == nil {
		return nil
	}
	out := Text{}
	for _, tag := range sub.Keys() {
		s := sub.Text(tag)
		if err := CheckLanguage(tag); err != nil {
			sub.Fail(tag, "use a tag like en, ar, fr, pt-BR", "%v", err)
			continue
		}
		if err := check(s); err != nil {
			sub.Fail(tag, remedy, "%s.%s: %v", key, tag, err)
			continue
		}
		if s == "" {
			sub.Fail(tag, "write it or remove the key", "%s.%s is empty", key, tag)
			continue
		}
		out[tag] = s
	}
	if len(sub.Keys()) == 0 || len(sub.Keys()) > MaxLanguages {
		t.Fail(key, "keep 1 to 16 languages", "%q has %d languages", key, len(sub.Keys()))
	}
	return out
}

// Aliases reads also.en = ["…"], also.ar = […].
func (f Fields) Aliases(t *strictoml.Table, key string) map[string][]string {
	sub := t.Table(key)
	if sub == nil {
		return nil
	}
	out := map[string][]string{}
	for _, tag := range sub.Keys() {
		if err := CheckLanguage(tag); err != nil {
			sub.Fail(tag, "use a tag like en, ar, fr", "%v", err)
			continue
		}
		for _, w := range sub.Words(tag) {
			if err := CheckName(w.Text); err != nil {
				f.log.Add(w.Pos, "write it in plain letters, on one line, without hidden direction marks", "%v", err)
				continue
			}
			out[tag] = append(out[tag], w.Text)
		}
	}
	return out
}

// Date reads a date in its short form, "2013-05", or as a table with at, calendar, relative, said, time, zone, printed, also.
func (f Fields) Date(t *strictoml.Table, key string) FuzzyDate {
	if !t.Has(key) {
		return FuzzyDate{}
	}
	const remedy = "write YYYY-MM-DD, YYYY-MM, YYYY-summer or YYYY, or a table with at, relative and said, printed"
	var d FuzzyDate
	if t.IsText(key) {
		d = FuzzyDate{At: t.Text(key)}
	} else {
		sub := t.Table(key)
		if sub == nil {
			return FuzzyDate{}
		}
		d = FuzzyDate{At: sub.Text("at"), Calendar: Calendar(sub.Text("calendar")), Relative: sub.Text("relative"), Said: sub.Text("said"),
			Time: sub.Text("time"), Zone: sub.Text("zone"), Printed: f.printed(sub)}
		for _, b := range sub.Tables("also") {
			d.Also = append(d.Also, Beside{At: b.Need("at"), Calendar: Calendar(b.Need("calendar")), Printed: f.printed(b)})
			b.Done()
		}
		sub.Done()
	}
	if d.IsZero() {
		t.Fail(key, remedy, "the date says nothing")
	}
	if err := d.Check(); err != nil {
		t.Fail(key, remedy, "%v", err)
	}
	return d
}

func (f Fields) printed(t *strictoml.Table) string {
	s := t.Text("printed")
	if s != "" {
		if err := CheckName(s); err != nil {
			t.Fail("printed", "keep the few words or digits that were printed", "%v", err)
		}
	}
	return s
}

// FactRefs reads refs = ["004-1"].
func (f Fields) FactRefs(t *strictoml.Table) []string {
	var out []string
	for _, w := range t.Words("refs") {
		if !factRefShape().MatchString(w.Text) {
			f.log.Add(w.Pos, "write a document and a number, as 004-1", "%q is not the number of a fact", clip(w.Text))
			continue
		}
		out = append(out, w.Text)
	}
	return out
}

// Line reads one line of plain text: a place in a source, a publisher, a title.
func (f Fields) Line(t *strictoml.Table, key string) string {
	s := t.Text(key)
	if s != "" {
		if err := CheckName(s); err != nil {
			t.Fail(key, "write one plain line", "%s: %v", key, err)
		}
	}
	return s
}

// URL reads an https address.
func (f Fields) URL(t *strictoml.Table, key string) string {
	s := t.Text(key)
	if s == "" {
		return ""
	}
	if !strings.HasPrefix(s, "https://") || len(s) > 2048 || strings.ContainsAny(s, " \t\n\"<>\\^`{|}") || CheckText(s) != nil {
		t.Fail(key, "write the whole address, beginning with https://", "%q is not an https address", clip(s))
	}
	return s
}

// Period reads an ISO 8601 length of time.
func (f Fields) Period(t *strictoml.Table, key string) Period {
	s := t.Text(key)
	if s == "" {
		return Period{}
	}
	p, err := ParsePeriod(s)
	if err != nil {
		t.Fail(key, "write P and a length: PT24H, P30D, P1M, P1Y", "%v", err)
	}
	return p
}

// Party reads a [[party]].
func (f Fields) Party(t *strictoml.Table, label string) Party {
	kinds := make([]string, 0, 9)
	for _, k := range PartyKinds() {
		kinds = append(kinds, string(k))
	}
	p := Party{Label: label, Kind: PartyKind(t.OneOf("kind", "", kinds...)), ID: t.Text("id"), Names: f.Names(t, "name", true),
		Short: f.Names(t, "short", false), Also: f.Aliases(t, "also"), Country: t.Text("country"), Office: f.Names(t, "office", false),
		Fictional: t.Bool("fictional", false)}
	if p.ID != "" && !isParty(p.ID) {
		t.Fail("id", "copy it from the party's node, with its fingerprint compared", "%q is not a party id", clip(p.ID))
	}
	if p.Country != "" && !countryShape().MatchString(p.Country) {
		t.Fail("country", "write the two capital letters of ISO 3166-1", "%q is not a country code", clip(p.Country))
	}
	if term := t.Table("term"); term != nil {
		p.Term = Term{From: f.Date(term, "from"), To: f.Date(term, "to")}
		term.Done()
	}
	return p
}

// Source reads a [[source]].
func (f Fields) Source(t *strictoml.Table, label string) Source {
	s := Source{Label: label, Kind: t.OneOf("kind", "", SourceKinds()...), Title: f.Names(t, "title", true), Publisher: f.Line(t, "publisher"),
		URL: f.URL(t, "url"), Document: t.Text("document"), Language: t.Text("language"), Date: f.Date(t, "date"), Protected: t.Bool("protected", false)}
	if s.Language != "" {
		f.language(t, "language", s.Language)
	}
	return s
}

func (f Fields) language(t *strictoml.Table, key, tag string) {
	if err := CheckLanguage(tag); err != nil {
		t.Fail(key, "use a tag like en, ar, fr", "%v", err)
	}
}

// Statement reads what every sourced statement carries. reliable answers whether a source can make it verified.
func (f Fields) Statement(t *strictoml.Table, source string, reliable func(string) bool) (status Status, confidence Confidence, place string) {
	status = Status(t.OneOf("status", "", string(Reported), string(Verified)))
	confidence = Confidence(t.OneOf("confidence", string(Moderate), string(Low), string(Moderate), string(High)))
	place = f.Line(t, "place")
	if source == "" {
		f.log.Add(t.Pos(), "add source = \"…\" with the label of a source", "a statement without a source")
		return status, confidence, place
	}
	if status == Verified && !reliable(source) {
		t.Fail("status", "write status = \"reported\", or name an official source", "source %q is not an official one, so this is not verified", clip(source))
	}
	return status, confidence, place
}

// Claim reads a [[claim]] but for its label, its source and the claims it is against, which name things of its file.
func (f Fields) Claim(t *strictoml.Table, label, source string, reliable func(string) bool) Claim {
	c := Claim{Label: label, About: t.Text("about"), Says: f.Text(t, "says", true), Kind: t.OneOf("kind", "fact", ClaimKinds()...),
		Source: source, Language: t.Text("language"), SaidBy: f.Names(t, "said-by", false), Protected: t.Bool("protected", false),
		Date: f.Date(t, "date"), Refs: f.FactRefs(t)}
	c.Status, c.Confidence, c.Place = f.Statement(t, source, reliable)
	if c.Language != "" {
		f.language(t, "language", c.Language)
	}
	if c.Kind == "accusation" && c.Status == Verified {
		t.Fail("status", "write status = \"reported\": that it was said is all that a source shows", "an accusation is never verified")
	}
	if n := t.Table("count"); n != nil {
		c.Count = &Count{Of: f.Line(n, "of"), Number: n.Int("number", 0, 0, 1<<30), Bound: n.OneOf("bound", "exactly", "exactly", "over", "about")}
		if c.Count.Of == "" {
			n.Fail("of", "add of = \"states\"", "what is counted?")
		}
		n.Done()
	}
	if (c.Kind == "count") != (c.Count != nil) {
		t.Fail("kind", "write kind = \"count\" together with count = { of = \"…\", number = … }", "a count has a number, and nothing else has")
	}
	return c
}
