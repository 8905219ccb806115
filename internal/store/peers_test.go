package store

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestPeers(t *testing.T) {
	backends(t, func(t *testing.T, open func(t *testing.T) *DB) {
		d, ctx := open(t), context.Background()
		at := time.UnixMicro(1700000000123456)
		for _, p := range []Peer{
			{Party: "p-b", URL: "https://b.example", Keyring: []byte("b1"), Updated: at},
			{Party: "p-a", Mirror: "https://m.example", Introduced: "p-b", Keyring: []byte("a1"), Updated: at},
		} {
			if err := d.PutPeer(ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.PutPeer(ctx, Peer{Party: "p-b", URL: "https://new.example", Keyring: []byte("b2"), Updated: at.Add(time.Second)}); err != nil {
			t.Fatal(err)
		}
		if err := d.PutPin(ctx, Pin{Party: "p-b", Pinned: at, Keyring: []byte("b2")}); err != nil {
			t.Fatal(err)
		}
		got, err := d.Peers(ctx)
		if err != nil || len(got) != 2 || got[0].Party != "p-a" || got[0].Mirror != "https://m.example" || got[0].Introduced != "p-b" {
			t.Fatalf("peers: %+v, %v", got, err)
		}
		if b := got[1]; b.URL != "https://new.example" || string(b.Keyring) != "b2" || !b.Updated.Equal(at.Add(time.Second)) {
			t.Errorf("a peer that was put again: %+v", b)
		}
		if p, err := d.Peer(ctx, "p-b"); err != nil || p.URL != "https://new.example" {
			t.Errorf("one peer: %+v, %v", p, err)
		}
		if p, err := d.Pin(ctx, "p-b"); err != nil || string(p.Keyring) != "b2" || !p.Pinned.Equal(at) {
			t.Errorf("one pin: %+v, %v", p, err)
		}
		if _, err := d.Peer(ctx, "p-c"); !errors.Is(err, ErrNotFound) {
			t.Errorf("no peer: %v", err)
		}
		if _, err := d.Pin(ctx, "p-a"); !errors.Is(err, ErrNotFound) {
			t.Errorf("no pin: %v", err)
		}
		if err := d.RemovePeer(ctx, "p-b"); err != nil {
			t.Fatal(err)
		}
		if pins, err := d.Pins(ctx); err != nil || len(pins) != 0 {
			t.Errorf("the keyring stays pinned: %v, %v", pins, err)
		}
		if err := d.RemovePeer(ctx, "p-b"); !errors.Is(err, ErrNotFound) {
			t.Errorf("removing it twice: %v", err)
		}
	})
}
