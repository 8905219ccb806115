package node

import (
	"context"
	"errors"
	"fmt"
	neturl "net/url"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// AuditOptions say what is checked of a log and against what.
type AuditOptions struct {
	VKey     string // verifier key of the checkpoint; empty: the one that the log's own keyrings name
	Party    string // party id that the log must belong to; empty: any, and the report says which
	Token    string // bearer token, for a URL
	Objects  bool   // also fetch, open and verify every record
	Progress func(done, total int64)
}

// Finding is something wrong with one leaf.
type Finding struct {
	Index int64  `json:"index"`
	What  string `json:"what"`
}

// maxFindings bounds the findings that a report spells out.
const maxFindings = 20

// AuditReport is what an audit found.
type AuditReport struct {
	Origin      string           `json:"origin"`
	Size        int64            `json:"size"`
	Root        string           `json:"root"`
	VKey        string           `json:"vkey"`
	Party       string           `json:"party,omitempty"`
	Fingerprint string           `json:"fingerprint,omitempty"`
	Objects     bool             `json:"objects"`
	Records     map[string]int64 `json:"records,omitempty"` // by standing
	Findings    []Finding        `json:"findings,omitempty"`
	More        int64            `json:"more,omitempty"` // findings beyond those spelt out
	Broken      string           `json:"broken,omitempty"`
	Seconds     float64          `json:"seconds"`
}

// OK reports whether the log holds: its tree is what was signed, and no record in it is invalid. A record that its author
// no longer vouches for is a finding and no fault of the log.
func (r AuditReport) OK() bool { return r.Broken == "" && r.Records[StandingInvalid] == 0 }

// Rate is leaves checked per second.
func (r AuditReport) Rate() float64 {
	if r.Seconds <= 0 {
		return 0
	}
	return float64(r.Size) / r.Seconds
}

// Tally says how many records have which standing.
func (r AuditReport) Tally() string {
	var parts []string
	for _, s := range []string{StandingValid, StandingNotVouched, StandingSealed, StandingWithheld, StandingErased, StandingInvalid} {
		if n := r.Records[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func (r *AuditReport) find(index int64, what string) {
	if len(r.Findings) == maxFindings {
		r.More++
		return
	}
	r.Findings = append(r.Findings, Finding{index, what})
}

// audit is one audit under way.
type audit struct {
	src      ledger.Source
	origin   string
	opts     AuditOptions
	ids      []age.Identity                          // what opens sealed records
	keyrings func(context.Context) ([][]byte, error) // the log's keyrings, in order; not trusted
	// kept says of a leaf whose object is not here whether that is no fault; nil: it always is one.
	kept   func(ctx context.Context, index int64) (bool, error)
	report AuditReport
}

// AuditURL audits the log at a URL that ends in /log/<id>, trusting nothing that it is sent.
func AuditURL(ctx context.Context, url string, o AuditOptions) (AuditReport, error) {
	src, err := ledger.HTTPSource(url, o.Token)
	if err != nil {
		return AuditReport{}, &fault.Fault{Code: fault.Invalid, What: "auditing", Err: err}
	}
	id := url[strings.LastIndex(strings.TrimSuffix(url, "/"), "/")+1:]
	a := audit{src: src, origin: record.LogOrigin(strings.TrimSuffix(id, "/")), opts: o, keyrings: func(ctx context.Context) ([][]byte, error) {
		return fetchKeyrings(ctx, url, o.Token)
	}}
	report, err := a.run(ctx)
	var status *ledger.StatusError
	if errors.As(err, &status) && (status.Status == 404 || status.Status == 401 || status.Status == 403) {
		err = &fault.Fault{Code: fault.NotFound, What: "auditing", Err: err, Remedy: "check the address; a restricted log needs --token"}
	}
	var unreachable *neturl.Error
	if errors.As(err, &unreachable) && ctx.Err() == nil {
		err = &fault.Fault{Code: fault.Unavailable, What: "auditing", Err: err, Remedy: "check the address, and that the node runs"}
	}
	return report, err
}

// AuditDir audits every log of the node in dir, from its store, without taking the lease.
func AuditDir(ctx context.Context, dir string, secret SecretSource, o AuditOptions) (_ []AuditReport, err error) {
	n, err := Open(ctx, dir, OpenOptions{Secret: secret, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, n.Close(ctx)) }()
	logs, err := n.reader.Logs(ctx)
	if err != nil {
		return nil, fault.OfStore(err)
	}
	var out []AuditReport
	for _, l := range logs {
		if !n.begun(l.ID) {
			continue
		}
		ids, err := n.identities(ctx, n.book(l.ID).no)
		if err != nil {
			return out, err
		}
		a := audit{src: ledger.StoreSource(n.reader, l.ID), origin: l.Origin, opts: o, ids: ids, keyrings: func(context.Context) ([][]byte, error) {
			return n.book(l.ID).envelopes(), nil
		}}
		switch {
		case l.Followed():
			a.opts.Party = l.Author
			a.kept = n.keptFrom(n.book(l.ID).no)
		case a.opts.Party == "":
			a.opts.Party = n.party.ID
		}
		report, err := a.run(ctx)
		if err != nil {
			return out, err
		}
		out = append(out, report)
	}
	return out, nil
}

// keptFrom says of leaves of a followed log whether their object was kept from this party by whoever serves the log.
func (n *Node) keptFrom(logNo int64) func(context.Context, int64) (bool, error) {
	return func(ctx context.Context, index int64) (bool, error) {
		next, err := n.store.Absent(ctx, logNo, index, 1)
		return err == nil && len(next) > 0 && next[0].Index == index, fault.OfStore(err)
	}
}

// run audits one log: first the keys by which it is judged, then its tree, then its records. What is wrong with the log
// stands in the report; an error means that it could not be read.
func (a *audit) run(ctx context.Context) (AuditReport, error) {
	start := time.Now()
	a.report = AuditReport{Origin: a.origin, Objects: a.opts.Objects}
	err := a.check(ctx)
	a.report.Seconds = time.Since(start).Seconds()
	var wrong *ledger.AuditError
	var bad *record.Error
	if errors.As(err, &wrong) || errors.As(err, &bad) || errors.Is(err, errAudit) {
		a.report.Broken = err.Error()
		a.report.find(0, err.Error())
		return a.report, nil
	}
	return a.report, err
}

// errAudit is in errors that say that the log is not what it should be.
var errAudit = errors.New("the log does not hold")

func (a *audit) check(ctx context.Context) error {
	vkeys, err := a.candidates(ctx)
	if err != nil {
		return err
	}
	checkpoint, err := a.src.Checkpoint(ctx)
	if err != nil {
		return fmt.Errorf("fetching the checkpoint: %w", err)
	}
	verifier, err := a.verifierFor(checkpoint, vkeys)
	if err != nil {
		return err
	}
	o := ledger.AuditOptions{Origin: a.origin, Verifier: verifier, Checkpoint: checkpoint, Progress: a.opts.Progress}
	if !a.opts.Objects {
		return a.tree(ctx, o)
	}
	records := newRecordAudit(ctx, a, nil)
	if err := records.run(o); err != nil || !records.again {
		return err
	}
	// A later keyring disowned records that were judged before it was read: judge once more, knowing all keyrings.
	return newRecordAudit(ctx, a, records.history).run(o)
}

// tree audits the leaves and the tree.
func (a *audit) tree(ctx context.Context, o ledger.AuditOptions) error {
	got, err := ledger.Audit(ctx, a.src, o)
	if err != nil {
		return err
	}
	a.report.Size, a.report.Root = got.Head.Size, fmt.Sprintf("%x", got.Head.Root)
	return nil
}

// verifierFor finds the key that signed the checkpoint among those that may have.
func (a *audit) verifierFor(checkpoint []byte, vkeys []string) (note.Verifier, error) {
	var last error
	for _, vkey := range vkeys {
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, &fault.Fault{Code: fault.Invalid, What: fmt.Sprintf("reading the verifier key %q", vkey), Err: err}
		}
		if _, err = ledger.OpenCheckpoint(checkpoint, a.origin, v); err == nil {
			a.report.VKey = vkey
			return v, nil
		}
		last = err
	}
	return nil, fmt.Errorf("%w: the checkpoint is not signed by the log's key: %w", errAudit, last)
}

// candidates are the keys that may have signed the checkpoint: the given one, or those of the keyrings that the log holds.
// The first keyring is the anchor: it proves the party id, whatever the rest of the log says.
func (a *audit) candidates(ctx context.Context) ([]string, error) {
	if a.opts.VKey != "" {
		return []string{a.opts.VKey}, nil
	}
	envelopes, err := a.keyrings(ctx)
	if err != nil {
		return nil, err
	}
	chain, err := followKeyrings(envelopes, a.origin)
	if err != nil {
		return nil, err
	}
	party := chain[0].Party
	if a.opts.Party != "" && party != a.opts.Party {
		return nil, fmt.Errorf("%w: it belongs to party %s, not to %s", errAudit, party, a.opts.Party)
	}
	a.report.Party, a.report.Fingerprint = party, record.FingerprintWords(party)
	var out []string
	for _, k := range slices.Backward(chain) {
		if vkey := keyringVKey(k); !slices.Contains(out, vkey) {
			out = append(out, vkey)
		}
	}
	return out, nil
}

// followKeyrings verifies the keyrings of a log, each of which follows from the one before. They carry their own proof, so
// it does not matter who passed them on.
func followKeyrings(envelopes [][]byte, origin string) ([]record.Keyring, error) {
	chain, err := record.KeyringChain(envelopes, origin)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAudit, err)
	}
	return chain, nil
}

// VerifyProof checks offline that object is what a proof says stands in a log whose checkpoints vkey verifies.
func VerifyProof(proof, object []byte, vkey string) (Place, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return Place{}, &fault.Fault{Code: fault.Invalid, What: fmt.Sprintf("reading the verifier key %q", vkey), Err: err}
	}
	index, head, err := ledger.VerifyProof(proof, record.Leaf(object), v.Name(), v)
	if err != nil {
		return Place{}, err
	}
	return Place{Log: head.Origin, Index: index, Size: head.Size}, nil
}
