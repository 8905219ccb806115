package node

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/detect/feed"
	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
	"github.com/mithaq/mithaq/stix"
)

// The bounds of one page of indicators.
const (
	senseRecords = 512
	senseBytes   = 8 << 20
)

// senseCursor is how far somebody has got. Records are taken in the order of arrival; the count tells whether one was
// indexed late, behind the cursor, and the rules tell whether what was decided before still stands.
type senseCursor struct {
	No      int64  `json:"n"`
	Count   int64  `json:"c"`
	Rules   string `json:"r"`
	Decided int64  `json:"d"` // microseconds: verdicts of persons up to here
}

func (c senseCursor) text() (string, error) {
	b, err := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(b), err
}

func parseSenseCursor(s string) (c senseCursor, err error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || c.No < 0 || c.Count < 0 {
		return c, fault.New(fault.Invalid, "give the cursor of the page before, or none", "listing indicators: %q is no cursor", fault.Clip(s))
	}
	return c, nil
}

// Indicators gives the changes after a cursor of the indicators that this party may match against its own traffic: each
// was decided on for detection (passive use), part by part. A recall, a release, a partner's false positive and a change
// of an agreement's rules are changes; expiry stands beside each indicator.
func (n *Node) Indicators(ctx context.Context, after string) (feed.Page, error) {
	page := feed.Page{Changes: []feed.Changed{}}
	if err := n.allIndexed(ctx); err != nil {
		return page, err
	}
	d, err := n.decideFor(ctx, Viewer{Own: true})
	if err != nil {
		return page, err
	}
	rules, err := n.rulesMark(ctx, d)
	if err != nil {
		return page, err
	}
	at := senseCursor{Rules: rules}
	if after != "" {
		if at, err = parseSenseCursor(after); err != nil {
			return page, err
		}
		count, err := n.store.Index().CountTo(ctx, at.No)
		if err != nil {
			return page, indexFault("listing indicators", err)
		}
		if at.Rules != rules || count != at.Count {
			page.Reset, at = true, senseCursor{Rules: rules}
		}
	}
	page.Reset = page.Reset || after == ""
	s := &sensing{node: n, decision: d, page: &page, makers: map[int64]*entry.Maker{}, old: !page.Reset}
	records, err := n.store.Index().Since(ctx, at.No, senseRecords)
	if err != nil {
		return page, indexFault("listing indicators", err)
	}
	for i, e := range records {
		if err := s.take(ctx, e); err != nil {
			return page, err
		}
		if s.again { // everything anew
			return n.Indicators(ctx, "")
		}
		at.No, at.Count = e.No, at.Count+1
		if s.bytes > senseBytes && i+1 < len(records) {
			page.More = true
			break
		}
	}
	page.More = page.More || len(records) == senseRecords
	ids, last, err := n.store.DecidedSince(ctx, time.UnixMicro(at.Decided))
	if err != nil {
		return page, err
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if err := s.verdicts(ctx, id); err != nil {
			return page, err
		}
	}
	at.Decided = max(at.Decided, last.UnixMicro())
	page.Cursor, err = at.text()
	return page, err
}

// allIndexed waits until what is published here is indexed, recalls before all.
func (n *Node) allIndexed(ctx context.Context) error {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return fault.OfStore(err)
	}
	if n.indexer == nil {
		return nil
	}
	for _, l := range infos {
		if n.book(l.ID) == nil {
			continue
		}
		if err := n.WaitIndexed(ctx, l.ID, l.Size); err != nil {
			return err
		}
	}
	return nil
}

// rulesMark names what decisions depend on beside records: the texts in force and what this party is in each agreement.
func (n *Node) rulesMark(ctx context.Context, d decision) (string, error) {
	h := sha256.New()
	for _, id := range slices.Sorted(maps.Keys(d.members)) {
		text := ""
		if id != record.OwnAgreement {
			if err := n.withRoll(ctx, id, func(r *roll) error { text = fmt.Sprint(r.state.Text()); return nil }); err != nil {
				return "", err
			}
		}
		fmt.Fprintf(h, "%s %s %s\n", id, d.members[id], text)
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
}

// sensing makes one page.
type sensing struct {
	node     *Node
	decision decision
	page     *feed.Page
	makers   map[int64]*entry.Maker
	old      bool // the reader has something already
	again    bool // and has to begin again
	bytes    int
}

// take takes the next record in the order of arrival.
func (s *sensing) take(ctx context.Context, e store.Indexed) error {
	if e.Standing != StandingValid && e.Standing != StandingErased {
		return nil
	}
	switch record.Kind(e.Kind) {
	case record.KindIntel:
		return s.intel(ctx, e, false, nil)
	case record.KindRecall, record.KindRelease:
		return s.changed(ctx, e)
	case record.KindSighting:
		r, err := s.open(ctx, e)
		if err != nil {
			return nil //nolint:nilerr // what cannot be opened says nothing here
		}
		said, err := record.Parse[record.Sighting](r)
		if err == nil && said.Verdict == record.SightingFalsePositive {
			return s.verdicts(ctx, said.Indicator)
		}
	case record.KindKeyring:
		// A keyring that takes trust back takes standing from records that were given before.
		s.again = s.again || s.old && e.Index > 0
	}
	return nil
}

func (s *sensing) open(ctx context.Context, e store.Indexed) (record.Record, error) {
	m := s.makers[e.LogNo]
	if m == nil {
		var err error
		if m, err = s.node.entryMaker(ctx, e.LogNo); err != nil {
			return record.Record{}, err
		}
		s.makers[e.LogNo] = m
	}
	arrivals, err := s.node.store.Arrivals(ctx, e.LogNo, e.Index, e.Index+1)
	if err != nil {
		return record.Record{}, err
	}
	if err := s.node.store.Load(&arrivals[0]); err != nil {
		return record.Record{}, err
	}
	if arrivals[0].Seq == 0 || arrivals[0].Erased {
		return record.Record{}, errors.New("the object is not here")
	}
	r, err := m.Open(e.Index, arrivals[0])
	r.Record.Body = slices.Clone(r.Record.Body) // another is opened before this one is done with
	return r.Record, err
}

// intel gives the indicators of a record that may be used; only those with one of the ids, where there are any.
func (s *sensing) intel(ctx context.Context, e store.Indexed, instead bool, ids map[string]bool) error {
	r, err := s.open(ctx, e)
	if err != nil {
		return nil //nolint:nilerr // sealed to others, erased, or broken: there is nothing to give
	}
	bundle, ok := unwrapBundle(r.Body)
	if !ok {
		return nil
	}
	parsed, err := stix.Parse(bundle)
	if err != nil {
		return nil //nolint:nilerr // bundles are checked when they are published; one of another time is passed over
	}
	item, err := s.decision.withChanges(ctx, e.Leaf, policy.Item{ID: string(e.Leaf[:]), Agreement: e.Agreement, Author: e.Author, Officer: e.Officer, Kind: e.Kind,
		Marking: policy.Marking{TLP: policy.TLP(e.TLP), PAP: policy.PAP(e.PAP)}, Audience: audienceOf(e.Parties, e.Persons), Expires: e.Expires})
	if err != nil {
		return err
	}
	known, names := stix.MarkingsOf(parsed.Objects), map[string]string{}
	for _, o := range parsed.Objects {
		if o.Type == "identity" {
			if v, err := o.Open(); err == nil {
				names[o.ID] = v.Get("name").Text()
			}
		}
	}
	for _, o := range parsed.Objects {
		if o.Type != "indicator" || ids != nil && !ids[o.ID] {
			continue
		}
		c, allowed := s.decide(item, o, known)
		if !allowed {
			continue
		}
		c.Instead = instead
		if v, err := o.Open(); err == nil {
			c.AuthorName = names[v.Get("created_by_ref").Text()]
		}
		if !e.Expires.IsZero() {
			c.Expires = &e.Expires
		}
		s.add(c)
		delete(ids, o.ID)
	}
	return nil
}

// decide asks whether one indicator of a record may be used for detection.
func (s *sensing) decide(item policy.Item, o stix.Object, known stix.Markings) (feed.Changed, bool) {
	item.Part = o.ID
	if marked, err := stix.Effective(o, known); err != nil {
		return feed.Changed{}, false
	} else if tlp := marked.Strictest(); tlp != stix.TLPNone {
		item.Marking = item.Marking.Strictest(policy.Marking{TLP: policy.TLP(tlp.String()), PAP: item.Marking.PAP})
	}
	c := feed.Changed{ID: o.ID, Object: json.RawMessage(o.Raw), Agreement: item.Agreement, Record: hex.EncodeToString([]byte(item.ID)), Author: item.Author,
		TLP: string(item.Marking.TLP), PAP: string(item.Marking.PAP)}
	q := s.decision.request(policy.ToDetect(), item)
	q.Use = policy.UsePassive
	shown, answer := ask(s.decision, q, policy.Guard(item, c))
	return shown, answer.Allow
}

func (s *sensing) add(c feed.Changed) {
	s.page.Changes = append(s.page.Changes, c)
	s.bytes += len(c.Object) + 256
}

// changed gives what holds of a record's indicators after a recall or release of it: all of it goes, and what may still
// be used of it, or of other records with the same indicators, comes back.
func (s *sensing) changed(ctx context.Context, e store.Indexed) error {
	if !s.old {
		return nil // each record was decided on with all its changes: who begins has nothing to give back
	}
	target, ids, err := s.target(ctx, e)
	if err != nil || target == ([32]byte{}) {
		return err
	}
	s.add(feed.Changed{Record: hex.EncodeToString(target[:]), Gone: true})
	records, err := s.node.store.Index().ByLeaf(ctx, target)
	if err != nil {
		return indexFault("listing indicators", err)
	}
	for _, one := range records {
		if one.Kind == string(record.KindIntel) && one.Standing == StandingValid {
			if err := s.intel(ctx, one, true, nil); err != nil {
				return err
			}
		}
	}
	for id := range ids {
		others, err := s.node.store.Index().WithSTIX(ctx, id, 64)
		if err != nil {
			return indexFault("listing indicators", err)
		}
		for _, one := range others {
			if one.Leaf != target && one.Standing == StandingValid {
				if err := s.intel(ctx, one, false, map[string]bool{id: true}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// target gives what a recall or release is about, and the ids of the indicators in it, as far as it can be opened.
func (s *sensing) target(ctx context.Context, e store.Indexed) (target [32]byte, ids map[string]bool, err error) {
	r, err := s.open(ctx, e)
	if err != nil {
		return target, nil, nil //nolint:nilerr // sealed to others: what it takes back was not for this party either
	}
	switch r.Kind {
	case record.KindRecall:
		b, err := record.Parse[record.Recall](r)
		if err != nil {
			return target, nil, nil //nolint:nilerr // it was checked when it came in
		}
		target = record.ParseHash(b.Target)
	default:
		b, err := record.Parse[record.Release](r)
		if err != nil {
			return target, nil, nil //nolint:nilerr // see above
		}
		target = record.ParseHash(b.Target)
	}
	records, err := s.node.store.Index().ByLeaf(ctx, target)
	if err != nil {
		return target, nil, indexFault("listing indicators", err)
	}
	ids = map[string]bool{}
	for _, one := range records {
		if one.Author != e.Author {
			return [32]byte{}, nil, nil // only an author takes back what is its own
		}
		if r, err := s.open(ctx, one); err == nil {
			if bundle, ok := unwrapBundle(r.Body); ok {
				if parsed, err := stix.Parse(bundle); err == nil {
					for _, o := range parsed.Objects {
						if o.Type == "indicator" {
							ids[o.ID] = true
						}
					}
				}
			}
		}
	}
	return target, ids, nil
}

// verdicts gives what became of an indicator's matches here and at partners.
func (s *sensing) verdicts(ctx context.Context, indicator string) error {
	v := feed.Verdicts{}
	var err error
	if v.Confirmed, v.Refused, err = s.node.store.Verdicts(ctx, indicator); err != nil {
		return err
	}
	records, err := s.node.store.Index().WithSTIX(ctx, indicator, 64)
	if err != nil {
		return indexFault("listing indicators", err)
	}
	parties := map[string]bool{}
	for _, e := range records {
		nos, rels, err := s.node.store.Index().ReferringTo(ctx, e.Leaf, 1000)
		if err != nil {
			return indexFault("listing indicators", err)
		}
		for i, no := range nos {
			if rels[i] != entry.RelTarget {
				continue
			}
			by, err := s.node.store.Index().ByNo(ctx, no)
			if err != nil || by.Kind != string(record.KindSighting) || by.Standing != StandingValid || by.Author == s.node.party.ID {
				continue // a record that is gone from the index says nothing
			}
			if r, err := s.open(ctx, by); err == nil {
				if said, err := record.Parse[record.Sighting](r); err == nil && said.Verdict == record.SightingFalsePositive && said.Indicator == indicator {
					parties[by.Author] = true
				}
			}
		}
	}
	v.Partners = len(parties)
	s.add(feed.Changed{ID: indicator, Verdicts: &v})
	return nil
}
