package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const agreementID = "a-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// partyNo and personNo name the parties and officers of the tests.
func partyNo(n int) string  { return "p-" + strings.Repeat(string(rune('a'+n)), 32) }
func personNo(n int) string { return "k-" + strings.Repeat(string(rune('a'+n)), 32) }

// item returns an AMBER record of party 0.
func item(change ...func(*Item)) Item {
	it := Item{
		ID: "leaf", Agreement: agreementID, Author: partyNo(0), Officer: personNo(0), Kind: "intel",
		Marking: Marking{TLP: TLPAmber},
	}
	for _, c := range change {
		c(&it)
	}
	return it
}

func tlp(l TLP) func(*Item) { return func(it *Item) { it.Marking.TLP = l } }
func pap(l PAP) func(*Item) { return func(it *Item) { it.Marking.PAP = l } }

// ask builds a question about an item by a member other than its author.
func ask(it Item, change ...func(*Request)) Request {
	q := Request{
		Principal: Principal{Party: partyNo(1), Person: personNo(1), Membership: Member, Standing: Joined, Connected: true},
		Exit:      ToUI(), Item: it, Now: now,
	}
	for _, c := range change {
		c(&q)
	}
	return q
}

func by(m Membership) func(*Request) {
	return func(q *Request) {
		q.Principal.Membership = m
		if m == Client {
			q.Principal.Via = partyNo(2)
		}
	}
}

func book(t testing.TB, src string) *Book {
	t.Helper()
	rs, err := LoadRules(agreementID, "own.cedar", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewBook(rs)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// conditions are what drawn rules are put together from: every attribute of the schema.
var conditions = []string{
	`resource.tlp == "TLP:RED"`, `resource.tlp == "TLP:AMBER"`, `resource.tlp != "TLP:AMBER+STRICT"`,
	`["TLP:GREEN", "TLP:RED"].contains(resource.tlp)`, `resource.tlp like "TLP:AMBER*"`, `resource.pap like "*R*D"`, `resource.kind == resource.tlp`, `resource.pap == "PAP:AMBER"`, `resource.pap != "PAP:RED"`,
	`principal.membership == "member"`, `principal.membership == "client"`, `principal.membership != "none"`,
	`principal.standing == "withdrawn"`, `principal.connected`, `principal.sectors.isEmpty()`,
	`principal.sectors.containsAny(resource.sectors)`, `resource.sectors.contains("energy")`,
	`resource.kind == "intel"`, `resource.kind like "in*"`, `resource.author == principal`,
	`principal == Party::"` + partyNo(1) + `"`, `principal in [Party::"` + partyNo(1) + `", Party::"` + partyNo(2) + `"]`,
	`action in [Action::"taxii", Action::"export"]`, `action == Action::"mail"`,
	`context.named`, `context.hosts`, `context.sealed`, `context.own`, `context.audience == "outside"`,
	`context.use == "active"`, `true`, `resource.agreement == "` + agreementID + `"`,
}

// drawCondition draws an expression of the schema.
func drawCondition(t *rapid.T, depth int) string {
	if depth == 0 {
		return rapid.SampledFrom(conditions).Draw(t, "condition")
	}
	left, right := drawCondition(t, depth-1), drawCondition(t, depth-1)
	switch rapid.IntRange(0, 4).Draw(t, "operator") {
	case 0:
		return left
	case 1:
		return "(" + left + " && " + right + ")"
	case 2:
		return "(" + left + " || " + right + ")"
	case 3:
		return "!(" + left + ")"
	default:
		return "(if " + left + " then " + right + " else !(" + right + "))"
	}
}

// drawRule draws one rule named by n.
func drawRule(t *rapid.T, n int, effect string) string {
	clause := rapid.SampledFrom([]string{"when", "unless"}).Draw(t, "clause")
	return fmt.Sprintf("@id(\"drawn-%d\") @en(\"drawn\")\n%s (principal, action, resource) %s { %s };\n",
		n, effect, clause, drawCondition(t, rapid.IntRange(0, 2).Draw(t, "depth")))
}

func drawRules(t *rapid.T) string {
	var src strings.Builder
	for n := range rapid.IntRange(0, 5).Draw(t, "rules") {
		// Rules that permit are more telling: what forbids soon leaves nothing.
		src.WriteString(drawRule(t, n, rapid.SampledFrom([]string{"permit", "permit", "forbid"}).Draw(t, "effect")))
	}
	if rapid.Bool().Draw(t, "greedy") {
		src.WriteString("@id(\"greedy\") @en(\"everything\") permit (principal, action, resource);\n")
	}
	return src.String()
}

func drawAudience(t *rapid.T) *Audience {
	if rapid.IntRange(0, 2).Draw(t, "audience") == 0 {
		return nil
	}
	a := &Audience{}
	for n := range 4 {
		if rapid.Bool().Draw(t, "party") {
			a.Parties = append(a.Parties, partyNo(n))
		}
		if rapid.IntRange(0, 3).Draw(t, "person") == 0 {
			p := Person{Key: personNo(n)}
			if rapid.Bool().Draw(t, "known") {
				p.Party = partyNo(n)
			}
			a.Persons = append(a.Persons, p)
		}
	}
	return a
}

func drawMarking(t *rapid.T) Marking {
	return Marking{
		TLP: rapid.SampledFrom(append(TLPs(), TLPRed, TLPRed)).Draw(t, "tlp"),
		PAP: rapid.SampledFrom(append(PAPs(), "")).Draw(t, "pap"),
	}
}

func drawSectors(t *rapid.T) []string {
	return rapid.SampledFrom([][]string{nil, {"energy"}, {"energy", "water"}, {"water"}}).Draw(t, "sectors")
}

func drawRestriction(t *rapid.T) Restriction {
	r := Restriction{
		Action: rapid.SampledFrom([]RestrictionAction{Withdraw, Narrow, Narrow, Narrow, Erase}).Draw(t, "action"),
		Parts:  rapid.SampledFrom([][]string{nil, nil, {"x"}, {"y", "z"}}).Draw(t, "parts"),
		Record: "recall",
	}
	if r.Action == Narrow {
		if rapid.Bool().Draw(t, "marked") {
			m := drawMarking(t)
			r.Marking = &m
		}
		r.Audience = drawAudience(t)
	}
	return r
}

func drawRequest(t *rapid.T) Request {
	n := rapid.IntRange(0, 3).Draw(t, "asker")
	p := Principal{
		Party:      partyNo(n),
		Membership: rapid.SampledFrom([]Membership{Member, Member, Member, Client, Community, Witness, NoMember, ""}).Draw(t, "membership"),
		Standing:   rapid.SampledFrom([]Standing{"", NoStanding, Invited, Declined, Joined, Withdrawn}).Draw(t, "standing"),
		Connected:  rapid.Bool().Draw(t, "connected"),
		Sectors:    drawSectors(t),
	}
	if rapid.Bool().Draw(t, "person") {
		p.Person = personNo(n)
	}
	if p.Membership == Client {
		p.Via = partyNo(rapid.IntRange(0, 3).Draw(t, "via"))
	}
	author := rapid.IntRange(0, 3).Draw(t, "author")
	it := Item{
		ID: "leaf", Part: rapid.SampledFrom([]string{"", "x"}).Draw(t, "part"), Agreement: agreementID,
		Author: partyNo(author), Officer: personNo(author),
		Kind:    rapid.SampledFrom([]string{"intel", "intel", "report", KindLog}).Draw(t, "kind"),
		Marking: drawMarking(t), Audience: drawAudience(t), Sectors: drawSectors(t), Sealed: rapid.Bool().Draw(t, "sealed"),
	}
	if rapid.IntRange(0, 5).Draw(t, "expires") == 0 {
		it.Expires = now.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "hours")) * time.Hour)
	}
	if rapid.IntRange(0, 3).Draw(t, "restricted") == 0 {
		it.Restrictions = []Restriction{drawRestriction(t)}
	}
	q := Request{Principal: p, Exit: rapid.SampledFrom(Exits()).Draw(t, "exit"), Item: it, Now: now}
	q.Use = UseRead
	if q.Exit == ToDetect() || q.Exit == ToExport() {
		q.Use = rapid.SampledFrom(Uses()[1:]).Draw(t, "use")
	}
	return q
}
