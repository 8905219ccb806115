package node

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// CosignerView is a witness whose signature the newest checkpoint of a log bears.
type CosignerView struct {
	Key   string `json:"key" doc:"Id of the key; in a foreign witness's case the name that it signs under"`
	Party string `json:"party,omitempty" doc:"Party id of the witness; absent: whose key it is nobody has said here, or the signature does not hold"`
}

// viewCosigners shows who co-signed a log's newest checkpoint. A party is named only for a signature that holds under a key which
// its keyring, its card or the roll has brought here: a name beside a signature is anybody's to write.
func (n *Node) viewCosigners(ctx context.Context, l ledger.LogInfo) []CosignerView {
	var unknown *note.UnverifiedNoteError
	if _, err := note.Open(l.Checkpoint, nil); !errors.As(err, &unknown) {
		return nil // nothing is signed yet
	}
	var out []CosignerView
	var parties map[string]string
	for _, sig := range unknown.Note.UnverifiedSigs {
		if sig.Name == l.Origin {
			continue
		}
		if parties == nil { // of most logs nobody need be looked for
			parties = n.cosignersOf(ctx, l)
		}
		v := CosignerView{Key: strings.TrimPrefix(sig.Name, "mithaq/"), Party: parties[sig.Name]}
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// cosignersOf finds the parties whose cosignatures on a log's newest checkpoint hold, by the names that they sign under.
func (n *Node) cosignersOf(ctx context.Context, l ledger.LogInfo) map[string]string {
	policies, err := n.witnessPolicies(ctx, l.Agreement, "") // also one that is not asked any more may have signed
	if err != nil {
		n.logger.Warn("the witnesses of a log are not known", "log", l.ID, "error", err)
	}
	known := witnessesOf(policies)
	peers, err := n.store.Peers(ctx)
	if err != nil {
		n.logger.Warn("the witnesses among other nodes are not known", "log", l.ID, "error", err)
	}
	for _, p := range peers {
		if k, err := n.keyrings.parse(p.Keyring); err == nil {
			for _, key := range k.WithRole(record.RoleWitness) {
				known = append(known, federate.Witness{Party: k.Party, VKey: federate.WitnessKey(key)})
			}
		}
	}
	parties := map[string]string{}
	for _, w := range known {
		verifiers := n.cosigners.Of([]federate.Witness{w})
		if len(verifiers) == 0 {
			continue
		}
		if _, err := note.Open(l.Checkpoint, note.VerifierList(verifiers[0])); err == nil {
			parties[verifiers[0].Name()] = w.Party
		}
	}
	return parties
}
