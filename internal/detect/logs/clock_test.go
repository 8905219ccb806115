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

// TestFractionsAreReadDigitByDigit: whatever stands behind the digits, and however many they are.
func TestFractionsAreReadDigitByDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.SampledFrom([]byte("0123456789")), 0, 14).Draw(t, "digits")
		n := len(b)
		b = append(b, rapid.SliceOfN(rapid.SampledFrom([]byte("Z+-:/ a\x00\xb0\xff5")), 0, 10).Draw(t, "behind")...)
		for n < len(b) && b[n] == '5' {
			n++
		}
		want := int64(0)
		for i, scale := 0, int64(1e8); i < n; i, scale = i+1, scale/10 {
			want += int64(b[i]-'0') * scale
		}
		if got, size := fraction(b); got != want || size != n {
			t.Fatalf("%q: %d of %d digits, want %d of %d", b, got, size, want, n)
		}
	})
}

// TestTimesAreThoseOfTheLibrary: in every form that logs have, with any byte in place of another no time, or one that the library has, too.
func TestTimesAreThoseOfTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-7e9, 8e9).Draw(t, "seconds"), 1000*rapid.Int64Range(0, 999_999).Draw(t, "micros"))
		layout := rapid.SampledFrom([]string{"2006-01-02T15:04:05.999999Z07:00", "2006-01-02T15:04:05.000000-0700", "2006-01-02 15:04:05Z"}).Draw(t, "form")
		if layout[10] == ' ' {
			at = at.Truncate(time.Second)
		}
		text := []byte(at.In(time.FixedZone("", 60*rapid.IntRange(-12, 12).Draw(t, "zone")*30)).Format(layout))
		if layout[10] == ' ' {
			text = []byte(at.UTC().Format(layout))
		}
		if got := parseTime(text); got != at.UnixNano() {
			t.Fatalf("%s: %d, want %d", text, got, at.UnixNano())
		}
		digit := rapid.SampledFrom([]int{0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18}).Draw(t, "place")
		text[digit] = rapid.SampledFrom([]byte(":/ aZ-.\x00\xb5\xff")).Draw(t, "put")
		if got := parseTime(text); got != 0 {
			t.Fatalf("%q: %d, want none", text, got)
		}
	})
}
