package node

import (
	"context"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/record"
)

// Which of the logs that a host announces are followed from it.

// maxLogsOfAuthor is how many logs of one author under one agreement are followed: one, and its successors after losses.
const maxLogsOfAuthor = 32

// followsFrom says whether a log is fetched from a host, and makes room for it where it is new: the author must run the
// agreement by its roll here. The author's own host comes first; another one serves where the author has no address, where a
// person chose it as the mirror, or while the author's own does not answer.
func (n *Node) followsFrom(ctx context.Context, l ChangedLog, host string) bool {
	if l.Party == n.party.ID || !record.IsID(l.Log, record.PrefixLog) || !record.IsAgreementID(l.Agreement) {
		return false
	}
	runs := false
	if err := n.withRoll(ctx, l.Agreement, func(r *roll) error { runs = r.runs(l.Party); return nil }); err != nil || !runs {
		return false
	}
	p, known, err := n.peerOf(ctx, l.Party)
	if err != nil {
		return false
	}
	if known {
		switch {
		case p.Mirror != "" && p.Mirror != host:
			return false
		case p.Mirror == "" && p.URL != "" && p.URL != host && n.answers(p.URL):
			return false
		}
	}
	identity := record.LogIdentity{ID: l.Log, Origin: record.LogOrigin(l.Log), Agreement: l.Agreement, Generation: l.Generation}
	if row, err := n.store.Log(ctx, l.Log); err == nil {
		if f, err := n.store.Follow(ctx, row.No); err == nil && f.Source == host {
			return true
		}
	}
	err = n.mayBegin(ctx, l, host)
	if err == nil {
		err = n.FollowAs(ctx, identity, l.Party, host)
	}
	if err != nil {
		n.refusals.answer(err, n.now(), host)
		n.logger.Warn("a log is not followed", "log", l.Log, "party", l.Party, "error", err)
		return false
	}
	return true
}

// mayBegin says whether room is made for a log that is new here: its keyrings must show that the party has begun it, and the
// party must not have begun too many.
func (n *Node) mayBegin(ctx context.Context, l ChangedLog, host string) error {
	if _, err := n.store.Log(ctx, l.Log); err == nil {
		return nil
	}
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return fault.OfStore(err)
	}
	begun := 0
	for _, o := range infos {
		if o.Author == l.Party && o.Agreement == l.Agreement {
			begun++
		}
	}
	if begun >= maxLogsOfAuthor {
		return fetch.Refuse(fetch.TooMany, "%s announces a log of %s, of whom %d are followed under the agreement", host, l.Party, begun)
	}
	src, err := n.signedSource(logURL(host, l.Log))
	if err != nil {
		return err
	}
	list, err := src.Keyrings(ctx)
	if err != nil {
		return err
	}
	envelopes, err := record.SplitKeyrings(list)
	if err != nil {
		return fetch.As(fetch.Malformed, err)
	}
	chain, err := record.KeyringChain(envelopes, record.LogOrigin(l.Log))
	if err != nil {
		return fetch.As(fetch.BadSigned, err)
	}
	if chain[0].Party != l.Party || chain[0].Log.Agreement != l.Agreement {
		return fetch.Refuse(fetch.BadSigned, "the log %s is of %s under %s, not what %s says", l.Log, chain[0].Party, chain[0].Log.Agreement, host)
	}
	return nil
}
