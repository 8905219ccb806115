package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func permitWhen(condition string) string {
	return "@id(\"a\") @en(\"a\")\npermit (principal, action, resource)\nwhen { " + condition + " };\n"
}

// TestRefusedRules: what is outside the closed schema or too costly is refused, with its place.
func TestRefusedRules(t *testing.T) {
	many := func(n int, one string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, one, i)
		}
		return b.String()
	}
	for _, c := range []struct {
		what, src string
		code      Code
		where     string
	}{
		{"an attribute that is not in the schema", permitWhen(`resource.title == "x"`), CodeSchema, "r.cedar:3:8"},
		{"the same in brackets", permitWhen(`true && resource["title"] == "x"`), CodeSchema, "r.cedar:3:16"},
		{"one that another variable has", permitWhen(`principal.tlp == "TLP:RED"`), CodeSchema, "r.cedar:3:8"},
		{"the attribute of an attribute", permitWhen(`resource.author.membership == "member"`), CodeSchema, "r.cedar:3:23"},
		{"the whole context", permitWhen(`context == context`), CodeSchema, "r.cedar:3:8"},
		{"the time", permitWhen(`context.now`), CodeSchema, "r.cedar:3:8"},
		{"a number", permitWhen(`resource.kind == 3`), CodeSchema, "r.cedar:3:25"},
		{"an order", permitWhen(`true && 1 < 2`), CodeSchema, "r.cedar:3:18"},
		{"a sum", permitWhen(`1 + 2 == 3`), CodeSchema, "r.cedar:3:10"},
		{"a function", permitWhen(`ip("10.0.0.1").isLoopback()`), CodeSchema, "r.cedar:3:23"},
		{"a date", permitWhen(`datetime("2026-01-01") == datetime("2026-01-01")`), CodeSchema, "r.cedar:3:8"},
		{"has", permitWhen(`principal has membership`), CodeSchema, "r.cedar:3:18"},
		{"a tag", permitWhen(`principal.hasTag("x")`), CodeSchema, "r.cedar:3:18"},
		{"a record", permitWhen(`{"a": 1} == {"a": 1}`), CodeSchema, "r.cedar:3:6"},
		{"a label that is none", permitWhen(`resource.tlp == "TLP:WHITE"`), CodeSchema, "r.cedar:3:24"},
		{"one in a list", permitWhen(`["TLP:RED", "TLP:PINK"].contains(resource.tlp)`), CodeSchema, "r.cedar:3:20"},
		{"a slip of the pen", permitWhen(`"mebmer" == principal.membership`), CodeSchema, "r.cedar:3:8"},
		{"a text as a condition", permitWhen(`resource.kind`), CodeSchema, "r.cedar:1:1"},
		{"different types", permitWhen(`principal == "p"`), CodeSchema, "r.cedar:3:18"},
		{"text and not", permitWhen(`resource.kind && true`), CodeSchema, "r.cedar:3:22"},
		{"a list of two types", permitWhen(`["a", true].contains("a")`), CodeSchema, "r.cedar:3:8"},
		{"an empty list", permitWhen(`[].contains("a")`), CodeSchema, "r.cedar:3:8"},
		{"an attribute in a list", permitWhen(`[resource.kind].contains("a")`), CodeSchema, "r.cedar:3:8"},
		{"a text in a list by in", permitWhen(`resource.kind in ["a"]`), CodeSchema, "r.cedar:3:22"},
		{"a party that is none", permitWhen(`principal == Party::"CERT-Sahlan"`), CodeSchema, "r.cedar:3:28"},
		{"another type of entity", permitWhen(`principal == User::"x"`), CodeSchema, "r.cedar:3:21"},
		{"an exit that is none", `@id("a") @en("a") permit (principal, action == Action::"print", resource);`, CodeSchema, "r.cedar:1:56"},
		{"an action's group", `@id("a") @en("a") permit (principal, action in Group::"x", resource);`, CodeSchema, "r.cedar:1:48"},
		{"one resource", `@id("a") @en("a") permit (principal, action, resource == Item::"leaf");`, CodeSchema, "r.cedar:1:46"},
		{"a group of parties", `@id("a") @en("a") permit (principal is Party in Party::"` + partyNo(1) + `", action, resource);`, CodeSchema, "r.cedar:1:27"},
		{"no name", `@en("a") permit (principal, action, resource);`, CodeID, "r.cedar:1:1"},
		{"no words", `@id("a") permit (principal, action, resource);`, CodeID, "r.cedar:1:1"},
		{"a name with blanks", `@id("a b") @en("a") permit (principal, action, resource);`, CodeID, "r.cedar:1:1"},
		{"a name twice", many(2, `@id("a") @note("%d") @en("a") permit (principal, action, resource);`+"\n"), CodeID, "r.cedar:2:5"},
		{"a shipped rule's name", `@id("tlp-red") @en("a") permit (principal, action, resource);`, CodeID, "r.cedar:1:1"},
		{"an annotation that is not known", `@id("a") @en("a") @priority("1") permit (principal, action, resource);`, CodeSchema, "r.cedar:1:19"},
		{"not Cedar", "allow everything;", CodeSyntax, "r.cedar:1:7"},
		{"not finished", "@id(\"a\") @en(\"a\")\npermit (principal, action, resource)", CodeSyntax, "r.cedar:2:37"},
		{"a string without end", "@id(\"a", CodeSyntax, "r.cedar:1:5"},
		{"not UTF-8", "// \xff\n", CodeSyntax, "r.cedar:1:5"},
		{"hidden direction", "@id(\"a\") @en(\"a\u202eb\") permit (principal, action, resource);", CodeSyntax, "r.cedar:1:14"},
		{"too large", strings.Repeat("/", maxRulesBytes+1), CodeSize, "r.cedar:1:1"},
		{"too many", many(maxRules+1, "@id(\"a%d\") @en(\"a\") permit (principal, action, resource);\n"), CodeSize, "r.cedar:101:1"},
		{"too many words", `@id("a") @en("` + strings.Repeat("x", maxWords+1) + `") permit (principal, action, resource);`, CodeSize, "r.cedar:1:10"},
		{"too many conditions", permitWhen(strings.Repeat(`context.own && `, 300) + "true"), CodeCost, "r.cedar:1:1"},
		{"too long a list", permitWhen("[" + strings.Repeat(`"x",`, 500) + `"x"].contains(resource.kind)`), CodeCost, "r.cedar:1:1"},
		{"too costly together", many(60, `@id("a%d") @en("a") permit (principal, action, resource) when { resource.tlp like "x*" && resource.pap like "y*" };`+"\n"), CodeCost, "r.cedar:7:1"},
		{"too deep", permitWhen(strings.Repeat("(", 5000) + "true" + strings.Repeat(")", 5000)), CodeCost, "r.cedar:3:31"},
		{"too many negations", permitWhen(strings.Repeat("!", 5000) + "true"), CodeCost, "r.cedar:3:10"},
		{"too many asterisks", permitWhen(`resource.kind like "*a*b*c"`), CodeCost, "r.cedar:3:22"},
		{"too long a pattern", permitWhen(`resource.kind like "` + strings.Repeat("a", 100) + `"`), CodeCost, "r.cedar:3:22"},
	} {
		_, err := LoadRules(agreementID, "r.cedar", []byte(c.src))
		var load *LoadError
		if !errors.As(err, &load) {
			t.Errorf("%s: loaded (%v)", c.what, err)
			continue
		}
		if p := load.Problems[0]; p.Code != c.code || p.Where != c.where {
			t.Errorf("%s: %s at %s, want %s at %s: %s", c.what, p.Code, p.Where, c.code, c.where, p.Message)
		}
	}
}

// TestAllProblemsAreTold: a person who writes rules sees more than the first mistake.
func TestAllProblemsAreTold(t *testing.T) {
	_, err := LoadRules(agreementID, "r.cedar", []byte(permitWhen(`resource.title == "x"`)+strings.ReplaceAll(permitWhen(`principal.age == "y"`), `"a"`, `"b"`)))
	var load *LoadError
	if !errors.As(err, &load) || len(load.Problems) != 2 {
		t.Fatalf("%v", err)
	}
	if !strings.Contains(err.Error(), "r.cedar:3:8") || !strings.Contains(err.Error(), "(and 1 more)") {
		t.Errorf("the error says %q", err)
	}
}

// TestAcceptedRules: everything in the schema can be asked.
func TestAcceptedRules(t *testing.T) {
	for _, condition := range append(conditions, `principal is Party`, `"x" == resource.kind`, `!resource.sectors.containsAll(["a", "b"])`,
		`if context.own then context.named else principal.connected`, `action != Action::"ui"`, `resource["tlp"] == "TLP:RED"`, `["a"] == resource.sectors`) {
		if _, err := LoadRules(agreementID, "r.cedar", []byte(permitWhen(condition))); err != nil {
			t.Errorf("%s: %v", condition, err)
		}
	}
	rs, err := LoadRules(agreementID, "r.cedar", []byte("// nothing but a comment /* here\n"))
	if err != nil || rs.Len() != 0 || rs.Agreement() != agreementID {
		t.Errorf("no rules: %v, %v", rs, err)
	}
	for _, a := range Attributes() {
		variable, name, _ := strings.Cut(a, ".")
		if _, ok := attributes(variable, name); !ok {
			t.Errorf("%s is listed and not in the schema", a)
		}
	}
	if texts, err := Shipped(); err != nil || !strings.Contains(texts["tlp.cedar"], "tlp-amber") {
		t.Errorf("the shipped text: %v", err)
	}
}

// FuzzLoadRules: whatever the text, loading ends with rules that can be evaluated, or with problems that have places.
func FuzzLoadRules(f *testing.F) {
	shippedTexts, err := Shipped()
	if err != nil {
		f.Fatal(err)
	}
	for _, src := range shippedTexts {
		f.Add(src)
	}
	for _, c := range conditions {
		f.Add(permitWhen(c))
	}
	f.Add(benchmarkRules(5))
	f.Add(permitWhen("principal has a.b.c.d || [[1],{}] like \"*\""))
	f.Fuzz(func(t *testing.T, src string) {
		rs, err := LoadRules(agreementID, "f.cedar", []byte(src))
		if err != nil {
			var load *LoadError
			if !errors.As(err, &load) || len(load.Problems) == 0 || len(load.Problems) > maxLoadErrors {
				t.Fatalf("%#v", err)
			}
			for _, p := range load.Problems {
				if !strings.HasPrefix(p.Where, "f.cedar:") || p.Message == "" {
					t.Fatalf("%+v", p)
				}
			}
			return
		}
		b, err := NewBook(rs)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []Request{
			ask(item(tlp(TLPRed), pap(PAPRed))), ask(item(tlp(TLPGreen)), by(Community)), ask(item(), by(Client)),
		} {
			d := b.Decide(q)
			for _, r := range d.Reasons {
				if r.Code == reasonFailed {
					t.Fatalf("loaded, and fails: %s", src)
				}
			}
			if d.Allow && q.Item.Marking.TLP == TLPRed {
				t.Fatalf("RED without named persons: %s", src)
			}
		}
	})
}
