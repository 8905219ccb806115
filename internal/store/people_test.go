package store

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestPeopleAndSessions(t *testing.T) {
	ctx := context.Background()
	now := time.UnixMicro(1_800_000_000_000_000).UTC()
	backends(t, func(t *testing.T, open func(t *testing.T) *DB) {
		d := open(t)
		amal := Person{Name: "amal", Shown: "آمال", Secret: "$argon2id$…", Roles: []string{"analyst", "auditor"}, Created: now}
		if err := d.PutPerson(ctx, amal); err != nil {
			t.Fatal(err)
		}
		amal.Ended, amal.Officer = now.Add(time.Hour), "k-1"
		if err := d.PutPerson(ctx, amal); err != nil {
			t.Fatal(err)
		}
		got, err := d.Person(ctx, "amal")
		if err != nil || got.Shown != "آمال" || len(got.Roles) != 2 || !got.Ended.Equal(amal.Ended) || got.Officer != "k-1" {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := d.Person(ctx, "Amal"); !errors.Is(err, ErrNotFound) {
			t.Errorf("another spelling: %v", err)
		}
		if all, err := d.People(ctx); err != nil || len(all) != 1 {
			t.Errorf("%+v, %v", all, err)
		}

		if err := d.PutSession(ctx, "h1", []byte("one"), now.Add(time.Minute), now); err != nil {
			t.Fatal(err)
		}
		if err := d.PutSession(ctx, "h1", []byte("two"), now.Add(time.Minute), now); err != nil {
			t.Fatal(err)
		}
		if data, err := d.Session(ctx, "h1", now); err != nil || string(data) != "two" {
			t.Errorf("%q, %v", data, err)
		}
		if _, err := d.Session(ctx, "h1", now.Add(time.Minute)); !errors.Is(err, ErrNotFound) {
			t.Errorf("an expired session: %v", err)
		}
		if err := d.PutSession(ctx, "h2", nil, now.Add(time.Hour), now.Add(2*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Session(ctx, "h1", now); !errors.Is(err, ErrNotFound) {
			t.Errorf("an expired session was kept: %v", err)
		}
		for range 2 {
			if err := d.EndSession(ctx, "h2"); err != nil {
				t.Error(err)
			}
		}

	})
}
