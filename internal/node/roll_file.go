package node

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// Formats of the files that people carry between nodes.
const (
	ActFormat  = "mithaq-act/1"
	RollFormat = "mithaq-roll/1"
)

// SignedAct is an act on its way to the depositary: everything that a roll entry embeds, and the object itself, so that who
// can open it also sees that the log holds this act and no other.
type SignedAct struct {
	Format    string          `json:"format" enum:"mithaq-act/1"`
	Agreement string          `json:"agreement"`
	Mark      string          `json:"mark,omitempty" doc:"خيالي · Fictional · Fictif, where the agreement is invented"`
	Origin    string          `json:"origin" doc:"Origin of the author's log"`
	Object    []byte          `json:"object,omitempty" doc:"The object as it stands in the author's log, base64"`
	Hash      string          `json:"hash" doc:"SHA-256 of the object, hexadecimal"`
	Act       json.RawMessage `json:"act" doc:"DSSE envelope of the act record"`
	Keyring   json.RawMessage `json:"keyring" doc:"DSSE envelope of the author's keyring"`
	Proof     string          `json:"proof" doc:"C2SP tlog-proof of the act's leaf"`
}

func (r *roll) signedAct(e record.RollEntry, object []byte) SignedAct {
	return SignedAct{Format: ActFormat, Agreement: r.id, Mark: markOf(r.text()), Origin: e.Origin, Object: object, Hash: e.Object,
		Act: json.RawMessage(e.Act), Keyring: json.RawMessage(e.Keyring), Proof: e.Proof}
}

// entry is the roll entry that the file proposes. An object that is there must have the hash, and where it can be opened it
// must hold the very act.
func (s SignedAct) entry(n *Node) (record.RollEntry, error) {
	raw, err := hex.DecodeString(s.Hash)
	if err != nil || len(raw) != 32 {
		return record.RollEntry{}, fmt.Errorf("hash %q is not a SHA-256", fault.Clip(s.Hash))
	}
	leaf := record.LeafHash(append([]byte{1}, raw...))
	e := record.RollEntry{Leaf: hex.EncodeToString(leaf[:]), Origin: s.Origin, Object: s.Hash, Act: jsontext.Value(s.Act), Keyring: jsontext.Value(s.Keyring), Proof: s.Proof}
	if len(s.Object) == 0 {
		return e, nil
	}
	if record.ObjectHash(s.Object) != s.Hash {
		return e, errors.New("the object in the file is not the one that the file names")
	}
	envelope, err := record.OpenObject(s.Object, n.keys.sealIdentities()...)
	if errors.Is(err, record.ErrNotForUs) {
		return e, nil
	}
	if err != nil {
		return e, err
	}
	return e, sameEnvelope(envelope, s.Act)
}

func sameEnvelope(a, b []byte) error {
	x, err := record.ParseEnvelope(a)
	if err != nil {
		return err
	}
	y, err := record.ParseEnvelope(b)
	if err != nil {
		return err
	}
	if !bytes.Equal(x.Payload, y.Payload) {
		return errors.New("the author's log holds another act than the file")
	}
	return nil
}

// RollFile is a roll as one node hands it to another, until nodes follow each other.
type RollFile struct {
	Format    string      `json:"format" enum:"mithaq-roll/1"`
	Agreement string      `json:"agreement"`
	Mark      string      `json:"mark,omitempty" doc:"خيالي · Fictional · Fictif, where the agreement is invented"`
	Logs      []RollLog   `json:"logs" doc:"The logs that the entries stand in: the depositary's, and those of its successors"`
	Entries   []RollPlace `json:"entries"`
}

// RollLog is a log that holds entries of a roll, with the keyrings that verify them.
type RollLog struct {
	Origin   string          `json:"origin"`
	Keyrings []PlacedKeyring `json:"keyrings"`
}

// PlacedKeyring is a keyring and the leaf at which it stands.
type PlacedKeyring struct {
	Index   int64           `json:"index"`
	Keyring json.RawMessage `json:"keyring"`
}

// RollPlace is one entry: the roll record and the proof that it stands in its keeper's log.
type RollPlace struct {
	Log    int             `json:"log" doc:"Number of the log in logs"`
	Hash   string          `json:"hash" doc:"SHA-256 of the roll record's object"`
	Record json.RawMessage `json:"record" doc:"DSSE envelope of the roll record"`
	Proof  string          `json:"proof" doc:"C2SP tlog-proof of its leaf"`
}

// Limits of files that people carry. A roll of 10,000 acts with a text each is far below them.
const (
	maxCarriedFile = 256 << 20
	maxRollLogs    = 64
)

// RollFileOf writes a roll as this node knows it, for another node to import.
func (n *Node) RollFileOf(ctx context.Context, ref string) (out RollFile, err error) {
	id, err := n.rollID(ctx, ref)
	if err != nil {
		return out, err
	}
	err = n.withRoll(ctx, id, func(r *roll) error {
		if len(r.places) == 0 {
			return fault.New(fault.NotFound, "import the roll from the depositary, or propose the agreement", "exporting a roll: this node knows no roll of %s", id)
		}
		out, err = n.rollFile(ctx, r)
		return err
	})
	return out, err
}

func (n *Node) rollFile(ctx context.Context, r *roll) (RollFile, error) {
	if r.isPair() {
		return n.pairFile(ctx, r)
	}
	out := RollFile{Format: RollFormat, Agreement: r.id, Mark: markOf(r.text())}
	if copied, err := n.readRollCopy(r.id); err != nil {
		return out, err
	} else if copied != nil {
		out.Logs, out.Entries = copied.Logs, copied.Entries
	}
	rest := r.places[len(out.Entries):]
	if len(rest) == 0 {
		return out, nil
	}
	l, err := n.resolveLog(ctx, r.id)
	if err != nil {
		return out, err
	}
	own := RollLog{Origin: l.Origin}
	for index, k := range n.book(l.ID).history.Placed() {
		own.Keyrings = append(own.Keyrings, PlacedKeyring{Index: index, Keyring: k.Envelope()})
	}
	out.Logs = append(out.Logs, own)
	for _, p := range rest {
		proof, err := n.rollProof(ctx, l.ID, p.index)
		if err != nil {
			return out, err
		}
		out.Entries = append(out.Entries, RollPlace{Log: len(out.Logs) - 1, Hash: p.object, Record: p.envelope, Proof: string(proof)})
	}
	return out, nil
}

// keeperLog is a log of a roll file with its keyrings folded.
type keeperLog struct {
	history  record.History
	last     record.Keyring
	verifier note.Verifier
}

func openKeeperLog(l RollLog, id string) (*keeperLog, error) {
	k := &keeperLog{}
	for _, placed := range l.Keyrings {
		parsed, err := record.ParseKeyring(placed.Keyring)
		if err != nil {
			return nil, fmt.Errorf("a keyring of log %s does not verify: %w", fault.Clip(l.Origin), err)
		}
		if err := k.history.Add(placed.Index, parsed); err != nil {
			return nil, fmt.Errorf("the keyrings of log %s: %w", fault.Clip(l.Origin), err)
		}
	}
	var ok bool
	if k.last, ok = k.history.Last(); !ok {
		return nil, fmt.Errorf("log %s comes without a keyring", fault.Clip(l.Origin))
	}
	if k.last.Log.Origin != l.Origin || k.last.Log.Agreement != id {
		return nil, fmt.Errorf("the keyring is for log %s under %s", k.last.Log.Origin, k.last.Log.Agreement)
	}
	var err error
	k.verifier, err = note.NewVerifier(keyringVKey(k.last))
	return k, err
}

// takeFile folds a roll file from its first entry, verifying everything in it. On an error the roll is useless.
func (r *roll) takeFile(f RollFile) error {
	if f.Format != RollFormat || f.Agreement != r.id {
		return fmt.Errorf("it is not a %s file of %s", RollFormat, r.id)
	}
	if len(f.Logs) == 0 || len(f.Logs) > maxRollLogs {
		return fmt.Errorf("it names %d logs, not 1 to %d", len(f.Logs), maxRollLogs)
	}
	logs := make([]*keeperLog, len(f.Logs))
	for i, l := range f.Logs {
		var err error
		if logs[i], err = openKeeperLog(l, r.id); err != nil {
			return err
		}
	}
	last := make([]int64, len(logs))
	for i, p := range f.Entries {
		if p.Log < 0 || p.Log >= len(logs) {
			return fmt.Errorf("entry %d: there is no log %d in the file", i, p.Log)
		}
		place, rec, err := logs[p.Log].open(p)
		if err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		if place.index <= last[p.Log] {
			return fmt.Errorf("entry %d: it stands before the entry that precedes it", i)
		}
		last[p.Log] = place.index
		if k, known := logs[p.Log].history.At(place.index); known && (r.isPair() || len(r.places) == 0) {
			line, pair, err := r.lineOf(rec, place, k)
			if err == nil && pair {
				err = r.noteLine(line)
			}
			if err != nil {
				return fmt.Errorf("entry %d: %w", i, err)
			}
			if pair {
				if !r.isPair() {
					r.foldPair()
				}
				continue
			}
		}
		if rec.Kind != record.KindRoll {
			return fmt.Errorf("entry %d: the record is of kind %s, not an entry of a roll", i, rec.Kind)
		}
		if err := r.take(rec, place); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
	}
	if len(r.lines) > 0 {
		r.noteShown(f.Logs)
		r.foldPair()
	}
	return nil
}

func (k *keeperLog) open(p RollPlace) (rollPlace, record.Record, error) {
	place := rollPlace{keeper: k.last.Party, envelope: p.Record, object: p.Hash, origin: k.last.Log.Origin, proof: p.Proof}
	raw, err := hex.DecodeString(p.Hash)
	if err != nil || len(raw) != 32 {
		return place, record.Record{}, fmt.Errorf("hash %q is not a SHA-256", fault.Clip(p.Hash))
	}
	place.index, _, err = ledger.VerifyProof([]byte(p.Proof), append([]byte{1}, raw...), place.origin, k.verifier)
	if err != nil {
		return place, record.Record{}, fmt.Errorf("the proof does not show it in the roll's log: %w", err)
	}
	leaf := record.LeafHash(append([]byte{1}, raw...))
	place.leaf = hex.EncodeToString(leaf[:])
	rec, verdict, err := k.history.Judge(place.index, p.Record)
	switch {
	case err != nil:
		return place, rec, fmt.Errorf("the roll record does not verify: %w", err)
	case !verdict.Valid():
		return place, rec, fmt.Errorf("the roll record is %s", verdict)
	}
	return place, rec, nil
}

// rollsName is the folder with copies of rolls that others keep.
const rollsName = "rolls"

func (n *Node) rollCopyPath(id string) string { return filepath.Join(n.dir, rollsName, id+".json") }

// readRollCopy reads the copy of a roll that was imported, or nil.
func (n *Node) readRollCopy(id string) (*RollFile, error) {
	if !record.IsAgreementID(id) {
		return nil, nil
	}
	data, err := os.ReadFile(n.rollCopyPath(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the copy of a roll: %w", err)
	}
	var f RollFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, &fault.Fault{Code: fault.Invalid, What: "reading " + n.rollCopyPath(id), Err: err, Remedy: "import the roll again"}
	}
	return &f, nil
}

func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making %s: %w", dir, err)
	}
	return nil
}
