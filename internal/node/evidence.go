package node

import (
	"context"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
)

// MismatchView is a proof that a party signed two histories of one log.
type MismatchView struct {
	ID        string     `json:"id"`
	Log       string     `json:"log"`
	Party     string     `json:"party"`
	Found     time.Time  `json:"found"`
	Published *time.Time `json:"published,omitempty" doc:"When a person let members of the agreement see it; absent: nobody else knows of it"`
	Says      string     `json:"says" doc:"What it proves, in one line"`
}

// Evidences lists the proofs that are kept here.
func (n *Node) Evidences(ctx context.Context) ([]MismatchView, error) {
	rows, err := n.store.Evidence(ctx)
	if err != nil {
		return nil, err
	}
	out := []MismatchView{}
	for _, e := range rows {
		v := MismatchView{ID: e.ID, Log: e.LogID, Party: e.Party, Found: e.Found}
		if !e.Published.IsZero() {
			v.Published = &e.Published
		}
		if c, err := VerifyEvidence(e.File); err == nil {
			v.Says = c.String()
		}
		out = append(out, v)
	}
	return out, nil
}

// EvidenceFile is a proof as a file that anybody can verify offline.
func (n *Node) EvidenceFile(ctx context.Context, id string) ([]byte, error) {
	e, err := n.store.EvidenceByID(ctx, id)
	return e.File, fault.OfStore(err)
}

// PublishEvidence lets those who may follow the log see a proof. A person decides it: whoever put an old backup back and
// signed on has also signed two histories, and meant no harm.
func (n *Node) PublishEvidence(ctx context.Context, id string) (MismatchView, error) {
	if n.ledger == nil {
		return MismatchView{}, errReadOnly()
	}
	if err := n.store.PublishEvidence(ctx, id, n.now()); err != nil {
		return MismatchView{}, fault.OfStore(err)
	}
	all, err := n.Evidences(ctx)
	if err != nil {
		return MismatchView{}, err
	}
	for _, v := range all {
		if v.ID == id {
			return v, nil
		}
	}
	return MismatchView{}, fault.New(fault.NotFound, "", "there is no evidence %s here", fault.Clip(id))
}

// VerifyEvidence checks an evidence file offline and says what it proves.
func VerifyEvidence(file []byte) (federate.Contradiction, error) {
	e, err := federate.ParseEvidence(file)
	if err != nil {
		return federate.Contradiction{}, &fault.Fault{Code: fault.Invalid, What: "verifying evidence", Err: err}
	}
	return e.Verify()
}

// evidenceResource is where a log's published evidence is served: a JSON array of evidence files.
const evidenceResource = "evidence"

// publishedEvidence lists the proofs about a log that a person published.
func (n *Node) publishedEvidence(ctx context.Context, logID string) ([][]byte, error) {
	rows, err := n.store.Evidence(ctx)
	if err != nil {
		return nil, err
	}
	var files [][]byte
	for _, e := range rows {
		if e.LogID == logID && !e.Published.IsZero() {
			files = append(files, e.File)
		}
	}
	return files, nil
}
