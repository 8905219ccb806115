package agreement

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestKnownHijriDays(t *testing.T) {
	for _, c := range []struct {
		calendar  Calendar
		y, m, d   int
		gregorian string
	}{
		{UmmAlQura, 1434, 7, 5, "2013-05-15"},
		{UmmAlQura, 1300, 1, 1, "1882-11-12"},
		{UmmAlQura, 1445, 9, 1, "2024-03-11"},
		{Tabular, 1434, 7, 5, "2013-05-15"},
		{Tabular, 1, 1, 1, "0622-07-19"}, // 16 July 622 in the Julian calendar
	} {
		got, _, ok := HijriDay(c.calendar, c.y, c.m, c.d)
		if !ok || got.Format(time.DateOnly) != c.gregorian {
			t.Errorf("%s %d-%d-%d is %s, want %s", c.calendar, c.y, c.m, c.d, got.Format(time.DateOnly), c.gregorian)
		}
	}
}

func TestHijriThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.IntRange(-492148, 120000).Draw(t, "day")
		c, y, m, dm := ToHijri(fromUnixDay(d))
		back, tolerance, ok := HijriDay(c, y, m, dm)
		if !ok || tolerance != 0 || unixDay(back) != d {
			t.Fatalf("%d became %s %d-%d-%d and came back as %d", d, c, y, m, dm, unixDay(back))
		}
	})
}

func TestPrintedPairADayApartIsKept(t *testing.T) {
	f := FuzzyDate{At: "2013-05-15", Printed: "2013/5/15", Time: "12:06", Zone: "Asia/Riyadh",
		Also: []Beside{{At: "1434-07-06", Calendar: Hijri, Printed: "1434/7/6"}}}
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	f.Also[0].At = "1434-07-09"
	if f.Check() == nil {
		t.Fatal("four days apart was accepted")
	}
}

func TestFuzzySpans(t *testing.T) {
	for _, c := range []struct {
		f        FuzzyDate
		from, to string
	}{
		{FuzzyDate{At: "2013-05-14"}, "2013-05-14", "2013-05-14"},
		{FuzzyDate{At: "2024-02"}, "2024-02-01", "2024-02-29"},
		{FuzzyDate{At: "2013-summer"}, "2013-06-01", "2013-08-31"},
		{FuzzyDate{At: "2013-winter"}, "2013-12-01", "2014-02-28"},
		{FuzzyDate{At: "2018"}, "2018-01-01", "2018-12-31"},
		{FuzzyDate{At: "2022-11-28/2022-12-02"}, "2022-11-28", "2022-12-02"},
		{FuzzyDate{Relative: "next summer", Said: "2013-05-15"}, "2013-06-01", "2013-08-31"},
		{FuzzyDate{Relative: "next summer", Said: "2013-07-15"}, "2014-06-01", "2014-08-31"},
		{FuzzyDate{Relative: "last december", Said: "2023-01-08"}, "2022-12-01", "2022-12-31"},
		{FuzzyDate{Relative: "last april", Said: "2013-05-15"}, "2013-04-01", "2013-04-30"},
		{FuzzyDate{Relative: "next week", Said: "2023-01-07"}, "2023-01-09", "2023-01-15"},
		{FuzzyDate{Relative: "this winter", Said: "2023-01-07"}, "2022-12-01", "2023-02-28"},
	} {
		s, ok := c.f.Span()
		if !ok || s.From.Format(time.DateOnly) != c.from || s.To.Format(time.DateOnly) != c.to {
			t.Errorf("%+v spans %s to %s, want %s to %s", c.f, s.From.Format(time.DateOnly), s.To.Format(time.DateOnly), c.from, c.to)
		}
		if err := c.f.Check(); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []FuzzyDate{{At: "2013-02-30"}, {At: "2013-13"}, {At: "13"}, {Relative: "next summer"},
		{Relative: "some day", Said: "2013-01-01"}, {At: "1434-07", Calendar: "julian"}, {At: "2013-05-15", Time: "24:00"},
		{At: "2013", Relative: "next summer", Said: "2020-01-01"}, {At: "2013-summer", Calendar: UmmAlQura},
		{At: "2022-12-02/2022-11-28"}, {At: "2022-11/2022-12"}, {At: "2022-11-28/"}, {At: "2022-11-28/2022-12-02/2022-12-03"}} {
		if bad.Check() == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

func TestEveryRelativeDateResolves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		said := fromUnixDay(rapid.IntRange(-30000, 60000).Draw(t, "said"))
		word := rapid.SampledFrom([]string{"next", "last", "this"}).Draw(t, "word")
		unit := rapid.SampledFrom([]string{"day", "week", "month", "year", "spring", "summer", "autumn", "winter", "may", "december"}).Draw(t, "unit")
		f := FuzzyDate{Relative: word + " " + unit, Said: said.Format(time.DateOnly)}
		s, ok := f.Span()
		switch {
		case !ok || s.To.Before(s.From):
			t.Fatalf("%+v has no span", f)
		case word == "next" && !s.From.After(said), word == "last" && !s.To.Before(said), word == "this" && s.To.Before(said):
			t.Fatalf("%+v spans %v", f, s)
		}
	})
}
