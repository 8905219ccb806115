package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/record"
)

// federation pins n parties in a node.
func federation(t *testing.T, n *Node, count int) (parties []string, secrets []*keyset) {
	t.Helper()
	for i := range count {
		k, keys := otherParty(t, i)
		if _, err := n.Pin(context.Background(), k.Envelope()); err != nil {
			t.Fatal(err)
		}
		parties, secrets = append(parties, k.Party), append(secrets, keys)
	}
	return parties, secrets
}

// opensFor opens a place of a node's log as another party would, from the bytes that the node serves.
func opensFor(t *testing.T, n *Node, r Receipt, secret *keyset) error {
	t.Helper()
	ctx := context.Background()
	object, err := n.Object(ctx, Viewer{Own: true}, "own", r.Index)
	if err != nil {
		t.Fatal(err)
	}
	ids := secret.sealIdentities()
	var epochs []record.EpochKey
	for index := range r.Index {
		clear, err := n.Object(ctx, Viewer{Own: true}, "own", index)
		if err != nil {
			t.Fatal(err)
		}
		rec, ok := federate.ClearRecord(clear)
		if !ok || rec.Kind != record.KindEpoch {
			continue
		}
		body, err := record.Parse[record.EpochBody](rec)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range body.Wraps {
			if !secret.opens(w.To) {
				continue
			}
			wrap, err := n.reader.Object(ctx, record.ParseHash(w.Object))
			if err != nil {
				t.Fatal(err)
			}
			e, err := record.UnwrapEpoch(body.Epoch, body.Step, body.Commit, wrap.Bytes, ids...)
			if err != nil {
				t.Fatal(err)
			}
			epochs = append(epochs, e)
		}
	}
	_, err = record.OpenObject(object, append(ids, record.EpochIdentity(epochs...))...)
	return err
}

func TestAudiences(t *testing.T) {
	n := newTestNode(t)
	count := 50
	if testing.Short() {
		count = 10
	}
	parties, secrets := federation(t, n, count)
	_, stranger := otherParty(t, 99)
	leaves := int64(1)
	for _, c := range []struct {
		audience, leaves int // leaves that publishing adds: with the epoch's announcement two
	}{{1, 1}, {7, 1}, {8, 2}, {9, 2}, {9, 1}, {count, 2}, {count, 1}} {
		d := reportDraft("for some")
		d.TLP, d.Parties = "AMBER", slices.Sorted(slices.Values(parties[:c.audience]))
		r := mustPublish(t, n, d)
		leaves += int64(c.leaves)
		if r.Size != leaves {
			t.Fatalf("an audience of %d: %d leaves, want %d", c.audience, r.Size, leaves)
		}
		for i, secret := range secrets {
			err := opensFor(t, n, r, secret)
			if i < c.audience && err != nil || i >= c.audience && !errors.Is(err, record.ErrNotForUs) {
				t.Errorf("an audience of %d: party %d: %v", c.audience, i, err)
			}
		}
		if err := opensFor(t, n, r, stranger); !errors.Is(err, record.ErrNotForUs) {
			t.Errorf("an audience of %d: a stranger: %v", c.audience, err)
		}
		if got, err := n.Record(context.Background(), n.Owner(), "own", r.Index); err != nil || got.Standing != StandingValid {
			t.Errorf("an audience of %d: the author: %+v, %v", c.audience, got, err)
		}
	}
	// After a rotation of our own seal key the old epoch is not used again.
	mustChange(t, n, KeyChange{Action: "rotate", Role: "seal"})
	d := reportDraft("later")
	d.TLP, d.Parties = "AMBER", slices.Sorted(slices.Values(parties[:9]))
	if r := mustPublish(t, n, d); r.Size != leaves+3 {
		t.Errorf("%d leaves, want %d", r.Size, leaves+3)
	}
	shut(t, n)
	if got := audited(t, n.dir); len(got) != 1 {
		t.Errorf("records: %v", got)
	}
}

func TestAnEpochIsTakenOnce(t *testing.T) {
	n := newTestNode(t)
	parties, secrets := federation(t, n, 9)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			d := reportDraft("at once")
			d.TLP, d.Parties = "AMBER", slices.Sorted(slices.Values(parties))
			if _, err := n.Publish(context.Background(), "own", d); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	records, err := n.Records(context.Background(), n.Owner(), "own", 0, 100)
	if err != nil || len(records) != 6 {
		t.Errorf("%d records, want a keyring, one epoch and 4 reports: %v", len(records), err)
	}
	_ = secrets
}

// Whatever goes wrong while an epoch is announced, no record is sealed with one that its audience cannot get.
func TestAnEpochThatWasNotAnnouncedIsNotUsed(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	parties, secrets := federation(t, n, 9)
	l, err := n.resolveLog(ctx, "own")
	if err != nil {
		t.Fatal(err)
	}
	stale, err := n.keyring(l.ID)
	if err != nil {
		t.Fatal(err)
	}
	mustChange(t, n, KeyChange{Action: "rotate", Role: "officer"})
	d := reportDraft("for nine")
	d.TLP, d.Parties = "AMBER", slices.Sorted(slices.Values(parties))
	c := chainFor(record.Record{Audience: record.NewAudience(d.Parties, nil)})
	to, err := n.holdersOf(ctx, stale, c)
	if err != nil {
		t.Fatal(err)
	}
	// The announcement is refused: the keyring changed under it.
	if _, err := n.epochSealing(ctx, l.ID, stale, c, to); fault.CodeOf(err) != fault.Conflict {
		t.Fatalf("got %v", err)
	}
	r := mustPublish(t, n, d)
	for i, secret := range secrets {
		if err := opensFor(t, n, r, secret); err != nil {
			t.Errorf("party %d: %v", i, err)
		}
	}
}

func TestPersonsAndStrangersInAnAudience(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	k, secret := otherParty(t, 1)
	unknown, _ := otherParty(t, 2)
	if _, err := n.Pin(ctx, k.Envelope()); err != nil {
		t.Fatal(err)
	}
	red := reportDraft("for one person")
	red.TLP, red.Persons = "RED", []string{k.WithRole(record.RoleOfficer)[0].ID}
	if err := opensFor(t, n, mustPublish(t, n, red), secret); err != nil {
		t.Error(err)
	}
	for what, d := range map[string]func(*Draft){
		"a party that is not pinned":   func(d *Draft) { d.TLP, d.Parties = "AMBER", []string{unknown.Party} },
		"a person who is not known":    func(d *Draft) { d.TLP, d.Persons = "RED", []string{unknown.WithRole(record.RoleOfficer)[0].ID} },
		"a key that is not a person's": func(d *Draft) { d.TLP, d.Persons = "RED", []string{k.WithRole(record.RoleNode)[0].ID} },
		"a name":                       func(d *Draft) { d.TLP, d.Parties = "AMBER", []string{"Norvia"} },
		"an audience for TLP:CLEAR":    func(d *Draft) { d.TLP, d.Parties = "CLEAR", []string{k.Party} },
		"nobody for TLP:RED":           func(d *Draft) { d.TLP = "RED" },
	} {
		draft := reportDraft("refused")
		d(&draft)
		if _, err := n.Publish(ctx, "own", draft); fault.CodeOf(err) != fault.NotFound && fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	if logs, err := n.Logs(ctx); err != nil || logs[0].Size != 2 {
		t.Errorf("something reached the log: %+v, %v", logs, err)
	}
}

func TestPinsGoForwardOnly(t *testing.T) {
	ctx := context.Background()
	n, other := newTestNode(t), newTestNode(t)
	var keyrings [][]byte
	keyrings = append(keyrings, mustKeyring(t, other))
	mustChange(t, other, KeyChange{Action: "rotate", Role: "seal"})
	keyrings = append(keyrings, mustKeyring(t, other))
	mustChange(t, other, KeyChange{Action: "root"})
	keyrings = append(keyrings, mustKeyring(t, other))
	for i, k := range keyrings {
		if party, err := n.Pin(ctx, k); err != nil || party.ID != other.party.ID || party.Fingerprint == "" {
			t.Fatalf("keyring %d: %+v, %v", i, party, err)
		}
	}
	for i, k := range keyrings[:2] {
		_, err := n.Pin(ctx, k)
		if fault.CodeOf(err) != fault.Conflict {
			t.Errorf("keyring %d again: %v", i, err)
		}
	}
	_, err := n.Pin(ctx, mustKeyring(t, n))
	wantCode(t, err, fault.Invalid)
	for _, bad := range [][]byte{nil, []byte("{}"), []byte("[]"), keyrings[0][:len(keyrings[0])-2], fmt.Appendf(nil, "%s x", keyrings[2])} {
		_, err := n.Pin(ctx, bad)
		wantCode(t, err, fault.Invalid)
	}
}
