package node

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
	"github.com/mithaq/mithaq/taxii"
)

// statusKept is how long a status can be asked for. TAXII 2.1, section 4.3, wants 24 hours at least.
const statusKept = 48 * time.Hour

// bundleBytes is about how much of an envelope one record takes.
const bundleBytes = 8 << 20

// Add implements taxii.Backend: objects that are valid become intel records of this party, one for each effective marking and
// for each version of an object that comes more than once. Every object is accounted for.
func (b collections) Add(ctx context.Context, caller taxii.Caller, at taxii.Place, s taxii.Submission) (taxii.Status, error) {
	c, err := b.find(ctx, caller, at.Collection)
	if err != nil {
		return taxii.Status{}, err
	}
	if !c.write {
		return taxii.Status{}, taxii.ErrForbidden
	}
	who := caller.(account.TAXIICaller) //nolint:forcetypeassert // find checked it
	defer b.n.pace.post()()
	defer b.n.room.post()()
	p := posting{n: b.n, to: c, who: who, marking: defaultTLP, received: s.Received}
	p.status = taxii.Status{RequestTimestamp: taxii.FormatTime(s.Received), Failures: s.Refused}
	if p.status.ID, err = b.n.uuid(); err != nil {
		return taxii.Status{}, err
	}
	if err := p.take(ctx, s.Objects); err != nil {
		return taxii.Status{}, taxiiFault(err)
	}
	return p.status, nil
}

// posting is one envelope on its way into the log.
type posting struct {
	n        *Node
	to       collection
	who      account.TAXIICaller
	marking  record.TLP // of objects that bear none
	despite  bool       // takes indicators of values on warning lists as well
	received time.Time
	status   taxii.Status
	parts    []part
	byKey    map[partKey]int
	own      []int64 // what the objects that are left say of their marking, in their order
}

// part is what becomes one record.
type part struct {
	partKey
	objects []taxii.Object
	size    int
}

type partKey struct {
	marking policy.Marking
	turn    int // how many versions of the same object came before
	full    int // how many parts with the same beginning are full
}

func (p *posting) take(ctx context.Context, objects []taxii.Object) error {
	done, err := p.n.backlog.admit(ctx, len(objects))
	if err != nil {
		return err
	}
	defer done()
	left, err := p.sort(ctx, objects)
	if err != nil {
		return err
	}
	if left, err = p.harmful(left); err != nil {
		return err
	}
	p.split(left)
	return p.publishAll(ctx)
}

// sort takes out what is here already and what is not valid. Neither depends on the other.
func (p *posting) sort(ctx context.Context, objects []taxii.Object) ([]taxii.Object, error) {
	judged := make(chan []verdict, 1)
	go func() { judged <- p.judge(objects) }()
	fresh, err := p.known(ctx, objects)
	verdicts := <-judged
	if err != nil {
		return nil, err
	}
	kept := make([]taxii.Object, 0, len(fresh))
	for _, i := range fresh {
		if v := verdicts[i]; v.wrong == "" {
			kept, p.own = append(kept, objects[i]), append(p.own, v.own)
		} else {
			p.fail(objects[i], v.pointer, v.wrong)
		}
	}
	return kept, nil
}

// publishAll makes the records. The status is written meanwhile, as it is going to be: nobody has its id before all is done.
func (p *posting) publishAll(ctx context.Context) error {
	parts := p.parts[:0]
	for _, one := range p.parts {
		if one.marking.TLP == policy.TLPRed {
			p.refuseRed(one)
		} else {
			parts = append(parts, one)
		}
	}
	expected := p.status
	expected.Successes = slices.Clone(expected.Successes)
	for _, one := range parts {
		expected.Successes = p.succeed(expected.Successes, one)
	}
	expected.Count()
	written := make(chan error, 1)
	go func() { written <- p.keep(ctx, &expected) }()
	refusals := map[int]error{}
	for i, one := range parts {
		refusal, err := p.publish(ctx, one)
		if err != nil {
			return errors.Join(err, <-written)
		}
		if refusal != nil {
			refusals[i] = refusal
		}
	}
	if err := <-written; err != nil || len(refusals) == 0 {
		p.status = expected
		return err
	}
	for i, one := range parts {
		if refusals[i] == nil {
			p.status.Successes = p.succeed(p.status.Successes, one)
			continue
		}
		for _, o := range one.objects {
			p.fail(o, "", refusals[i].Error())
		}
	}
	p.status.Count()
	return p.keep(ctx, &p.status)
}

func (p *posting) succeed(list []taxii.StatusDetail, one part) []taxii.StatusDetail {
	list = slices.Grow(list, len(one.objects))
	for _, o := range one.objects {
		list = append(list, p.detail(o, ""))
	}
	return list
}

// keep keeps a status that somebody can ask for; a feed's has no id.
func (p *posting) keep(ctx context.Context, s *taxii.Status) error {
	if s.ID == "" {
		return nil
	}
	return p.n.keepStatus(ctx, p.who, s)
}

func (p *posting) detail(o taxii.Object, message string) taxii.StatusDetail {
	version := o.Version
	if version == "" {
		version = taxii.FormatTime(p.received)
	}
	index := o.Index
	return taxii.StatusDetail{ID: o.ID, Version: version, Message: message, Index: &index}
}

func (p *posting) fail(o taxii.Object, pointer, message string) {
	d := p.detail(o, message)
	d.Pointer = pointer
	p.status.Failures = append(p.status.Failures, d)
}

// What is said of an object that is not stored again.
const (
	hereAlready = "was here already"
	conflicting = "a different object with this id and version is here already"
)

// known takes out the objects whose version is here already: the same bytes are a success, others a failure. It returns the places
// of the others.
func (p *posting) known(ctx context.Context, objects []taxii.Object) ([]int, error) {
	ids := idsOf(objects)
	if err := p.n.backlog.await(ctx, p.n, p.to.log, ids); err != nil {
		return nil, err
	}
	here, err := p.n.store.Index().HasSTIX(ctx, ids)
	if err != nil {
		return nil, err
	}
	var s *selection
	if len(here) > 0 {
		q := taxii.Query{Filter: taxii.Filter{Versions: taxii.Versions{All: true}}, Limit: 1}
		if s, err = p.n.query(ctx, p.who, p.to, q); err != nil {
			return nil, err
		}
	}
	type version struct{ id, spec, key string }
	seen := map[version][]byte{}
	kept := make([]int, 0, len(objects))
	for i, o := range objects {
		v := version{o.ID, o.SpecVersion, versionKey(store.Placed{IndexSTIX: store.IndexSTIX{Version: o.Version}})}
		before, again := seen[v]
		if !again && here[o.ID] {
			if before, again, err = p.stored(ctx, s, o, v.key); err != nil {
				return nil, err
			}
		}
		switch {
		case !again:
			kept = append(kept, i)
			seen[v] = o.Raw
		case o.Version == "" && !bytes.Equal(before, o.Raw):
			kept = append(kept, i)
			seen[v] = o.Raw
		case bytes.Equal(before, o.Raw):
			p.status.Successes = append(p.status.Successes, p.detail(o, hereAlready))
		default:
			p.fail(o, "", conflicting)
		}
	}
	return kept, nil
}

func idsOf(objects []taxii.Object) []string {
	ids := make([]string, len(objects))
	for i, o := range objects {
		ids[i] = o.ID
	}
	return ids
}

// stored finds the same version of an object among those that the caller may have.
func (p *posting) stored(ctx context.Context, s *selection, o taxii.Object, key string) (raw []byte, found bool, err error) {
	placed, err := p.n.store.Index().PlacedSTIX(ctx, o.ID)
	if err != nil {
		return nil, false, err
	}
	for _, one := range placed {
		if one.SpecVersion != o.SpecVersion || !s.may(one.Run) || o.Version != "" && versionKey(one) != key || (o.Version == "") != (one.Version == "") {
			continue
		}
		if hidden, err := s.hidden.hides(ctx, one); err != nil || hidden {
			return nil, false, err
		}
		raw, err := p.n.rawSTIX(ctx, one)
		// Without a version of their own, other bytes are another version.
		if err != nil || raw != nil && (o.Version != "" || bytes.Equal(raw, o.Raw)) {
			return raw, err == nil, err
		}
	}
	return nil, false, nil
}

// split parts objects by their effective marking.
func (p *posting) split(objects []taxii.Object) {
	p.byKey = map[partKey]int{}
	turns, full := map[string]int{}, map[partKey]int{}
	for i, o := range objects {
		k := partKey{marking: p.effective(p.own[i]), turn: turns[o.ID]}
		turns[o.ID]++
		open := k
		open.full = full[k]
		at, ok := p.byKey[open]
		if ok && p.parts[at].size+len(o.Raw) > bundleBytes {
			full[k]++
			open.full, ok = full[k], false
		}
		if !ok {
			at = len(p.parts)
			p.byKey[open] = at
			p.parts = append(p.parts, part{partKey: open, objects: make([]taxii.Object, 0, roomOf(at, len(objects)-i))})
		}
		p.parts[at].objects = append(p.parts[at].objects, o)
		p.parts[at].size += len(o.Raw)
	}
}

// roomOf is for how many of the objects that are left a part has room from the beginning: mostly the first part is the only one.
func roomOf(part, left int) int {
	if part == 0 {
		return left
	}
	return 0
}

// effective is the strictest of what an object says of itself and of its parts, or what holds where it says nothing.
func (p *posting) effective(own int64) policy.Marking {
	m := policy.Marking{TLP: p.marking}
	if own%8 != 0 {
		m.TLP = policy.TLPClear
	}
	return entry.WithOwn(m, own)
}

// bundleOf wraps objects, byte for byte, between a prefix and what ends it. Joining does not clear the memory before it is written.
func bundleOf(prefix, uuid string, objects []taxii.Object, end string) []byte {
	parts := make([][]byte, 0, 2*len(objects)+2)
	parts = append(parts, []byte(prefix+`{"type":"bundle","id":"bundle--`+uuid+`","objects":[`))
	for i, o := range objects {
		if i > 0 {
			parts = append(parts, []byte{','})
		}
		parts = append(parts, o.Raw)
	}
	return bytes.Join(append(parts, []byte("]}"+end)), nil)
}

// plainBundle is a bundle that nobody keeps.
func plainBundle(objects []taxii.Object) []byte {
	return bundleOf("", "00000000-0000-4000-8000-000000000000", objects, "")
}

func (p *posting) refuseRed(one part) {
	for _, o := range one.objects {
		p.fail(o, "/object_marking_refs", "TLP:RED is for persons who are named, which TAXII cannot do: publish it with 'mithaq publish --tlp RED --to KEY' (an officer's key id; 'mithaq key list' prints this party's)")
	}
}

// publish makes a record of a part. What the node refuses is the part's failure; that it cannot write now is the request's.
func (p *posting) publish(ctx context.Context, one part) (refusal, err error) {
	uuid, err := p.n.uuid()
	if err != nil {
		return nil, err
	}
	receipt, err := p.n.Publish(ctx, p.to.log, Draft{Kind: string(record.KindIntel), TLP: string(one.marking.TLP), PAP: string(one.marking.PAP),
		Body: bundleOf(bundlePrefix, uuid, one.objects, "}"), checked: true, ids: idsOf(one.objects)})
	switch fault.CodeOf(err) {
	case fault.Invalid, fault.Forbidden:
		return err, nil
	case fault.Unavailable, fault.Behind, fault.Conflict:
		return nil, errors.Join(taxiiBusy("the node cannot write now; what it had taken of this request it takes as known when it comes again"), err)
	}
	if err != nil {
		return nil, err
	}
	p.n.notePosted(p.who, receipt)
	return nil, nil
}

// postedWait is how long a reader waits for the index to have what it posted itself. A client that reads at once what it just
// wrote finds it; one that writes faster than the index follows is not held up for long.
const postedWait = 5 * time.Second

// notePosted remembers how far a caller has written.
func (n *Node) notePosted(who account.TAXIICaller, r Receipt) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.posted == nil {
		n.posted = map[string]Place{}
	}
	n.posted[who.Token+" "+r.Log] = Place{Log: r.Log, Index: r.Index}
}

// awaitPosted waits until the index has what a caller wrote.
func (n *Node) awaitPosted(ctx context.Context, who account.TAXIICaller) {
	n.mu.Lock()
	var waiting []Place
	for key, p := range n.posted {
		if token, _, _ := strings.Cut(key, " "); token == who.Token {
			waiting = append(waiting, p)
			delete(n.posted, key)
		}
	}
	n.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, postedWait)
	defer cancel()
	for _, p := range waiting {
		if err := n.WaitIndexed(ctx, p.Log, p.Index+1); err != nil {
			return // what is not there yet comes with a later poll
		}
	}
}
