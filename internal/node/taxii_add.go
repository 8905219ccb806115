package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
	"github.com/mithaq/mithaq/stix"
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
	who := caller.(TAXIICaller) //nolint:forcetypeassert // find checked it
	p := posting{n: b.n, to: c, who: who, marking: defaultTLP, received: s.Received}
	p.status = taxii.Status{RequestTimestamp: taxii.FormatTime(s.Received), Failures: s.Refused}
	if p.status.ID, err = b.n.uuid(); err != nil {
		return taxii.Status{}, err
	}
	if err := p.take(ctx, s.Objects); err != nil {
		return taxii.Status{}, err
	}
	p.status.Count()
	return p.status, b.keepStatus(ctx, who, p.status)
}

// posting is one envelope on its way into the log.
type posting struct {
	n        *Node
	to       collection
	who      TAXIICaller
	marking  record.TLP // of objects that bear none
	despite  bool       // takes indicators of values on warning lists as well
	received time.Time
	status   taxii.Status
	parts    []part
	byKey    map[partKey]int
	own      []int64 // what the objects that valid kept say of their marking, in their order
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
	objects, err := p.known(ctx, objects)
	if err != nil {
		return err
	}
	if objects, err = p.harmful(p.valid(objects)); err != nil {
		return err
	}
	p.split(objects)
	for _, one := range p.parts {
		if err := p.publish(ctx, one); err != nil {
			return err
		}
	}
	return nil
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

// known takes out the objects whose version is here already: the same bytes are a success, others a failure.
func (p *posting) known(ctx context.Context, objects []taxii.Object) ([]taxii.Object, error) {
	ids := make([]string, len(objects))
	for i, o := range objects {
		ids[i] = o.ID
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
	kept := objects[:0:0]
	for _, o := range objects {
		v := version{o.ID, o.SpecVersion, versionKey(store.Placed{IndexSTIX: store.IndexSTIX{Version: o.Version}})}
		before, again := seen[v]
		if !again && here[o.ID] {
			if before, again, err = p.stored(ctx, s, o, v.key); err != nil {
				return nil, err
			}
		}
		switch {
		case !again:
			kept = append(kept, o)
			seen[v] = o.Raw
		case o.Version == "" && !bytes.Equal(before, o.Raw):
			kept = append(kept, o)
			seen[v] = o.Raw
		case bytes.Equal(before, o.Raw):
			p.status.Successes = append(p.status.Successes, p.detail(o, hereAlready))
		default:
			p.fail(o, "", conflicting)
		}
	}
	return kept, nil
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

// valid takes out what breaks a MUST of STIX 2.1, each with the place and the rule.
func (p *posting) valid(objects []taxii.Object) []taxii.Object {
	if len(objects) == 0 {
		return nil
	}
	known := markingsAmong(objects)
	own := make([]int64, len(objects))
	marks := func(i int, v stix.Value) { own[i] = ownMarking(v, known) }
	report := stix.Validate(bundleOf("00000000-0000-4000-8000-000000000000", objects), stix.Options{MaxFindings: 4 * len(objects), Object: marks})
	if report.Unreadable != nil {
		// Each object was read before, so that one of them must be beyond a bound of the validator's: find out which.
		return p.validOneByOne(objects, known)
	}
	first := map[int]stix.Finding{}
	for _, f := range report.Findings {
		if _, ok := first[f.Index]; !ok {
			first[f.Index] = f
		}
	}
	invalid := map[int]bool{}
	for _, i := range report.InvalidObjects() {
		invalid[i] = true
	}
	kept := objects[:0:0]
	for i, o := range objects {
		switch f, found := first[i]; {
		case !invalid[i]:
			kept, p.own = append(kept, o), append(p.own, own[i])
		case found:
			p.fail(o, f.Path, broken(f))
		default:
			p.fail(o, "", "is not valid STIX 2.1: see 'mithaq stix validate'")
		}
	}
	return kept
}

// markingsAmong reads the marking definitions that stand among objects; one that is not valid is refused, and marks nothing.
func markingsAmong(objects []taxii.Object) stix.Markings {
	known := stix.Markings{}
	for _, o := range objects {
		if o.Type != "marking-definition" || !stix.Validate(o.Raw, stix.Options{MaxFindings: 1}).Valid {
			continue
		}
		if parsed, err := stix.ParseObject(o.Raw); err == nil {
			if m, err := stix.ReadMarking(parsed); err == nil {
				known[m.ID] = m
			}
		}
	}
	return known
}

// broken says which rule an object breaks, and where.
func broken(f stix.Finding) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s: %s", f.Path, f.Level, f.Rule, f.Message))
}

func (p *posting) validOneByOne(objects []taxii.Object, known stix.Markings) []taxii.Object {
	kept := objects[:0:0]
	for _, o := range objects {
		own := int64(0)
		marks := func(_ int, v stix.Value) { own = ownMarking(v, known) }
		report := stix.Validate(o.Raw, stix.Options{MaxFindings: 1, Object: marks})
		switch {
		case report.Unreadable != nil:
			p.fail(o, "", report.Unreadable.Error())
		case !report.Valid && len(report.Findings) > 0:
			f := report.Findings[0]
			p.fail(o, f.Path, broken(f))
		default:
			kept, p.own = append(kept, o), append(p.own, own)
		}
	}
	return kept
}

// harmful takes out the indicators of what is well known and harmless, by the warning lists of the configuration.
func (p *posting) harmful(objects []taxii.Object) ([]taxii.Object, error) {
	if len(objects) == 0 || p.despite {
		return objects, nil
	}
	hits, err := p.n.warningsOf(bundleOf("00000000-0000-4000-8000-000000000000", objects), math.MaxInt)
	if err != nil || len(hits) == 0 {
		return objects, err
	}
	why := map[string]string{}
	for _, h := range hits {
		why[h.Object] = fmt.Sprintf("%s is on the warning list %s of what is well known and harmless", exchange.Clip(h.Value), exchange.Clip(h.List))
	}
	kept, own := objects[:0:0], p.own[:0]
	for i, o := range objects {
		if reason, warned := why[o.ID]; warned {
			p.fail(o, "/pattern", reason)
			continue
		}
		kept, own = append(kept, o), append(own, p.own[i])
	}
	p.own = own
	return kept, nil
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
			p.parts = append(p.parts, part{partKey: open})
		}
		p.parts[at].objects = append(p.parts[at].objects, o)
		p.parts[at].size += len(o.Raw)
	}
}

// effective is the strictest of what an object says of itself and of its parts, or what holds where it says nothing.
func (p *posting) effective(own int64) policy.Marking {
	m := policy.Marking{TLP: p.marking}
	if own%8 != 0 {
		m.TLP = policy.TLPClear
	}
	return withOwn(m, own)
}

// bundleOf wraps objects, byte for byte.
func bundleOf(uuid string, objects []taxii.Object) []byte {
	size := 100
	for _, o := range objects {
		size += len(o.Raw) + 1
	}
	b := make([]byte, 0, size)
	b = append(b, `{"type":"bundle","id":"bundle--`...)
	b = append(b, uuid...)
	b = append(b, `","objects":[`...)
	for i, o := range objects {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, o.Raw...)
	}
	return append(b, "]}"...)
}

// publish makes a record of a part. What the node refuses is the part's failure; that it cannot write now is the request's.
func (p *posting) publish(ctx context.Context, one part) error {
	if one.marking.TLP == policy.TLPRed {
		for _, o := range one.objects {
			p.fail(o, "/object_marking_refs", "TLP:RED is for persons who are named, which TAXII cannot do: publish it with 'mithaq publish --tlp RED --to KEY' (an officer's key id; 'mithaq key list' prints this party's)")
		}
		return nil
	}
	uuid, err := p.n.uuid()
	if err != nil {
		return err
	}
	receipt, err := p.n.Publish(ctx, p.to.log, Draft{Kind: string(record.KindIntel), TLP: string(one.marking.TLP), PAP: string(one.marking.PAP),
		Body: bundleOf(uuid, one.objects), checked: true})
	switch CodeOf(err) {
	case CodeInvalid, CodeForbidden:
		for _, o := range one.objects {
			p.fail(o, "", err.Error())
		}
		return nil
	case CodeUnavailable, CodeBehind, CodeConflict:
		return errors.Join(&taxii.Error{Title: http.StatusText(http.StatusServiceUnavailable), Description: "the node cannot write now; what it had taken of this request it takes as known when it comes again",
			HTTPStatus: strconv.Itoa(http.StatusServiceUnavailable), Status: http.StatusServiceUnavailable, RetryAfter: time.Second}, err)
	}
	if err != nil {
		return err
	}
	p.n.notePosted(p.who, receipt)
	for _, o := range one.objects {
		p.status.Successes = append(p.status.Successes, p.detail(o, ""))
	}
	return nil
}

// postedWait is how long a reader waits for the index to have what it posted itself. A client that reads at once what it just
// wrote finds it; one that writes faster than the index follows is not held up for long.
const postedWait = 5 * time.Second

// notePosted remembers how far a caller has written.
func (n *Node) notePosted(who TAXIICaller, r Receipt) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.posted == nil {
		n.posted = map[string]Place{}
	}
	n.posted[who.Token+" "+r.Log] = Place{Log: r.Log, Index: r.Index}
}

// awaitPosted waits until the index has what a caller wrote.
func (n *Node) awaitPosted(ctx context.Context, who TAXIICaller) {
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
