package agreement

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// An invented party founds, joins and approves nothing real; it may leave what it should not be in, and real parties may play
// in an invented agreement.
func TestNoInventedPartyEntersARealAgreement(t *testing.T) {
	invented := charter("1", "", "sahlan", "norvia")
	real := strings.ReplaceAll(invented, "fictional = true\n", "")
	n := 0
	enter := func(r *roll, party string, isInvented bool, act Act) error {
		n++
		at := start.Add(time.Duration(n) * time.Hour)
		act.Date = at.Format(time.DateOnly)
		return r.enter(Entry{Leaf: leafOf(fmt.Sprint("invented", n)), Party: pid(party), Officers: []string{"k-1"}, Time: at, Invented: isInvented, Act: act})
	}
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, &Refusal{Code: NotEntitled}) || !strings.Contains(err.Error(), "invented") {
			t.Errorf("%s: %v", what, err)
		}
	}
	r := begin(t, real)
	refused("founding a real agreement", enter(r, "sahlan", true, Act{Act: ActPropose, Definition: real}))
	if err := enter(r, "sahlan", false, Act{Act: ActPropose, Definition: real}); err != nil {
		t.Fatal(err)
	}
	parent, proposal := r.s.Basis().String(), r.s.OpenProposals()[0].Leaf
	refused("approving one", enter(r, "norvia", true, Act{Act: ActApprove, Parent: parent, Proposal: proposal}))
	if err := enter(r, "norvia", false, Act{Act: ActApprove, Parent: parent, Proposal: proposal}); err != nil {
		t.Fatal(err)
	}
	text := r.s.Text()
	refused("joining one", enter(r, "darb", true, Act{Act: ActJoin, Text: &text}))
	if err := enter(r, "norvia", true, Act{Act: ActWithdraw}); err != nil {
		t.Errorf("a party that turned out to be invented cannot leave: %v", err)
	}
	r = begin(t, invented)
	if err := enter(r, "sahlan", true, Act{Act: ActPropose, Definition: invented}); err != nil {
		t.Errorf("an invented party founds no invented agreement: %v", err)
	}
}
