package logs

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDaysAreThoseOfTheCalendar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		year, month, day := rapid.IntRange(0, 9999).Draw(t, "year"), rapid.IntRange(0, 99).Draw(t, "month"), rapid.IntRange(0, 99).Draw(t, "day")
		want := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix() / 86400
		if got := daysSince1970(year, month, day); int64(got) != want {
			t.Fatalf("%d-%d-%d: %d, want %d", year, month, day, got, want)
		}
	})
}

func TestQuoteOrEscape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.SampledFrom([]byte{'a', '"', '\\', '#', '!', ']', '[', 0xa2, 0xdc, 0, 0xff}), 0, 40).Draw(t, "text")
		at := rapid.IntRange(0, len(b)).Draw(t, "at")
		want := at
		for want < len(b) && b[want] != '"' && b[want] != '\\' {
			want++
		}
		if got := quoteOrEscape(b, at); got != want {
			t.Fatalf("%d in %q from %d, want %d", got, b, at, want)
		}
	})
}

// TestTimesFarOffAreNone: in nanoseconds they would be other times.
func TestTimesFarOffAreNone(t *testing.T) {
	for text, want := range map[string]int64{
		"9999-12-31T23:59:59Z": 0, "0001-01-01T00:00:00Z": 0, "99999999999.5": 0,
		"1969-12-31T23:59:59Z": -1e9, "2026-01-01T00:00:00.5+01:00": 1767222000500000000, "1767222000.25": 1767222000250000000,
	} {
		if got := parseTime([]byte(text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}
