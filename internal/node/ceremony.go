package node

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// Changing keys is a ceremony of three steps, because the root key is kept offline: the node proposes keyrings, the
// root key signs them where it is ([SignKeyrings]), the node puts them into force. Nothing changes before the last step.

// KeyChange says what to change.
type KeyChange struct {
	Action    string            `json:"action" enum:"open,add,rotate,revoke,root" doc:"open a log, add an officer, rotate a role's key, revoke a key, or rotate the root key"`
	Name      map[string]string `json:"name,omitempty" doc:"add: the officer's name by language"`
	Kinds     []string          `json:"kinds,omitempty" doc:"add: kinds that the officer may issue; absent: all"`
	Agreement string            `json:"agreement,omitempty" doc:"open: the agreement that the log is for"`
	Public    bool              `json:"public,omitempty" doc:"open: whether everybody may read the log"`
	Role      string            `json:"role,omitempty" doc:"rotate: log, node, http, witness, seal, officer; lost: every key that should be on this node and is not"`
	Key       string            `json:"key,omitempty" doc:"rotate, revoke: key id"`
	Size      *int64            `json:"size,omitempty" doc:"revoke: size of the log up to which the key is vouched for; absent: all so far"`
	Reason    string            `json:"reason,omitempty" doc:"revoke: compromised, lost, left, superseded, other"`
	Command   []string          `json:"command,omitempty" doc:"add, rotate: external command that signs with the new key"`
	PublicKey string            `json:"public_key,omitempty" doc:"add, rotate: the command's Ed25519 public key, base64"`
}

// KeyringProposal are drafts of keyrings for the root key to sign.
type KeyringProposal struct {
	Drafts []json.RawMessage `json:"drafts"`
	Public bool              `json:"public" doc:"For a log that is opened: whether everybody may read it"`
	Root   bool              `json:"root" doc:"A new root key is made and endorsed when the drafts are signed"`
}

// SignedKeyrings are keyrings signed by the root key.
type SignedKeyrings struct {
	Keyrings []json.RawMessage `json:"keyrings" doc:"DSSE envelopes"`
	Public   bool              `json:"public"`
}

// ProposeKeyrings drafts the keyrings that a change needs. New private keys are made and kept, unused until then.
func (n *Node) ProposeKeyrings(ctx context.Context, c KeyChange) (KeyringProposal, error) {
	if n.ledger == nil {
		return KeyringProposal{}, errReadOnly()
	}
	if n.unsettled() {
		return KeyringProposal{}, errUnsettled("changing keys")
	}
	n.ceremony.Lock()
	defer n.ceremony.Unlock()
	var drafts []record.Keyring
	var err error
	switch c.Action {
	case "open":
		drafts, err = n.draftOpen(ctx, c)
	case "add", "rotate", "revoke", "root":
		drafts, err = n.draftChange(ctx, c)
	default:
		err = fault.New(fault.Invalid, "use open, add, rotate, revoke or root", "proposing keyrings: unknown action %q", c.Action)
	}
	if err != nil {
		return KeyringProposal{}, err
	}
	out := KeyringProposal{Public: c.Public, Root: c.Action == "root"}
	for _, d := range drafts {
		data, err := json.Marshal(d)
		if err != nil {
			return KeyringProposal{}, fmt.Errorf("proposing keyrings: %w", err)
		}
		out.Drafts = append(out.Drafts, data)
	}
	return out, nil
}

func (n *Node) draftOpen(ctx context.Context, c KeyChange) ([]record.Keyring, error) {
	if !record.IsID(c.Agreement, record.PrefixAgreement) {
		return nil, fault.New(fault.Invalid, "write a-…", "opening a log: %q is not an agreement id", c.Agreement)
	}
	if l, err := n.resolveLog(ctx, c.Agreement); err == nil && l.Retired.IsZero() {
		return nil, fault.New(fault.Conflict, "use it", "opening a log: log %s is open under %s", l.ID, c.Agreement)
	}
	house, err := n.resolveLog(ctx, record.OwnAgreement)
	if err != nil {
		return nil, err
	}
	model, err := n.keyring(house.ID)
	if err != nil {
		return nil, err
	}
	d, err := n.draftFirst(model, record.LogIdentity{Agreement: c.Agreement})
	return []record.Keyring{d}, err
}

// draftFirst drafts the first keyring of a new log with the keys of model, and a checkpoint key of its own.
func (n *Node) draftFirst(model record.Keyring, log record.LogIdentity) (record.Keyring, error) {
	id, err := record.NewID(n.rand, record.PrefixLog)
	if err != nil {
		return record.Keyring{}, err
	}
	log.ID, log.Origin = id, record.LogOrigin(id)
	public, err := n.keys.generate(n.rand, record.RoleLog)
	if err != nil {
		return record.Keyring{}, err
	}
	keys := []record.Key{record.NewKey(record.RoleLog, public)}
	for _, k := range model.Keys {
		if k.Role != record.RoleLog {
			keys = append(keys, k)
		}
	}
	d := record.FirstKeyring(model.Roots[0].Key(), model.Names, log, n.now(), keys...)
	d.Roots = slices.Clone(model.Roots)
	return d, nil
}

// draftChange drafts the next keyring of every open log that has a key which the change is about.
func (n *Node) draftChange(ctx context.Context, c KeyChange) ([]record.Keyring, error) {
	infos, err := n.ownLogs(ctx)
	if err != nil {
		return nil, fault.OfStore(err)
	}
	replaced := map[string]record.PublicKey{} // one new key replaces an old one in every log that has it
	var drafts []record.Keyring
	for _, l := range infos {
		if !l.Retired.IsZero() || !n.begun(l.ID) {
			continue
		}
		k, err := n.keyring(l.ID)
		if err != nil {
			return nil, err
		}
		d := k.Successor(n.now())
		changed, err := n.change(ctx, &d, c, l, replaced)
		if err != nil {
			return nil, recordFault("changing the keyring of log "+l.ID, err)
		}
		if changed {
			drafts = append(drafts, d)
		}
	}
	if len(drafts) == 0 {
		return nil, fault.New(fault.NotFound, "see 'mithaq key list'", "changing keys: no open log has a key %s%s", c.Key, c.Role)
	}
	return drafts, nil
}

func (n *Node) change(ctx context.Context, d *record.Keyring, c KeyChange, l ledger.LogInfo, replaced map[string]record.PublicKey) (bool, error) {
	switch c.Action {
	case "root":
		return true, nil
	case "add":
		return true, n.addOfficer(ctx, d, c, replaced)
	case "rotate":
		if c.Role == rotateLost {
			return n.rotateLost(ctx, d, c, l, replaced)
		}
		old, err := pick(*d, c)
		if err != nil || old.ID == "" {
			return false, err
		}
		public, err := n.replacement(ctx, old, c, replaced)
		if err != nil {
			return false, err
		}
		return true, d.Rotate(old.ID, public, l.Size, n.now())
	}
	size := l.Size
	if c.Size != nil {
		size = *c.Size
	}
	reason := record.RevocationReason(c.Reason)
	key, inForce := d.Find(c.Key)
	if !inForce {
		revokedBefore := slices.ContainsFunc(d.Revoked, func(r record.Revocation) bool { return r.ID == c.Key })
		if !revokedBefore {
			return false, nil
		}
		return true, d.Revoke(c.Key, size, reason, n.now())
	}
	needed := key.Role != record.RoleOfficer || len(d.WithRole(record.RoleOfficer)) == 1
	if !needed || key.Officer != "" {
		return true, d.Revoke(c.Key, size, reason, n.now())
	}
	public, err := n.replacement(ctx, key, c, replaced)
	if err != nil {
		return false, err
	}
	if err := d.Rotate(key.ID, public, size, n.now()); err != nil {
		return false, err
	}
	d.Revoked[len(d.Revoked)-1].Reason = reason
	return true, nil
}

// pick finds the key that a rotation is about; none is no error: the log does not have it.
func pick(k record.Keyring, c KeyChange) (record.Key, error) {
	if c.Key != "" {
		key, _ := k.Find(c.Key)
		if key.ID != "" && c.Role != "" && key.Role != record.Role(c.Role) {
			return record.Key{}, fault.New(fault.Invalid, "see 'mithaq key list'", "rotating: the key %s has the role %s, not %s", c.Key, key.Role, c.Role)
		}
		return key, nil
	}
	keys := k.WithRole(record.Role(c.Role))
	switch len(keys) {
	case 0:
		return record.Key{}, nil
	case 1:
		return keys[0], nil
	}
	return record.Key{}, fault.New(fault.Invalid, "name it with --key (see 'mithaq key list')", "rotating: there are %d keys of role %s", len(keys), c.Role)
}

// addOfficer gives the party one more officer, with one key in all its logs.
func (n *Node) addOfficer(ctx context.Context, d *record.Keyring, c KeyChange, made map[string]record.PublicKey) error {
	public, err := n.replacement(ctx, record.Key{Role: record.RoleOfficer}, c, made)
	if err != nil {
		return err
	}
	key := record.NewKey(record.RoleOfficer, public)
	key.Name = c.Name
	for _, kind := range c.Kinds {
		key.Kinds = append(key.Kinds, record.Kind(kind))
	}
	d.Add(key)
	return nil
}

// replacement makes the key that replaces old, once for all logs; a log's own checkpoint key is replaced in that log alone.
func (n *Node) replacement(ctx context.Context, old record.Key, c KeyChange, replaced map[string]record.PublicKey) (record.PublicKey, error) {
	if public, ok := replaced[old.ID]; ok {
		return public, nil
	}
	var public record.PublicKey
	var err error
	if len(c.Command) > 0 {
		raw, decodeErr := base64.StdEncoding.DecodeString(c.PublicKey)
		if decodeErr != nil {
			return public, fault.New(fault.Invalid, "give the command's Ed25519 public key in base64", "rotating: the command's public key is not base64")
		}
		if len(replaced) > 0 {
			return public, fault.New(fault.Invalid, "name one with --key (see 'mithaq key list')", "rotating: a command signs with one key, and there are several keys of role %s", old.Role)
		}
		if old.Role == record.RoleSeal {
			return public, fault.New(fault.Invalid, "leave the command out", "rotating: a command signs and cannot unseal")
		}
		public = record.PublicKey{Alg: record.Ed25519, Bytes: raw}
		err = n.keys.addCommand(ctx, n.rand, public, old.Role, c.Command)
	} else {
		public, err = n.keys.generate(n.rand, old.Role)
	}
	if err != nil {
		return public, err
	}
	replaced[old.ID] = public
	return public, nil
}

// SignKeyrings signs drafts with the root key in the file root. With p.Root it first makes the next root key, puts it
// into the same file beside the old one, and has the old one endorse it.
func SignKeyrings(ctx context.Context, p KeyringProposal, root string, secret SecretSource) (SignedKeyrings, error) {
	if len(p.Drafts) == 0 {
		return SignedKeyrings{}, fault.New(fault.Invalid, "name a file that 'key rotate --out' or 'key revoke --out' wrote", "signing: the proposal holds no drafts")
	}
	keys, err := openKeys(root, secret, filepath.Join(filepath.Dir(root), defaultKeyFile))
	if err != nil {
		return SignedKeyrings{}, fmt.Errorf("opening the root key: %w", err)
	}
	var next record.PublicKey
	if p.Root {
		if next, err = keys.generate(systemRandom, record.RoleRoot); err != nil {
			return SignedKeyrings{}, err
		}
	}
	out := SignedKeyrings{Public: p.Public}
	for i, raw := range p.Drafts {
		var d record.Keyring
		if err := json.Unmarshal(raw, &d); err != nil {
			return SignedKeyrings{}, &fault.Fault{Code: fault.Invalid, What: fmt.Sprintf("reading draft %d", i), Err: err}
		}
		signer, err := keys.signer(d.Root())
		if err != nil {
			return SignedKeyrings{}, fault.New(fault.Forbidden, "give the file of the root key in force", "signing: %s does not hold the root key %s", root, d.Root().ID())
		}
		if p.Root {
			if err := d.RotateRoot(ctx, next, signer); err != nil {
				return SignedKeyrings{}, recordFault("endorsing the next root key", err)
			}
			if signer, err = keys.signer(next); err != nil {
				return SignedKeyrings{}, err
			}
		}
		envelope, err := d.Sign(ctx, signer)
		if err != nil {
			return SignedKeyrings{}, recordFault("signing a keyring", err)
		}
		out.Keyrings = append(out.Keyrings, envelope)
	}
	return out, nil
}
