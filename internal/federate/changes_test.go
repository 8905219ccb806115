package federate

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func all(string) bool { return true }

func TestFeed(t *testing.T) {
	f := NewFeed("s")
	logs, start, _, wake := f.Since("", "x", 10, all)
	if len(logs) != 0 || start != "s.x.0" {
		t.Fatalf("an empty feed: %v %s", logs, start)
	}
	f.Note("a", true)
	select {
	case <-wake:
	default:
		t.Error("who waited was not woken")
	}
	f.Note("b", true)
	f.Note("a", true)
	for cursor, want := range map[string][]string{start: {"b", "a"}, "s.x.2": {"a"}, "s.x.3": nil, "s.x.99": {"b", "a"}, "other.x.2": {"b", "a"}, "s.y.3": {"b", "a"}, "garbage": {"b", "a"}} {
		if got, _, _, _ := f.Since(cursor, "x", 10, all); !slices.Equal(got, want) {
			t.Errorf("since %s: %v, want %v", cursor, got, want)
		}
	}
	got, next, _, _ := f.Since("", "x", 10, func(log string) bool { return log != "a" })
	if !slices.Equal(got, []string{"b"}) || next != "s.x.3" {
		t.Errorf("who may not see a: %v %s", got, next)
	}
}

// A list is urgent when something on it has been since its reader's cursor, also where what came after that is not.
func TestAListIsUrgentByWhatItHolds(t *testing.T) {
	f := NewFeed("s")
	f.Note("a", true)
	f.Note("b", false)
	f.Note("a", false)
	for cursor, want := range map[string]bool{"s.x.0": true, "s.x.1": false, "s.x.3": false} {
		if _, _, urgent, _ := f.Since(cursor, "x", 10, all); urgent != want {
			t.Errorf("since %s: urgent is %t", cursor, urgent)
		}
	}
	if _, _, urgent, _ := f.Since("", "x", 10, func(log string) bool { return log != "a" }); urgent {
		t.Error("what a reader may not see is urgent to it")
	}
}

// TestFeedMissesNothing shows that a reader that pages with any limits, while logs change, learns of every log's last change.
func TestFeedMissesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, cursor := NewFeed("s"), ""
		changes, seen := map[string]int{}, map[string]int{}
		read := func() int {
			limit := rapid.IntRange(1, 3).Draw(t, "limit")
			var logs []string
			logs, cursor, _, _ = f.Since(cursor, "x", limit, all)
			for _, l := range logs {
				seen[l] = changes[l]
			}
			return len(logs)
		}
		for range rapid.IntRange(0, 300).Draw(t, "steps") {
			if rapid.IntRange(0, 4).Draw(t, "step") == 0 {
				read()
				continue
			}
			l := fmt.Sprint("l", rapid.IntRange(0, 9).Draw(t, "log"))
			changes[l]++
			f.Note(l, true)
		}
		for read() > 0 {
		}
		for l, n := range changes {
			if seen[l] != n {
				t.Fatalf("log %s changed %d times, the reader knows of %d", l, n, seen[l])
			}
		}
	})
}
