package agreement

import (
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement/strictoml"
)

func (l *loader) file(root *strictoml.Table) {
	head := root.Table("agreement")
	if head == nil {
		if !root.Has("agreement") {
			root.Fail("agreement", "add an [agreement] section with label, type, force, version, mode and names", "the file describes no agreement")
		}
		return
	}
	// Sources first: whether a statement can be verified depends on them.
	for _, t := range root.Tables("source") {
		l.a.Sources = append(l.a.Sources, l.fields.Source(t, l.label(t, spaceSource)))
		t.Done()
	}
	l.head(head)
	l.words(root.Table("words"))
	l.terms(root)
	for _, t := range root.Tables("party") {
		l.party(t)
	}
	for _, t := range root.Tables("text") {
		l.text(t)
	}
	for _, t := range root.Tables("commitment") {
		l.commitment(t)
	}
	for _, t := range root.Tables("item") {
		l.item(t)
	}
	for _, t := range root.Tables("deadline") {
		l.deadline(t)
	}
	l.rules(root.Tables("rule"))
	for _, t := range root.Tables("crosswalk") {
		l.crosswalk(t)
	}
	for _, t := range root.Tables("link") {
		l.a.Links = append(l.a.Links, Link{To: l.remote(t, "to", false), Relation: t.OneOf("relation", "", LinkRelations()...),
			Note: l.fields.Text(t, "note", false)})
		t.Done()
	}
	for _, t := range root.Tables("act") {
		l.act(t)
	}
	for _, t := range root.Tables("claim") {
		l.claim(t)
	}
	l.whole(head)
}

func (l *loader) head(t *strictoml.Table) {
	a, f := l.a, l.fields
	a.Label = t.Need("label")
	if a.Label != "" {
		if err := CheckLabel(a.Label); err != nil {
			t.Fail("label", "shorten it, or use only letters, digits, dots and hyphens", "%v", err)
		}
	}
	a.Type = t.OneOf("type", "", Types()...)
	a.Force = t.OneOf("force", "", Forces()...)
	a.Version = t.Need("version")
	if len(a.Version) > 64 || a.Version != "" && CheckName(a.Version) != nil {
		t.Fail("version", "write a short version like 1 or 2023", "version %q is not a short line", clip(a.Version))
	}
	a.Mode = Mode(t.OneOf("mode", "", string(Depositary), string(Pair), string(Shelf)))
	a.Fictional = t.Bool("fictional", false)
	a.Names = f.Names(t, "name", true)
	a.Short = f.Names(t, "short", false)
	a.Also = f.Aliases(t, "also")
	a.Date = f.Date(t, "date")
	a.Place = f.Names(t, "place", false)
	a.Purpose = f.Text(t, "purpose", false)
	a.Depositary = l.ref(t, "depositary", spaceParty)
	a.Source = l.ref(t, "source", spaceSource)
	a.Founders = l.refsOf(t, "founders", spaceParty)
	a.Backfill = Backfill(t.OneOf("newcomers", string(BackfillNone), string(BackfillNone), string(BackfillYear), string(BackfillAll)))
	for _, w := range t.Words("sectors") {
		if !remoteShape(w.Text, true) {
			l.log.Add(w.Pos, "write list/item, as us-sectors/energy", "%q does not name an item of a list", clip(w.Text))
		} else {
			l.elsewhere(w.Pos, w.Text)
		}
		a.Sectors = append(a.Sectors, w.Text)
	}
	t.Done()
}

func (l *loader) words(t *strictoml.Table) {
	if t == nil {
		return
	}
	l.a.Words = map[string]Text{}
	for _, key := range WordKeys() {
		if names := l.fields.Names(t, key, false); names != nil {
			l.a.Words[key] = names
		}
	}
	t.Done()
}

func (l *loader) terms(root *strictoml.Table) {
	l.a.Terms = DefaultTerms()
	if t := root.Table("terms"); t != nil {
		terms := &l.a.Terms
		for _, x := range []struct {
			key string
			to  *Threshold
		}{{"founding", &terms.Founding}, {"amendment", &terms.Amendment}, {"admission", &terms.Admission},
			{"removal", &terms.Removal}, {"succession", &terms.Succession}} {
			if s := t.Text(x.key); s != "" {
				k, err := ParseThreshold(s)
				if err != nil {
					t.Fail(x.key, "write \"all\", \"two-thirds\", \"majority\" or \"3\"", "%s: %v", x.key, err)
					continue
				}
				*x.to = k
			}
		}
		terms.Accession = t.OneOf("accession", terms.Accession, AccessionOpen, AccessionInvitation, AccessionApproval)
		if p := l.fields.Period(t, "silence"); !p.IsZero() {
			terms.Silence = p
		}
		terms.Review = l.fields.Period(t, "review")
		t.Done()
	}
	for _, t := range root.Tables("officers") {
		r := OfficerRule{Signatures: t.Int("signatures", 1, 1, 16), Of: t.Int("of", 0, 0, 256), Mandate: t.Bool("mandate", false)}
		for _, w := range t.Words("acts") {
			if !slices.Contains(ActKinds(), ActKind(w.Text)) {
				l.log.Add(w.Pos, "write an act like join or withdraw", "%q is not an act", clip(w.Text))
			}
			r.Acts = append(r.Acts, ActKind(w.Text))
		}
		if r.Of != 0 && r.Of < r.Signatures {
			t.Fail("of", "name at least as many officers as signatures", "%d signatures of %d officers cannot be had", r.Signatures, r.Of)
		}
		l.a.Officers = append(l.a.Officers, r)
		t.Done()
	}
	if t := root.Table("witnesses"); t != nil {
		l.a.Witnesses = Witnesses{K: t.Int("k", 0, 0, 15), Of: l.refsOf(t, "of", spaceParty)}
		if err := l.a.Witnesses.Check(); err != nil {
			t.Fail("k", "change k or the list", "%v", err)
		}
		l.witnesses = t
		t.Done()
	}
	if t := root.Table("quota"); t != nil {
		const most = 1 << 30
		l.a.Quota = Quota{RecordsPerDay: t.Int("records-per-day", 0, 1, most), MegabytesPerDay: t.Int("megabytes-per-day", 0, 1, most),
			IndicatorsTotal: t.Int("indicators", 0, 1, most)}
		t.Done()
	}
}

func (l *loader) party(t *strictoml.Table) {
	p := l.fields.Party(t, l.label(t, spaceParty))
	p.Of = l.ref(t, "of", spaceParty)
	if p.Fictional && !l.a.Fictional {
		t.Fail("fictional", "remove it, or mark the agreement itself fictional = true", "party %q is invented and the agreement is real", p.Label)
	}
	l.a.Parties = append(l.a.Parties, p)
	t.Done()
}

func (l *loader) text(t *strictoml.Table) {
	x := AuthenticText{Language: t.Need("language"), Authentic: t.Bool("authentic", true), Title: l.fields.Line(t, "title"), URL: l.fields.URL(t, "url"),
		SHA256: t.Text("sha256"), Size: l.fields.Line(t, "size"), Modified: l.fields.Date(t, "modified"), Source: l.ref(t, "source", spaceSource)}
	if x.Language != "" {
		l.fields.language(t, "language", x.Language)
	}
	if x.SHA256 != "" && !isHash(x.SHA256) {
		t.Fail("sha256", "write the 64 lower-case hexadecimal digits of the file's SHA-256", "%q is not a SHA-256", clip(x.SHA256))
	}
	l.a.Texts = append(l.a.Texts, x)
	t.Done()
}

func (l *loader) commitment(t *strictoml.Table) {
	f := l.fields
	c := Commitment{Label: l.label(t, spaceNumber), Article: f.Line(t, "article"), Group: f.Line(t, "group"), Names: f.Names(t, "name", true),
		Text: f.Text(t, "text", false), Note: f.Text(t, "note", false), Kinds: l.kinds(t, "kinds"), Deadlines: l.refsOf(t, "deadlines", spaceDeadline),
		Refs: f.FactRefs(t), Source: l.ref(t, "source", spaceSource), Place: f.Line(t, "place")}
	l.a.Commitments = append(l.a.Commitments, c)
	t.Done()
}

func (l *loader) kinds(t *strictoml.Table, key string) []string {
	var out []string
	for _, w := range t.Words(key) {
		switch {
		case !slices.Contains(RecordKinds(), w.Text):
			l.log.Add(w.Pos, "write a kind like incident, request or report", "%q is not a kind of record", clip(w.Text))
		case slices.Contains(out, w.Text):
			l.log.Add(w.Pos, "remove one", "%q is listed twice", w.Text)
		default:
			out = append(out, w.Text)
		}
	}
	return out
}

func (l *loader) kind(t *strictoml.Table, key string) string {
	s := t.Text(key)
	kind, stage, staged := strings.Cut(s, "/")
	switch {
	case s != "" && !slices.Contains(RecordKinds(), kind):
		t.Fail(key, "write a kind like incident, request or report", "%q is not a kind of record", clip(s))
	case staged && CheckLabel(stage) != nil:
		t.Fail(key, "write a stage of the kind, as incident/final", "%q names no stage", clip(s))
	}
	return s
}

func (l *loader) item(t *strictoml.Table) {
	l.a.Items = append(l.a.Items, Item{Label: l.label(t, spaceNumber), Group: l.ref(t, "group", spaceNumber), Code: l.fields.Line(t, "code"),
		Names: l.fields.Names(t, "name", true), Note: l.fields.Text(t, "note", false)})
	t.Done()
}

func (l *loader) deadline(t *strictoml.Table) {
	f := l.fields
	d := Deadline{Label: l.label(t, spaceDeadline), Names: f.Names(t, "name", true), Starts: l.kind(t, "starts"), Due: l.kind(t, "due"),
		Within: f.Period(t, "within"), Every: f.Period(t, "every"), AtLeast: t.Int("at-least", 1, 1, 1000), Note: f.Text(t, "note", false),
		Source: l.ref(t, "source", spaceSource), Place: f.Line(t, "place")}
	switch {
	case d.Due == "":
		t.Fail("due", "add due = \"…\", the kind of record that meets it", "nothing can meet deadline %q", d.Label)
	case d.Every.IsZero() == d.Within.IsZero():
		t.Fail("within", "write starts and within, or every", "deadline %q must either follow something or recur", d.Label)
	case d.Every.IsZero() && d.Starts == "":
		t.Fail("starts", "add starts = \"…\", the kind of record that starts it", "nothing starts deadline %q", d.Label)
	case !d.Every.IsZero() && d.Starts != "":
		t.Fail("starts", "remove it, or write within instead of every", "deadline %q recurs and is started by nothing", d.Label)
	}
	l.a.Deadlines = append(l.a.Deadlines, d)
	t.Done()
}

func (l *loader) rules(tables []*strictoml.Table) {
	for i, t := range tables {
		r := Rule{Label: l.label(t, spaceRule), Names: l.fields.Names(t, "name", true), Cedar: t.Need("cedar")}
		t.Done()
		l.a.Rules = append(l.a.Rules, r)
		switch {
		case i == MaxRules:
			t.Fail("label", "merge rules", "more than %d rules", MaxRules)
		case len(r.Cedar) > MaxRuleBytes:
			t.Fail("cedar", "say it in several rules", "rule %q has %d bytes, more than %d", r.Label, len(r.Cedar), MaxRuleBytes)
		case CheckText(r.Cedar) != nil || strings.ContainsFunc(r.Cedar, isBidiControl):
			t.Fail("cedar", "retype it in plain characters", "rule %q holds characters that do not show", r.Label)
		case l.opt.Rules != nil && r.Cedar != "":
			if err := l.opt.Rules.CheckRule(r.Label, r.Cedar); err != nil {
				t.Fail("cedar", "see which attributes a rule may use, and make it simpler", "rule %q: %v", r.Label, err)
			}
		}
	}
}

func (l *loader) crosswalk(t *strictoml.Table) {
	c := Crosswalk{From: l.ref(t, "from", spaceNumber), To: l.remote(t, "to", true),
		Relation: Relation(t.OneOf("relation", "", string(Same), string(Broader), string(Narrower), string(Related))), Note: l.fields.Text(t, "note", false)}
	if c.From == "" {
		t.Fail("from", "add from = \"…\", a label of this file", "a crosswalk from nowhere")
	}
	pair := c.From + " " + c.To
	if l.related == nil {
		l.related = map[string]bool{}
	}
	if l.related[pair] {
		t.Fail("to", "keep one", "%s is already related to %s", clip(c.From), clip(c.To))
	}
	l.related[pair] = true
	l.a.Crosswalks = append(l.a.Crosswalks, c)
	t.Done()
}

func (l *loader) remote(t *strictoml.Table, key string, item bool) string {
	s := t.Need(key)
	if s != "" && !remoteShape(s, item) {
		t.Fail(key, "write agreement/number, as un-norms/f; a link names the agreement alone", "%q does not name a place in another agreement", clip(s))
		return s
	}
	if s != "" {
		l.elsewhere(t.At(key), s)
	}
	return s
}

// elsewhere reports a place in a known agreement that is not there.
func (l *loader) elsewhere(pos strictoml.Pos, place string) {
	if l.opt.Elsewhere == nil {
		return
	}
	agreement, label, _ := strings.Cut(place, "/")
	if known, ok := l.opt.Elsewhere(agreement, label); known && !ok {
		l.log.Add(pos, "correct it: 'mithaq agreement show "+agreement+"' lists what is there", "%s has no commitment or entry %q", agreement, clip(label))
	}
}

func remoteShape(s string, item bool) bool {
	agreement, label, ok := strings.Cut(s, "/")
	return ok == item && labelShape().MatchString(agreement) && (!item || labelShape().MatchString(label))
}

func (l *loader) act(t *strictoml.Table) {
	f := l.fields
	kinds := make([]string, 0, 13)
	for _, k := range ActKinds() {
		kinds = append(kinds, string(k))
	}
	x := WorldAct{Party: l.ref(t, "party", spaceParty), Act: ActKind(t.OneOf("act", "", kinds...)), Date: f.Date(t, "date"),
		Government: f.Names(t, "government", false), By: f.Names(t, "by", false), Source: l.ref(t, "source", spaceSource),
		Note: f.Text(t, "note", false), Refs: f.FactRefs(t)}
	if x.Party == "" {
		t.Fail("party", "add party = \"…\"", "an act without a party")
	}
	x.Status, x.Confidence, x.Place = f.Statement(t, x.Source, l.reliable)
	l.a.Acts = append(l.a.Acts, x)
	t.Done()
}

func (l *loader) claim(t *strictoml.Table) {
	c := l.fields.Claim(t, l.label(t, spaceClaim), l.ref(t, "source", spaceSource), l.reliable)
	if c.About != "" {
		space := spaceNumber
		if _, ok := l.labels[spaceNumber][c.About]; !ok {
			space = spaceParty
		}
		l.refs = append(l.refs, reference{t.At("about"), space, c.About})
	}
	c.Against = l.refsOf(t, "against", spaceClaim)
	l.a.Claims = append(l.a.Claims, c)
	t.Done()
}

// whole checks what no single section can.
func (l *loader) whole(head *strictoml.Table) {
	a := l.a
	switch {
	case a.Mode == Depositary && a.Depositary == "":
		head.Fail("depositary", "add depositary = \"…\" with a party's label, or mode = \"pair\"", "nobody keeps the roll")
	case a.Mode == Pair && len(a.Founders) != 2:
		head.Fail("founders", "name the two parties: founders = [\"…\", \"…\"]", "pair mode is for two parties, not %d", len(a.Founders))
	case a.Mode == Pair && a.Depositary != "":
		head.Fail("depositary", "remove it, or write mode = \"depositary\"", "two parties alone need no depositary")
	case a.Mode == Depositary && len(a.Founders) == 0:
		head.Fail("founders", "name at least the party that starts it: founders = [\"…\"]", "nobody founds the agreement")
	}
	if a.Mode != Shelf {
		for _, label := range a.Founders {
			if p, ok := a.Party(label); ok && p.ID == "" {
				head.Fail("founders", "add id = \"p-…\" to that party", "founder %q has no party id, so its acts cannot be recognised", label)
			}
		}
		if p, ok := a.Party(a.Depositary); ok && p.ID == "" {
			head.Fail("depositary", "add id = \"p-…\" to that party", "depositary %q has no party id", a.Depositary)
		}
	}
	l.checkWitnesses()
	if a.Mode == Pair && (a.Terms.Founding.Of(2) != 2 || a.Terms.Amendment.Of(2) != 2) {
		head.Fail("mode", "remove founding and amendment from [terms]", "between two parties alone nothing takes force without both")
	}
	ids := map[string]string{}
	for _, p := range a.Parties {
		if other, ok := ids[p.ID]; ok && p.ID != "" {
			head.Fail("label", "correct one of the two ids", "parties %q and %q have the same id", other, p.Label)
		}
		ids[p.ID] = p.Label
	}
}

// checkWitnesses refuses witnesses whom nobody can recognise, and rules that cannot be met: the signature of whose log it is
// never counts.
func (l *loader) checkWitnesses() {
	a, t := l.a, l.witnesses
	if t == nil || a.Mode == Shelf {
		return
	}
	for _, label := range a.Witnesses.Of {
		if p, ok := a.Party(label); ok && p.ID == "" {
			t.Fail("of", "add id = \"p-…\" to that party", "witness %q has no party id, so its signature cannot be recognised", label)
		}
	}
	authors := []string{a.Depositary}
	if a.Mode == Pair {
		authors = a.Founders
	}
	for _, author := range authors {
		if slices.Contains(a.Witnesses.Of, author) && a.Witnesses.K >= len(a.Witnesses.Of) && a.Witnesses.Check() == nil {
			t.Fail("k", "name one more witness, or leave it out of the list",
				"%d of %d must co-sign and %q never counts for a log of its own, so it can never be enough", a.Witnesses.K, len(a.Witnesses.Of), author)
		}
	}
}
