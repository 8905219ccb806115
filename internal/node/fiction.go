package node

import (
	"context"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/record"
)

// fictionalMark stands on every output and export about something invented.
const fictionalMark = "خيالي · Fictional · Fictif"

// markOf marks an invented agreement.
func markOf(a *agreement.Agreement) string { return markIf(a != nil && a.Fictional) }

// markOfNames marks an invented party, whose keyring carries the mark among its names.
func markOfNames(names record.Names) string { return markIf(names.Fictional()) }

func markIf(invented bool) string {
	if invented {
		return fictionalMark
	}
	return ""
}

// markOfLog marks what stands in a log whose party or whose agreement is invented.
func (n *Node) markOfLog(ctx context.Context, logID, agreementID string) string {
	if k, err := n.keyring(logID); err == nil && k.Names.Fictional() {
		return fictionalMark
	}
	return markIf(n.isInvented(ctx, agreementID))
}

// isInvented says whether an agreement that runs here is invented. An amendment cannot change that, so it is asked once.
func (n *Node) isInvented(ctx context.Context, agreementID string) bool {
	if !record.IsAgreementID(agreementID) || agreementID == record.OwnAgreement { // one's own house has no text
		return false
	}
	n.mu.RLock()
	invented, known := n.invented[agreementID]
	n.mu.RUnlock()
	if known {
		return invented
	}
	if err := n.withRoll(ctx, agreementID, func(r *roll) error {
		a := r.text()
		invented, known = a != nil && a.Fictional, a != nil
		return nil
	}); err != nil || !known {
		return false
	}
	n.mu.Lock()
	n.invented[agreementID] = invented
	n.mu.Unlock()
	return invented
}
