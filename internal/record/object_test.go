package record

import (
	"bytes"
	"testing"
)

func TestARecordTravels(t *testing.T) {
	p := newParty(t, "a")
	for _, tlp := range []TLP{TLPClear, TLPGreen, TLPRed} {
		envelope := p.envelope(t, p.record(t, report(), tlp))
		sealing := Clear()
		if tlp != TLPClear {
			var err error
			sealing, err = Direct(p.seal.Recipient())
			check(t, err)
		}
		object, err := SealObject(seeded("salt"), envelope, sealing)
		check(t, err)
		check(t, CheckLeaf(Leaf(object), object))
		opened, err := OpenObject(object, p.seal)
		check(t, err)
		if !bytes.Equal(opened, envelope) {
			t.Fatal("the envelope changed on its way")
		}
		r, err := OpenRecord(opened, p.keyring)
		check(t, err)
		if r.Marking.TLP != tlp {
			t.Fatalf("opened %v", r)
		}
	}
}
