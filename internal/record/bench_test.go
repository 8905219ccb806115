package record

import (
	"context"
	"crypto/rand"
	"testing"

	"filippo.io/age"
)

func BenchmarkSign(b *testing.B) {
	p := stableParty(b, "bench")
	payload, err := p.record(b, report(), TLPAmber).Payload()
	check(b, err)
	for b.Loop() {
		if _, err := Sign(context.Background(), RecordType, payload, p.officer); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPayload(b *testing.B) {
	r := stableParty(b, "bench").record(b, report(), TLPAmber)
	for b.Loop() {
		if _, err := r.Payload(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenRecord(b *testing.B) {
	p := stableParty(b, "bench")
	env := p.envelope(b, p.record(b, report(), TLPAmber))
	for b.Loop() {
		if _, err := OpenRecord(env, p.keyring); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSealObject(b *testing.B) {
	p := stableParty(b, "bench")
	sealed, open := p.envelope(b, p.record(b, report(), TLPAmber)), p.envelope(b, p.record(b, report(), TLPClear))
	epoch, err := NewEpoch(rand.Reader)
	check(b, err)
	_, to := identities(b, MaxDirect)
	one, err := Direct(to[0])
	check(b, err)
	eight, err := Direct(to...)
	check(b, err)
	for _, c := range []struct {
		name     string
		envelope []byte
		to       Sealing
	}{{"clear", open, Clear()}, {"epoch", sealed, epoch.Sealing(rand.Reader)}, {"direct1", sealed, one}, {"direct8", sealed, eight}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := SealObject(rand.Reader, c.envelope, c.to); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpenObject(b *testing.B) {
	p := stableParty(b, "bench")
	sealed := p.envelope(b, p.record(b, report(), TLPAmber))
	epoch, err := NewEpoch(rand.Reader)
	check(b, err)
	ids, to := identities(b, 1)
	direct, err := Direct(to...)
	check(b, err)
	for _, c := range []struct {
		name string
		to   Sealing
		id   age.Identity
	}{{"epoch", epoch.Sealing(rand.Reader), EpochIdentity(epoch)}, {"direct1", direct, ids[0]}} {
		object, err := SealObject(rand.Reader, sealed, c.to)
		check(b, err)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := OpenObject(object, c.id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkWrap(b *testing.B) {
	epoch, err := NewEpoch(rand.Reader)
	check(b, err)
	_, to := identities(b, 1)
	for b.Loop() {
		if _, err := epoch.Wrap(to[0]); err != nil {
			b.Fatal(err)
		}
	}
}
