package record

import (
	"bytes"
	"context"
	"encoding/base64"
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
		got, err := new(Rereader).payloadOf(envelope)
		if err != nil || !bytes.Equal(got, payload) {
			t.Errorf("%.200s: %v", got, err)
		}
	}
	if _, err := new(Rereader).payloadOf([]byte(`{"payload":"%%"`)); err == nil {
		t.Error("what is no envelope was read")
	}
}

// TestARereaderReadsWhatWasPublished: every kind, one after the other into the same memory, and from sealed objects.
func TestARereaderReadsWhatWasPublished(t *testing.T) {
	p := newParty(t, "a")
	var x Rereader
	for _, body := range corpus(t) {
		for _, tlp := range []TLP{TLPClear, TLPRed} {
			want := p.record(t, body, tlp)
			envelope := p.envelope(t, want)
			sealing, err := Direct(p.seal.Recipient())
			if form, fault := FormFor(want); fault != nil || form == FormClear {
				sealing, err = Clear(), fault
			}
			check(t, err)
			object, err := SealObject(seeded("salt"), envelope, sealing)
			check(t, err)
			got, err := x.Object(object, p.seal)
			if err != nil || got.Record.ID != want.ID || !got.Record.Time.Equal(want.Time) || got.Record.Marking != want.Marking || !bytes.Equal(got.Record.Body, want.Body) {
				t.Fatalf("%s: %+v, %v, want %+v", want.Kind, got.Record, err, want)
			}
			if len(got.Signers) != 1 || got.Huge || !bytes.Contains(envelope, []byte(got.Signers[0])) {
				t.Errorf("%s: signers %v", want.Kind, got.Signers)
			}
		}
	}
}

func TestARereaderRefusesWhatIsNoRecord(t *testing.T) {
	var x Rereader
	const head = `{"v":1,"id":"r-1","author":"p-1","kind":"intel","time":"2026-01-01T00:00:00Z","body":`
	for payload, huge := range map[string]bool{head + `{"n":1}}`: false, head + `{"n":1e999}}`: true} {
		if r, err := x.Payload([]byte(payload)); err != nil || r.Huge != huge {
			t.Errorf("%s: %+v, %v", payload, r, err)
		}
	}
	for _, payload := range []string{``, `[]`, `{}`, head + `[]}`, head + `{}`, `{"id":1}`, `{"id":"r-1","author":"p-1","kind":"intel","time":"yesterday","body":{}}`} {
		if _, err := x.Payload([]byte(payload)); err == nil {
			t.Errorf("%s was read", payload)
		}
	}
	for _, envelope := range []string{``, `{}`, `{"payloadType":"x"}`, `{"payloadType":"` + RecordType + `","payload":"%"}`} {
		if _, err := x.Envelope([]byte(envelope)); err == nil {
			t.Errorf("%s was read", envelope)
		}
	}
}

// FuzzBase64: what is decoded quickly is what the standard library decodes; what is not, it may decode all the same (line ends).
func FuzzBase64(f *testing.F) {
	for _, seed := range []string{"", "AA==", "AAA=", "AAAA", "AAAAAAAA", "AAAAAAAAAAA=", "++//++//++//", "AAAA\nAAAAAAAA", "A", "AAAAAAAAA", "AAAA====", "AA-_AAAAAAAA", "=AAAAAAAAAAA"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := new(Rereader).decode(nil, text)
		want, err := base64.StdEncoding.AppendDecode(nil, text)
		if ok && (err != nil || !bytes.Equal(got, want)) {
			t.Fatalf("%q became %x, want %x, %v", text, got, want, err)
		}
		if !ok && err == nil && !bytes.ContainsAny(text, "\r\n") {
			t.Fatalf("%q was refused", text)
		}
	})
}
