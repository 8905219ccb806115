package node

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// WitnessView is this node as a witness.
type WitnessView struct {
	VKey string         `json:"vkey" doc:"Verifier key of its cosignatures (C2SP tlog-cosignature)"`
	URL  string         `json:"url" doc:"Prefix under which add-checkpoint is served (C2SP tlog-witness)"`
	Note string         `json:"note" doc:"What a cosignature does not say"`
	Logs []CosignedView `json:"logs"`
}

// CosignedView is a log that this node co-signed.
type CosignedView struct {
	Origin string `json:"origin"`
	Size   int64  `json:"size" doc:"Leaves of the last head that was co-signed"`
}

// WitnessNote says what a witness does not vouch for.
const WitnessNote = "A witness saw that the log only grew. It has not read the records, and vouches neither for what they say nor for who was told."

// Witness shows this node as a witness.
func (n *Node) Witness(ctx context.Context) (WitnessView, error) {
	key, _, err := n.witnessKey(ctx)
	if err != nil {
		return WitnessView{}, err
	}
	v := WitnessView{VKey: federate.WitnessKey(key), URL: n.baseURL() + "/witness", Note: WitnessNote, Logs: []CosignedView{}}
	all, err := n.store.AllCosigned(ctx)
	for _, c := range all {
		v.Logs = append(v.Logs, CosignedView{Origin: c.Origin, Size: c.Size})
	}
	return v, err
}

// witnessKey is the party's witness key in force.
func (n *Node) witnessKey(ctx context.Context) (record.Key, record.Signer, error) {
	house, err := n.resolveLog(ctx, record.OwnAgreement)
	if err != nil {
		return record.Key{}, nil, err
	}
	k, err := n.keyring(house.ID)
	if err != nil {
		return record.Key{}, nil, err
	}
	keys := k.WithRole(record.RoleWitness)
	if len(keys) == 0 {
		return record.Key{}, nil, fault.New(fault.Invalid, "add one with 'mithaq key rotate --role witness'", "witnessing: the keyring has no witness key")
	}
	signer, err := n.keys.signer(keys[0].PublicKey())
	return keys[0], signer, err
}

// WitnessLog makes this node co-sign a log that it does not follow: as an outsider, who knows an opaque name and a key.
func (n *Node) WitnessLog(ctx context.Context, vkey string) (CosignedView, error) {
	if n.ledger == nil {
		return CosignedView{}, errReadOnly()
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return CosignedView{}, &fault.Fault{Code: fault.Invalid, What: "witnessing", Err: err, Remedy: "give the log's verifier key, as 'mithaq log list' prints it"}
	}
	have, err := n.store.Cosigned(ctx, v.Name())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return CosignedView{}, err
	}
	have.Origin, have.VKey = v.Name(), vkey
	if err := n.ledger.NoteCosigned(ctx, have.Size, have); err != nil {
		return CosignedView{}, fault.OfStore(err)
	}
	return CosignedView{Origin: have.Origin, Size: have.Size}, nil
}

// AddCheckpoint co-signs a checkpoint when the log only grew since this node co-signed it last. What is refused is a
// *federate.WitnessRefusal.
func (n *Node) AddCheckpoint(ctx context.Context, body []byte) ([]byte, error) {
	if n.ledger == nil {
		return nil, errReadOnly()
	}
	a, err := federate.ParseAddCheckpoint(body)
	if err != nil {
		return nil, &federate.WitnessRefusal{Status: 400, Why: err.Error()}
	}
	head, err := ledger.ParseCheckpoint(a.Checkpoint)
	if err != nil {
		return nil, &federate.WitnessRefusal{Status: 400, Why: err.Error()}
	}
	key, signer, err := n.witnessKey(ctx)
	if err != nil {
		return nil, err
	}
	// Whoever cannot show the log's signature waits for nobody, and nobody for it.
	if known, err := n.store.Cosigned(ctx, head.Origin); err == nil || errors.Is(err, store.ErrNotFound) {
		if refusal := federate.KnowsLog(a, head.Origin, n.keysToWitness(head.Origin, known.VKey)); refusal != nil {
			return nil, refusal
		}
	} else {
		return nil, err
	}
	n.witnessing.Lock()
	defer n.witnessing.Unlock()
	row, err := n.store.Cosigned(ctx, head.Origin)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	last := federate.Witnessed{Head: ledger.Head{Origin: row.Origin, Size: row.Size, Root: row.Root}, Checkpoint: row.Checkpoint}
	next, refusal := last.Judge(a, head.Origin, n.keysToWitness(head.Origin, row.VKey))
	if refusal != nil {
		if refusal.Second != nil {
			n.keepTwoTrees(ctx, head.Origin, row.Checkpoint, refusal.Second)
		}
		return nil, refusal
	}
	err = n.ledger.NoteCosigned(ctx, row.Size, store.Cosigned{Origin: head.Origin, VKey: row.VKey, Size: next.Size, Root: next.Root, Checkpoint: next.Checkpoint, At: n.now()})
	if err != nil {
		return nil, fault.OfStore(err)
	}
	return federate.Cosign(key, next.Checkpoint, n.now(), func(msg []byte) ([]byte, error) { return signer.Sign(ctx, msg) })
}

// keysToWitness are the keys that may sign a log's checkpoints: that of a log added by hand, or of a log that is followed.
// A party never witnesses itself.
func (n *Node) keysToWitness(origin, vkey string) []note.Verifier {
	var out []note.Verifier
	if v, err := note.NewVerifier(vkey); err == nil {
		out = append(out, v)
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, b := range n.books {
		if b.log.Origin != origin || !b.log.Followed() {
			continue
		}
		if v, err := note.NewVerifier(b.vkey()); err == nil {
			out = append(out, v)
		}
	}
	return out
}

// keepTwoTrees keeps two signed trees of one size that an author showed this witness.
func (n *Node) keepTwoTrees(ctx context.Context, origin string, first, second []byte) {
	n.mu.RLock()
	var keyrings []record.Keyring
	var l federate.Log
	for _, b := range n.books {
		if b.log.Origin == origin && b.log.Followed() {
			l = federate.Log{ID: b.log.ID, Origin: origin, Party: b.log.Author, Agreement: b.log.Agreement}
			for k := range b.history.Keyrings() {
				keyrings = append(keyrings, k)
			}
		}
	}
	n.mu.RUnlock()
	e, err := federate.NewEvidence(origin, keyrings, first, second, nil)
	if err != nil {
		n.logger.Warn("a log was shown to this witness with two trees of one size", "origin", origin, "error", err)
		return
	}
	n.heardOf(ctx, l, federate.Notice{Kind: federate.NoticeMismatch, Evidence: e,
		Text: fmt.Sprintf("log %s of %s: this witness was shown two signed trees of one size", l.ID, l.Party)})
}
