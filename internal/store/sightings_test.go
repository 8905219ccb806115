package store

import (
	"context"
	"errors"
	"testing"
	"time"
)

// testSightings: what waits about the same indicator is one, a decision is made once, and what was decided counts.
func testSightings(t *testing.T, d *DB) {
	ctx := context.Background()
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	one := Sighting{ID: "s-1", Indicator: "indicator--1", Target: hashOf("record"), Agreement: "a-1", Count: 3, First: day(4), Last: day(5), Created: day(6), Sure: 700, Evidence: []byte(`{"sure":0.7}`)}
	more, other := one, one
	more.ID, more.Count, more.First, more.Last, more.Sure, more.Evidence = "s-2", 4, day(2), day(3), 600, []byte(`{"sure":0.6}`)
	other.ID, other.Target = "s-3", hashOf("another record")
	for _, s := range []Sighting{one, more, other} {
		if err := d.AddSighting(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	got, err := d.Sighting(ctx, "s-1")
	if err != nil || got.Count != 7 || !got.First.Equal(day(2)) || !got.Last.Equal(day(5)) || got.State != SightingWaiting || !got.Decided.IsZero() || got.Sure != 700 || string(got.Evidence) != `{"sure":0.7}` {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := d.Sighting(ctx, "s-2"); !errors.Is(err, ErrNotFound) {
		t.Errorf("what was taken in is there by itself: %v", err)
	}
	got.State, got.Decided, got.Leaf = SightingApproved, day(7), "leaf"
	if err := d.DecideSighting(ctx, got); err != nil {
		t.Fatal(err)
	}
	if err := d.DecideSighting(ctx, got); !errors.Is(err, ErrNotFound) {
		t.Errorf("deciding again: %v", err)
	}
	other.State, other.Decided, other.Reason = SightingFalse, day(8), "ours"
	if err := d.DecideSighting(ctx, other); err != nil {
		t.Fatal(err)
	}
	if err := d.AddSighting(ctx, more); err != nil { // nothing waits any more: a new one
		t.Fatal(err)
	}
	waiting, err := d.Sightings(ctx, SightingWaiting, 10)
	all, err2 := d.Sightings(ctx, "", 10)
	if err != nil || err2 != nil || len(waiting) != 1 || waiting[0].ID != "s-2" || len(all) != 3 {
		t.Errorf("%+v %+v, %v %v", waiting, all, err, err2)
	}
	if confirmed, refused, err := d.Verdicts(ctx, "indicator--1"); err != nil || confirmed != 1 || refused != 1 {
		t.Errorf("%d %d, %v", confirmed, refused, err)
	}
	if ids, last, err := d.DecidedSince(ctx, day(7)); err != nil || len(ids) != 1 || !last.Equal(day(8)) {
		t.Errorf("%v %v, %v", ids, last, err)
	}
}

// testSensors: the last word of each sensor is kept, and of so many sensors.
func testSensors(t *testing.T, d *DB) {
	ctx := context.Background()
	for i, name := range []string{"one", "two", "one", "three"} {
		if err := d.PutSensor(ctx, Sensor{Name: name, Told: time.Date(2026, 3, 1, i, 0, 0, 0, time.UTC), Report: []byte{byte('0' + i)}}, 2); err != nil {
			t.Fatal(err)
		}
	}
	got, err := d.Sensors(ctx)
	if err != nil || len(got) != 2 || got[0].Name != "three" || got[1].Name != "one" || string(got[1].Report) != "2" || got[1].Told.Hour() != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}
