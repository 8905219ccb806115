package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// witnessPatience is how long a witness may take; the others are not waited for either.
const witnessPatience = 10 * time.Second

// maxCosignature bounds what a witness answers: one line for each of its keys.
const maxCosignature = 8 << 10

// witnessPolicy says who must co-sign the log of an author under an agreement: the witnesses of its text, without the author.
func (n *Node) witnessPolicy(ctx context.Context, agreementID, author string) (federate.Policy, error) {
	var p federate.Policy
	if agreementID == record.OwnAgreement {
		return p, nil
	}
	parties := map[string]bool{}
	var order []string
	err := n.withRoll(ctx, agreementID, func(r *roll) error {
		d := r.text()
		if d == nil {
			return nil
		}
		p.K = d.Witnesses.K
		for _, label := range d.Witnesses.Of {
			if party, ok := d.Party(label); ok && party.ID != "" && party.ID != author && !parties[party.ID] {
				parties[party.ID] = true
				order = append(order, party.ID)
			}
		}
		return nil
	})
	if err != nil || p.K == 0 {
		return p, err
	}
	peers, err := n.store.Peers(ctx)
	if err != nil {
		return p, storeFault(err)
	}
	for _, party := range order {
		w := federate.Witness{Party: party}
		for _, peer := range peers {
			if peer.Party == party && peer.URL != "" {
				w.URL = strings.TrimRight(peer.URL, "/") + "/witness"
			}
		}
		k, ok := n.keyringOfParty(ctx, agreementID, party)
		if keys := k.WithRole(record.RoleWitness); ok && len(keys) > 0 {
			w.VKey = federate.WitnessKey(keys[0])
			p.Witnesses = append(p.Witnesses, w)
		}
	}
	return p, nil
}

// keyringOfParty is a party's keyring as a roll introduced it, a person pinned it, or a peer's card brought it.
func (n *Node) keyringOfParty(ctx context.Context, agreementID, party string) (record.Keyring, bool) {
	if party == n.party.ID {
		if house, err := n.resolveLog(ctx, record.OwnAgreement); err == nil {
			k, err := n.keyring(house.ID)
			return k, err == nil
		}
	}
	keyrings := slices.Clone(n.membersOf(agreementID))
	if pins, err := n.pins(ctx); err == nil {
		keyrings = append(keyrings, pins...)
	}
	return findKeyring(keyrings, func(k record.Keyring) bool { return k.Party == party })
}

// WitnessPolicy is an agreement's witness policy in the form of C2SP tlog-policy.
func (n *Node) WitnessPolicy(ctx context.Context, ref string) (string, error) {
	id, err := n.rollID(ctx, ref)
	if err != nil {
		return "", err
	}
	p, err := n.witnessPolicy(ctx, id, n.party.ID)
	if err != nil {
		return "", err
	}
	var logs []string
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return "", storeFault(err)
	}
	for _, l := range infos {
		if b := n.book(l.ID); l.Agreement == id && b != nil && b.vkey() != "" {
			logs = append(logs, b.vkey())
		}
	}
	return "# " + WitnessNote + "\n" + p.Text(logs...), nil
}

// GatherCosignatures asks the witnesses of an own log for their cosignatures on its newest checkpoint, side by side, and
// serves each as it comes. It returns how many leaves enough of them have co-signed.
func (n *Node) GatherCosignatures(ctx context.Context, logID string) (int64, error) {
	l, err := n.reader.Log(ctx, logID)
	if err != nil {
		return 0, storeFault(err)
	}
	if l.Followed() || n.ledger == nil || l.Size == 0 {
		return 0, nil
	}
	policy, err := n.witnessPolicy(ctx, l.Agreement, n.party.ID)
	if err != nil || policy.K == 0 {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, witnessPatience)
	defer cancel()
	var asked sync.WaitGroup
	verifiers := policy.Verifiers()
	for _, w := range policy.Witnesses {
		if w.URL == "" {
			continue
		}
		asked.Go(func() {
			line, err := n.askWitness(ctx, l, w)
			if err == nil {
				_, err = n.ledger.AddCosignatures(ctx, logID, func(cp []byte) []byte {
					return federate.MergeCosignatures(cp, append(bytes.Clone(l.Checkpoint), line...), verifiers)
				})
			}
			if err != nil && ctx.Err() == nil {
				n.logger.Warn("a witness did not co-sign", "party", w.Party, "url", w.URL, "log", logID, "error", err)
			}
		})
	}
	asked.Wait()
	return n.noteWitnessed(context.WithoutCancel(ctx), logID, policy)
}

// noteWitnessed keeps how far enough witnesses have co-signed a log.
func (n *Node) noteWitnessed(ctx context.Context, logID string, p federate.Policy) (int64, error) {
	l, err := n.reader.Log(ctx, logID)
	if err != nil {
		return 0, storeFault(err)
	}
	row, err := n.store.Log(ctx, logID)
	if err != nil {
		return 0, storeFault(err)
	}
	enough, err := p.Satisfied(l.Checkpoint)
	if err != nil {
		return 0, err
	}
	if enough && p.K > 0 {
		if err := n.store.PutEnough(ctx, row.No, l.Size, l.Checkpoint); err != nil {
			return 0, err
		}
	}
	size, _, err := n.store.Enough(ctx, row.No)
	return size, err
}

// WitnessedSize is how many leaves of a log, own or followed, enough witnesses of its agreement have co-signed. asked is
// false when the agreement asks for none.
func (n *Node) WitnessedSize(ctx context.Context, l ledger.LogInfo) (size int64, asked bool, err error) {
	author := l.Author
	if author == "" {
		author = n.party.ID
	}
	p, err := n.witnessPolicy(ctx, l.Agreement, author)
	if err != nil || p.K == 0 {
		return 0, false, err
	}
	if n.ledger == nil {
		row, err := n.store.Log(ctx, l.ID)
		if err != nil {
			return 0, true, storeFault(err)
		}
		size, _, err = n.store.Enough(ctx, row.No)
		return size, true, err
	}
	size, err = n.noteWitnessed(ctx, l.ID, p)
	return size, true, err
}

// askWitness asks one witness, twice when it has to say first how far it is.
func (n *Node) askWitness(ctx context.Context, l ledger.LogInfo, w federate.Witness) ([]byte, error) {
	if v := (federate.Policy{Witnesses: []federate.Witness{w}}).Verifiers(); len(v) == 1 {
		if _, err := note.Open(l.Checkpoint, note.VerifierList(v[0])); err == nil {
			return nil, nil // it has
		}
	}
	n.mu.RLock()
	old := n.witnessAt[w.VKey+" "+l.ID]
	n.mu.RUnlock()
	for range 2 {
		a := federate.AddCheckpoint{Old: min(old, l.Size), Checkpoint: l.Checkpoint}
		if a.Old > 0 && a.Old < l.Size {
			proof, err := n.ledger.Consistency(ctx, l.ID, a.Old)
			if err != nil {
				return nil, err
			}
			a.Proof = proof
		}
		line, has, err := n.postCheckpoint(ctx, w.URL, a)
		if err == nil {
			has = l.Size
		}
		n.mu.Lock()
		n.witnessAt[w.VKey+" "+l.ID] = has
		n.mu.Unlock()
		var conflict errWitnessAt
		if !errors.As(err, &conflict) || has == old || has > l.Size {
			return line, err
		}
		old = has
	}
	return nil, errors.New("the witness says another size each time")
}

// errWitnessAt says how many leaves a witness co-signed last.
type errWitnessAt int64

func (e errWitnessAt) Error() string { return fmt.Sprintf("the witness co-signed %d leaves", int64(e)) }

func (n *Node) postCheckpoint(ctx context.Context, url string, a federate.AddCheckpoint) (line []byte, has int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/add-checkpoint", bytes.NewReader(a.Body()))
	if err != nil {
		return nil, 0, err
	}
	answer, err := fetch.Open(n.outbound, req, fetch.Limits{Bytes: maxCosignature, Types: []string{"text/plain"}})
	var body []byte
	if err == nil {
		body, err = answer.All()
		_ = answer.Close()
	}
	n.refusals.answer(err, n.now(), strings.TrimSuffix(url, "/witness"))
	if err != nil {
		return nil, 0, err
	}
	switch answer.Status {
	case http.StatusOK:
		return body, 0, nil
	case http.StatusConflict:
		has, err := strconv.ParseInt(strings.TrimSpace(string(body)), 10, 64)
		if err != nil || has < 0 {
			return nil, 0, errors.New("the witness answers 409 without a size")
		}
		return nil, has, errWitnessAt(has)
	}
	return nil, 0, fmt.Errorf("the witness answers %d: %s", answer.Status, oneLine(string(body)))
}
