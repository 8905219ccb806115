package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// book is what a node knows of the keys of one of its logs: the history of keyrings, by which records are judged.
type book struct {
	log     ledger.LogInfo
	no      int64
	history *record.History
}

// vkey is the verifier key of the checkpoint key in force, or empty before the first keyring.
func (b *book) vkey() string {
	k, ok := b.history.Last()
	if !ok {
		return ""
	}
	return keyringVKey(k)
}

// keyringVKey is the verifier key of the checkpoint key that a keyring names.
func keyringVKey(k record.Keyring) string {
	keys := k.WithRole(record.RoleLog)
	if len(keys) != 1 || keys[0].Alg != record.Ed25519 {
		return ""
	}
	return ledger.VKey(k.Log.Origin, ed25519.PublicKey(keys[0].Public))
}

// envelopes are the log's keyrings in order, as they were signed.
func (b *book) envelopes() [][]byte {
	if b == nil {
		return nil
	}
	var out [][]byte
	for k := range b.history.Keyrings() {
		out = append(out, k.Envelope())
	}
	return out
}

// begun reports whether a log has a first keyring. One that was created and got none, because the process was killed in
// between, is as good as none.
func (n *Node) begun(logID string) bool {
	_, err := n.keyring(logID)
	return err == nil
}

func (n *Node) book(logID string) *book {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.books[logID]
}

// logNo is the number under which the store has a log.
func (n *Node) logNo(ctx context.Context, logID string) (int64, error) {
	if b := n.book(logID); b != nil {
		return b.no, nil
	}
	row, err := n.store.Log(ctx, logID)
	return row.No, fault.OfStore(err)
}

// keyring returns the keyring in force in a log.
func (n *Node) keyring(logID string) (record.Keyring, error) {
	b := n.book(logID)
	if b == nil {
		return record.Keyring{}, fault.New(fault.NotFound, "see 'mithaq log list'", "log %s has no keyring here", logID)
	}
	k, ok := b.history.Last()
	if !ok {
		return record.Keyring{}, fault.New(fault.Conflict, "open the log again", "log %s has no keyring yet", logID)
	}
	return k, nil
}

// loadBooks reads the keyrings of every log. The store knows their places, so nothing else of the log is read.
func (n *Node) loadBooks(ctx context.Context) error {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return fault.OfStore(err)
	}
	for _, l := range infos {
		b, err := n.loadBook(ctx, l)
		if err != nil {
			return fmt.Errorf("reading the keyrings of log %s: %w", l.ID, err)
		}
		n.mu.Lock()
		n.books[l.ID] = b
		n.mu.Unlock()
		if k, ok := b.history.Last(); ok && n.party.ID == "" && !l.Followed() {
			n.party = viewParty(k)
		}
	}
	if n.party.ID == "" {
		return fault.New(fault.Invalid, "restore a backup", "opening %s: no log of it has a keyring", n.dir)
	}
	return nil
}

func viewParty(k record.Keyring) PartyView {
	return PartyView{ID: k.Party, Names: k.Names, Fingerprint: record.FingerprintWords(k.Party), Mark: markOfNames(k.Names)}
}

// held is the tree of a log that this node has: the published one, or of a log that is behind what is left of it.
func held(l ledger.LogInfo) (size int64, root [32]byte) {
	if l.Behind != nil {
		return l.Behind.Have.Size, l.Behind.Have.Root
	}
	return l.Size, l.Root
}

func (n *Node) loadBook(ctx context.Context, l ledger.LogInfo) (*book, error) {
	row, err := n.store.Log(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	b := &book{log: l, no: row.No, history: new(record.History)}
	places, err := n.store.Keyrings(ctx, row.No)
	if err != nil {
		return nil, err
	}
	size, _ := held(l)
	places = slices.DeleteFunc(places, func(k store.Keyring) bool { return k.Index >= size }) // committed but not yet published
	if old := n.book(l.ID); old != nil && old.history.Len() == len(places) {
		b.history = old.history // nothing came but other records
		return b, nil
	}
	for _, place := range places {
		index := place.Index
		envelope, err := n.clearEnvelope(ctx, row.No, index)
		if err != nil {
			return nil, err
		}
		_, k, err := record.OpenKeyringRecord(envelope)
		if err != nil {
			return nil, fmt.Errorf("leaf %d: %w", index, err)
		}
		if err := b.history.Add(index, k); err != nil {
			return nil, fmt.Errorf("leaf %d: %w", index, err)
		}
	}
	return b, nil
}

// objectHash returns the hash of the object at a place of a log.
func (n *Node) objectHash(ctx context.Context, logNo, index int64) (h [32]byte, err error) {
	leaves, err := n.store.Leaves(ctx, logNo, index, index+1)
	if err != nil {
		return h, fault.OfStore(err)
	}
	copy(h[:], leaves)
	return h, nil
}

func (n *Node) clearEnvelope(ctx context.Context, logNo, index int64) ([]byte, error) {
	h, err := n.objectHash(ctx, logNo, index)
	if err != nil {
		return nil, err
	}
	object, err := n.store.Object(ctx, h)
	if err != nil {
		return nil, fault.OfStore(err)
	}
	return record.OpenObject(object)
}

// refreshBook folds keyrings that were appended since the book was made.
func (n *Node) refreshBook(ctx context.Context, logID string) error {
	info, err := n.reader.Log(ctx, logID)
	if err != nil {
		return fault.OfStore(err)
	}
	b, err := n.loadBook(ctx, info)
	if err != nil {
		return err
	}
	n.mu.Lock()
	before := n.books[logID]
	n.books[logID] = b
	n.mu.Unlock()
	if before == nil || before.history != b.history {
		n.known.Add(1)
		n.callers.forget()
	}
	n.grown.Add(1)
	return nil
}

// logSigner gives the ledger the key that signs a log's checkpoints from the keyring with this serial on.
func (n *Node) logSigner(logID string, serial uint64) (ledger.LogSigner, error) {
	public, signer, err := n.logKey(logID, serial)
	if err != nil {
		return nil, err
	}
	return ledger.NewLogSigner(record.LogOrigin(logID), public, func(msg []byte) ([]byte, error) {
		return signer.Sign(context.Background(), msg)
	}), nil
}

// keyringOf returns the keyring in force in a log, which has this serial. The store is asked when the book is older: a
// keyring may have been stored although appending it ended with an error.
func (n *Node) keyringOf(logID string, serial uint64) (record.Keyring, error) {
	k, err := n.keyring(logID)
	if err == nil && uint64(k.Serial) == serial {
		return k, nil
	}
	if err := n.refreshBook(context.Background(), logID); err != nil {
		return k, err
	}
	if k, err = n.keyring(logID); err == nil && uint64(k.Serial) != serial {
		err = fmt.Errorf("log %s: keyring %d is not known here", logID, serial)
	}
	return k, err
}

// logKey finds the log key of a serial: in the log's history, or in the keyring that is just being appended.
func (n *Node) logKey(logID string, serial uint64) (ed25519.PublicKey, record.Signer, error) {
	n.mu.RLock()
	next, pending := n.pending[logID]
	n.mu.RUnlock()
	var k record.Keyring
	if pending && uint64(next.Serial) == serial || pending && serial == 0 {
		k = next
	} else {
		var err error
		if k, err = n.keyringOf(logID, serial); err != nil {
			return nil, nil, err
		}
	}
	keys := k.WithRole(record.RoleLog)
	if len(keys) != 1 {
		return nil, nil, errors.New("the keyring has no log key")
	}
	signer, err := n.keys.signer(keys[0].PublicKey())
	return ed25519.PublicKey(keys[0].Public), signer, err
}
