package node

import (
	"context"
	"slices"

	"filippo.io/age"

	"github.com/mithaq/mithaq/internal/record"
)

// sealingFor says to whom a record is sealed: its audience, or without one the agreement's members as its roll introduced
// them; always the author too.
func (n *Node) sealingFor(ctx context.Context, logID string, rec record.Record) (record.Sealing, error) {
	form, err := record.FormFor(rec)
	if err != nil || form == record.FormClear {
		return record.Clear(), err
	}
	k, err := n.keyring(logID)
	if err != nil {
		return record.Sealing{}, err
	}
	own, err := sealRecipients(k, "")
	if err != nil {
		return record.Sealing{}, err
	}
	audience, keys, err := n.audienceRecipients(ctx, k, rec.Audience)
	if err != nil {
		return record.Sealing{}, err
	}
	if rec.Audience == nil && (rec.Kind == record.KindAct || rec.Kind == record.KindRoll) {
		for _, newcomer := range n.newcomersOf(k.Log.Agreement) {
			more, err := sealRecipients(newcomer, "")
			if err != nil {
				return record.Sealing{}, err
			}
			audience, keys = append(audience, more...), append(keys, newcomer.SealKeys("")...)
		}
	}
	to, direct := record.Recipients(own[0], append(own[1:], audience...)...)
	if direct {
		return record.Direct(to...)
	}
	return n.epochSealing(ctx, logID, k, rec.Audience, append(keys, k.SealKeys("")...))
}

func sealRecipients(k record.Keyring, officer string) ([]*age.HybridRecipient, error) {
	var out []*age.HybridRecipient
	for _, key := range k.SealKeys(officer) {
		r, err := key.PublicKey().Recipient()
		if err != nil {
			return nil, recordFault("sealing to party "+k.Party, err)
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, faultf(CodeInvalid, "the party must add one to its keyring", "sealing to party %s: its keyring has no seal key", k.Party)
	}
	return out, nil
}

// audienceRecipients finds the keys of those whom a record names: parties whose keyring is pinned here or came with the
// agreement's roll, and persons of them.
func (n *Node) audienceRecipients(ctx context.Context, own record.Keyring, a *record.Audience) ([]*age.HybridRecipient, []record.Key, error) {
	var out []*age.HybridRecipient
	var keys []record.Key
	take := func(k record.Keyring, officer string) error {
		recipients, err := sealRecipients(k, officer)
		out, keys = append(out, recipients...), append(keys, k.SealKeys(officer)...)
		return err
	}
	members := n.membersOf(own.Log.Agreement)
	if a == nil {
		for _, k := range members {
			if err := take(k, ""); err != nil {
				return nil, nil, err
			}
		}
		return out, keys, nil
	}
	pins, err := n.pins(ctx)
	if err != nil {
		return nil, nil, err
	}
	keyrings := slices.Concat([]record.Keyring{own}, members, pins)
	parties := make(map[string]record.Keyring, len(keyrings))
	for _, k := range slices.Backward(keyrings) {
		parties[k.Party] = k
	}
	for _, party := range a.Parties {
		k, ok := parties[party]
		if !ok {
			return nil, nil, faultf(CodeNotFound, "pin its keyring with 'mithaq key pin FILE'", "sealing to party %s: its keys are not known here", party)
		}
		if err := take(k, ""); err != nil {
			return nil, nil, err
		}
	}
	for _, person := range a.Persons {
		k, ok := findKeyring(keyrings, func(k record.Keyring) bool { key, ok := k.Find(person); return ok && key.Role == record.RoleOfficer })
		if !ok {
			return nil, nil, faultf(CodeNotFound, "pin the keyring of the person's party with 'mithaq key pin FILE'", "sealing to person %s: no officer with this key is known here", person)
		}
		if err := take(k, person); err != nil {
			return nil, nil, err
		}
	}
	return out, keys, nil
}

func findKeyring(keyrings []record.Keyring, want func(record.Keyring) bool) (record.Keyring, bool) {
	for _, k := range keyrings {
		if want(k) {
			return k, true
		}
	}
	return record.Keyring{}, false
}
