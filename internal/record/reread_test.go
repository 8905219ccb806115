package record

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
)

// TestRereadPayload compares the quick way with parsing, for envelopes as programs write them and as they could.
func TestRereadPayload(t *testing.T) {
	p := newParty(t, "a")
	r := p.record(t, &Report{Period: Period{From: "2026-10-01", To: "2026-10-31"}, Summary: Text{"en": `Quiet, "payload":"eA==" and all.`}}, TLPClear)
	payload, err := r.Payload()
	if err != nil {
		t.Fatal(err)
	}
	compact, err := Sign(context.Background(), RecordType, payload, p.issuer(KindReport))
	if err != nil {
		t.Fatal(err)
	}
	var spaced bytes.Buffer
	if err := json.Indent(&spaced, compact, "", "  "); err != nil {
		t.Fatal(err)
	}
	for _, envelope := range [][]byte{compact, spaced.Bytes()} {
		got, err := RereadPayload(envelope)
		if err != nil || !bytes.Equal(got, payload) {
			t.Errorf("%.200s: %v", got, err)
		}
	}
	if _, err := RereadPayload([]byte(`{"payload":"%%"`)); err == nil {
		t.Error("what is no envelope was read")
	}
}
