package agreement

import (
	"reflect"
	"strconv"
)

func (w *writer) head(a *Agreement) {
	w.raw("\n[agreement]\n")
	w.str("label", a.Label)
	w.str("type", a.Type)
	w.str("force", a.Force)
	w.str("version", a.Version)
	w.str("mode", string(a.Mode))
	w.yes("fictional", a.Fictional)
	w.text("name", a.Names)
	w.text("short", a.Short)
	w.aliases("also", a.Also)
	w.date("date", a.Date)
	w.text("place", a.Place)
	w.text("purpose", a.Purpose)
	w.str("depositary", a.Depositary)
	w.list("founders", a.Founders)
	w.list("sectors", a.Sectors)
	w.str("source", a.Source)
	if a.Backfill != BackfillNone {
		w.str("newcomers", string(a.Backfill))
	}
}

// rules writes the words and the rules by which the state changes.
func (w *writer) rules(a *Agreement) {
	if len(a.Words) > 0 {
		w.raw("\n# The words this agreement uses for its own acts.\n[words]\n")
		for _, key := range WordKeys() {
			w.text(key, a.Words[key])
		}
	}
	if a.Mode != Shelf || a.Terms != DefaultTerms() {
		t := a.Terms
		w.raw("\n# How many must agree before the agreement itself changes.\n[terms]\n")
		w.str("founding", string(t.Founding))
		w.str("amendment", string(t.Amendment))
		w.str("accession", t.Accession)
		w.str("admission", string(t.Admission))
		w.str("removal", string(t.Removal))
		w.str("succession", string(t.Succession))
		w.period("silence", t.Silence)
		w.period("review", t.Review)
	}
	for i, o := range a.Officers {
		w.first(i, "How many officers of a party sign which acts.")
		w.section("officers")
		acts := make([]string, len(o.Acts))
		for j, k := range o.Acts {
			acts[j] = string(k)
		}
		w.list("acts", acts)
		w.num("signatures", o.Signatures)
		w.num("of", o.Of)
		w.yes("mandate", o.Mandate)
	}
	if len(a.Witnesses.Of) > 0 {
		w.raw("\n# Who watches that the roll only grows; k of them must co-sign.\n[witnesses]\n")
		w.num("k", a.Witnesses.K)
		w.list("of", a.Witnesses.Of)
	}
	if a.Quota != (Quota{}) {
		w.raw("\n# What one author may bring in.\n[quota]\n")
		w.num("records-per-day", a.Quota.RecordsPerDay)
		w.num("megabytes-per-day", a.Quota.MegabytesPerDay)
		w.num("indicators", a.Quota.IndicatorsTotal)
	}
}

func (w *writer) source(s *Source) {
	w.section("source")
	w.str("label", s.Label)
	w.str("kind", s.Kind)
	w.text("title", s.Title)
	w.str("publisher", s.Publisher)
	w.str("url", s.URL)
	w.str("document", s.Document)
	w.str("language", s.Language)
	w.date("date", s.Date)
	w.yes("protected", s.Protected)
}

func (w *writer) party(p *Party) {
	w.section("party")
	w.str("label", p.Label)
	w.str("kind", string(p.Kind))
	w.str("id", p.ID)
	w.text("name", p.Names)
	w.text("short", p.Short)
	w.aliases("also", p.Also)
	w.str("country", p.Country)
	w.str("of", p.Of)
	w.text("office", p.Office)
	w.yes("fictional", p.Fictional)
	if !reflect.DeepEqual(p.Term, Term{}) {
		w.raw("[party.term]\n")
		w.date("from", p.Term.From)
		w.date("to", p.Term.To)
	}
}

func (w *writer) authentic(t *AuthenticText) {
	w.section("text")
	w.str("language", t.Language)
	if !t.Authentic {
		w.raw("authentic = false\n")
	}
	w.str("title", t.Title)
	w.str("url", t.URL)
	w.str("sha256", t.SHA256)
	w.str("size", t.Size)
	w.date("modified", t.Modified)
	w.str("source", t.Source)
}

func (w *writer) deadline(d *Deadline) {
	w.section("deadline")
	w.str("label", d.Label)
	w.text("name", d.Names)
	w.str("starts", d.Starts)
	w.str("due", d.Due)
	w.period("within", d.Within)
	w.period("every", d.Every)
	if d.AtLeast != 1 {
		w.num("at-least", d.AtLeast)
	}
	w.text("note", d.Note)
	w.str("source", d.Source)
	w.str("place", d.Place)
}

func (w *writer) commitment(c *Commitment) {
	w.section("commitment")
	w.str("label", c.Label)
	w.str("article", c.Article)
	w.str("group", c.Group)
	w.text("name", c.Names)
	w.text("text", c.Text)
	w.text("note", c.Note)
	w.list("kinds", c.Kinds)
	w.list("deadlines", c.Deadlines)
	w.list("refs", c.Refs)
	w.str("source", c.Source)
	w.str("place", c.Place)
}

func (w *writer) act(x *WorldAct) {
	w.section("act")
	w.str("party", x.Party)
	w.str("act", string(x.Act))
	w.date("date", x.Date)
	w.text("government", x.Government)
	w.text("by", x.By)
	w.statement(x.Status, x.Confidence, x.Source, x.Place)
	w.text("note", x.Note)
	w.list("refs", x.Refs)
}

func (w *writer) statement(status Status, confidence Confidence, source, place string) {
	w.str("status", string(status))
	if confidence != Moderate {
		w.str("confidence", string(confidence))
	}
	w.str("source", source)
	w.str("place", place)
}

func (w *writer) claim(c *Claim) {
	w.section("claim")
	w.str("label", c.Label)
	w.str("about", c.About)
	if c.Kind != "fact" {
		w.str("kind", c.Kind)
	}
	w.text("says", c.Says)
	w.statement(c.Status, c.Confidence, c.Source, c.Place)
	w.str("language", c.Language)
	w.text("said-by", c.SaidBy)
	w.yes("protected", c.Protected)
	w.date("date", c.Date)
	if c.Count != nil {
		parts := inline{}.add("of", c.Count.Of)
		parts = append(parts, "number = "+strconv.Itoa(c.Count.Number))
		if c.Count.Bound != "exactly" {
			parts = parts.add("bound", c.Count.Bound)
		}
		w.raw("count = " + parts.String() + "\n")
	}
	w.list("against", c.Against)
	w.list("refs", c.Refs)
}
