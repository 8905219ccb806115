package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"filippo.io/age"

	"github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/internal/record"
)

// What sealing to many members costs: each record, a join, a leave. The decisions (who gets which step) and the keys are made by
// what a node makes them with, package record; the last figure is a node's own, with its store and its log.

// sealed is a party that can be sealed to.
type sealed struct {
	holder   record.Holder
	identity *age.HybridIdentity
	keyring  record.Keyring
}

func newSealed(ctx context.Context, i int) (m sealed, err error) {
	root, err := record.GenerateSigningKey(rand.Reader, record.RoleRoot)
	if err != nil {
		return m, err
	}
	signer, err := root.Signer()
	if err != nil {
		return m, err
	}
	var keys []record.Key
	for _, role := range []record.Role{record.RoleLog, record.RoleNode, record.RoleOfficer} {
		secret, err := record.GenerateSigningKey(rand.Reader, role)
		if err != nil {
			return m, err
		}
		public, err := secret.PublicKey()
		if err != nil {
			return m, err
		}
		keys = append(keys, record.NewKey(role, public))
	}
	if m.identity, err = age.GenerateHybridIdentity(); err != nil {
		return m, err
	}
	seal := record.NewKey(record.RoleSeal, record.HybridPublicKey(m.identity.Recipient()))
	id, err := record.NewID(rand.Reader, record.PrefixLog)
	if err != nil {
		return m, err
	}
	draft := record.FirstKeyring(signer.PublicKey(), record.Names{"en": fmt.Sprintf("Party %d", i)},
		record.LogIdentity{ID: id, Origin: record.LogOrigin(id), Agreement: record.OwnAgreement}, time.Now(), append(keys, seal)...)
	envelope, err := draft.Sign(ctx, signer)
	if err != nil {
		return m, err
	}
	if m.keyring, err = record.ParseKeyring(envelope); err != nil {
		return m, err
	}
	m.holder = record.Holder{Keys: []record.Key{seal}}
	return m, nil
}

// given notes that a step was wrapped for keys, as a node's store does.
func given(chain *record.EpochChain, e record.EpochKey, refs []record.WrapRef) {
	if len(chain.Epochs) == 0 || chain.Epochs[len(chain.Epochs)-1].ID != e.ID() {
		chain.Epochs = append(chain.Epochs, record.EpochState{ID: e.ID(), Given: map[string]record.Gift{}})
	}
	last := &chain.Epochs[len(chain.Epochs)-1]
	last.Steps = append(last.Steps, record.EpochStep{Step: e.Step(), At: time.Now()})
	for _, w := range refs {
		last.Given[w.To] = record.Gift{Step: e.Step()}
	}
}

// sealToMany measures sealing to an audience of so many.
func sealToMany(ctx context.Context, out io.Writer, count int) error {
	if count <= record.MaxDirect || count >= record.MaxParties {
		return fmt.Errorf("sealing to %d: give a number between %d and %d", count, record.MaxDirect, record.MaxParties)
	}
	members := make([]sealed, count+1)
	for i := range members {
		var err error
		if members[i], err = newSealed(ctx, i); err != nil {
			return err
		}
	}
	holders := make([]record.Holder, 0, count+1)
	for _, m := range members[:count] {
		holders = append(holders, m.holder)
	}
	chain := &record.EpochChain{}
	first, err := rekey(out, fmt.Sprintf("first key for %d", count), chain, holders, record.EpochKey{})
	if err != nil {
		return err
	}
	if err := eachRecord(ctx, out, members, first, count); err != nil {
		return err
	}
	joined := append(slices.Clone(holders), members[count].holder)
	next, err := rekey(out, fmt.Sprintf("join into %d", count), chain, joined, first)
	if err != nil {
		return err
	}
	if _, err := rekey(out, fmt.Sprintf("leave of %d", count+1), chain, joined[1:], next); err != nil {
		return err
	}
	return sealByNode(ctx, out, members[:count])
}

// rekey takes what the chain says that the next record takes, and says what it cost.
func rekey(out io.Writer, what string, chain *record.EpochChain, to []record.Holder, last record.EpochKey) (record.EpochKey, error) {
	began, processor := time.Now(), measure.Processor()
	mode, keys := chain.Next(to)
	e, err := last, error(nil)
	switch mode {
	case record.EpochFresh:
		e, err = record.NewEpoch(rand.Reader)
	case record.EpochRatchet:
		e, err = last.Ratchet()
	}
	if err != nil {
		return e, err
	}
	refs, wraps, err := e.WrapFor(keys)
	if err != nil {
		return e, err
	}
	took, spent := time.Since(began), measure.Processor()-processor
	given(chain, e, refs)
	size := 0
	for _, w := range wraps {
		size += len(w)
	}
	_, err = fmt.Fprintf(out, "%-22s %-8s %5d wraps, %d bytes, %v by the clock, %v of processor time\n", what, mode, len(wraps), size, took.Round(time.Millisecond), spent.Round(time.Millisecond))
	return e, err
}

// eachRecord says how many bytes sealing adds to a record, whoever many it is for, and that the first and the last member open it.
func eachRecord(ctx context.Context, out io.Writer, members []sealed, e record.EpochKey, count int) error {
	officer, err := record.GenerateSigningKey(rand.Reader, record.RoleOfficer)
	if err != nil {
		return err
	}
	signer, err := officer.Signer()
	if err != nil {
		return err
	}
	body, err := record.EncodeBody(&record.Report{Period: record.Period{From: "2026-10-01", To: "2026-10-31"}, Summary: record.Text{"en": "Nothing to report."}})
	if err != nil {
		return err
	}
	id, err := record.NewID(rand.Reader, record.PrefixRecord)
	if err != nil {
		return err
	}
	r := record.Record{ID: id, Agreement: benchID, Author: members[0].keyring.Party, Officer: signer.KeyID(), Kind: record.KindReport,
		Time: time.Now().UTC().Truncate(time.Second), Marking: record.Marking{TLP: record.TLPAmber}, Body: body}
	payload, err := r.Payload()
	if err != nil {
		return err
	}
	envelope, err := record.Sign(ctx, record.RecordType, payload, signer)
	if err != nil {
		return err
	}
	object, err := record.SealObject(rand.Reader, envelope, e.Sealing(rand.Reader))
	if err != nil {
		return err
	}
	content, err := age.Decrypt(bytes.NewReader(object[bytes.Index(object, []byte("age-encryption.org")):]), record.EpochIdentity(e))
	if err != nil {
		return err
	}
	plain, err := io.Copy(io.Discard, content)
	if err != nil {
		return err
	}
	for _, m := range []sealed{members[0], members[count-1]} {
		wrap, err := e.Wrap(m.identity.Recipient())
		if err != nil {
			return err
		}
		key, err := record.UnwrapEpoch(e.ID(), e.Step(), e.Commit(), wrap, m.identity)
		if err != nil {
			return err
		}
		if got, err := record.OpenObject(object, record.EpochIdentity(key)); err != nil || !bytes.Equal(got, envelope) {
			return errors.Join(errors.New("a member cannot open the record"), err)
		}
	}
	_, err = fmt.Fprintf(out, "%-22s %d bytes of %d are for sealing and salt\n", "each record", int64(len(object))-plain, len(object))
	return err
}

// sealByNode publishes two records of one named audience at a node: the first takes a fresh key for all, wrapped, stored and
// announced before the record stands in the log.
func sealByNode(ctx context.Context, out io.Writer, members []sealed) (err error) {
	dir, err := os.MkdirTemp("", "mithaq-seal-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	n, err := node.Init(ctx, filepath.Join(dir, "node"), node.InitOptions{Names: map[string]string{"en": "Sealer"}, Listen: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx)) }()
	d := node.Draft{Kind: "report", TLP: "AMBER"}
	for _, m := range members {
		if _, err := n.Pin(ctx, m.keyring.Envelope()); err != nil {
			return err
		}
		d.Parties = append(d.Parties, m.keyring.Party)
	}
	slices.Sort(d.Parties)
	if d.Body, err = json.Marshal(map[string]any{"period": map[string]string{"from": "2026-10-01", "to": "2026-10-31"}, "summary": map[string]string{"en": "Nothing."}}); err != nil {
		return err
	}
	for _, what := range []string{"a node re-keys", "its next record"} {
		began, processor := time.Now(), measure.Processor()
		if _, err := n.Publish(ctx, "own", d); err != nil {
			return err
		}
		took, spent := time.Since(began), measure.Processor()-processor
		if _, err := fmt.Fprintf(out, "%-22s durable in the log in %v by the clock, %v of processor time\n", what, took.Round(time.Millisecond), spent.Round(time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}
