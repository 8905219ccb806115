package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// RestoreOptions say from what a node is restored and whom to ask.
type RestoreOptions struct {
	Archive string   // backup to unpack into an empty or missing directory; empty: settle the node that is there
	Ask     []string // hosts that followed our logs; empty: the configured followers
	// Tokens are bearer tokens by the host that each is for; it goes to that host alone. They come before the configured ones.
	Tokens     map[string]string
	Erasures   string // a journal of erasures that is newer than the backup
	Successor  bool   // where nobody can say how far a log had grown, end it and open a successor
	Root       string // root key file, for a successor; empty: root.age in the directory
	Secret     SecretSource
	RootSecret SecretSource
	Logger     *slog.Logger
	// Progress, when not nil, begins to show a piece of the work and may return nil.
	Progress func(what string) func(done, total int64)

	// made are the keys that replace those that are not here, by the id of the lost one: the same in every successor.
	made map[string]record.PublicKey
}

func (o RestoreOptions) progress(what string) func(done, total int64) {
	if o.Progress == nil {
		return nil
	}
	return o.Progress(what)
}

// RestoreOutcome says what became of one log.
type RestoreOutcome struct {
	Log  string `json:"log"`
	What string `json:"what"`
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
	if o.Tokens, err = n.restoreTokens(o); err != nil {
		return nil, err
	}
	o.made = map[string]record.PublicKey{}
	infos, err := n.ownLogs(ctx)
	if err != nil {
		return nil, fault.OfStore(err)
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
		if lost := n.lostKeys(l.ID); settled && lost != "" {
			out = append(out, RestoreOutcome{l.ID, lost})
		}
		if !settled {
			open = append(open, l.ID)
		}
	}
	if len(open) > 0 && len(o.Ask) == 0 {
		return out, fault.New(fault.Behind, "give --ask URL of a host that followed it, or --successor with the root key",
			"restoring: nobody could be asked how far %s had grown; the node can be read and signs nothing", strings.Join(open, ", "))
	}
	if len(open) > 0 {
		return out, fault.New(fault.Behind, "try again, leave out hosts that never followed it, or give --successor with the root key",
			"restoring: not everybody who was asked could say how far %s had grown; the node can be read and signs nothing", strings.Join(open, ", "))
	}
	return out, ignoreMissing(os.Remove(filepath.Join(dir, unsettledName)))
}

// restoreTokens gives each host that is asked its own token: the one that was given for it, else the configured one.
func (n *Node) restoreTokens(o RestoreOptions) (map[string]string, error) {
	tokens, err := n.followerTokens()
	if err != nil && len(o.Tokens) == 0 {
		return nil, err
	}
	if tokens == nil {
		tokens = map[string]string{}
	}
	for host, token := range o.Tokens {
		if !slices.ContainsFunc(o.Ask, func(a string) bool { return hostOf(a) == hostOf(host) }) {
			return nil, fault.New(fault.Invalid, "give --ask "+fault.Clip(host)+" too", "restoring: there is a token for %s, which is not asked", fault.Clip(host))
		}
		tokens[hostOf(host)] = token
	}
	return tokens, nil
}

// unpack puts a backup in place of an empty or missing directory, marked as unsettled from its first moment.
func unpack(ctx context.Context, dir string, o RestoreOptions) (err error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fault.New(fault.Conflict, "choose an empty or missing one", "restoring: the directory %s is not empty", dir)
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
	var packed io.Reader = f
	if info, err := f.Stat(); err == nil {
		packed = &countedReader{r: f, total: info.Size(), progress: o.progress("unpacking")}
	}
	if err := readArchive(ctx, packed, work); err != nil {
		return &fault.Fault{Code: fault.Invalid, What: "restoring " + o.Archive, Err: err, Remedy: "name a whole file that 'mithaq backup' wrote"}
	}
	if _, err := os.Stat(filepath.Join(work, ConfigName)); err != nil {
		return fault.New(fault.Invalid, "name a file that 'mithaq backup' wrote", "restoring %s: it is not a backup of a node", o.Archive)
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

// settle finds out how far a log had grown and takes its tail back, or opens its successor. It is settled when everybody who
// was asked has answered: the one who did not may be the one who has the newest part. settled is false otherwise, unless a
// successor was wanted.
func (n *Node) settle(ctx context.Context, l ledger.LogInfo, o RestoreOptions) (settled bool, what string, err error) {
	a, err := n.askAll(ctx, l, o)
	if err != nil {
		return false, "", err
	}
	now, err := n.reader.Log(ctx, l.ID)
	if err != nil {
		return false, "", fault.OfStore(err)
	}
	whole := a.answered > 0 && len(a.silent) == 0 && a.fork == nil && now.Behind == nil
	switch {
	case whole && a.back > 0:
		return true, fmt.Sprintf("fetched back %d leaves, now %d", a.back, now.Size), nil
	case whole:
		return true, fmt.Sprintf("nobody who was asked has more than its %d leaves", now.Size), nil
	case o.Successor:
		return n.endLog(ctx, now, o)
	case a.fork != nil:
		return false, "", &fault.Fault{Code: fault.Behind, What: "restoring", Err: a.fork, Remedy: "both checkpoints are kept in " + filepath.Join(n.dir, evidenceName) + "; open a successor with --successor"}
	case now.Behind != nil && len(a.silent) == 0 && a.answered > 0:
		what = "not whole: " + now.Behind.Error()
	case len(a.silent) > 0:
		what = "could not ask " + strings.Join(a.silent, ", ")
	}
	return false, what, nil
}

// answers are what the hosts said about one log.
type answers struct {
	answered int
	back     int64    // leaves that came back
	silent   []string // hosts that could not be asked, and why
	fork     *ledger.ForkError
}

func (n *Node) askAll(ctx context.Context, l ledger.LogInfo, o RestoreOptions) (a answers, err error) {
	for i, host := range o.Ask {
		var fork *ledger.ForkError
		var behind *ledger.ErrBehind
		var others []ledger.Source
		for j, other := range o.Ask {
			if src, err := n.followersSource(l.ID, other, o.Tokens[hostOf(other)]); err == nil && j != i {
				others = append(others, src)
			}
		}
		got, err := n.catchUp(ctx, l.ID, host, o.Tokens[hostOf(host)], others, o.progress("fetching "+l.ID))
		switch {
		case err == nil, errors.As(err, &behind): // who has less than was published has answered, but not settled it
			a.answered, a.back = a.answered+1, a.back+got
		case errors.As(err, &fork):
			a.fork = fork
			if err := n.keepEvidence(l.ID, fork); err != nil {
				return a, err
			}
		default:
			n.logger.Debug("a host could not be asked", "host", host, "log", l.ID, "error", err)
			a.silent = append(a.silent, fmt.Sprintf("%s (%v)", host, err))
		}
	}
	return a, nil
}

// endLog retires a log and opens its successor, unless an interrupted restore opened it already. A log that never got a first
// keyring needs none.
func (n *Node) endLog(ctx context.Context, l ledger.LogInfo, o RestoreOptions) (ended bool, what string, err error) {
	if size, _ := held(l); !n.begun(l.ID) && size == 0 {
		return true, "ended: it was empty", fault.OfStore(n.ledger.Retire(ctx, l.ID))
	}
	heir, err := n.successorOf(ctx, l)
	if err == nil && heir == "" {
		heir, err = n.openSuccessor(ctx, l, o)
	}
	if err != nil {
		return false, "", err
	}
	size, _ := held(l)
	return true, fmt.Sprintf("ended at %d leaves; its successor is %s", size, heir), fault.OfStore(n.ledger.Retire(ctx, l.ID))
}

// successorOf finds the open log whose keyring names l as the one before it, or returns "".
func (n *Node) successorOf(ctx context.Context, l ledger.LogInfo) (string, error) {
	infos, err := n.ownLogs(ctx)
	if err != nil {
		return "", fault.OfStore(err)
	}
	for _, heir := range infos {
		k, err := n.keyring(heir.ID)
		if err == nil && heir.Retired.IsZero() && k.Log.Predecessor != nil && k.Log.Predecessor.Origin == l.Origin {
			return heir.ID, nil
		}
	}
	return "", nil
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

// openSuccessor opens the next generation of a log, which says under the root key at what size the one before ended.
func (n *Node) openSuccessor(ctx context.Context, l ledger.LogInfo, o RestoreOptions) (string, error) {
	model, err := n.keyring(l.ID)
	if err != nil {
		return "", err
	}
	size, top := held(l)
	log := record.LogIdentity{Agreement: l.Agreement, Generation: l.Generation + 1, Predecessor: &record.Predecessor{
		Origin: l.Origin, Size: size, Root: fmt.Sprintf("%x", top),
		Reason: record.Text{"en": "Restored from a backup; nobody could say how far the log had grown."},
	}}
	if err := n.replaceLost(&model, o.made); err != nil {
		return "", err
	}
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
	return k.Log.ID, nil
}
