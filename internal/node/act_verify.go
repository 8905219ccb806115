package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// provenAct is an act of some party with everything checked that does not depend on the agreement's state.
type provenAct struct {
	signed  record.RollEntry // Parent and Result as they came
	keyring record.Keyring
	record  record.Record
	entry   agreement.Entry // without Parent and Result
}

// proveAct checks that an act is its author's: the keyring's root chain gives the party id, every signature verifies
// under it, the record is an act under this agreement, and its leaf stands in the author's log.
func proveAct(e record.RollEntry, id string) (provenAct, error) {
	p := provenAct{signed: e}
	var err error
	if p.keyring, err = record.ParseKeyring(e.Keyring); err != nil {
		return p, fmt.Errorf("the keyring does not verify: %w", err)
	}
	switch {
	case p.keyring.Log.Agreement != id:
		return p, fmt.Errorf("the keyring is for a log under %s, not under %s", p.keyring.Log.Agreement, id)
	case p.keyring.Log.Origin != e.Origin:
		return p, fmt.Errorf("the keyring is for log %s, the act is said to stand in %s", p.keyring.Log.Origin, e.Origin)
	}
	if p.record, err = record.OpenRecord(e.Act, p.keyring); err != nil {
		return p, fmt.Errorf("the act does not verify: %w", err)
	}
	switch {
	case p.record.Kind != record.KindAct:
		return p, fmt.Errorf("the record is of kind %s, not an act", p.record.Kind)
	case p.record.Agreement != id:
		return p, fmt.Errorf("the act is under %s, not under %s", p.record.Agreement, id)
	}
	if err := checkPlaceOf(e, p.keyring); err != nil {
		return p, err
	}
	p.entry = agreement.Entry{Leaf: e.Leaf, Party: p.record.Author, Time: p.record.Time, Invented: p.keyring.Names.Fictional()}
	if p.entry.Act, err = actOf(p.record); err != nil {
		return p, err
	}
	p.entry.Officers, err = officersWhoSigned(e.Act, p.keyring)
	return p, err
}

// checkPlaceOf verifies the proof of an act's leaf with the log key that the keyring names.
func checkPlaceOf(e record.RollEntry, k record.Keyring) error {
	vkey := keyringVKey(k)
	if vkey == "" {
		return errors.New("the keyring names no log key that this version can check")
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return fmt.Errorf("the keyring's log key: %w", err)
	}
	object := record.ParseHash(e.Object)
	if _, _, err := ledger.VerifyProof([]byte(e.Proof), append([]byte{1}, object[:]...), e.Origin, v); err != nil {
		return fmt.Errorf("the proof does not show the act in its author's log: %w", err)
	}
	return nil
}

// actOf reads a record's body as the act that rolls are folded from. The two forms have the same members.
func actOf(r record.Record) (agreement.Act, error) {
	var a agreement.Act
	if err := json.Unmarshal(r.Body, &a); err != nil {
		return a, fmt.Errorf("reading the act: %w", err)
	}
	return a, nil
}

// officersWhoSigned lists the officers among the keys that signed an envelope which [record.OpenRecord] has verified.
func officersWhoSigned(envelope []byte, k record.Keyring) ([]string, error) {
	e, err := record.ParseEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, s := range e.Signatures {
		if key, ok := k.Find(s.KeyID); ok && key.Role == record.RoleOfficer && mayIssue(key, record.KindAct) {
			out = append(out, s.KeyID)
		}
	}
	return out, nil
}

// mayIssue says whether an officer may issue records of a kind.
func mayIssue(officer record.Key, kind record.Kind) bool {
	return len(officer.Kinds) == 0 || slices.Contains(officer.Kinds, kind)
}
