package node

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// What this node asks of others by itself or for a person: who they are, whom they introduce, which rolls they show, and that
// they enter an act.

const (
	// maxIntroductions bounds the cards that one host may send, in bytes, and maxIntroduced in number: 1,200 of some kilobytes each
	// are below both.
	maxIntroductions = 16 << 20
	maxIntroduced    = 4096
	// deliveryPatience is how long a person who acts waits for the depositary.
	deliveryPatience = 15 * time.Second
)

// announce tells a host who we are and keeps whom it introduces, as far as a roll here names them.
func (n *Node) announce(ctx context.Context, host string, introducer string) error {
	card, err := n.Card(ctx)
	if err != nil {
		return err
	}
	var in Introductions
	if err := n.exchange(ctx, host, "/peers", card, maxIntroductions, &in); err != nil {
		return err
	}
	if len(in.Cards) > maxIntroduced {
		err := fetch.Refuse(fetch.TooMany, "%s introduces %d parties at once", host, len(in.Cards))
		n.refusals.answer(err, n.now(), host)
		return err
	}
	for _, h := range in.Held[:min(len(in.Held), maxChanges)] {
		if err := n.noteHold(ctx, introducer, h); err != nil {
			n.refusals.answer(fetch.As(fetch.Malformed, err), n.now(), host)
		}
	}
	met := false
	defer func() {
		if met {
			n.metPeers()
		}
	}()
	for _, c := range in.Cards {
		k, err := c.read()
		if err != nil {
			n.refusals.answer(fetch.As(fetch.Malformed, err), n.now(), host)
			continue
		}
		if k.Party == n.party.ID || !n.inSomeRoll(ctx, k.Party) && !n.someWitness(ctx, k.Party, n.party.ID) {
			continue
		}
		changed, err := n.meet(ctx, k, c.URL, introducer)
		if err != nil && fault.CodeOf(err) != fault.Conflict && fault.CodeOf(err) != fault.Invalid {
			return err
		}
		met = met || changed
	}
	return nil
}

// OfferedRolls asks every peer which agreements it shows to this party.
func (n *Node) OfferedRolls(ctx context.Context) ([]OfferedRoll, error) {
	out, _, err := n.offers(ctx)
	return out, err
}

func (n *Node) offers(ctx context.Context) (out []OfferedRoll, peers []store.Peer, err error) {
	card, err := n.Card(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, err := n.peers(ctx)
	if err != nil {
		return nil, nil, err
	}
	var failed []error
	out = []OfferedRoll{}
	for _, p := range all {
		if p.URL == "" || n.onlyCosigns(ctx, p) {
			continue
		}
		var offered []OfferedRoll
		if err := n.exchange(ctx, p.URL, "/rolls", card, maxCard, &offered); err != nil {
			failed = append(failed, err)
			continue
		}
		for _, o := range offered {
			o.Peer = p.Party
			out, peers = append(out, o), append(peers, p)
		}
	}
	if len(out) == 0 && len(failed) > 0 {
		return out, peers, errors.Join(failed...)
	}
	return out, peers, nil
}

// FetchRoll takes over the roll of an agreement from a peer that shows it: by its id or label, the depositary's own copy
// before any other. A person does this to join.
func (n *Node) FetchRoll(ctx context.Context, ref string) (Imported, error) {
	if n.ledger == nil {
		return Imported{}, errReadOnly()
	}
	if record.IsAgreementID(ref) {
		return n.fetchFromAnybody(ctx, ref)
	}
	offered, peers, err := n.offers(ctx)
	if err != nil {
		return Imported{}, err
	}
	best := -1
	for i, o := range offered {
		if o.Label != ref && (!strings.HasPrefix(o.Agreement, ref) || len(ref) <= len(record.PrefixAgreement)) {
			continue
		}
		switch {
		case best < 0, o.Agreement == offered[best].Agreement && o.Depositary == o.Peer:
			best = i
		case o.Agreement != offered[best].Agreement:
			return Imported{}, fault.New(fault.Invalid, "give its id", "fetching a roll: %s can mean %s and %s", fault.Clip(ref), o.Agreement, offered[best].Agreement)
		}
	}
	if best < 0 {
		return Imported{}, fault.New(fault.NotFound, "ask the depositary for an invitation, and see 'mithaq peer list'", "fetching a roll: no peer shows this party an agreement %s", fault.Clip(ref))
	}
	return n.fetchRoll(ctx, peers[best].URL, offered[best].Agreement)
}

// fetchFromAnybody asks each peer for the roll of an agreement whose id a person gave.
func (n *Node) fetchFromAnybody(ctx context.Context, id string) (Imported, error) {
	all, err := n.peers(ctx)
	if err != nil {
		return Imported{}, err
	}
	last := error(fault.New(fault.NotFound, "ask the depositary for an invitation, and see 'mithaq peer list'", "fetching a roll: no peer shows this party the agreement %s", id))
	for _, p := range all {
		if p.URL == "" || n.onlyCosigns(ctx, p) {
			continue
		}
		in, err := n.fetchRoll(ctx, p.URL, id)
		if err == nil {
			return in, nil
		}
		if fault.CodeOf(err) != fault.NotFound {
			last = err
		}
	}
	return Imported{}, last
}

func (n *Node) fetchRoll(ctx context.Context, host, id string) (Imported, error) {
	card, err := n.Card(ctx)
	if err != nil {
		return Imported{}, err
	}
	f, err := fetch.Again(ctx, func() (RollFile, error) {
		var f RollFile
		err := n.exchange(ctx, host, "/rolls/"+id, card, maxCarriedFile, &f)
		return f, err
	})
	if err != nil {
		return Imported{}, err
	}
	if f.Agreement != id {
		return Imported{}, fault.New(fault.Invalid, "", "fetching a roll: %s sends another agreement's", host)
	}
	in, err := n.importRoll(ctx, "the roll from "+host, f)
	if err == nil {
		n.peersChanged()
	}
	return in, err
}

// Ways that an act went.
const (
	SentEntered = "entered" // the depositary's node has it in the roll
	SentWaits   = "waits"   // the node cannot be reached; it is sent as soon as it can be
	SentRefused = "refused" // the roll does not take it
)

// deliver sends an act that was just made to the node that keeps the roll, if that has an address. Otherwise it stays where
// it is: in this party's log, where the depositary finds it.
func (n *Node) deliver(ctx context.Context, out *ActOutcome) {
	if out.File == nil {
		return
	}
	host := n.keeperHost(ctx, out.Agreement, *out.File)
	if host == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, deliveryPatience)
	defer cancel()
	n.send(ctx, host, out)
	if out.Entered {
		n.catchUpWith(ctx, host, out.Agreement)
		n.settleOutcome(ctx, out)
	}
}

// noteCrossed says of an approval that was entered whether it ended a round in which no text could have enough any more.
func (n *Node) noteCrossed(ctx context.Context, out *ActOutcome) {
	if !out.Entered || out.Partner != "" {
		return
	}
	err := n.withRoll(ctx, out.Agreement, func(r *roll) error {
		i := slices.IndexFunc(r.own, func(o ownAct) bool { return o.leaf == out.Receipt.Leaf })
		if i >= 0 && r.own[i].act.Act == agreement.ActApprove {
			p, ok := r.state.Proposal(r.own[i].act.Proposal)
			out.Crossed = ok && p.Status == agreement.Lapsed
		}
		return nil
	})
	if err != nil {
		n.logger.Warn("what became of an approval cannot be read", "agreement", out.Agreement, "error", err)
	}
}

// settleOutcome says how a pair stands here once the other party's log has been looked at.
func (n *Node) settleOutcome(ctx context.Context, out *ActOutcome) {
	if out.Partner == "" {
		return
	}
	err := n.withRoll(ctx, out.Agreement, func(r *roll) error {
		out.Entered, out.Phase, out.State = r.entered(out.Receipt.Leaf), string(r.state.Phase()), r.state.Hash().String()
		return nil
	})
	if err != nil {
		n.logger.Warn("the state of a pair cannot be read", "agreement", out.Agreement, "error", err)
	}
}

func (n *Node) send(ctx context.Context, host string, out *ActOutcome) {
	var reply ActReply
	err := n.exchange(ctx, host, "/acts", out.File, maxCard, &reply)
	switch fault.CodeOf(err) {
	case "":
		if err == nil {
			out.Sent, out.Entered, out.Phase, out.State, out.File = SentEntered, true, reply.Phase, reply.State, nil
			return
		}
		fallthrough
	case fault.Unavailable, fault.Busy:
		out.Sent, out.Trouble = SentWaits, err.Error()
	default:
		out.Sent, out.Trouble = SentRefused, err.Error()
	}
}

// keeperHost is the address of the node that writes an act into the roll: the depositary's, and for naming a successor that
// party's.
func (n *Node) keeperHost(ctx context.Context, id string, s SignedAct) string {
	keeper := ""
	err := n.withRoll(ctx, id, func(r *roll) error {
		keeper = r.keeper(n)
		if i := slices.IndexFunc(r.own, func(o ownAct) bool { return o.object == s.Hash }); i >= 0 && r.own[i].act.Act == agreement.ActSucceed {
			keeper = r.own[i].act.Party
		}
		if keeper == "" {
			keeper = r.proposedKeeper()
		}
		return nil
	})
	if err != nil || keeper == "" || keeper == n.party.ID {
		return ""
	}
	return n.hostOf(ctx, keeper)
}

// keeper is who enters this party's acts: the depositary, or of a pair the other one.
func (r *roll) keeper(n *Node) string {
	if r.isPair() {
		return n.partner(r)
	}
	return r.state.Depositary()
}

// proposedKeeper is the depositary that a founding text names which has not reached a roll.
func (r *roll) proposedKeeper() string {
	if d := r.text(); d != nil {
		if keeper, ok := d.Party(d.Depositary); ok {
			return keeper.ID
		}
	}
	return ""
}

// hostOf is the address of a party's node, or "".
func (n *Node) hostOf(ctx context.Context, party string) string {
	p, _, err := n.peerOf(ctx, party)
	if err != nil {
		return ""
	}
	return p.URL
}

// sendPending brings a host the acts that it has to enter and has not, each once on every state of the roll.
func (n *Node) sendPending(ctx context.Context, host string) {
	ids, err := n.rollIDs()
	if err != nil {
		return
	}
	for _, id := range ids {
		pending, err := n.pendingActs(ctx, id)
		if err != nil {
			n.logger.Warn("acts that wait cannot be read", "agreement", id, "error", err)
			continue
		}
		for _, file := range pending {
			if n.keeperHost(ctx, id, file) != host || !n.tryAgain(ctx, id, file.Hash) {
				continue
			}
			out := ActOutcome{Agreement: id, File: &file}
			n.send(ctx, host, &out)
			if out.Sent == SentRefused {
				n.logger.Warn("the depositary refuses an act of ours", "agreement", id, "object", file.Hash, "why", out.Trouble)
			}
			if out.Sent == SentWaits {
				n.mayTryAgain(id, file.Hash)
				return
			}
			if out.Entered {
				n.catchUpWith(ctx, host, id)
			}
		}
	}
}

// tryAgain says whether an act was not yet sent on the roll's present state, and notes that it is now.
func (n *Node) tryAgain(ctx context.Context, id, object string) (again bool) {
	err := n.withRoll(ctx, id, func(r *roll) error {
		state := r.state.Hash().String()
		n.mu.Lock()
		defer n.mu.Unlock()
		again = n.sent[id+object] != state
		n.sent[id+object] = state
		return nil
	})
	return err == nil && again
}

func (n *Node) mayTryAgain(id, object string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.sent, id+object)
}
