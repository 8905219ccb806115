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

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// witnessPatience is how long a witness may take; the others are not waited for either.
const witnessPatience = 10 * time.Second

// witnessGrace is how long the others are waited for when enough have co-signed, so that one which is away holds up no log.
const witnessGrace = time.Second

// maxCosignature bounds what a witness answers: one line for each of its keys.
const maxCosignature = 8 << 10

// witnessPolicy says who must co-sign the log of an author under an agreement: the witnesses of the text in effect, without the
// author.
func (n *Node) witnessPolicy(ctx context.Context, agreementID, author string) (p federate.Policy, err error) {
	if agreementID == record.OwnAgreement {
		return p, nil
	}
	err = n.withRoll(ctx, agreementID, func(r *roll) error {
		if d := r.text(); d != nil {
			policies, err := n.policiesOf(ctx, r, []*agreement.Agreement{d}, author)
			p = policies[0]
			return err
		}
		return nil
	})
	return p, err
}

// witnessPolicies are the policies of every text whose witnesses may vouch for the log of an author.
func (n *Node) witnessPolicies(ctx context.Context, agreementID, author string) (out []federate.Policy, err error) {
	if agreementID == record.OwnAgreement {
		return nil, nil
	}
	err = n.withRoll(ctx, agreementID, func(r *roll) error {
		texts := r.texts()
		if d := r.text(); d != nil && !slices.Contains(texts, d) {
			texts = append(texts, d)
		}
		texts = slices.DeleteFunc(texts, func(a *agreement.Agreement) bool { return a.Witnesses.K == 0 })
		out, err = n.policiesOf(ctx, r, texts, author)
		return err
	})
	return out, err
}

// madePolicies are witness policies as they were made of texts, and of the keys that were known then.
type madePolicies struct {
	texts    []*agreement.Agreement
	known    uint64
	policies []federate.Policy
}

// policiesOf are the witness policies of texts for the log of an author, which never counts itself. The caller holds r.mu, and
// changes nothing in them.
func (n *Node) policiesOf(ctx context.Context, r *roll, texts []*agreement.Agreement, author string) ([]federate.Policy, error) {
	known := n.known.Load()
	if made := r.policies[author]; n.ledger != nil && made.known == known && made.policies != nil && slices.Equal(made.texts, texts) {
		return made.policies, nil
	}
	policies, err := n.makePolicies(ctx, r, texts, author)
	if err == nil {
		if r.policies == nil {
			r.policies = map[string]madePolicies{}
		}
		r.policies[author] = madePolicies{slices.Clone(texts), known, policies}
	}
	return policies, err
}

func (n *Node) makePolicies(ctx context.Context, r *roll, texts []*agreement.Agreement, author string) ([]federate.Policy, error) {
	out := make([]federate.Policy, len(texts))
	for i, text := range texts {
		out[i].K = text.Witnesses.K
		for _, label := range text.Witnesses.Of {
			party, ok := text.Party(label)
			named := func(w federate.Witness) bool { return w.Party == party.ID }
			if !ok || party.ID == "" || party.ID == author || slices.ContainsFunc(out[i].Witnesses, named) {
				continue
			}
			w := federate.Witness{Party: party.ID}
			peer, _, err := n.peerOf(ctx, party.ID)
			if err != nil {
				return nil, err
			}
			if peer.URL != "" {
				w.URL = strings.TrimRight(peer.URL, "/") + "/witness"
			}
			if key, ok := n.witnessKeyOf(ctx, r, party.ID, peer); ok {
				w.VKey = federate.WitnessKey(key)
				out[i].Witnesses = append(out[i].Witnesses, w)
			}
		}
	}
	return out, nil
}

// witnessKeyOf is the key with which a party co-signs, by the keyring that its card brought (peer; the zero value: none did), a
// person pinned, or the roll introduced. Each proves by its root keys that it is that party's.
func (n *Node) witnessKeyOf(ctx context.Context, r *roll, party string, peer store.Peer) (record.Key, bool) {
	var keyrings []record.Keyring
	if party == n.party.ID {
		if key, _, err := n.witnessKey(ctx); err == nil {
			return key, true
		}
	}
	if k, err := n.keyrings.parse(peer.Keyring); err == nil {
		keyrings = append(keyrings, k)
	}
	if k, ok, err := n.pinOf(ctx, party); ok && err == nil {
		keyrings = append(keyrings, k)
	}
	if k, ok := r.keyrings[party]; ok {
		keyrings = append(keyrings, k)
	}
	k, ok := findKeyring(keyrings, func(k record.Keyring) bool { return k.Party == party && len(k.WithRole(record.RoleWitness)) > 0 })
	if !ok {
		return record.Key{}, false
	}
	return k.WithRole(record.RoleWitness)[0], true
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
		return "", fault.OfStore(err)
	}
	for _, l := range infos {
		if b := n.book(l.ID); l.Agreement == id && b != nil && b.vkey() != "" {
			logs = append(logs, b.vkey())
		}
	}
	return "# " + WitnessNote + "\n" + p.Text(logs...), nil
}

// gathering is what the witnesses answer about one tree of a log, which may grow meanwhile.
type gathering struct {
	log       ledger.LogInfo
	no        int64
	policies  []federate.Policy
	verifiers []note.Verifier

	mu         sync.Mutex // guards all below
	checkpoint []byte     // of the tree, with the cosignatures that have come
	noted      bool       // as one that enough witnesses co-signed
	served     bool       // with more cosignatures than before
}

// GatherCosignatures asks the witnesses of an own log for their cosignatures on its newest checkpoint, side by side, and
// serves each as it comes. What they co-signed counts for that tree although the log has grown since. It returns how many leaves
// enough of them have co-signed.
func (n *Node) GatherCosignatures(ctx context.Context, logID string) (int64, error) {
	l, err := n.reader.Log(ctx, logID)
	if err != nil {
		return 0, fault.OfStore(err)
	}
	if l.Followed() || n.ledger == nil || l.Size == 0 {
		return 0, nil
	}
	policies, err := n.witnessPolicies(ctx, l.Agreement, n.party.ID)
	if err != nil || len(policies) == 0 {
		return 0, err
	}
	no, err := n.logNo(ctx, logID)
	if err != nil {
		return 0, err
	}
	g := &gathering{log: l, no: no, policies: policies, verifiers: n.cosigners.Of(witnessesOf(policies)), checkpoint: l.Checkpoint}
	asking, cancel := context.WithTimeout(ctx, witnessPatience)
	defer cancel()
	var asked sync.WaitGroup
	for _, w := range witnessesOf(policies) {
		if w.URL == "" {
			continue
		}
		asked.Go(func() {
			line, err := n.askWitness(asking, l, w)
			enough := false
			if err == nil {
				enough, err = n.tookCosignature(ctx, g, line)
			}
			if enough {
				time.AfterFunc(witnessGrace, cancel)
			}
			if err != nil && ctx.Err() == nil {
				n.logger.Warn("a witness did not co-sign", "party", w.Party, "url", w.URL, "log", logID, "error", err)
			}
		})
	}
	asked.Wait()
	size, err := n.noteWitnessed(context.WithoutCancel(ctx), logID, policies)
	if g.served || g.noted {
		n.cosigned(context.WithoutCancel(ctx), l)
	}
	return size, err
}

// tookCosignature serves what a witness answered, if the log's newest tree is still the one that it was asked about, and notes when
// enough have co-signed it, whatever the newest tree is by now.
func (n *Node) tookCosignature(ctx context.Context, g *gathering, line []byte) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	merged := federate.MergeCosignatures(g.checkpoint, append(bytes.Clone(g.log.Checkpoint), line...), g.verifiers)
	if bytes.Equal(merged, g.checkpoint) {
		return g.noted, nil
	}
	g.checkpoint = merged
	// A cosignature that has come is kept although nobody waits for it any more.
	ctx = context.WithoutCancel(ctx)
	_, err := n.ledger.AddCosignatures(ctx, g.log.ID, func(newest []byte) []byte {
		with := federate.MergeCosignatures(newest, merged, g.verifiers)
		g.served = g.served || !bytes.Equal(with, newest)
		return with
	})
	if err != nil {
		return false, err
	}
	if !g.noted && n.suffices(g.policies, merged) {
		if err := n.putEnough(ctx, g.no, g.log.Size, merged); err != nil {
			return false, err
		}
		g.noted = true
	}
	return g.noted, nil
}

// cosigned tells whoever follows an own log that its newest tree has more cosignatures, and looks at what waited for them: that is
// urgent where the log holds a roll.
func (n *Node) cosigned(ctx context.Context, l ledger.LogInfo) {
	n.grown.Add(1)
	holds := false
	err := n.withRoll(ctx, l.Agreement, func(r *roll) error {
		holds = slices.Contains(r.origins(), l.Origin)
		return nil
	})
	if err != nil {
		n.logger.Warn("what waited for witnesses cannot be looked at", "log", l.ID, "error", err)
	}
	n.feed.Note(l.ID, holds)
	if holds || n.cfg.OutboundOnly {
		n.peersChanged()
	}
}

// witnessesOf lists the witnesses of several policies, each once.
func witnessesOf(policies []federate.Policy) []federate.Witness {
	var out []federate.Witness
	for _, p := range policies {
		for _, w := range p.Witnesses {
			if !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	return out
}

// noteWitnessed keeps how far enough witnesses have co-signed a log: by any of the policies that ask for some.
func (n *Node) noteWitnessed(ctx context.Context, logID string, policies []federate.Policy) (int64, error) {
	l, err := n.reader.Log(ctx, logID)
	if err != nil {
		return 0, fault.OfStore(err)
	}
	no, err := n.logNo(ctx, logID)
	if err != nil {
		return 0, err
	}
	size, _, err := n.enoughOf(ctx, no)
	if err != nil || size >= l.Size || !n.suffices(policies, l.Checkpoint) {
		return size, err
	}
	if n.ledger == nil {
		return l.Size, nil
	}
	return l.Size, n.putEnough(ctx, no, l.Size, l.Checkpoint)
}

// WitnessedSize is how many leaves of a log, own or followed, enough witnesses of its agreement have co-signed. asked is
// false when the agreement asks for none.
func (n *Node) WitnessedSize(ctx context.Context, l ledger.LogInfo) (size int64, asked bool, err error) {
	author := l.Author
	if author == "" {
		author = n.party.ID
	}
	policies, err := n.witnessPolicies(ctx, l.Agreement, author)
	if err != nil || len(policies) == 0 {
		return 0, false, err
	}
	size, err = n.noteWitnessed(ctx, l.ID, policies)
	return size, true, err
}

// askWitness asks one witness, twice when it has to say first how far it is.
func (n *Node) askWitness(ctx context.Context, l ledger.LogInfo, w federate.Witness) ([]byte, error) {
	if v := n.cosigners.Of([]federate.Witness{w}); len(v) == 1 {
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
			proof, err := n.ledger.Consistency(ctx, l.ID, a.Old, l.Size)
			if err != nil {
				return nil, err
			}
			a.Proof = proof
		}
		line, has, err := n.postCheckpoint(ctx, w.URL, a)
		if err == nil {
			has = l.Size
		}
		var conflict errWitnessAt
		said := errors.As(err, &conflict)
		if err == nil || said {
			n.mu.Lock()
			n.witnessAt[w.VKey+" "+l.ID] = has
			n.mu.Unlock()
		}
		if !said || has == old || has > l.Size {
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
