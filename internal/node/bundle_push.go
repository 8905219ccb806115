package node

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
)

// MaxBrought bounds a bundle that a node brings in one request. What is larger is carried as a file.
const MaxBrought = 32 << 20

// ReceiveBundle takes what a party's node brings of its own logs, because nobody can fetch it there. This node is then its
// mirror, like for all that it follows.
func (n *Node) ReceiveBundle(r *http.Request, content []byte) (BundleReport, error) {
	party, err := n.CallerOf(r, content)
	if err != nil || party == "" {
		return BundleReport{}, errStranger()
	}
	if !n.inSomeRoll(r.Context(), party) {
		return BundleReport{}, n.stranger()
	}
	if !n.acts.allow(party, n.now()) {
		n.refusals.request(RequestTooMany)
		return BundleReport{}, fault.New(fault.Busy, "wait a minute", "taking a bundle: this party has sent too many")
	}
	var files *bundleFiles
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err == nil {
		files, err = wholeBundle(z)
	}
	if err != nil {
		return BundleReport{}, &fault.Fault{Code: fault.Invalid, What: "taking a bundle", Err: err}
	}
	return n.takeBundle(r.Context(), files, func(l ChangedLog) bool { return l.Party == party })
}

// push brings a depositary what this node has published and the depositary does not have.
func (n *Node) push(ctx context.Context, host, depositary string) error {
	all, err := n.allChanges(ctx, depositary)
	if err != nil {
		return err
	}
	have := map[string]int64{}
	var tails []ChangedLog
	for _, l := range all {
		if l.Party != n.party.ID {
			continue
		}
		if have[l.Log], err = n.sizeAt(ctx, host, l.Log); err != nil {
			return err
		}
		if have[l.Log] < l.Size {
			tails = append(tails, l)
		}
	}
	if len(tails) == 0 {
		return nil
	}
	var b limited
	if _, err := n.bundle(ctx, &b, depositary, tails, func(id string) int64 { return have[id] }); err != nil {
		return err
	}
	return n.exchangeBytes(ctx, host, "/bundles", "application/zip", b.Bytes(), maxCard, nil)
}

// sizeAt is how much a host has of a log. It is asked only to send no more than is needed.
func (n *Node) sizeAt(ctx context.Context, host, logID string) (int64, error) {
	src, err := n.signedSource(logURL(host, logID))
	if err != nil {
		return 0, err
	}
	note, err := src.Checkpoint(ctx)
	if errors.Is(err, ledger.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	head, err := ledger.ParseCheckpoint(note)
	return head.Size, err
}

// limited is a buffer that holds no more than may be brought at once.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > MaxBrought {
		return 0, fault.New(fault.Invalid, "carry it: 'mithaq bundle out'", "what is to be brought has over %d bytes", MaxBrought)
	}
	return l.Buffer.Write(p)
}
