package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// RestoreOptions say from what a node is restored and whom to ask.
type RestoreOptions struct {
	Archive    string   // backup to unpack into an empty or missing directory; empty: settle the node that is there
	Ask        []string // hosts that followed our logs; empty: the configured followers
	Token      string   // bearer token for them
	Erasures   string   // a journal of erasures that is newer than the backup
	Successor  bool     // where nobody can say how far a log had grown, end it and open a successor
	Root       string   // root key file, for a successor; empty: root.age in the directory
	Secret     SecretSource
	RootSecret SecretSource
	Logger     *slog.Logger
}

// RestoreOutcome says what became of one log.
type RestoreOutcome struct {
	Log  string
	What string
}

// Restore brings a node back without ever forking its logs. A backup may be older than what others have seen, and a log that
// signed on from there would contradict itself; so a restored node signs nothing until somebody who followed it has said how
// far each log had grown and given the missing tail back, or a successor log was opened under the root key.
func Restore(ctx context.Context, dir string, o RestoreOptions) (out []RestoreOutcome, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("restoring: %w", err)
	}
	if o.Archive != "" {
		if err := unpack(ctx, dir, o); err != nil {
			return nil, err
		}
	}
	n, err := Open(ctx, dir, OpenOptions{Secret: o.Secret, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, n.Close(context.WithoutCancel(ctx))) }()
	if len(o.Ask) == 0 {
		o.Ask = n.cfg.Followers
	}
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return nil, storeFault(err)
	}
	var open []string
	for _, l := range infos {
		if !l.Retired.IsZero() {
			continue
		}
		settled, what, err := n.settle(ctx, l, o)
		if what != "" {
			out = append(out, RestoreOutcome{l.ID, what})
		}
		if err != nil {
			return out, err
		}
		if !settled {
			open = append(open, l.ID)
		}
	}
	if len(open) > 0 {
		return out, faultf(CodeBehind, "give --ask URL of a host that followed it, or --successor with the root key",
			"restoring: nobody could be asked how far %s had grown; the node can be read and signs nothing", strings.Join(open, ", "))
	}
	return out, ignoreMissing(os.Remove(filepath.Join(dir, unsettledName)))
}

// unpack puts a backup in place of an empty or missing directory, marked as unsettled from its first moment.
func unpack(ctx context.Context, dir string, o RestoreOptions) (err error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return faultf(CodeConflict, "choose an empty or missing one", "restoring: the directory %s is not empty", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restoring: %w", err)
	}
	f, err := os.Open(o.Archive)
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	work, err := os.MkdirTemp(parent, ".mithaq-restore-*")
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := readArchive(ctx, f, work); err != nil {
		return &Fault{Code: CodeInvalid, What: "restoring " + o.Archive, Err: err}
	}
	if _, err := os.Stat(filepath.Join(work, ConfigName)); err != nil {
		return faultf(CodeInvalid, "name a file that 'mithaq backup' wrote", "restoring %s: it is not a backup of a node", o.Archive)
	}
	if err := addErasures(filepath.Join(work, erasuresName), o.Erasures); err != nil {
		return err
	}
	if err := writeDurable(filepath.Join(work, unsettledName), []byte("restored from a backup: run 'mithaq restore' to settle\n"), 0o600); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restoring: %w", err)
	}
	if err := os.Rename(work, dir); err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	return syncDir(parent)
}

// addErasures appends a newer journal to the backup's own; what stands in both is carried out once.
func addErasures(journal, newer string) error {
	if newer == "" {
		return nil
	}
	more, err := os.ReadFile(newer) // #nosec G304 -- the operator names the journal
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	have, err := os.ReadFile(journal) // #nosec G304 -- in the directory being restored
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restoring: %w", err)
	}
	if len(have) > 0 && have[len(have)-1] != '\n' {
		have = append(have, '\n')
	}
	return writeDurable(journal, append(have, more...), 0o600)
}

// settle finds out how far a log had grown and takes its tail back, or opens its successor. settled is false where nobody
// could be asked and no successor was wanted.
func (n *Node) settle(ctx context.Context, l ledger.LogInfo, o RestoreOptions) (settled bool, what string, err error) {
	var unreachable []string
	var fork *ledger.ForkError
	asked, back := 0, int64(0)
	for _, host := range o.Ask {
		got, err := n.catchUp(ctx, l.ID, host, o.Token)
		switch {
		case err == nil:
			asked, back = asked+1, back+got
		case errors.As(err, &fork):
			if err := n.keepEvidence(l.ID, fork); err != nil {
				return false, "", err
			}
		default:
			n.logger.Warn("a host could not be asked", "host", host, "log", l.ID, "error", err)
			unreachable = append(unreachable, host)
		}
	}
	now, err := n.reader.Log(ctx, l.ID)
	if err != nil {
		return false, "", storeFault(err)
	}
	switch {
	case asked > 0 && fork == nil && now.Behind == nil && back > 0:
		return true, fmt.Sprintf("fetched back %d leaves, now %d", back, now.Size), nil
	case asked > 0 && fork == nil && now.Behind == nil:
		return true, fmt.Sprintf("nobody who was asked has more than its %d leaves", now.Size), nil
	case o.Successor:
		id, err := n.openSuccessor(ctx, now, o)
		if err != nil {
			return false, "", err
		}
		return true, fmt.Sprintf("ended at %d leaves; its successor is %s", now.Size, id), nil
	case fork != nil:
		return false, "", &Fault{Code: CodeBehind, What: "restoring", Err: fork, Remedy: "both checkpoints are kept in " + filepath.Join(n.dir, evidenceName) + "; open a successor with --successor"}
	}
	if len(unreachable) > 0 {
		what = "could not ask " + strings.Join(unreachable, ", ")
	}
	return false, what, nil
}

// evidenceName is the folder of contradictions that were found.
const evidenceName = "evidence"

func (n *Node) keepEvidence(logID string, fork *ledger.ForkError) error {
	dir := filepath.Join(n.dir, evidenceName)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keeping evidence: %w", err)
	}
	return errors.Join(
		writeDurable(filepath.Join(dir, logID+".ours"), fork.Ours, 0o600),
		writeDurable(filepath.Join(dir, logID+".theirs"), fork.Theirs, 0o600))
}

// catchUp asks a host for a log of ours and takes back what it has beyond ours. The host is not trusted: what it has must be
// signed by our own key, be an extension of what we have, and hash into its tree.
func (n *Node) catchUp(ctx context.Context, logID, host, token string) (int64, error) {
	logURL := strings.TrimRight(host, "/") + "/log/" + logID
	src, err := ledger.HTTPSource(logURL, token)
	if err != nil {
		return 0, err
	}
	envelopes, err := fetchKeyrings(ctx, logURL, token)
	if err != nil {
		return 0, err
	}
	chain, err := followKeyrings(envelopes, record.LogOrigin(logID))
	if err != nil {
		return 0, err
	}
	if chain[0].Party != n.party.ID {
		return 0, fmt.Errorf("%w: it belongs to party %s", errAudit, chain[0].Party)
	}
	checkpoint, err := src.Checkpoint(ctx)
	if err != nil {
		return 0, err
	}
	a := audit{origin: record.LogOrigin(logID)}
	var vkeys []string
	for _, k := range chain {
		vkeys = append(vkeys, keyringVKey(k))
	}
	verifier, err := a.verifierFor(checkpoint, vkeys)
	if err != nil {
		return 0, err
	}
	report, err := n.ledger.CatchUp(ctx, logID, src, ledger.CatchUpOptions{Verifier: verifier, Serial: keyringSerial, Attachments: wrapsOf})
	if errors.Is(err, ledger.ErrNothingNewer) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if err := n.refreshBook(ctx, logID); err != nil {
		return 0, err
	}
	if err := n.relearn(ctx, logID, report.From); err != nil {
		return 0, err
	}
	return report.Size - report.From, n.obeyErasures(ctx, logID, report.From)
}

// clearRecord reads a clear object's record without judging it.
func clearRecord(object []byte) (record.Record, bool) {
	if form, err := record.ObjectForm(object); err != nil || form != record.FormClear {
		return record.Record{}, false
	}
	envelope, err := record.OpenObject(object)
	if err != nil {
		return record.Record{}, false
	}
	e, err := record.ParseEnvelope(envelope)
	if err != nil {
		return record.Record{}, false
	}
	r, err := record.ParsePayload(e.Payload)
	return r, err == nil
}

// keyringSerial is the serial of the keyring that an object brings, or 0.
func keyringSerial(object []byte) uint64 {
	r, ok := clearRecord(object)
	if !ok || r.Kind != record.KindKeyring {
		return 0
	}
	body, err := record.Parse[record.KeyringBody](r)
	if err != nil {
		return 0
	}
	k, err := record.ParseKeyring(body.Keyring)
	if err != nil {
		return 0
	}
	return uint64(k.Serial) // #nosec G115 -- checked to be positive
}

// wrapsOf names the wraps that came with an epoch's object.
func wrapsOf(object []byte) [][32]byte {
	r, ok := clearRecord(object)
	if !ok || r.Kind != record.KindEpoch {
		return nil
	}
	body, err := record.Parse[record.EpochBody](r)
	if err != nil {
		return nil
	}
	var out [][32]byte
	for _, w := range body.Wraps {
		out = append(out, hashOf(w.Object))
	}
	return out
}

// askFollowers compares our heads with what followers have, at the start of the daemon.
func (n *Node) askFollowers(ctx context.Context) {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		n.logger.Warn("followers were not asked", "error", err)
		return
	}
	for _, l := range infos {
		if !l.Retired.IsZero() {
			continue
		}
		for _, host := range n.cfg.Followers {
			if ahead, err := n.isAhead(ctx, l, host); err != nil {
				n.logger.Warn("a follower could not be asked", "host", host, "log", l.ID, "error", err)
			} else if ahead {
				n.logger.Error("a follower has more of our log than we do: it signs nothing until 'mithaq restore' is run", "host", host, "log", l.ID)
				n.markUnsettled()
			}
		}
	}
}

func (n *Node) isAhead(ctx context.Context, l ledger.LogInfo, host string) (bool, error) {
	src, err := ledger.HTTPSource(strings.TrimRight(host, "/")+"/log/"+l.ID, "")
	if err != nil {
		return false, err
	}
	checkpoint, err := src.Checkpoint(ctx)
	if err != nil {
		return false, err
	}
	b := n.book(l.ID)
	a := audit{origin: l.Origin}
	var vkeys []string
	for k := range b.history.Keyrings() {
		vkeys = append(vkeys, keyringVKey(k))
	}
	v, err := a.verifierFor(checkpoint, vkeys)
	if err != nil {
		return false, err
	}
	head, err := ledger.OpenCheckpoint(checkpoint, l.Origin, v)
	return err == nil && (head.Size > l.Size || head.Size == l.Size && head.Root != l.Root), err
}

func (n *Node) markUnsettled() {
	if err := writeDurable(filepath.Join(n.dir, unsettledName), []byte("a follower is ahead: run 'mithaq restore' to settle\n"), 0o600); err != nil {
		n.logger.Error("could not mark the node as unsettled", "error", err)
	}
}

// openSuccessor ends a log at what is left of it and opens the next generation, which says so under the root key.
func (n *Node) openSuccessor(ctx context.Context, l ledger.LogInfo, o RestoreOptions) (string, error) {
	model, err := n.keyring(l.ID)
	if err != nil {
		return "", err
	}
	log := record.LogIdentity{Agreement: l.Agreement, Generation: l.Generation + 1, Predecessor: &record.Predecessor{
		Origin: l.Origin, Size: l.Size, Root: fmt.Sprintf("%x", l.Root),
		Reason: record.Text{"en": "Restored from a backup; nobody could say how far the log had grown."},
	}}
	draft, err := n.draftFirst(model, log)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(draft)
	if err != nil {
		return "", err
	}
	root := o.Root
	if root == "" {
		root = RootPath(n.dir)
	}
	signed, err := SignKeyrings(ctx, KeyringProposal{Drafts: []json.RawMessage{data}}, root, o.RootSecret)
	if err != nil {
		return "", err
	}
	k, err := record.ParseKeyring(signed.Keyrings[0])
	if err != nil {
		return "", recordFault("opening a successor", err)
	}
	if _, err := n.putKeyring(ctx, k, l.Public); err != nil {
		return "", err
	}
	return k.Log.ID, storeFault(n.ledger.Retire(ctx, l.ID))
}
