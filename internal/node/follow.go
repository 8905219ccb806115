package node

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// FollowRequest names another party's log that is to be followed.
type FollowRequest struct {
	URL   string `json:"url" doc:"Where the log is served: the author's host or a mirror, ending in /log/l-…"`
	Party string `json:"party,omitempty" doc:"Party id of its author; absent: a party whose keyring is pinned or that a roll introduced"`
}

// FollowView is one followed log.
type FollowView struct {
	LogView
	Source   string            `json:"source" doc:"Host that it is fetched from"`
	Seen     *time.Time        `json:"seen,omitempty" doc:"When a checkpoint of it was last verified and stored"`
	Absent   int               `json:"absent,omitempty" doc:"Leaves whose object has not come"`
	Notices  map[string]string `json:"notices,omitempty" doc:"What a person should know, by kind: history mismatch, rollback, refused, stale, over quota"`
	Evidence []string          `json:"evidence,omitempty" doc:"Ids of proofs that the log has two histories"`
	Refused  *Refusals         `json:"refused,omitempty" doc:"What was refused of it since this process began"`
}

// startFollower makes what follows other parties' logs. Nothing is fetched before somebody asks for it.
func (n *Node) startFollower() {
	n.follower = &federate.Runner{
		Shelf: n.ledger, Clock: n.now, Logger: n.logger,
		Open: func(l federate.Log, source string) (federate.Source, error) {
			if strings.HasPrefix(source, bundleSource) {
				return n.bundledSource(source, l.ID)
			}
			return n.signedSource(logURL(source, l.ID))
		},
		Options: func(l federate.Log) federate.Options {
			p, err := n.witnessPolicies(context.Background(), l.Agreement, l.Party)
			if err != nil {
				n.logger.Warn("the witnesses of a followed log are not known", "log", l.ID, "error", err)
			}
			return federate.Options{Objects: true, Purse: n.purse(context.Background(), l.Agreement, l.Party), Cosigners: n.cosigners.Of(witnessesOf(p)), Wraps: n.wrapsOf(l)}
		},
		Tell: n.heardOf,
		Refused: func(l federate.Log, source string, err error) {
			n.refusals.answer(err, n.now(), hostOf(source), l.ID)
		},
	}
}

func logURL(source, id string) string { return strings.TrimRight(source, "/") + "/log/" + id }

// FollowLog begins to follow another party's log and takes what its host shows. The party must be known: nobody is believed
// to be who they say.
func (n *Node) FollowLog(ctx context.Context, q FollowRequest) (FollowView, error) {
	if n.ledger == nil {
		return FollowView{}, errReadOnly()
	}
	source, id, ok := cutLogURL(q.URL)
	if !ok {
		return FollowView{}, fault.New(fault.Invalid, "write https://HOST/log/l-…", "following: %s does not end in /log/ and a log id", fault.Clip(q.URL))
	}
	k, err := n.introduced(ctx, q, id)
	if err != nil {
		return FollowView{}, err
	}
	if err := n.FollowAs(ctx, k.Log, k.Party, source); err != nil {
		return FollowView{}, err
	}
	round, err := n.Sync(ctx, id)
	if err != nil {
		return FollowView{}, err
	}
	if round.Err != nil {
		n.logger.Warn("following a log", "log", id, "error", round.Err)
	}
	return n.Followed(ctx, id)
}

// FollowAs makes room for a log of a party that is known, to be fetched from a host. Following it already only changes the
// host. Nothing is fetched yet: see Sync.
func (n *Node) FollowAs(ctx context.Context, l record.LogIdentity, party, source string) error {
	if n.ledger == nil {
		return errReadOnly()
	}
	if party == n.party.ID {
		return fault.New(fault.Invalid, "", "following: log %s is this party's own", l.ID)
	}
	if l.Agreement == record.OwnAgreement {
		return fault.New(fault.Invalid, "", "following: log %s is a party's own house, which is under no agreement", l.ID)
	}
	err := n.ledger.Follow(ctx, ledger.FollowSpec{ID: l.ID, Origin: record.LogOrigin(l.ID), Author: party, Agreement: l.Agreement, Generation: l.Generation, Source: source})
	if err != nil {
		return &fault.Fault{Code: fault.Conflict, What: "following", Err: err}
	}
	n.follower.Forget(l.ID)
	return n.refreshBook(ctx, l.ID)
}

// Sync takes what the host of a followed log shows and is not here. What was wrong at the host stands in the round.
func (n *Node) Sync(ctx context.Context, logID string) (federate.Round, error) {
	return n.syncShown(ctx, logID, nil)
}

// syncShown is Sync at a host that has just told of its newest checkpoint; nil: it has not.
func (n *Node) syncShown(ctx context.Context, logID string, checkpoint []byte) (federate.Round, error) {
	if n.follower == nil {
		return federate.Round{}, errReadOnly()
	}
	before, _ := n.reader.Log(ctx, logID) // of a log that is not here yet nothing was known
	round, err := n.follower.SyncShown(ctx, logID, checkpoint)
	if after, readErr := n.reader.Log(ctx, logID); readErr == nil && after.Size == before.Size && !bytes.Equal(after.Checkpoint, before.Checkpoint) {
		n.grown.Add(1) // the same tree with more cosignatures
	}
	return round, fault.OfStore(err)
}

// SyncView is how one round of following a log ended.
type SyncView struct {
	FollowView
	Trouble string `json:"trouble,omitempty" doc:"Why the host could not be followed to the end this time"`
}

// SyncNow takes what the host of a followed log shows, for somebody who waits.
func (n *Node) SyncNow(ctx context.Context, logID string) (SyncView, error) {
	if _, err := n.Followed(ctx, logID); err != nil {
		return SyncView{}, err
	}
	round, err := n.Sync(ctx, logID)
	if err != nil {
		return SyncView{}, err
	}
	v, err := n.Followed(ctx, logID)
	out := SyncView{FollowView: v}
	if round.Err != nil {
		out.Trouble = round.Err.Error()
	}
	return out, err
}

func cutLogURL(url string) (source, id string, ok bool) {
	source, id, ok = strings.Cut(strings.TrimRight(url, "/"), "/log/")
	return source, id, ok && record.IsID(id, record.PrefixLog)
}

// introduced fetches a log's keyrings and returns the last, when they are of the party that was asked for or of one that is
// known here.
func (n *Node) introduced(ctx context.Context, q FollowRequest, id string) (record.Keyring, error) {
	src, err := n.signedSource(q.URL)
	if err != nil {
		return record.Keyring{}, &fault.Fault{Code: fault.Invalid, What: "following", Err: err}
	}
	list, err := src.Keyrings(ctx)
	if err != nil {
		return record.Keyring{}, &fault.Fault{Code: fault.Unavailable, What: "following", Err: err, Remedy: "check the address; the log may not be for this party"}
	}
	envelopes, err := record.SplitKeyrings(list)
	if err != nil {
		return record.Keyring{}, &fault.Fault{Code: fault.Invalid, What: "following", Err: err}
	}
	chain, err := followKeyrings(envelopes, record.LogOrigin(id))
	if err != nil {
		return record.Keyring{}, &fault.Fault{Code: fault.Invalid, What: "following", Err: err}
	}
	k := chain[len(chain)-1]
	if q.Party != "" && q.Party != k.Party {
		return k, fault.New(fault.Invalid, "", "following: the log belongs to %s, not to %s", k.Party, q.Party)
	}
	if err := n.loadMembers(ctx, k.Log.Agreement); err != nil {
		return k, err
	}
	if q.Party == "" && !n.knowsParty(ctx, k.Party) {
		return k, fault.New(fault.Forbidden, "compare these words with that party by telephone, then give --party "+k.Party,
			"following: nobody has introduced %s here: %s", k.Party, record.FingerprintWords(k.Party))
	}
	return k, nil
}

// knowsParty says whether a person or a roll has introduced a party.
func (n *Node) knowsParty(ctx context.Context, party string) bool {
	if _, pinned, err := n.pinOf(ctx, party); pinned && err == nil {
		return true
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, members := range n.members {
		if slices.ContainsFunc(members, func(k record.Keyring) bool { return k.Party == party }) {
			return true
		}
	}
	return false
}

// heardOf takes a notice of the follower.
func (n *Node) heardOf(ctx context.Context, l federate.Log, notice federate.Notice) {
	switch notice.Kind {
	case federate.NoticeGrew:
		n.forgetNotices(l.ID)
		if err := n.tookLeaves(ctx, l.ID, notice.From, notice.To); err != nil {
			n.logger.Error("what was followed is not indexed yet", "log", l.ID, "error", err)
		}
		return
	case federate.NoticeKeys:
		n.learnEpochs(context.WithoutCancel(ctx), l.ID, notice.Places, 0)
		return
	case federate.NoticeMismatch:
		if err := n.keepContradiction(ctx, l, notice.Evidence); err != nil {
			n.logger.Error("evidence could not be kept", "log", l.ID, "error", err)
		}
	}
	if notice.Over != nil {
		n.mu.Lock()
		n.overdrafts[l.ID] = *notice.Over
		n.mu.Unlock()
	}
	n.refusals.notice(string(notice.Kind))
	n.logger.Warn(notice.Text, "notice", string(notice.Kind), "log", l.ID)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.notices[l.ID] == nil {
		n.notices[l.ID] = map[string]string{}
	}
	n.notices[l.ID][string(notice.Kind)] = notice.Text
}

// forgetNotices drops what is over when a log grows again. A history mismatch is never over by itself.
func (n *Node) forgetNotices(logID string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, kind := range []federate.NoticeKind{federate.NoticeRefused, federate.NoticeRollback, federate.NoticeStale, federate.NoticeQuota, federate.NoticeKeyless} {
		delete(n.notices[logID], string(kind))
	}
}

// tookLeaves makes use of leaves that came: keys of epochs that open them, keyrings by which they are judged, the index. The keys
// come first: whoever reads the new leaves reads as far as the keyrings are known.
func (n *Node) tookLeaves(ctx context.Context, logID string, from, to int64) error {
	ctx = context.WithoutCancel(ctx)
	defer n.indexer.nudge()
	places, err := n.store.EpochPlaces(ctx, n.book(logID).no, from, to)
	if err != nil {
		return err
	}
	n.learnEpochs(ctx, logID, places, from)
	return n.refreshBook(ctx, logID)
}

// maxProofs is how many proofs are kept of one log's two histories. Whoever signs on from the other one makes a proof with every
// tree; the first says it all.
const maxProofs = 8

// keepContradiction keeps the proof that a log has two histories. It goes nowhere by itself.
func (n *Node) keepContradiction(ctx context.Context, l federate.Log, e *federate.Evidence) error {
	kept, err := n.store.Evidence(ctx)
	if err != nil {
		return err
	}
	if len(slices.DeleteFunc(kept, func(k store.Evidence) bool { return k.LogID != l.ID })) >= maxProofs {
		return nil
	}
	file, err := e.Bytes()
	if err != nil {
		return err
	}
	_, err = n.store.PutEvidence(ctx, store.Evidence{ID: e.ID(), LogID: l.ID, Party: l.Party, Found: n.now(), File: file})
	return err
}

// Follows lists the followed logs.
func (n *Node) Follows(ctx context.Context) ([]FollowView, error) {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return nil, fault.OfStore(err)
	}
	out := []FollowView{}
	for _, l := range infos {
		if l.Followed() {
			v, err := n.Followed(ctx, l.ID)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
	}
	return out, nil
}

// Followed shows one followed log.
func (n *Node) Followed(ctx context.Context, logID string) (FollowView, error) {
	l, err := n.reader.Log(ctx, logID)
	if err == nil && !l.Followed() {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return FollowView{}, fault.OfStore(err)
	}
	row, err := n.store.Log(ctx, logID)
	if err != nil {
		return FollowView{}, fault.OfStore(err)
	}
	f, err := n.store.Follow(ctx, row.No)
	if err != nil {
		return FollowView{}, fault.OfStore(err)
	}
	v := FollowView{LogView: n.viewLog(ctx, l), Source: f.Source, Notices: map[string]string{}, Refused: n.refusals.of(logID)}
	if !f.Seen.IsZero() {
		v.Seen = &f.Seen
	}
	absent, err := n.store.Absent(ctx, row.No, 0, maxAbsentShown)
	if err != nil {
		return v, fault.OfStore(err)
	}
	v.Absent = len(absent)
	n.mu.RLock()
	for kind, text := range n.notices[logID] {
		v.Notices[kind] = text
	}
	n.mu.RUnlock()
	proofs, err := n.store.Evidence(ctx)
	if err != nil {
		return v, err
	}
	for _, e := range proofs {
		if e.LogID == logID {
			v.Evidence = append(v.Evidence, e.ID)
			if _, told := v.Notices[string(federate.NoticeMismatch)]; !told {
				v.Notices[string(federate.NoticeMismatch)] = fmt.Sprintf("two signed checkpoints contradict each other, found on %s", e.Found.UTC().Format(time.DateOnly))
			}
		}
	}
	return v, nil
}

// maxAbsentShown is up to where absent objects are counted.
const maxAbsentShown = 1000
