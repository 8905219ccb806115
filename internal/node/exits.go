package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// exits asks the one decision about what is carried to others: logs and objects. These are asked for one by one and often, so
// it remembers, for each agreement, the rules in force and what they said of each class.
type exits struct {
	mu    sync.Mutex
	rules map[string]*exitRules // by agreement id; as many as this node has logs under
}

type exitRules struct {
	rules   *policy.Rules // nil: the agreement has none
	decider *policy.Decider
}

// carry asks whether a viewer may have an item by the log or the object exit.
func (n *Node) carry(ctx context.Context, v Viewer, exit policy.Exit, it policy.Item) (policy.Decision, error) {
	who := policy.Principal{Party: v.Party, Person: v.Person}
	if v.Own {
		who = policy.Principal{Party: n.party.ID, Person: v.Person, Standing: policy.Joined}
	}
	who.Connected = who.Party != ""
	rules, membership, err := n.carrierIn(ctx, it.Agreement, who.Party)
	if err != nil {
		return policy.Decision{}, err
	}
	who.Membership = membership
	n.exits.mu.Lock()
	defer n.exits.mu.Unlock()
	known := n.exits.rules[it.Agreement]
	if known == nil || known.rules != rules {
		compiled := rules
		if compiled == nil {
			compiled = policy.NoRules(it.Agreement)
		}
		book, err := policy.NewBook(compiled)
		if err != nil {
			return policy.Decision{}, err
		}
		known = &exitRules{rules, book.NewDecider()}
		n.exits.rules[it.Agreement] = known
	}
	q := policy.Request{Principal: who, Exit: exit, Item: it, Now: n.now()}
	answer := known.decider.Decide(q)
	n.audited.note(q, answer)
	return answer, nil
}

// carrierIn is standingIn for carrying sealed bytes: the depositary carries for the members also when it is none of them, as
// records are sealed to it too, and so does each of a pair before there is anything in force. A witness that is no party gets
// nothing: authors bring it what it co-signs.
func (n *Node) carrierIn(ctx context.Context, id, party string) (rules *policy.Rules, m policy.Membership, err error) {
	rules, m, err = n.standingIn(ctx, id, party)
	if err != nil || m != policy.NoMember || party == "" || id == record.OwnAgreement {
		return rules, m, err
	}
	err = n.withRoll(ctx, id, func(r *roll) error {
		switch {
		case party == r.state.Depositary(), r.isPair() && r.runs(party):
			m = policy.Member
		case agreement.Waits(r.effect, r.state, party):
			m = policy.Member // it sees that its accession is witnessed; what is sealed is not sealed to it before
		}
		return nil
	})
	return rules, m, err
}

// itemOfLog describes a log to policy.
func (n *Node) itemOfLog(l ledger.LogInfo) policy.Item {
	it := policy.Item{ID: l.ID, Agreement: l.Agreement, Author: n.writerOf(l), Kind: policy.KindLog, Marking: policy.Marking{TLP: policy.TLPGreen}}
	if l.Public {
		it.Marking.TLP = policy.TLPClear
	}
	return it
}

// writerOf is the party whose log it is.
func (n *Node) writerOf(l ledger.LogInfo) string {
	if l.Followed() {
		return l.Author
	}
	return n.party.ID
}

// mayFollow asks whether a viewer may have a log: its checkpoints, tiles and leaves, its keyrings, and that there is one.
func (n *Node) mayFollow(ctx context.Context, v Viewer, l ledger.LogInfo) (policy.Item, policy.Grant, error) {
	it := n.itemOfLog(l)
	d, err := n.carry(ctx, v, policy.ToLog(), it)
	return it, d.Grant, err
}

// LogsFor lists the logs that a viewer may have.
func (n *Node) LogsFor(ctx context.Context, v Viewer) ([]LogView, error) {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return nil, fault.OfStore(err)
	}
	out := []LogView{}
	for _, l := range infos {
		if !n.begun(l.ID) {
			continue
		}
		it, grant, err := n.mayFollow(ctx, v, l)
		if err != nil {
			return nil, err
		}
		if shown, err := policy.Guard(it, n.viewLog(ctx, l)).Open(policy.ToLog(), grant); err == nil {
			out = append(out, shown)
		}
	}
	return out, nil
}

// recallable says whether an author can take an object of this kind back; of what is only sealed nobody can tell.
func recallable(kind string) bool {
	spec, err := record.LookupKind(record.Kind(kind))
	return kind == policy.KindSealed || err == nil && spec.Recallable
}

// settlePatience is how long an object waits for recalls that are on their way into the index, before the caller is told to
// come back.
const settlePatience = 2 * time.Second

// ownPatience is how many times settlePatience the node's own work waits for an index that stands still: one large object can
// keep a slow machine that long, and at the other end there is no caller who could come back.
const ownPatience = 30

// mayCarry asks whether a viewer may have the bytes of an object. What it is, the index knows; where the index does not know yet,
// the object is opened.
func (n *Node) mayCarry(ctx context.Context, v Viewer, o ledger.Object, patience int) (policy.Item, policy.Grant, error) {
	it, err := n.itemOfObject(ctx, o)
	if err != nil {
		return it, policy.Grant{}, err
	}
	own := v.Own && it.Author == n.party.ID || v.Party != "" && it.Author == v.Party
	if !own && recallable(it.Kind) {
		if err := n.awaitRecalls(ctx, o.Logs, settlePatience, patience); err != nil {
			return it, policy.Grant{}, err
		}
		leaf := record.LeafHash(append([]byte{1}, o.Hash[:]...))
		if it, err = withChanges(ctx, n.store.Index(), leaf, it); err != nil {
			return it, policy.Grant{}, err
		}
	}
	d, err := n.carry(ctx, v, policy.ToObject(), it)
	return it, d.Grant, err
}

// awaitRecalls waits until the recalls in these logs are known: once for a moment, then as long as the index goes on or stands
// still for no more than patience moments. Without patience it is the first moment alone.
func (n *Node) awaitRecalls(ctx context.Context, logs []ledger.LogInfo, moment time.Duration, patience int) error {
	indexed := int64(-1)
	for still := 0; ; still++ {
		err := n.recallsWithin(ctx, logs, moment)
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return err
		}
		if still == patience {
			return fmt.Errorf("asking about an object: %w", ledger.ErrUnsettled)
		}
		state, err := n.IndexState(ctx)
		if err != nil {
			return err
		}
		if state.Indexed != indexed {
			indexed, still = state.Indexed, 0
		}
	}
}

func (n *Node) recallsWithin(ctx context.Context, logs []ledger.LogInfo, moment time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, moment)
	defer cancel()
	for _, l := range logs {
		if err := n.waitIndexed(ctx, l, l.Size); err != nil {
			if errors.Is(err, store.ErrNoIndex) {
				return fmt.Errorf("asking about an object: %w", ledger.ErrUnsettled)
			}
			return err
		}
	}
	return nil
}

// itemOfObject describes an object to policy. Of one that cannot be opened here nothing is known but that it is sealed.
func (n *Node) itemOfObject(ctx context.Context, o ledger.Object) (policy.Item, error) {
	leaf := record.LeafHash(append([]byte{1}, o.Hash[:]...))
	it := policy.Item{ID: string(leaf[:]), Agreement: o.Logs[0].Agreement, Author: n.writerOf(o.Logs[0]), Kind: policy.KindSealed,
		Marking: policy.Marking{TLP: policy.TLPAmberStrict}, Sealed: true}
	if o.Attached {
		return it, nil // a key wrapped for one recipient
	}
	list, err := n.store.Index().ByLeaf(ctx, leaf)
	if err != nil && !errors.Is(err, store.ErrNoIndex) {
		return it, err
	}
	var e store.Indexed
	if len(list) > 0 {
		e = list[0]
	} else if e, err = n.entryOf(ctx, o); err != nil {
		return it, err
	}
	if e.Kind == "" {
		return it, nil // sealed to others, or broken
	}
	sealed := e.Sealed
	it = itemOfIndexed(e)
	it.Sealed = sealed
	return it, nil
}

// entryOf makes the index's entry of an object that has none yet.
func (n *Node) entryOf(ctx context.Context, o ledger.Object) (store.Indexed, error) {
	row, err := n.store.Log(ctx, o.Logs[0].ID)
	if err != nil {
		return store.Indexed{}, fault.OfStore(err)
	}
	m, err := n.entryMaker(ctx, row.No)
	if err != nil {
		return store.Indexed{}, err
	}
	if o.File != nil && n.indexer != nil {
		n.indexer.large.Lock()
		defer n.indexer.large.Unlock()
	}
	b, err := o.All()
	if err != nil {
		return store.Indexed{}, err
	}
	places, err := n.store.Places(ctx, o.Hash)
	if err != nil {
		return store.Indexed{}, fault.OfStore(err)
	}
	for _, p := range places {
		if p.LogNo == row.No && p.Index >= 0 { // who may have signed depends on the place
			e, _ := m.Entry(p.Index, store.Arrival{Seq: 1, Hash: o.Hash, Bytes: b})
			return e.Indexed, nil
		}
	}
	return store.Indexed{}, nil
}

// gate asks for the callers of the static resources.
type gate struct {
	node     *Node
	who      func(*http.Request) Viewer
	patience int // see awaitRecalls: none for a caller on the network, ownPatience for the node's own work
}

// Log implements ledger.Gate.
func (g gate) Log(r *http.Request, l ledger.LogInfo) (policy.Item, policy.Grant, error) {
	return g.node.mayFollow(r.Context(), g.who(r), l)
}

// Object implements ledger.Gate.
func (g gate) Object(r *http.Request, o ledger.Object) (policy.Item, policy.Grant, error) {
	return g.node.mayCarry(r.Context(), g.who(r), o, g.patience)
}
