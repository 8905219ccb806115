package policy

import (
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// questionsPerWorld times rapid's 100 worlds is a round; MITHAQ_LONG=1 runs a million questions.
const questionsPerWorld = 250

// TestWhateverTheWorld draws rules, parties, markings, memberships, recalls and times, and holds every answer against
// what this package promises.
func TestWhateverTheWorld(t *testing.T) {
	rounds := 1
	if os.Getenv("MITHAQ_LONG") == "1" {
		rounds = 40
	}
	allowed, total := 0, 0
	for range rounds {
		rapid.Check(t, func(t *rapid.T) {
			src := drawRules(t)
			narrower := src + drawRule(t, 99, "forbid")
			plain, strict := worldBook(t, src), worldBook(t, narrower)
			page := plain.NewDecider()
			for range questionsPerWorld {
				q := drawRequest(t)
				d := page.Decide(q)
				total++
				if d.Allow {
					allowed++
				}
				checkAnswer(t, q, d)
				if again := plain.Decide(q); again.Allow != d.Allow || len(again.Reasons) != len(d.Reasons) {
					t.Fatalf("remembered %v, fresh %v for %+v", d.Why("en"), again.Why("en"), q)
				}
				if s := strict.Decide(q); s.Allow && !d.Allow {
					t.Fatalf("a rule that forbids allowed %+v: %v\n%s", q, s.Why("en"), narrower)
				}
				if d.Allow {
					continue
				}
				// What is denied stays denied when it is recalled, marked more strictly, or expires.
				recalled := q
				recalled.Item.Restrictions = append(slices.Clone(q.Item.Restrictions), drawRestriction(t))
				if r := page.Decide(recalled); r.Allow {
					t.Fatalf("a recall allowed %+v: %v\n%s", recalled, r.Why("en"), src)
				}
				stricter := q
				stricter.Item.Marking = q.Item.Marking.Strictest(drawMarking(t))
				if r := page.Decide(stricter); r.Allow {
					t.Fatalf("%v reaches further than %v: %+v: %v\n%s", stricter.Item.Marking, q.Item.Marking, q, r.Why("en"), src)
				}
			}
		})
	}
	t.Logf("%d of %d questions were allowed", allowed, total)
	if allowed*50 < total {
		t.Errorf("only %d of %d questions were allowed: the test looks at nothing but refusals", allowed, total)
	}
}

func worldBook(t *rapid.T, src string) *Book {
	rs, err := LoadRules(agreementID, "drawn.cedar", []byte(src))
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	b, err := NewBook(rs)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// checkAnswer asserts what must hold of one answer, without looking at rules.
func checkAnswer(t *rapid.T, q Request, d Decision) {
	if len(d.Reasons) == 0 {
		t.Fatalf("an answer without a reason: %+v", q)
	}
	if err := d.Grant.Covers(q.Exit, q.Item); (err == nil) != d.Allow {
		t.Fatalf("answer %v and grant disagree: %v", d.Allow, err)
	}
	for _, r := range d.Reasons {
		if r.Code == reasonFailed || r.Code == reasonInvalid {
			t.Fatalf("%s: %+v", r.Text("en"), q)
		}
		if d.Allow != (r.Effect == Permits) || d.Allow && r.Code != ReasonRule {
			t.Fatalf("allow=%v for the reason %+v", d.Allow, r)
		}
		if r.Text("en") == "" || r.Text("ar") == "" {
			t.Fatalf("a reason without words: %+v", r)
		}
	}
	if !d.Allow {
		return
	}
	// An author has back the bytes of what it recalled or let expire, but not of what it erased.
	ownObject := q.Exit == ToObject() && q.Principal.Party == q.Item.Author
	if !q.Item.Expires.IsZero() && !q.Now.Before(q.Item.Expires) && !ownObject {
		t.Fatalf("expired and allowed: %+v", q)
	}
	checkReach(t, q, q.Item.Marking, q.Item.Audience)
	for _, r := range q.Item.Restrictions {
		if len(r.Parts) > 0 && q.Item.Part != "" && !slices.Contains(r.Parts, q.Item.Part) {
			continue
		}
		if ownObject && r.Action != Erase {
			continue
		}
		if r.Action != Narrow {
			t.Fatalf("recalled and allowed: %+v", q)
		}
		m, a := q.Item.Marking, q.Item.Audience
		if r.Marking != nil {
			m = m.Strictest(*r.Marking)
		}
		if r.Audience != nil {
			a = r.Audience
		}
		checkReach(t, q, m, a)
	}
}

// checkReach is the promise about TLP and audiences, written a second time and in Go: the most that may be allowed.
func checkReach(t *rapid.T, q Request, m Marking, a *Audience) {
	p, it := q.Principal, q.Item
	author := p.Party == it.Author
	named, hosts := author && p.Person != "" && p.Person == it.Officer, author
	inside := author
	if a != nil {
		for _, n := range a.Persons {
			named = named || n.Key == p.Person
			hosts = hosts || n.Party == p.Party
		}
		inside = inside || named || it.Sealed && hosts || slices.Contains(a.Parties, p.Party) ||
			p.Membership == Client && slices.Contains(a.Parties, p.Via)
		if !inside {
			t.Fatalf("allowed outside the audience: %+v", q)
		}
	}
	if (it.Kind == KindLog) != (q.Exit == ToLog()) {
		t.Fatalf("a log and its exit are for each other: %+v", q)
	}
	if it.Kind == KindLog {
		if m.TLP != TLPClear && !author && p.Membership != Member && p.Membership != Witness {
			t.Fatalf("a log for strangers: %+v", q)
		}
		return
	}
	reach := map[TLP][]Membership{
		TLPGreen: {Member, Client, Community}, TLPAmber: {Member, Client}, TLPAmberStrict: {Member}, TLPRed: {Member},
	}
	if m.TLP != TLPClear && !author && !slices.Contains(reach[m.TLP], p.Membership) {
		t.Fatalf("%s for %q: %+v", m.TLP, p.Membership, q)
	}
	if m.TLP == TLPRed && !named && !(it.Sealed && hosts && q.Exit == ToObject()) {
		t.Fatalf("RED beyond its named persons: %+v", q)
	}
	if m.PAP == PAPRed && (q.Use == UseActive || q.Use == UseLookup) || m.PAP == PAPAmber && q.Use == UseActive {
		t.Fatalf("%s for %s: %+v", m.PAP, q.Use, q)
	}
}

// TestEveryClassOfShippedRules goes through all classes that the shipped rules tell apart: no allow without a
// permitting rule, and no label, TLP or PAP, reaches further than the laxer one before it.
func TestEveryClassOfShippedRules(t *testing.T) {
	b, err := NewBook(NoRules(agreementID))
	if err != nil {
		t.Fatal(err)
	}
	d := b.NewDecider()
	exits := []Exit{ToLog(), ToObject(), ToUI()}
	uses := []Use{UseRead, UseActive}
	if os.Getenv("MITHAQ_LONG") == "1" {
		exits, uses = Exits(), Uses()
	}
	bools := []bool{false, true}
	for _, exit := range exits {
		for _, use := range uses {
			for _, m := range []Membership{NoMember, Member, Client, Community, Witness} {
				for _, kind := range []string{"intel", KindLog} {
					for _, audience := range []string{audienceOpen, audienceInside, audienceOutside} {
						for flags := range 16 {
							c := Class{
								Agreement: agreementID, Author: partyNo(0), Party: partyNo(1), Kind: kind, Membership: m, Standing: NoStanding,
								Audience: audience, Exit: exit, Use: use,
								Named: bools[flags&1], Hosts: bools[flags>>1&1], Own: bools[flags>>2&1], Sealed: bools[flags>>3&1],
							}
							if c.Own {
								c.Party = c.Author
							}
							checkLabels(t, d, c)
						}
					}
				}
			}
		}
	}
}

func checkLabels(t *testing.T, d *Decider, c Class) {
	var answers [5][4]bool
	for i, l := range TLPs() {
		for j, p := range PAPs() {
			c.TLP, c.PAP = l, p
			v := d.evaluate(c)
			answers[i][j] = v.allow
			if v.allow && (len(v.reasons) == 0 || v.reasons[0].Effect != Permits) {
				t.Fatalf("allowed without a rule: %+v", c)
			}
			if v.allow && (i > 0 && !answers[i-1][j] || j > 0 && !answers[i][j-1]) {
				t.Fatalf("a stricter label reaches further: %+v", c)
			}
		}
	}
}
