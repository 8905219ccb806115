package node

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// A backup holds the keys of its day. A log that grew on may name younger ones, which are lost with the machine that made them:
// nothing but the root key replaces them.

// isLost says whether a key of the keyring k should be here and is not. Officers may sign elsewhere, and have seal keys of their
// own there; but somebody has to be able to sign here, so when no officer can, the first one's key is lost.
func (n *Node) isLost(k record.Keyring, key record.Key) bool {
	if n.keys.holds(key.ID) || key.Officer != "" {
		return false
	}
	officers := k.WithRole(record.RoleOfficer)
	return key.Role != record.RoleOfficer ||
		key.ID == officers[0].ID && !slices.ContainsFunc(officers, func(o record.Key) bool { return n.keys.holds(o.ID) })
}

// lostKeys says in words which keys of a log are not here, and what to do about it; "" when all are.
func (n *Node) lostKeys(logID string) string {
	k, err := n.keyring(logID)
	if err != nil {
		return ""
	}
	var roles []string
	for _, key := range k.Keys {
		if n.isLost(k, key) {
			roles = append(roles, string(key.Role))
		}
	}
	if len(roles) == 0 {
		return ""
	}
	return fmt.Sprintf("its keys for %s were made after the backup and are not here: replace them with 'mithaq key rotate lost' and the root key before you publish",
		strings.Join(roles, ", "))
}

// rotateLost is the role of a rotation that replaces every lost key of a log at once: a keyring that still names another lost
// one could not be put into force.
const rotateLost = "lost"

func (n *Node) rotateLost(ctx context.Context, d *record.Keyring, c KeyChange, l ledger.LogInfo, replaced map[string]record.PublicKey) (bool, error) {
	changed := false
	for _, key := range slices.Clone(d.Keys) {
		if !n.isLost(*d, key) {
			continue
		}
		public, err := n.replacement(ctx, key, c, replaced)
		if err != nil {
			return false, err
		}
		if err := d.Rotate(key.ID, public, l.Size, n.now()); err != nil {
			return false, err
		}
		d.Revoked[len(d.Revoked)-1].Reason = record.RevokedLost
		changed = true
	}
	return changed, nil
}

// replaceLost puts new keys in the place of lost ones, for the first keyring of a successor. made has those that were made for
// another log already.
func (n *Node) replaceLost(k *record.Keyring, made map[string]record.PublicKey) error {
	keys := slices.Clone(k.Keys)
	for i, key := range keys {
		if key.Role == record.RoleLog || !n.isLost(*k, key) {
			continue
		}
		public, ok := made[key.ID]
		if !ok {
			var err error
			if public, err = n.keys.generate(n.rand, key.Role); err != nil {
				return err
			}
			made[key.ID] = public
		}
		fresh := record.NewKey(key.Role, public)
		fresh.Name, fresh.Kinds = key.Name, key.Kinds
		keys[i] = fresh
		for j := range keys {
			if keys[j].Officer == key.ID {
				keys[j].Officer = fresh.ID
			}
		}
	}
	k.Keys = keys
	return nil
}
