package node

import (
	"context"
	"sync"
	"testing"

	"github.com/mithaq/mithaq/internal/record"
)

// What is remembered is what was read, whoever asks and however much else was read meanwhile; what does not hold never is.
func TestKeyringsAreRememberedWithinBounds(t *testing.T) {
	n := newNodeOn(t, false)
	ctx := context.Background()
	defer func() { _ = n.Close(ctx) }()
	card, err := n.Card(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want, err := record.ParseKeyring(card.Keyring)
	if err != nil {
		t.Fatal(err)
	}
	var c keyrings
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 50 {
				if k, err := c.parse(card.Keyring); err != nil || k.Party != want.Party || k.Serial != want.Serial {
					t.Errorf("%v: %+v", err, k)
				}
			}
		})
	}
	readers.Wait()
	forged := append([]byte{}, card.Keyring...)
	forged[len(forged)/2] ^= 1
	for range 2 {
		if _, err := c.parse(forged); err == nil {
			t.Fatal("a forged keyring was read")
		}
	}
	for i := range maxKeyrings {
		c.now[[32]byte{1, byte(i), byte(i >> 8)}] = record.Keyring{}
		if _, err := c.parse(card.Keyring); err != nil || len(c.now)+len(c.old) > maxKeyrings {
			t.Fatalf("%d are remembered: %v", len(c.now)+len(c.old), err)
		}
	}
	if k, err := c.parse(card.Keyring); err != nil || k.Party != want.Party {
		t.Fatalf("%v: %+v", err, k)
	}
}
