package store

import (
	"testing"
	"time"
)

// testEpochs continues the suite with one key in the store: a step keeps its key and may get another seal, a gift only
// becomes an earlier one, and wraps that did not come are remembered with when to ask again.
func testEpochs(t *testing.T, d *DB, k EpochKey) {
	ctx := t.Context()
	gift := EpochGift{Epoch: k.Epoch, Key: "k-a", Step: 2, Wrap: hashOf("wrap")}
	again := k
	again.Sealed, again.Chain = []byte("sealed anew"), "all"
	if err := d.PutEpochKey(ctx, again, gift, EpochGift{Epoch: k.Epoch, Key: "k-b", Step: 5, Lost: true}); err != nil {
		t.Fatal(err)
	}
	other := k
	other.Sealed, other.Commitment = []byte("of another key"), "00"
	if err := d.PutEpochKey(ctx, other, EpochGift{Epoch: k.Epoch, Key: "k-a", Step: 4}, EpochGift{Epoch: k.Epoch, Key: "k-b", Step: 5, Wrap: hashOf("again")}); err != nil {
		t.Fatal(err)
	}
	got, err := d.EpochKey(ctx, k.LogNo, k.Epoch, k.Step)
	if err != nil || string(got.Sealed) != "sealed anew" || got.Chain != "all" || got.Commitment != k.Commitment {
		t.Errorf("%+v, %v", got, err)
	}
	gifts, err := d.EpochGifts(ctx, k.LogNo)
	if err != nil || len(gifts) != 2 || gifts[0] != gift || gifts[1].Lost || gifts[1].Wrap != hashOf("again") {
		t.Errorf("%+v, %v", gifts, err)
	}
	if err := d.SetEpochChain(ctx, k.LogNo, k.Epoch, "roll"); err != nil {
		t.Fatal(err)
	}
	if got, err := d.EpochKeys(ctx, k.LogNo); err != nil || len(got) != 1 || got[0].Chain != "roll" {
		t.Errorf("%+v, %v", got, err)
	}
	due := time.UnixMicro(7000).UTC()
	wanted := []WantedWrap{{Hash: hashOf("later"), Index: 3, Tries: 1, Due: due.Add(time.Second)}, {Hash: hashOf("soon"), Index: 4, Due: due}}
	for range 2 {
		if err := d.WantWraps(ctx, k.LogNo, wanted); err != nil {
			t.Fatal(err)
		}
	}
	list, err := d.WantedWraps(ctx, k.LogNo, 10)
	if err != nil || len(list) != 2 || list[0] != wanted[1] || list[1] != wanted[0] {
		t.Errorf("%+v, %v", list, err)
	}
}
