package policy

import (
	"fmt"
	"slices"
)

// Decision is the answer to a Request. The zero Decision is no.
type Decision struct {
	Allow bool
	// Reasons say why, in the order they weigh: at least one, and of a refusal all that were met in the class that refused.
	Reasons []Reason
	// Grant opens what was asked for, and nothing else. It is worthless unless Allow.
	Grant Grant
}

// Book holds the shipped rules and those of the agreements a node knows. It is immutable and safe for concurrent use.
type Book struct {
	shipped shippedRules
	rules   map[string]*Rules
}

// NewBook returns a book with the rules of these agreements. Items of an agreement that is not in the book are denied:
// rules that could not be loaded must not turn into none.
func NewBook(agreements ...*Rules) (*Book, error) {
	s, err := shipped()
	if err != nil {
		return nil, err
	}
	b := &Book{shipped: s, rules: make(map[string]*Rules, len(agreements))}
	for _, r := range agreements {
		if b.rules[r.agreement] != nil {
			return nil, fmt.Errorf("opening the rule book: agreement %s is there twice", r.agreement)
		}
		b.rules[r.agreement] = r
	}
	return b, nil
}

// maxClasses bounds what a Decider remembers. A page has a handful.
const maxClasses = 4096

// Decider answers requests and remembers the answer of each class. It serves one goroutine; make one per page or
// connection, and a new one when the book changes.
type Decider struct {
	book        *Book
	known       map[Class]verdict
	parts       *parts
	evaluations int
}

// verdict is the answer of one class.
type verdict struct {
	allow   bool
	reasons []Reason
}

// NewDecider returns a decider that remembers nothing yet.
func (b *Book) NewDecider() *Decider {
	return &Decider{book: b, known: make(map[Class]verdict), parts: newParts()}
}

// Decide answers one request.
func (b *Book) Decide(q Request) Decision { return b.NewDecider().Decide(q) }

// Evaluations returns how many classes were evaluated so far: the price of a page.
func (d *Decider) Evaluations() int { return d.evaluations }

// Decide answers one request. It is the only place where a Grant is made.
//
// A narrowing is decided beside the original, never instead of it: the item must be allowed as it was marked and as each
// narrowing marks it. So no restriction, whatever it says, can add to what is allowed.
func (d *Decider) Decide(q Request) Decision {
	if reason, bad := invalid(&q); bad {
		return Decision{Reasons: []Reason{reason}}
	}
	if reasons := filtered(&q); len(reasons) > 0 {
		return Decision{Reasons: reasons}
	}
	if q.ownObject() {
		q.Item.Restrictions = nil // but for erasures, which filtered has seen, they are the author's own word about it
	}
	v := d.verdict(classOf(&q, q.Item.Marking, q.Item.Audience))
	if !v.allow {
		return Decision{Reasons: slices.Clone(v.reasons)}
	}
	for _, r := range q.Item.Restrictions {
		if !r.Narrows() || !r.binds(q.Item) {
			continue
		}
		m, a := q.Item.Marking, q.Item.Audience
		if r.Marking != nil {
			m = m.Strictest(*r.Marking)
		}
		if r.Audience != nil {
			a = r.Audience
		}
		if n := d.verdict(classOf(&q, m, a)); !n.allow {
			return Decision{Reasons: append([]Reason{filterReason(reasonNarrowed, r.Record)}, n.reasons...)}
		}
	}
	return Decision{Allow: true, Reasons: slices.Clone(v.reasons), Grant: grantFor(&q)}
}

// verdict looks a class up, or evaluates it.
func (d *Decider) verdict(c Class) verdict {
	if v, ok := d.known[c]; ok {
		return v
	}
	if len(d.known) >= maxClasses {
		clear(d.known)
	}
	v := d.evaluate(c)
	d.evaluations++
	d.known[c] = v
	return v
}

// evaluate decides one class: what the ceiling or the agreement forbids is denied; what a shipped rule or the agreement
// permits is allowed; the rest is denied.
func (d *Decider) evaluate(c Class) verdict {
	b := d.book
	own := b.rules[c.Agreement]
	if own == nil {
		return verdict{reasons: []Reason{filterReason(reasonNoAgreement, c.Agreement)}}
	}
	q := d.parts.question(c)
	forbidding, failed := q.ask(b.shipped.forbids, c.TLP.level(), c.PAP.level())
	more, failedToo := q.askLaxer(own.forbids)
	if failed || failedToo {
		return verdict{reasons: []Reason{filterReason(reasonFailed, "")}}
	}
	if forbidding = append(forbidding, more...); len(forbidding) > 0 {
		return verdict{reasons: ruleReasons(forbidding, Forbids)}
	}
	if c.Kind == KindVictim {
		return q.victim(own)
	}
	permitting, failed := q.ask(b.shipped.permits, c.TLP.level(), c.PAP.level())
	if len(permitting) == 0 && !failed {
		permitting, failed = q.askStricter(own.permits)
	}
	switch {
	case failed:
		return verdict{reasons: []Reason{filterReason(reasonFailed, "")}}
	case len(permitting) > 0:
		return verdict{allow: true, reasons: ruleReasons(permitting, Permits)}
	}
	return verdict{reasons: []Reason{filterReason(reasonNoRule, string(c.TLP))}}
}

// askLaxer returns an agreement's rules that hold for the item as it is marked or for a laxer label, each once.
func (q *question) askLaxer(groups []group) (held rules, failed bool) {
	for _, g := range groups {
		tlps, paps := g.tlps.between(q.class.TLP.level(), 0), g.paps.between(q.class.PAP.level(), 0)
		for t := tlpCount - 1; t >= 0; t-- {
			for p := papCount - 1; p >= 0; p-- {
				if !tlps.has(t) || !paps.has(p) {
					continue
				}
				some, bad := q.ask(g.rules, t, p)
				if bad {
					return nil, true
				}
				for _, r := range some {
					if !slices.Contains(held, r) {
						held = append(held, r)
					}
				}
			}
		}
	}
	return held, false
}

// askStricter returns the first of an agreement's rules that hold for the item as it is marked or for a stricter label.
func (q *question) askStricter(groups []group) (held rules, failed bool) {
	for _, g := range groups {
		tlps := g.tlps.between(q.class.TLP.level(), tlpCount-1)
		paps := g.paps.between(q.class.PAP.level(), papCount-1)
		for t := range tlpCount {
			for p := range papCount {
				if !tlps.has(t) || !paps.has(p) {
					continue
				}
				if held, failed = q.ask(g.rules, t, p); failed || len(held) > 0 {
					return held, failed
				}
			}
		}
	}
	return nil, false
}

// ownObject says whether an author takes back, or has audited, the bytes of its own object. Recalls and expiry keep contents
// from others; they must not keep an author from restoring its log, nor its auditor from checking it.
func (q *Request) ownObject() bool {
	return q.Exit == ToObject() && q.Principal.Party != "" && q.Principal.Party == q.Item.Author
}

// filtered returns what denies an item whatever the rules say: recall, erasure, expiry.
func filtered(q *Request) (reasons []Reason) {
	for _, r := range q.Item.Restrictions {
		if !r.binds(q.Item) {
			continue
		}
		switch {
		case r.Action == Erase:
			reasons = append(reasons, filterReason(reasonErased, r.Record))
		case !r.Narrows() && !q.ownObject() && len(r.Parts) > 0 && q.Item.Part == "":
			reasons = append(reasons, filterReason(reasonPart, r.Record))
		case !r.Narrows() && !q.ownObject():
			reasons = append(reasons, filterReason(reasonWithdrawn, r.Record))
		}
	}
	if !q.ownObject() && !q.Item.Expires.IsZero() && !q.Now.Before(q.Item.Expires) {
		reasons = append(reasons, filterReason(reasonExpired, q.Item.Expires.UTC().Format("2006-01-02T15:04:05Z")))
	}
	return reasons
}

// invalid says why a request cannot be decided on. Nothing is guessed: what is unclear is denied.
func invalid(q *Request) (Reason, bool) {
	p, it := &q.Principal, &q.Item
	bad := func(what string) (Reason, bool) { return filterReason(reasonInvalid, what), true }
	use := q.Use
	if use == "" {
		use = UseRead
	}
	switch {
	case q.Exit.String() == "":
		return bad("exit")
	case !q.Exit.fits(use):
		return bad("use")
	case q.Now.IsZero():
		return bad("now")
	case it.ID == "" || it.Agreement == "" || len(it.Agreement) > 64:
		return bad("item")
	case it.Author == "" || len(it.Author) > 64 || len(p.Party) > 64:
		return bad("author")
	case !label(it.Kind):
		return bad("kind")
	case it.Marking.Check() != nil:
		return bad("marking")
	case !sectorsFit(it.Sectors) || !sectorsFit(p.Sectors):
		return bad("sectors")
	case !slices.Contains([]Membership{"", NoMember, Member, Client, Community, Witness}, p.Membership):
		return bad("membership")
	case !slices.Contains([]Standing{"", NoStanding, Invited, Declined, Joined, Withdrawn}, p.Standing):
		return bad("standing")
	case p.Membership == Member && p.Party == "", p.Membership == Client && p.Via == "", p.Person != "" && p.Party == "":
		return bad("principal")
	}
	for _, r := range it.Restrictions {
		switch {
		case r.Action != Withdraw && r.Action != Narrow && r.Action != Erase:
			return bad("restriction")
		case r.Marking != nil && r.Marking.Check() != nil:
			return bad("restriction")
		}
	}
	return Reason{}, false
}

func sectorsFit(labels []string) bool {
	if len(labels) > maxSectors {
		return false
	}
	for _, l := range labels {
		if !label(l) {
			return false
		}
	}
	return true
}
