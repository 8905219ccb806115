package node

import (
	"context"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
)

// Keys lists the keys of every log's keyring, revoked ones too.
func (n *Node) Keys(ctx context.Context) ([]KeyView, error) {
	infos, err := n.ownLogs(ctx)
	if err != nil {
		return nil, fault.OfStore(err)
	}
	out := []KeyView{}
	for _, l := range infos {
		k, err := n.keyring(l.ID)
		if err != nil {
			continue
		}
		for _, key := range k.Keys {
			out = append(out, KeyView{ID: key.ID, Alg: string(key.Alg), Role: string(key.Role), Names: key.Name,
				Kinds: kindNames(key.Kinds), Log: l.ID, Held: n.keys.holds(key.ID)})
		}
		for _, r := range k.Revoked {
			out = append(out, KeyView{ID: r.ID, Log: l.ID, Revoked: &r.Size, Reason: string(r.Reason), Role: "revoked"})
		}
	}
	return out, nil
}

func kindNames(kinds []record.Kind) []string {
	var out []string
	for _, k := range kinds {
		out = append(out, string(k))
	}
	return out
}

// Keyring returns the envelope of the keyring in force in a log, for others to pin.
func (n *Node) Keyring(ctx context.Context, ref string) ([]byte, error) {
	l, err := n.resolveLog(ctx, ref)
	if err != nil {
		return nil, err
	}
	k, err := n.keyring(l.ID)
	if err != nil {
		return nil, err
	}
	return k.Envelope(), nil
}
