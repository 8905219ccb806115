package record

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// chainMember is a party of the model: the seal keys it ever had, the current one last, and when it came.
type chainMember struct {
	name    string
	keys    []string
	reasons []RevocationReason // of all but the last
	came    time.Time
	in      bool
}

func (m *chainMember) holder(rule string) Holder {
	n := len(m.keys) - 1
	h := Holder{Keys: []Key{{ID: m.keys[n]}}}
	for i, id := range m.keys[:n] {
		h.Former = append(h.Former, id)
		if m.reasons[i] == RevokedSuperseded {
			h.Replaced = append(h.Replaced, id)
		}
	}
	switch rule {
	case "all":
		h.From = &time.Time{}
	case "year":
		since := m.came.AddDate(-1, 0, 0)
		h.From = &since
	}
	return h
}

// chainModel plays the author: it keeps the chain as a node does, and beside it which secrets every key ever got.
type chainModel struct {
	t      *rapid.T
	chain  EpochChain
	keys   map[string]map[int64]EpochKey // by epoch and step: the author's
	has    map[string][]EpochKey         // by seal key: what was wrapped for it
	serial int
	now    time.Time
}

func (m *chainModel) check(err error) {
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *chainModel) give(e EpochKey, to []Key) {
	for _, k := range to {
		m.has[k.ID] = append(m.has[k.ID], e)
		state := &m.chain.Epochs[slices.IndexFunc(m.chain.Epochs, func(s EpochState) bool { return s.ID == e.ID() })]
		if old, had := state.Given[k.ID]; !had || e.Step() < old.Step {
			state.Given[k.ID] = Gift{Step: e.Step()}
		}
	}
}

func (m *chainModel) deliver(to []Holder) {
	for _, g := range m.chain.Owed(to) {
		m.give(m.keys[g.Epoch][g.Step], g.Keys)
	}
	if again := m.chain.Owed(to); len(again) > 0 {
		m.t.Fatalf("still owed after it was delivered: %+v", again)
	}
}

// seal takes the step for the next record and returns it.
func (m *chainModel) seal(to []Holder) EpochKey {
	m.now = m.now.Add(time.Hour)
	mode, keys := m.chain.Next(to)
	if mode == EpochFresh {
		m.serial++
		e, err := NewEpoch(seeded(fmt.Sprint("epoch", m.serial)))
		m.check(err)
		m.chain.Epochs = append(m.chain.Epochs, EpochState{ID: e.ID(), Steps: []EpochStep{{0, m.now}}, Given: map[string]Gift{}})
		m.keys[e.ID()] = map[int64]EpochKey{0: e}
		m.give(e, keys)
		return e
	}
	m.deliver(to)
	last := &m.chain.Epochs[len(m.chain.Epochs)-1]
	e := m.keys[last.ID][last.newest()]
	if mode == EpochRatchet {
		var err error
		e, err = e.Ratchet()
		m.check(err)
		last.Steps = append(last.Steps, EpochStep{e.Step(), m.now})
		m.keys[last.ID][e.Step()] = e
		m.give(e, keys)
	}
	return e
}

// opens says whether some of these keys were ever given what opens a step.
func (m *chainModel) opens(keys []string, e EpochKey) bool {
	for _, id := range keys {
		identity := EpochIdentity(m.has[id]...).(*epochIdentity)
		if got, ok := identity.at(e.ID(), e.Step()); ok && got.Commit() == e.Commit() {
			return true
		}
	}
	return false
}

// Whoever is in the audience opens what is sealed then with the key that it has then; whoever has left, and every key that was
// given up because it was stolen or lost, opens nothing of it, for ever. What a newcomer opens of before is the rule's.
func TestEpochChain(t *testing.T) {
	for _, rule := range []string{"none", "year", "all"} {
		t.Run(rule, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { runChain(t, rule) })
		})
	}
}

type sealedThen struct {
	key     EpochKey
	at      time.Time
	members []string // who was in
}

func runChain(t *rapid.T, rule string) {
	m := &chainModel{t: t, keys: map[string]map[int64]EpochKey{}, has: map[string][]EpochKey{}, now: now}
	var all []*chainMember
	var records []sealedThen
	fresh := 0
	newKey := func() string { fresh++; return fmt.Sprintf("k-%03d", fresh) }
	add := func() {
		m.now = m.now.Add(time.Duration(rapid.IntRange(1, 500).Draw(t, "days")) * 24 * time.Hour)
		all = append(all, &chainMember{name: fmt.Sprintf("p-%d", len(all)), keys: []string{newKey()}, came: m.now, in: true})
	}
	holders := func() (to []Holder, in []string) {
		for _, p := range all {
			if p.in {
				to, in = append(to, p.holder(rule)), append(in, p.name)
			}
		}
		return to, in
	}
	some := func() *chainMember { return all[rapid.IntRange(0, len(all)-1).Draw(t, "who")] }
	for range 3 {
		add()
	}
	for range rapid.IntRange(5, 40).Draw(t, "steps") {
		switch rapid.SampledFrom([]string{"seal", "seal", "seal", "join", "leave", "rotate", "steal", "deliver", "return"}).Draw(t, "do") {
		case "join":
			add()
		case "leave":
			some().in = false
		case "return":
			if p := some(); !p.in {
				p.in, p.came = true, m.now
			}
		case "rotate", "steal":
			p := some()
			reason := rapid.SampledFrom([]RevocationReason{RevokedSuperseded, RevokedCompromised, RevokedLost}).Draw(t, "why")
			p.keys, p.reasons = append(p.keys, newKey()), append(p.reasons, reason)
		case "deliver":
			if to, _ := holders(); len(to) > 0 {
				m.deliver(to)
			}
		case "seal":
			to, in := holders()
			if len(to) == 0 {
				continue
			}
			e := m.seal(to)
			records = append(records, sealedThen{e, m.now, in})
			for _, p := range all {
				given := p.keys[len(p.keys)-1:]
				if p.in && !m.opens(given, e) {
					t.Fatalf("%s is in the audience and cannot open %v", p.name, e)
				}
				for i, id := range p.keys {
					gone := !p.in || i < len(p.reasons) && p.reasons[i] != RevokedSuperseded
					if gone && m.opens([]string{id}, e) {
						t.Fatalf("%s opens %v with key %s, which must not", p.name, e, id)
					}
				}
			}
		}
	}
	if to, _ := holders(); len(to) > 0 {
		m.deliver(to)
	}
	for _, r := range records {
		for _, p := range all {
			was := slices.Contains(r.members, p.name)
			now := p.keys[len(p.keys)-1:]
			switch may := m.opens(now, r.key); {
			case p.in && was && !may:
				t.Fatalf("%s was there and cannot open %v with its present key", p.name, r.key)
			case p.in && rule == "all" && !may:
				t.Fatalf("%s may have all and cannot open %v", p.name, r.key)
			case p.in && rule == "year" && r.at.After(p.came.AddDate(-1, 0, 0)) && !may:
				t.Fatalf("%s may have a year and cannot open %v", p.name, r.key)
			case !p.in && rule == "none" && !was && m.opens(p.keys, r.key):
				t.Fatalf("%s was not there and has left, and opens %v", p.name, r.key)
			}
		}
	}
}

func TestALostWrapIsOwedAgain(t *testing.T) {
	chain := EpochChain{Epochs: []EpochState{{ID: "e-1", Steps: []EpochStep{{0, now}, {1, now}}, Given: map[string]Gift{"k-a": {Step: 0}, "k-b": {Step: 1, Lost: true}}}}}
	to := []Holder{{Keys: []Key{{ID: "k-a"}}}, {Keys: []Key{{ID: "k-b"}}}}
	if mode, keys := chain.Next(to); mode != "" || keys != nil {
		t.Errorf("%q %v", mode, keys)
	}
	got := chain.Owed(to)
	if len(got) != 1 || got[0].Step != 1 || len(got[0].Keys) != 1 || got[0].Keys[0].ID != "k-b" {
		t.Errorf("%+v", got)
	}
}

func TestSealedBy(t *testing.T) {
	p := newParty(t, "sealed by")
	e, err := NewEpoch(seeded("sealed by"))
	check(t, err)
	e, err = e.Forward(7)
	check(t, err)
	if _, err := e.Forward(6); err == nil {
		t.Error("a ratchet went back")
	}
	direct, err := Direct(p.seal.Recipient())
	check(t, err)
	for _, c := range []struct {
		to   Sealing
		want bool
	}{{e.Sealing(seeded("nonce")), true}, {direct, false}} {
		object, err := sealObject(seeded("salt"), []byte("an envelope"), c.to)
		check(t, err)
		if id, step, ok := SealedBy(object); ok != c.want || ok && (id != e.ID() || step != 7) {
			t.Errorf("%q %d %v", id, step, ok)
		}
		for n := range object {
			if id, _, ok := SealedBy(object[:n]); ok && id != e.ID() {
				t.Fatalf("of %d bytes: %q", n, id)
			}
		}
	}
	if _, err := OpenObject([]byte("MQO1\x02"), EpochIdentity(e)); err == nil || errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
