package policy_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/mithaq/mithaq/internal/policy"
)

// An agreement lets members' clients have what is AMBER, except what concerns energy.
const rules = `
@id("clients")
@en("clients of members may have what is AMBER")
@fr("les clients des membres peuvent recevoir ce qui est AMBER")
permit (principal, action, resource)
when { resource.tlp == "TLP:AMBER" && principal.membership == "client" };

@id("energy-among-members")
@en("what concerns energy stays among members")
forbid (principal, action, resource)
when { resource.sectors.contains("energy") && principal.membership != "member" };
`

func Example() {
	own, err := policy.LoadRules("own", "rules.cedar", []byte(rules))
	if err != nil {
		fmt.Println(err)
		return
	}
	book, err := policy.NewBook(own)
	if err != nil {
		fmt.Println(err)
		return
	}
	decider := book.NewDecider()
	for _, sectors := range [][]string{nil, {"energy"}} {
		item := policy.Item{
			ID: "leaf", Agreement: "own", Author: "p-author", Kind: "intel", Sectors: sectors,
			Marking: policy.Marking{TLP: policy.TLPAmber},
		}
		text, decision := policy.Ask(decider, policy.Request{
			Principal: policy.Principal{Party: "p-client", Via: "p-member", Membership: policy.Client},
			Exit:      policy.ToAPI(),
			Now:       time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
		}, policy.Guard(item, "the indicators"))
		fmt.Printf("%q\n", text)
		for _, line := range decision.Why("en") {
			fmt.Println(line)
		}
	}
	// Output:
	// "the indicators"
	// Allowed:
	// clients of members may have what is AMBER [clients, rules.cedar:2:1]
	// ""
	// Denied:
	// what concerns energy stays among members [energy-among-members, rules.cedar:8:1]
}

func ExampleLoadRules() {
	_, err := policy.LoadRules("own", "rules.cedar", []byte(`@id("night") @en("not at night")
forbid (principal, action, resource) when { context.hour == "03" };`))
	var load *policy.LoadError
	if errors.As(err, &load) {
		fmt.Println(load.Problems[0].Code, "at", load.Problems[0].Where)
	}
	// Output: rules-schema at rules.cedar:2:45
}
