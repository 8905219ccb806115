package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// heard is what a host that follows us has of one of our logs, signed by our own key.
type heard struct {
	src      ledger.Source
	verifier note.Verifier
	head     ledger.Head
}

// ask asks a host for its newest checkpoint of a log of ours. The host is not trusted: the checkpoint must be signed by a key
// of our own. That key may be younger than what we have ourselves, so the host's list of keyrings is followed too. A host for
// which there is no token is asked with a signed request: it gives a log back to its author.
func (n *Node) ask(ctx context.Context, logID, host, token string) (heard, error) {
	origin := record.LogOrigin(logID)
	src, err := n.followersSource(logID, host, token)
	if err != nil {
		return heard{}, err
	}
	checkpoint, err := src.Checkpoint(ctx)
	if err != nil {
		return heard{}, err
	}
	vkeys, err := n.checkpointKeys(ctx, logID, src)
	if err != nil {
		return heard{}, err
	}
	a := audit{origin: origin}
	verifier, err := a.verifierFor(checkpoint, vkeys)
	if err != nil {
		return heard{}, err
	}
	head, err := ledger.OpenCheckpoint(checkpoint, origin, verifier)
	return heard{src, verifier, head}, err
}

// followersSource is a log of ours at a host that follows it.
func (n *Node) followersSource(logID, host, token string) (*ledger.HTTPLog, error) {
	o := ledger.HTTPOptions{Token: token}
	if _, err := n.requestSigner(); token == "" && err == nil {
		o.Transport = signedTransport{n}
	}
	return ledger.HTTPSourceWith(logURL(hostOf(host), logID), o)
}

// checkpointKeys are the keys that may have signed a log's checkpoints: those we know, and those that the host knows.
func (n *Node) checkpointKeys(ctx context.Context, logID string, src *ledger.HTTPLog) ([]string, error) {
	var vkeys []string
	if b := n.book(logID); b != nil {
		for k := range b.history.Keyrings() {
			vkeys = append(vkeys, keyringVKey(k))
		}
	}
	envelopes, err := keyringsFrom(ctx, src)
	if err != nil {
		return nil, err
	}
	chain, err := followKeyrings(envelopes, record.LogOrigin(logID))
	if err != nil {
		return nil, err
	}
	if chain[0].Party != n.party.ID {
		return nil, fmt.Errorf("%w: it belongs to party %s", errAudit, chain[0].Party)
	}
	for _, k := range chain {
		vkeys = append(vkeys, keyringVKey(k))
	}
	return vkeys, nil
}

// catchUp asks a host for a log of ours and takes back what it has beyond ours: an extension of what we have, which hashes
// into the tree that our own key signed. Objects that the host leaves out are asked for at the others.
func (n *Node) catchUp(ctx context.Context, logID, host, token string, others []ledger.Source, progress func(done, total int64)) (int64, error) {
	h, err := n.ask(ctx, logID, host, token)
	if err != nil {
		return 0, err
	}
	report, err := n.ledger.CatchUp(ctx, logID, h.src, ledger.CatchUpOptions{Verifier: h.verifier, Serial: keyringSerial, Attachments: wrapsOf, Also: others, Progress: progress})
	if errors.Is(err, ledger.ErrNothingNewer) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if len(report.Missing) > 0 {
		n.logger.Warn("objects of our own log were left out by everybody who was asked", "log", logID, "objects", len(report.Missing))
	}
	if err := n.refreshBook(ctx, logID); err != nil {
		return 0, err
	}
	if err := n.relearn(ctx, logID, report.From); err != nil {
		return 0, err
	}
	return report.Size - report.From, n.obeyErasures(ctx, logID, report.From)
}

// keyringSerial is the serial of the keyring that an object brings, or 0.
func keyringSerial(object []byte) uint64 {
	r, ok := federate.ClearRecord(object)
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
	r, ok := federate.ClearRecord(object)
	if !ok || r.Kind != record.KindEpoch {
		return nil
	}
	body, err := record.Parse[record.EpochBody](r)
	if err != nil {
		return nil
	}
	var out [][32]byte
	for _, w := range body.Wraps {
		out = append(out, record.ParseHash(w.Object))
	}
	return out
}

// followerPatience bounds how long the start waits for followers; one that does not answer is named in the log.
const followerPatience = 10 * time.Second

// hostOf is a host's address as it is written in the configuration and on the command line: without a slash at its end.
func hostOf(url string) string { return strings.TrimRight(url, "/") }

// followerTokens reads the tokens of followers from the files that the configuration names.
func (n *Node) followerTokens() (map[string]string, error) {
	tokens := map[string]string{}
	for host, file := range n.cfg.FollowerTokens {
		path := Within(n.dir, file)
		data, err := os.ReadFile(path) // #nosec G304 -- the operator names it in the configuration
		if err != nil {
			return nil, &fault.Fault{Code: fault.Invalid, What: "reading the token for " + host, Err: err, Remedy: "correct follower_tokens in " + ConfigName}
		}
		token := strings.TrimSpace(string(data))
		if token == "" || strings.ContainsAny(token, " \t\r\n") {
			return nil, fault.New(fault.Invalid, "put the token alone into it", "reading the token for %s: %s does not hold one", host, path)
		}
		tokens[hostOf(host)] = token
	}
	return tokens, nil
}

// askFollowers compares our heads with what followers have, at the start of the daemon: all of them side by side.
func (n *Node) askFollowers(ctx context.Context) {
	infos, err := n.ownLogs(ctx)
	if err != nil {
		n.logger.Warn("followers were not asked", "error", err)
		return
	}
	tokens, err := n.followerTokens()
	if err != nil {
		n.logger.Warn("some followers may not answer", "error", err)
	}
	ctx, cancel := context.WithTimeout(ctx, followerPatience)
	defer cancel()
	var asked sync.WaitGroup
	for _, host := range n.cfg.Followers {
		asked.Go(func() {
			for _, l := range infos {
				if l.Retired.IsZero() {
					n.askFollower(ctx, l, host, tokens[hostOf(host)])
				}
			}
		})
	}
	asked.Wait()
}

func (n *Node) askFollower(ctx context.Context, l ledger.LogInfo, host, token string) {
	h, err := n.ask(ctx, l.ID, host, token)
	if err != nil {
		n.logger.Warn("a follower could not be asked", "host", host, "log", l.ID, "error", err)
		return
	}
	if h.head.Size > l.Size || h.head.Size == l.Size && h.head.Root != l.Root {
		n.logger.Error("a follower has more of our log than we do: this node signs nothing until 'mithaq restore' is run",
			"host", host, "log", l.ID, "ours", l.Size, "theirs", h.head.Size)
		n.markUnsettled()
	}
}

// markUnsettled stops signing at once, and after a restart too.
func (n *Node) markUnsettled() {
	n.ahead.Store(true)
	if err := writeDurable(filepath.Join(n.dir, unsettledName), []byte("a follower is ahead: run 'mithaq restore' to settle\n"), 0o600); err != nil {
		n.logger.Error("could not mark the node as unsettled", "error", err)
	}
}
