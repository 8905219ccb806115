package record

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

const (
	testHash   = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	testBundle = `{ "type":"bundle",  "id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d",
	"objects":[{"type":"indicator","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","confidence":55,"x":null,"y":[],"score":0.10,"labels":[""]}]	}`
)

// stableParty is a party whose every byte comes from a seed: it has no seal key.
func stableParty(t testing.TB, seed string) *party {
	r := seeded(seed)
	p := &party{root: signer(t, r, RoleRoot), log: signer(t, r, RoleLog), node: signer(t, r, RoleNode), officer: signer(t, r, RoleOfficer)}
	id, err := NewID(r, PrefixLog)
	check(t, err)
	p.keyring = sign(t, FirstKeyring(p.root.PublicKey(), Names{"ar": "طرف", "en": "A party"}, LogIdentity{ID: id, Origin: LogOrigin(id), Agreement: OwnAgreement}, now,
		NewKey(RoleLog, p.log.PublicKey()), NewKey(RoleNode, p.node.PublicKey()), NewKey(RoleOfficer, p.officer.PublicKey())), p.root)
	return p
}

// corpus returns valid bodies of every kind.
func corpus(t testing.TB) []Body {
	p := stableParty(t, "corpus")
	who, key := p.keyring.Party, p.officer.KeyID()
	origin := p.keyring.Log.Origin
	vkey := origin + "+0123abcd+" + base64.StdEncoding.EncodeToString(append([]byte{1}, p.log.PublicKey().Bytes...))
	text, names := Text{"en": "Some text,\n\tin two lines.", "ar": "نص"}, Names{"en": "A name", "fr": "Un nom"}
	audience := NewAudience([]string{who}, []string{key})
	epoch, err := NewEpoch(seeded("epoch"))
	check(t, err)
	next, err := epoch.Ratchet()
	check(t, err)
	wraps := []WrapRef{{key, testHash}}
	stix := "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
	return []Body{
		&Intel{Bundle: jsontext.Value(testBundle)},
		&Act{Act: ActPropose, Date: "2026-02-28", Definition: "name = \"x\"\n", Note: text},
		&Act{Act: ActApprove, Date: "2024-02-29", Parent: testHash, Proposal: testHash},
		&Act{Act: ActJoin, Date: "2026-02-28", Proposal: testHash, Text: &TextVersion{"1.0", testHash}, Reservations: []Reservation{{"4.b", text}},
			Declarations: []Text{text}, Mandate: &Mandate{names, text, "2026-01-01"}, Log: &LogAddress{origin, vkey}},
		&Act{Act: ActObject, Date: "2026-02-28", ObjectsTo: testHash},
		&Act{Act: ActDeclare, Date: "2026-02-28", Declarations: []Text{text}},
		&Act{Act: ActRemove, Date: "2026-02-28", Party: who},
		&Act{Act: ActWithdraw, Date: "2026-02-28"},
		&Report{Period: Period{"2026-01-01", "2026-01-31"}, Summary: text, Measures: []Measure{{text, MeasureDone}, {text, MeasurePlanned}}, Challenges: []Text{text}, Gaps: []Text{text, text}},
		&Recall{Target: testHash, Action: RecallWithdraw, Reason: RecallError, Note: text},
		&Recall{Target: testHash, Action: RecallNarrow, Reason: RecallSource, Marking: &Marking{TLP: TLPRed, PAP: PAPAmber}, Audience: audience},
		&Recall{Target: testHash, Action: RecallNarrow, Reason: RecallLegal, Objects: []string{stix}},
		&Release{Target: testHash, Marking: &Marking{TLP: TLPClear}, Reason: "agreed by all", Note: text},
		&Release{Target: testHash, Audience: audience, Reason: "asked for"},
		&Release{Target: testHash, Audience: audience, Reason: "asked for", Opens: &Opening{Stanza: testHash, Key: make([]byte, 16)}},
		&Allegation{Type: AllegeAttribution, Against: []Accused{{who, names}, {"", names}}, Summary: text, Basis: text, Confidence: ConfidenceLow, Norms: []string{"13.c", "f"}, Period: &Period{From: "2026-01-01"}},
		&Allegation{Type: AllegeCounter, Against: []Accused{{Name: names}}, Summary: text, Basis: text, Confidence: ConfidenceHigh, Period: &Period{"2026-01-01", "2026-01-01"}},
		&Response{Target: testHash, Stance: StanceNeedsInfo, Text: text},
		&KeyringBody{Keyring: p.keyring.Envelope()},
		&EpochBody{Epoch: epoch.ID(), Mode: EpochFresh, Audience: audience, Commit: epoch.Commit(), Wraps: wraps},
		&EpochBody{Epoch: epoch.ID(), Step: 1, Mode: EpochRatchet, Commit: next.Commit(), Wraps: wraps},
		&ReceiptBody{Target: testHash, Log: origin, State: ReceiptRead, At: At(now.Add(1234 * time.Microsecond))},
		&ReceiptBody{Target: testHash, Log: origin, State: ReceiptOpened, At: At(now), Tree: &ReceiptTree{12, testHash}, Ranges: []Range{{0, 3}, {5, 6}, {8, 12}}},
		&AuditBody{Hour: At(now.Truncate(time.Hour)), Rows: 2, Decisions: 17, Hash: AuditHash("", now.Truncate(time.Hour), [][]byte{[]byte("a"), []byte("b")})},
		&AuditBody{Hour: At(now.Truncate(time.Hour)), Rows: 1, Decisions: 1, Hash: testHash, Previous: testHash},
		&Sighting{Target: testHash, Indicator: "indicator--9d2b6f3c-7c3e-4f58-9a40-1b2c3d4e5f60", Verdict: SightingSeen, Count: SightingCount(300), First: "2026-01-30", Last: "2026-02-01"},
		&Sighting{Target: testHash, Indicator: "indicator--9d2b6f3c-7c3e-4f58-9a40-1b2c3d4e5f60", Verdict: SightingFalsePositive, Note: text},
		&RollEntry{Leaf: leafOf(testHash), Origin: origin, Object: testHash, Act: p.envelope(t, p.record(t, &Act{Act: ActWithdraw, Date: "2026-02-28"}, TLPGreen)),
			Keyring: p.keyring.Envelope(), Proof: proofHeader + "index 0\n", Parent: testHash, Result: testHash},
	}
}

func TestEveryKindMakesAValidRecord(t *testing.T) {
	p := stableParty(t, "corpus")
	seen := make(map[Kind]bool)
	for _, body := range corpus(t) {
		r := p.record(t, body, TLPAmber)
		if _, err := OpenRecord(p.envelope(t, r), p.keyring); err != nil {
			t.Errorf("%s: %v", body.Kind(), err)
		}
		seen[body.Kind()] = true
	}
	for _, spec := range Kinds() {
		if full, err := LookupKind(spec.Name); err != nil || len(spec.Schema) == 0 || string(full.Schema) != string(spec.Schema) || !seen[spec.Name] {
			t.Errorf("kind %s: %v, or it has no schema, or no body in the corpus", spec.Name, err)
		}
	}
}

func TestBundleBytesStay(t *testing.T) {
	p := stableParty(t, "corpus")
	payload, err := p.record(t, &Intel{Bundle: jsontext.Value(testBundle)}, TLPGreen).Payload()
	check(t, err)
	if !strings.Contains(string(payload), testBundle) {
		t.Fatalf("the bundle was rewritten:\n%s", payload)
	}
	r, err := ParsePayload(payload)
	check(t, err)
	intel, err := Parse[Intel](r)
	check(t, err)
	if string(intel.Bundle) != testBundle {
		t.Fatalf("the bundle was rewritten:\n%s", intel.Bundle)
	}
	if _, err := Parse[Act](r); err == nil {
		t.Fatal("an intel record passed for an act")
	}
	env, err := Sign(context.Background(), RecordType, payload, p.officer)
	check(t, err)
	e, err := ParseEnvelope(env)
	check(t, err)
	if sha256.Sum256(e.Payload) != sha256.Sum256(payload) {
		t.Fatal("the payload was rewritten")
	}
}

// TestPayloadsKeepEveryByte writes records around bundles in all sorts of spelling, and reads the same bytes again.
func TestPayloadsKeepEveryByte(t *testing.T) {
	p := stableParty(t, "corpus")
	base := p.record(t, &Intel{Bundle: jsontext.Value(testBundle)}, TLPGreen)
	rapid.Check(t, func(t *rapid.T) {
		space := rapid.StringOfN(rapid.SampledFrom([]rune(" \t\n\r")), 0, 4, -1)
		var b strings.Builder
		for _, token := range strings.SplitAfter(testBundle, ",") {
			b.WriteString(token + space.Draw(t, "space"))
		}
		value := rapid.SampledFrom([]string{`"\u0041\/"`, `1.50e+1`, `-0`, `[ ]`, `{ }`, `""`, `null`, `"\ud83d\ude00"`, `0.10`}).Draw(t, "value")
		bundle := strings.Replace(b.String(), "55", value, 1)
		intel, err := EncodeBody(&Intel{Bundle: jsontext.Value(bundle)})
		if err != nil {
			t.Fatal(err)
		}
		r := base
		r.Body = intel
		payload, err := r.Payload()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParsePayload(payload)
		if err != nil {
			t.Fatal(err)
		}
		again, err := got.Payload()
		if err != nil || string(again) != string(payload) || !strings.Contains(string(payload), strings.TrimSpace(bundle)) {
			t.Fatalf("%v\n%s\n%s", err, payload, again)
		}
	})
}
