package engine

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/evidence"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/plan"
	"github.com/mithaq/mithaq/internal/detect/warning"
)

// Evidence is added up in log-odds, each term by its name. The weights say how much more often a sign is seen when
// the thing is there than when it is not, as far as experience with shared indicators tells; they are no measurement.
const (
	weightBase     = -1.0
	weightPattern  = 1.5
	weightWarning  = -4.0
	weightSinkhole = 1.0
)

// intelWeight is what a hit of a kind is worth: the harder a value is to share by accident, the more.
func intelWeight(k index.Kind) float64 {
	switch k {
	case index.FileHash, index.CertHash:
		return 4.5
	case index.URL, index.CertSerial, index.Mutex:
		return 3.5
	case index.Domain, index.Email:
		return 3
	case index.Subdomain, index.Other:
		return 2.5
	case index.Address:
		return 2
	case index.Network:
		return 1.2
	}
	return 0.3 // fingerprints
}

// terms makes the evidence of a match.
func terms(kind index.Kind, isPattern bool, field string, confidence uint8, lists []warning.List) []Term {
	out := []Term{{Name: "base", Weight: weightBase, Why: "most of what is seen is harmless"}}
	add := func(name string, weight float64, why string, details map[string]any) {
		out = append(out, Term{Name: name, Weight: weight, Why: why, Details: details})
	}
	add("intel-"+kind.String(), intelWeight(kind), "a shared indicator names this "+kind.String()+" ("+field+")", map[string]any{"field": field})
	if isPattern {
		add("pattern", weightPattern, "all parts of its pattern are there", nil)
	}
	if confidence != index.NoConfidence {
		add("confidence", float64(int(confidence)-50)/25, fmt.Sprintf("its author is %d of 100 confident", confidence), map[string]any{"n": int(confidence)})
	}
	for _, list := range lists {
		if list.Sinkholes {
			add("sinkhole", weightSinkhole, "an address of a sinkhole: who speaks to it is likely infected", nil)
			continue
		}
		add("warning-list", weightWarning, "the value is on: "+list.Name, map[string]any{"list": list.Name})
	}
	return out
}

// Feedback is what became of an indicator's earlier matches.
type Feedback struct {
	Confirmed int // here, by a person
	Refused   int // here, by a person: it was nothing
	Partners  int // parties that reported it as a false positive
}

// The bounds of what feedback adds.
const (
	weightPartner  = -1.5
	mostPartners   = 3
	bestPrecision  = 1.0
	worstPrecision = -4.0
)

// feedback makes terms of it. Live precision is the odds of confirmed against refused matches, one of each added so that
// the first word does not decide; a partner's report counts like a good part of a refusal of one's own.
func feedback(out []Term, f Feedback) []Term {
	if f.Confirmed+f.Refused > 0 {
		weight := math.Log(float64(f.Confirmed+1)/float64(f.Refused+1)) * 1.5
		out = append(out, Term{Name: "live-precision", Weight: round(min(bestPrecision, max(worstPrecision, weight))),
			Why: fmt.Sprintf("of its matches here %d were confirmed and %d refused", f.Confirmed, f.Refused), Details: map[string]any{"confirmed": f.Confirmed, "refused": f.Refused}})
	}
	if f.Partners > 0 {
		out = append(out, Term{Name: "partners-false-positive", Weight: weightPartner * float64(min(f.Partners, mostPartners)),
			Why: fmt.Sprintf("%d parties report it as a false positive", f.Partners), Details: map[string]any{"n": f.Partners}})
	}
	return out
}

// weigh completes a match's evidence by what is known of the indicator and of the traffic around, and settles its level.
// What only a fingerprint names needs two more signs, of which a beacon may be one, before it is more than context.
func (e *Engine) weigh(m *Match, ev *event.Event, onlyFingerprint bool) {
	if e.options.Feedback != nil {
		m.Evidence = feedback(m.Evidence, e.options.Feedback(m.id))
	}
	more := 0
	if e.options.History != nil {
		e.signs = e.options.History.Signs(e.signs[:0], ev)
		for _, s := range e.signs {
			m.Evidence = append(m.Evidence, termOf(&s))
			if s.Weight > 0 && s.Name != "rare-fingerprint" {
				more++
			}
		}
	}
	m.Sure = sureness(m.Evidence)
	m.Level = Context
	if m.Sure >= 0.5 && (!onlyFingerprint || more >= 2) {
		m.Level = Alert
	}
}

func termOf(s *evidence.Sign) Term {
	t := Term{Name: s.Name, Weight: round(s.Weight), Why: s.Why, Details: s.Details}
	for i := range s.Rows {
		t.Rows = append(t.Rows, wherePlace(&s.Rows[i]))
	}
	for _, at := range s.Times {
		t.Times = append(t.Times, at/int64(time.Millisecond))
	}
	return t
}

// Beacons emits what calls its destination like clockwork, as context: no indicator names it, so nobody is woken.
func (e *Engine) Beacons() {
	e.EachBeacon(func(m *Match) {
		e.stats.Matches[m.Level]++
		e.emit(m)
	})
}

// EachBeacon calls yield with them, and counts nothing.
func (e *Engine) EachBeacon(yield func(*Match)) {
	if e.options.History == nil {
		return
	}
	e.options.History.Beacons(func(b evidence.Beacon) {
		at := time.Unix(0, b.Last).UTC()
		m := &Match{Time: &at, at: b.Last, Level: Context, Seen: Seen{Kind: "beacon"}, Flow: &Flow{Src: b.Src.String(), DstPort: b.Port},
			Evidence: []Term{{Name: "base", Weight: weightBase, Why: "most of what is seen is harmless"}}}
		if b.Dst.IsValid() {
			m.Flow.Dst, m.Seen.Value = b.Dst.String(), netip.AddrPortFrom(b.Dst, b.Port).String()
		}
		for i := range b.Signs {
			m.Evidence = append(m.Evidence, termOf(&b.Signs[i]))
		}
		rows := m.Evidence[len(m.Evidence)-1].Rows
		m.Where = rows[len(rows)-1]
		m.Sure = sureness(m.Evidence)
		yield(m)
	})
}

// needsMore tells whether a pattern asks for anything that is no fingerprint's value.
func (e *Engine) needsMore(hit *index.Hit) bool {
	if !hit.Pattern {
		return false
	}
	p := e.plans.Load().all[hit.Indicator]
	return p == nil || p.Scan || slices.ContainsFunc(p.Atoms, func(a plan.Atom) bool { return !a.Kind.Context() })
}

func round(w float64) float64 { return math.Round(w*100) / 100 }

// sureness turns a sum of log-odds into a probability, to two digits.
func sureness(all []Term) float64 {
	sum := 0.0
	for _, t := range all {
		sum += t.Weight
	}
	return math.Round(100/(1+math.Exp(-sum))) / 100
}
