package policy

import "testing"

// TestVictimsNeedARuleThatMeansThem: what marking and membership give of records they do not give of who was hit.
func TestVictimsNeedARuleThatMeansThem(t *testing.T) {
	victim := func(it *Item) { it.Kind = KindVictim }
	rule := func(effect, condition string) string {
		return `@id("r-` + effect + `") @en("words") ` + effect + ` (principal, action, resource) when { ` + condition + ` };`
	}
	means := rule("permit", `resource.kind == "victim" && principal.membership == "member"`)
	for _, c := range []struct {
		name, rules string
		q           Request
		want        bool
	}{
		{"no rule", "", ask(item(victim)), false},
		{"no rule, CLEAR", "", ask(item(victim, tlp(TLPClear))), false},
		{"a rule for all kinds", rule("permit", `principal.membership == "member"`), ask(item(victim)), false},
		{"a rule for all kinds but one", rule("permit", `resource.kind != "intel"`), ask(item(victim)), false},
		{"a rule for all that begins so", rule("permit", `resource.kind like "v*"`), ask(item(victim)), true},
		{"a rule that means it", means, ask(item(victim)), true},
		{"a rule that means it among others", rule("permit", `["sighting", "victim"].contains(resource.kind)`), ask(item(victim)), true},
		{"a rule that means it, and another for all", means + "\n" + `@id("all") @en("words") permit (principal, action, resource);`, ask(item(victim)), true},
		{"a rule for all kinds at one label", rule("permit", `resource.tlp == "TLP:GREEN" || resource.kind == "victim"`), ask(item(victim)), false},
		{"a client", means, ask(item(victim), by(Client)), false},
		{"beyond the marking", rule("permit", `resource.kind == "victim"`), ask(item(victim), by(Client), func(q *Request) { q.Item.Marking.TLP = TLPAmberStrict }), false},
		{"a rule that forbids it", means + "\n" + rule("forbid", `resource.kind == "victim"`), ask(item(victim)), false},
		{"records are as before", means, ask(item()), true},
	} {
		d := book(t, c.rules).Decide(c.q)
		if d.Allow != c.want {
			t.Errorf("%s: %v, want %t", c.name, d.Why("en"), c.want)
		}
		if c.rules == "" && d.Reasons[0].Code != reasonNoVictim {
			t.Errorf("%s: reasons %v", c.name, d.Reasons)
		}
	}
}
