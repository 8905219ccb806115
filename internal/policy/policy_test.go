package policy

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// clientRule is what an agreement writes that lets clients have AMBER.
const clientRule = `
@id("clients") @en("clients of members may have what is AMBER")
permit (principal, action, resource)
when { resource.tlp == "TLP:AMBER" && principal.membership == "client" };
`

const greedyRule = `@id("greedy") @en("everything to everyone") permit (principal, action, resource);`

func TestDecide(t *testing.T) {
	persons := func(it *Item) { it.Audience = &Audience{Persons: []Person{{Key: personNo(1), Party: partyNo(1)}}} }
	parties := func(n ...int) func(*Item) {
		return func(it *Item) {
			it.Audience = &Audience{}
			for _, n := range n {
				it.Audience.Parties = append(it.Audience.Parties, partyNo(n))
			}
		}
	}
	machine := func(q *Request) { q.Principal.Person = "" }
	object := func(q *Request) { q.Exit, q.Item.Sealed = ToObject(), true }
	recall := func(r Restriction) func(*Item) {
		return func(it *Item) { r.Record = "recall"; it.Restrictions = append(it.Restrictions, r) }
	}
	green := Marking{TLP: TLPGreen}
	red := Marking{TLP: TLPRed}
	for _, c := range []struct {
		what  string
		rules string
		q     Request
		want  string // the rule or code that decides
		allow bool
	}{
		{"CLEAR to an anonymous visitor", "", ask(item(tlp(TLPClear)), func(q *Request) { q.Principal = Principal{} }), "tlp-clear", true},
		{"GREEN to a member", "", ask(item(tlp(TLPGreen))), "tlp-green", true},
		{"GREEN to the community", "", ask(item(tlp(TLPGreen)), by(Community)), "tlp-green", true},
		{"GREEN to a party that is none", "", ask(item(tlp(TLPGreen)), by(NoMember)), "green-ceiling", false},
		{"GREEN to a witness", "", ask(item(tlp(TLPGreen)), by(Witness)), "green-ceiling", false},
		{"GREEN to one that joined in the world alone", "", ask(item(tlp(TLPGreen)), by("")), "green-ceiling", false},
		{"AMBER to a member", "", ask(item()), "tlp-amber", true},
		{"AMBER to a client, no rule", "", ask(item(), by(Client)), "no-rule", false},
		{"AMBER to a client, by rule", clientRule, ask(item(), by(Client)), "clients", true},
		{"AMBER to the community, greedy rule", greedyRule, ask(item(), by(Community)), "amber-ceiling", false},
		{"AMBER+STRICT to a client, by the same rule", clientRule, ask(item(tlp(TLPAmberStrict)), by(Client)), "amber-strict-ceiling", false},
		{"AMBER+STRICT to a member", "", ask(item(tlp(TLPAmberStrict))), "tlp-amber-strict", true},
		{"RED to a named person", "", ask(item(tlp(TLPRed), persons)), "tlp-red", true},
		{"RED to another person of the party", "", ask(item(tlp(TLPRed), persons), func(q *Request) { q.Principal.Person = personNo(2) }), "red-ceiling", false},
		{"RED to the same key claimed by another party", "", ask(item(tlp(TLPRed), persons), func(q *Request) { q.Principal.Party = partyNo(2) }), "red-ceiling", false},
		{"RED to the named person's machine", "", ask(item(tlp(TLPRed), persons), machine), "red-ceiling", false},
		{"RED sealed to the named person's node", "", ask(item(tlp(TLPRed), persons), machine, object), "tlp-red-sealed", true},
		{"RED unsealed to the named person's node", "", ask(item(tlp(TLPRed), persons), machine, func(q *Request) { q.Exit = ToObject() }), "red-ceiling", false},
		{"RED to a member, greedy rule", greedyRule, ask(item(tlp(TLPRed), parties(1))), "red-ceiling", false},
		{"RED without an audience", greedyRule, ask(item(tlp(TLPRed))), "red-ceiling", false},
		{"RED to who wrote it", "", ask(item(tlp(TLPRed), persons), func(q *Request) { q.Principal.Party, q.Principal.Person = partyNo(0), personNo(0) }), "tlp-red", true},
		{"RED to a colleague of who wrote it", greedyRule, ask(item(tlp(TLPRed), persons), func(q *Request) { q.Principal.Party, q.Principal.Person = partyNo(0), personNo(3) }), "red-ceiling", false},
		{"AMBER to a party of the audience", "", ask(item(parties(1, 2))), "tlp-amber", true},
		{"AMBER to a member outside the audience", greedyRule, ask(item(parties(2, 3))), "audience", false},
		{"AMBER to the author after it left", "", ask(item(parties(2)), by(NoMember), func(q *Request) { q.Principal.Party = partyNo(0) }), "own", true},
		{"AMBER to the client of a party of the audience", clientRule, ask(item(parties(2)), by(Client)), "clients", true},
		{"AMBER to the client of a party outside it", clientRule, ask(item(parties(1)), by(Client), func(q *Request) { q.Principal.Party = partyNo(3) }), "audience", false},
		{"PAP:RED for passive detection", "", ask(item(pap(PAPRed)), func(q *Request) { q.Exit, q.Use = ToDetect(), UsePassive }), "tlp-amber", true},
		{"PAP:RED for look-ups", "", ask(item(pap(PAPRed)), func(q *Request) { q.Exit, q.Use = ToExport(), UseLookup }), "pap-red", false},
		{"PAP:AMBER for look-ups", "", ask(item(pap(PAPAmber)), func(q *Request) { q.Exit, q.Use = ToDetect(), UseLookup }), "tlp-amber", true},
		{"PAP:AMBER for blocking", greedyRule, ask(item(pap(PAPAmber)), func(q *Request) { q.Exit, q.Use = ToDetect(), UseActive }), "pap-amber", false},
		{"PAP:GREEN for blocking", "", ask(item(pap(PAPGreen)), func(q *Request) { q.Exit, q.Use = ToDetect(), UseActive }), "tlp-amber", true},
		{"the log to a witness", "", ask(item(func(it *Item) { it.Kind = KindLog }), by(Witness), func(q *Request) { q.Exit = ToLog() }), "log-members", true},
		{"the log to a stranger", greedyRule, ask(item(func(it *Item) { it.Kind = KindLog }), by(NoMember), func(q *Request) { q.Exit = ToLog() }), "log-ceiling", false},
		{"contents by the log exit", greedyRule, ask(item(), func(q *Request) { q.Exit = ToLog() }), "log-exit", false},
		{"withdrawn", greedyRule, ask(item(recall(Restriction{Action: Withdraw}))), "withdrawn", false},
		{"erased", "", ask(item(recall(Restriction{Action: Erase}))), "erased", false},
		{"another part withdrawn", "", ask(item(func(it *Item) { it.Part = "x" }, recall(Restriction{Action: Withdraw, Parts: []string{"y"}}))), "tlp-amber", true},
		{"the whole, of which a part is withdrawn", "", ask(item(recall(Restriction{Action: Withdraw, Parts: []string{"y"}}))), "withdrawn-part", false},
		{"a part that a narrowing leaves out", greedyRule, ask(item(func(it *Item) { it.Part = "y" }, recall(Restriction{Action: Narrow, Parts: []string{"y"}}))), "withdrawn", false},
		{"beside a part that a narrowing leaves out", "", ask(item(func(it *Item) { it.Part = "x" }, recall(Restriction{Action: Narrow, Parts: []string{"y"}}))), "tlp-amber", true},
		{"the whole, of which a narrowing leaves a part out", greedyRule, ask(item(recall(Restriction{Action: Narrow, Parts: []string{"y"}}))), "withdrawn-part", false},
		{"narrowed to RED", "", ask(item(recall(Restriction{Action: Narrow, Marking: &red}))), "narrowed", false},
		{"narrowed to a laxer marking", clientRule, ask(item(recall(Restriction{Action: Narrow, Marking: &green})), by(Community)), "amber-ceiling", false},
		{"narrowed to others", "", ask(item(recall(Restriction{Action: Narrow, Audience: &Audience{Parties: []string{partyNo(3)}}}))), "narrowed", false},
		{"narrowed to this one among others", "", ask(item(recall(Restriction{Action: Narrow, Audience: &Audience{Parties: []string{partyNo(1)}}}))), "tlp-amber", true},
		{"a moment before it expires", "", ask(item(func(it *Item) { it.Expires = now.Add(time.Nanosecond) })), "tlp-amber", true},
		{"when it expires", "", ask(item(func(it *Item) { it.Expires = now })), "expired", false},
		{"no exit", greedyRule, ask(item(), func(q *Request) { q.Exit = Exit{} }), "invalid", false},
		{"no time", greedyRule, ask(item(), func(q *Request) { q.Now = time.Time{} }), "invalid", false},
		{"no label", greedyRule, ask(item(tlp("TLP:WHITE"))), "invalid", false},
		{"detection that does not say for what", greedyRule, ask(item(), func(q *Request) { q.Exit = ToDetect() }), "invalid", false},
		{"an agreement without loaded rules", "", ask(item(func(it *Item) { it.Agreement = "a-other" })), "no-agreement", false},
		{"a recall of an unknown sort", greedyRule, ask(item(recall(Restriction{Action: "pause"}))), "invalid", false},
		{"a rule against AMBER, asked at AMBER+STRICT", `@id("n") @en("n") forbid (principal, action, resource) when { resource.tlp == "TLP:AMBER" };`,
			ask(item(tlp(TLPAmberStrict))), "n", false},
		{"a rule for sectors, met", `@id("n") @en("n") forbid (principal, action, resource) unless { principal.sectors.containsAny(resource.sectors) };`,
			ask(item(func(it *Item) { it.Sectors = []string{"water", "energy"} }), func(q *Request) { q.Principal.Sectors = []string{"energy"} }), "tlp-amber", true},
	} {
		d := book(t, c.rules).Decide(c.q)
		if d.Allow != c.allow || !slices.ContainsFunc(d.Reasons, func(r Reason) bool { return r.Rule == c.want || r.Code == c.want }) {
			t.Errorf("%s: %v, want allow=%v because of %s", c.what, d.Why("en"), c.allow, c.want)
		}
	}
}

func TestWhyInThreeLanguages(t *testing.T) {
	d := book(t, "").Decide(ask(item(func(it *Item) {
		it.Restrictions = []Restriction{{Action: Narrow, Record: "f00d", Audience: &Audience{Parties: []string{partyNo(3)}}}}
	})))
	for lang, want := range map[string][]string{
		"en": {"Denied:", "its author narrowed whom it may reach (entry f00d)", "the author named an audience, and this party or person is not in it [audience, ceiling.cedar:"},
		"fr": {"Refusé :", "son auteur en a restreint la diffusion (entrée f00d)", "l'auteur a désigné des destinataires"},
		"ar": {"ممنوع:", "ضيّق صاحبه نطاق تداوله (القيد f00d)", "حدّد صاحب القيد متلقّين"},
	} {
		got := d.Why(lang)
		if len(got) != len(want) {
			t.Fatalf("%s: %q", lang, got)
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%s: line %d is %q, want %q…", lang, i, got[i], want[i])
			}
		}
	}
	for _, code := range Codes() {
		for _, lang := range []string{"en", "fr", "ar"} {
			if messages(code)[lang] == "" {
				t.Errorf("%s has no words in %s", code, lang)
			}
		}
	}
	s, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range append(slices.Clone(s.forbids), s.permits...) {
		if len(r.words) != 3 {
			t.Errorf("shipped rule %s has words in %d languages, want 3", r.id, len(r.words))
		}
	}
}

// TestPageCostsItsClasses: a thousand items of three sorts cost three evaluations, whoever asks.
func TestPageCostsItsClasses(t *testing.T) {
	d := book(t, clientRule).NewDecider()
	for n := range 1000 {
		it := item(tlp(TLPs()[1+n%3]))
		it.ID = string(rune('a' + n))
		it.Expires = now.Add(time.Duration(n-500) * time.Hour) // time is no part of a class
		d.Decide(ask(it))
	}
	if d.Evaluations() != 3 {
		t.Errorf("a page with 3 classes cost %d evaluations", d.Evaluations())
	}
}

func TestDeciderForgetsRatherThanGrows(t *testing.T) {
	d := book(t, "").NewDecider()
	for n := range maxClasses + 10 {
		d.Decide(ask(item(func(it *Item) {
			it.Sectors = []string{"s" + strings.Repeat("x", n%60) + string(rune('a'+n/60%26)) + string(rune('a'+n/1560))}
		})))
	}
	if len(d.known) > maxClasses {
		t.Errorf("%d classes remembered, more than %d", len(d.known), maxClasses)
	}
}

func TestGrantOpensOneThing(t *testing.T) {
	it := item()
	secret := Guard(it, "secret")
	d := book(t, "").Decide(ask(it))
	if got, err := secret.Open(ToUI(), d.Grant); err != nil || got != "secret" {
		t.Fatalf("the right grant: %q, %v", got, err)
	}
	other := item(tlp(TLPGreen))
	part := item(func(it *Item) { it.Part = "x" })
	ofPart := book(t, "").Decide(ask(part)).Grant
	for what, err := range map[string]error{
		"the zero grant":                 openErr(secret, ToUI(), Grant{}),
		"a grant for another exit":       openErr(secret, ToMail(), d.Grant),
		"a refusal's grant":              openErr(secret, ToUI(), book(t, "").Decide(ask(it, by(NoMember))).Grant),
		"a grant for the laxer marking":  openErr(secret, ToUI(), book(t, "").Decide(ask(other)).Grant),
		"a grant for a part, of a whole": openErr(secret, ToUI(), ofPart),
	} {
		if !errors.Is(err, ErrNotGranted) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := Guard(part, 1).Open(ToUI(), d.Grant); err != nil {
		t.Errorf("the whole does not cover its part: %v", err)
	}
	// Ask looks at the guard's item, whatever the question says.
	if got, d := Ask(book(t, "").NewDecider(), ask(item(tlp(TLPClear)), by(NoMember)), secret); got != "" || d.Allow {
		t.Errorf("asked about something else and got %q", got)
	}
}

func openErr(g Guarded[string], e Exit, grant Grant) error {
	got, err := g.Open(e, grant)
	if got != "" {
		return nil
	}
	return err
}

func TestMarkings(t *testing.T) {
	if m := (Marking{TLP: TLPGreen, PAP: PAPRed}).Strictest(Marking{TLP: TLPAmber}); m != (Marking{TLP: TLPAmber, PAP: PAPRed}) {
		t.Errorf("strictest is %v", m)
	}
	if TLPAmber.Compare(TLPAmberStrict) >= 0 || PAP("").Compare(PAPClear) != 0 {
		t.Error("labels are out of order")
	}
	for _, bad := range []Marking{{}, {TLP: "TLP:WHITE"}, {TLP: "tlp:red"}, {TLP: TLPRed, PAP: "PAP:BLUE"}} {
		if bad.Check() == nil {
			t.Errorf("%+v is no marking", bad)
		}
	}
}

func TestBookHasEachAgreementOnce(t *testing.T) {
	if _, err := NewBook(NoRules("own"), NoRules("own")); err == nil {
		t.Error("two sets of rules for one agreement")
	}
}

func benchmarkRules(n int) string {
	var b strings.Builder
	for i := range n {
		name := "rule-" + string(rune('a'+i))
		switch i % 5 {
		case 0:
			b.WriteString(`@id("` + name + `") @en("x") forbid (principal, action == Action::"export", resource) when { resource.kind == "allegation" };`)
		case 1:
			b.WriteString(`@id("` + name + `") @en("x") permit (principal, action, resource) when { resource.tlp == "TLP:AMBER" && principal.membership == "client" };`)
		case 2:
			b.WriteString(`@id("` + name + `") @en("x") forbid (principal, action, resource) when { resource.sectors.contains("energy") } unless { principal.sectors.contains("energy") };`)
		case 3:
			b.WriteString(`@id("` + name + `") @en("x") forbid (principal == Party::"` + partyNo(4) + `", action in [Action::"taxii", Action::"api"], resource);`)
		case 4:
			b.WriteString(`@id("` + name + `") @en("x") forbid (principal, action, resource) when { resource.pap == "PAP:RED" && context.use == "passive" };`)
		}
	}
	return b.String()
}

// BenchmarkClass is one evaluation on a page, with ten rules of an agreement's own beside the shipped ones: as most are, and with
// the strictest labels, for which rules are asked label by label.
func BenchmarkClass(b *testing.B) {
	d := book(b, benchmarkRules(10)).NewDecider()
	for name, change := range map[string]func(*Item){
		"AMBER":       tlp(TLPAmber),
		"RED,PAP:RED": func(it *Item) { it.Marking = Marking{TLP: TLPRed, PAP: PAPRed} },
	} {
		it := item(change, func(it *Item) {
			it.Sectors = []string{"energy"}
			it.Audience = &Audience{Parties: []string{partyNo(1)}, Persons: []Person{{Key: personNo(1)}}}
		})
		q := ask(it, func(q *Request) { q.Principal.Sectors = []string{"energy", "water"} })
		c := classOf(&q, q.Item.Marking, q.Item.Audience)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !d.evaluate(c).allow {
					b.Fatal("denied")
				}
			}
		})
	}
}

// BenchmarkPage is 1,000 items of six classes for an audience of 5,000 parties.
func BenchmarkPage(b *testing.B) {
	bk := book(b, benchmarkRules(10))
	a := &Audience{}
	for i := range 5000 {
		a.Parties = append(a.Parties, partyNo(1)+string(rune('a'+i/500))+string(rune('a'+i%500)))
	}
	a.Parties[0] = partyNo(1)
	slices.Sort(a.Parties)
	items := make([]Item, 1000)
	for i := range items {
		items[i] = item(tlp(TLPs()[1+i%3]), func(it *Item) { it.Audience = a; it.Kind = []string{"intel", "report"}[i/3%2] })
	}
	for b.Loop() {
		d := bk.NewDecider()
		for i := range items {
			d.Decide(ask(items[i]))
		}
		if d.Evaluations() != 6 {
			b.Fatal(d.Evaluations())
		}
	}
}
