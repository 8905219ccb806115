package agreement

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// FuzzyDate is a date as well as a text gives it: a day, a month, a season, a year, the days from one to another,
// or words that count from the day they were said. What was printed is kept beside what it was taken to mean.
//
// At is one of "2013-05-14", "2013-05", "2013-summer", "2013", "2022-11-28/2022-12-02" (first and last day), or empty when
// only Relative is known.
// Seasons are those of the northern hemisphere: spring March to May, summer June to August, autumn September to
// November, winter December to February of the next year.
type FuzzyDate struct {
	At       string   // in the calendar named by Calendar
	Calendar Calendar // empty: Gregorian
	Relative string   // "next summer", "last december", "this week": counted from Said
	Said     string   // the day, YYYY-MM-DD Gregorian, on which Relative was said
	Time     string   // HH:MM, when the text gives one
	Zone     string   // IANA name of the zone of Time, as "Asia/Riyadh"
	Printed  string   // the words or digits of the source, kept as they were
	Also     []Beside // the same date as the source gives it in other calendars
}

// Beside is a date printed next to another one.
type Beside struct {
	At       string
	Calendar Calendar
	Printed  string
}

// Span is a range of whole days, both included, in UTC. Tolerance is how many days both ends may be off.
type Span struct {
	From, To  time.Time
	Tolerance int
}

// Contains says whether a day lies within the span, its tolerance included.
func (s Span) Contains(day time.Time) bool {
	d := unixDay(day)
	return d >= unixDay(s.From)-s.Tolerance && d <= unixDay(s.To)+s.Tolerance
}

// Overlaps says whether two spans may mean the same day.
func (s Span) Overlaps(o Span) bool {
	slack := s.Tolerance + o.Tolerance
	return unixDay(s.From)-slack <= unixDay(o.To) && unixDay(o.From)-slack <= unixDay(s.To)
}

var (
	atShape       = shaped(`^(\d{4})(?:-(\d{2})(?:-(\d{2}))?|-(spring|summer|autumn|winter))?$`)
	relativeShape = shaped(`^(next|last|this) ([a-z]+)$`)
	timeShape     = shaped(`^([01]\d|2[0-3]):[0-5]\d$`)
	zoneShape     = shaped(`^[A-Za-z]{1,20}(/[A-Za-z_+-]{1,30}){0,2}$`)
	seasons       = map[string]int{"spring": 3, "summer": 6, "autumn": 9, "winter": 12}
)

// Day is the fuzzy date of one Gregorian day.
func Day(t time.Time) FuzzyDate { return FuzzyDate{At: t.UTC().Format(time.DateOnly)} }

// IsZero says that nothing is known of the date.
func (f FuzzyDate) IsZero() bool { return f.At == "" && f.Relative == "" && f.Printed == "" }

// Span is what the date can mean. ok is false when nothing can be computed from it.
func (f FuzzyDate) Span() (s Span, ok bool) {
	if f.At != "" {
		s, err := spanOf(f.At, f.Calendar)
		return s, err == nil
	}
	if f.Relative == "" || f.Said == "" {
		return Span{}, false
	}
	said, err := time.Parse(time.DateOnly, f.Said)
	if err != nil {
		return Span{}, false
	}
	s, err = relativeSpan(f.Relative, said)
	return s, err == nil
}

// Check says what is wrong with the date: a shape that cannot be read, a day that the calendar does not have, or
// dates printed side by side that are more than a day apart.
func (f FuzzyDate) Check() error {
	main, known := Span{}, false
	if f.At != "" {
		s, err := spanOf(f.At, f.Calendar)
		if err != nil {
			return err
		}
		main, known = s, true
	}
	if f.Said != "" {
		if _, err := time.Parse(time.DateOnly, f.Said); err != nil {
			return fmt.Errorf("said %q is not a day YYYY-MM-DD", f.Said)
		}
	}
	if f.Relative != "" {
		if f.Said == "" {
			return fmt.Errorf("%q needs the day on which it was said", f.Relative)
		}
		said, _ := time.Parse(time.DateOnly, f.Said)
		s, err := relativeSpan(f.Relative, said)
		if err != nil {
			return err
		}
		if known && !main.Overlaps(s) {
			return fmt.Errorf("%q said on %s is not %s", f.Relative, f.Said, f.At)
		}
	}
	if f.Time != "" && !timeShape().MatchString(f.Time) {
		return fmt.Errorf("time %q is not HH:MM", f.Time)
	}
	if f.Zone != "" && !zoneShape().MatchString(f.Zone) {
		return fmt.Errorf("zone %q is not a name like Asia/Riyadh", f.Zone)
	}
	for _, b := range f.Also {
		s, err := spanOf(b.At, b.Calendar)
		if err != nil {
			return err
		}
		// A printed pair is often a day apart: the source may follow a sighting, a table or another calendar.
		s.Tolerance = max(s.Tolerance, 1)
		if known && !main.Overlaps(s) {
			return fmt.Errorf("%s (%s) is more than a day away from %s", b.At, b.Calendar, f.At)
		}
	}
	return nil
}

// String is the date as it was understood, with its calendar where that is not the Gregorian one; [FuzzyDate.Source] gives the
// words that stood in the source.
func (f FuzzyDate) String() string {
	switch {
	case f.At != "":
		return inCalendar(f.At, f.Calendar)
	case f.Relative != "":
		return f.Relative + " (said " + f.Said + ")"
	}
	return f.Printed
}

// Source is what the source printed, in its own words: the time and its zone with it, and the same day in other calendars.
// It is empty where nothing of it was kept.
func (f FuzzyDate) Source() string {
	var parts []string
	if f.Printed != "" {
		parts = append(parts, f.Printed)
	}
	if f.Time != "" {
		parts = append(parts, strings.TrimSpace(f.Time+" "+f.Zone))
	}
	for _, b := range f.Also {
		words := b.Printed
		if words == "" {
			words = b.At
		}
		parts = append(parts, inCalendar(words, b.Calendar))
	}
	return strings.Join(parts, ", ")
}

func inCalendar(date string, c Calendar) string {
	if c == "" || c == Gregorian {
		return date
	}
	return date + " (" + string(c) + ")"
}

func spanOf(at string, c Calendar) (Span, error) {
	if first, last, ok := strings.Cut(at, "/"); ok {
		return daysBetween(first, last, c)
	}
	m := atShape().FindStringSubmatch(at)
	if m == nil {
		return Span{}, fmt.Errorf("date %q is not YYYY-MM-DD, YYYY-MM, YYYY-season, YYYY or two days with a slash between them", clip(at))
	}
	year, _ := strconv.Atoi(m[1])
	month, _ := strconv.Atoi(m[2])
	day, _ := strconv.Atoi(m[3])
	switch c {
	case "", Gregorian:
		return gregorianSpan(at, year, month, day, m[4])
	case Hijri, Tabular, UmmAlQura:
		if m[4] != "" {
			return Span{}, fmt.Errorf("date %q: seasons belong to the Gregorian calendar", at)
		}
		return hijriSpan(at, c, year, month, day)
	}
	return Span{}, fmt.Errorf("calendar %q is not known", c)
}

// daysBetween is the span from one day to another, both included.
func daysBetween(first, last string, c Calendar) (Span, error) {
	if len(first) != len(time.DateOnly) || len(last) != len(time.DateOnly) {
		return Span{}, fmt.Errorf("dates %q and %q are not two days YYYY-MM-DD", clip(first), clip(last))
	}
	from, err := spanOf(first, c)
	if err != nil {
		return Span{}, err
	}
	to, err := spanOf(last, c)
	if err != nil {
		return Span{}, err
	}
	if to.To.Before(from.From) {
		return Span{}, fmt.Errorf("%s comes before %s", last, first)
	}
	return Span{From: from.From, To: to.To, Tolerance: max(from.Tolerance, to.Tolerance)}, nil
}

func gregorianSpan(at string, year, month, day int, season string) (Span, error) {
	date := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	switch {
	case season != "":
		m := seasons[season]
		return Span{From: date(year, m, 1), To: date(year, m+3, 0)}, nil
	case month == 0 && len(at) == 4:
		return Span{From: date(year, 1, 1), To: date(year, 12, 31)}, nil
	case month < 1 || month > 12:
		return Span{}, fmt.Errorf("date %q has no such month", at)
	case day == 0 && len(at) == 7:
		return Span{From: date(year, month, 1), To: date(year, month+1, 0)}, nil
	}
	d := date(year, month, day)
	if d.Day() != day || int(d.Month()) != month {
		return Span{}, fmt.Errorf("date %q has no such day", at)
	}
	return Span{From: d, To: d}, nil
}

func hijriSpan(at string, c Calendar, year, month, day int) (Span, error) {
	fm, fd, lm := month, day, month
	if len(at) == 4 {
		fm, lm = 1, 12
	}
	if len(at) < 10 {
		fd = 1
	}
	from, tolerance, ok := HijriDay(c, year, fm, fd)
	if !ok {
		return Span{}, fmt.Errorf("date %q does not exist in calendar %s", at, c)
	}
	if len(at) == 10 {
		return Span{From: from, To: from, Tolerance: tolerance}, nil
	}
	to, _, ok := HijriDay(c, year, lm, 30)
	if !ok {
		to, _, _ = HijriDay(c, year, lm, 29)
	}
	return Span{From: from, To: to, Tolerance: tolerance}, nil
}

// relativeSpan resolves "next", "last" or "this" and a unit. "Next summer" is the first summer that begins after the
// day it was said; "last december" the last one that ended before it; "this" the one around it, or else the coming one.
func relativeSpan(words string, said time.Time) (Span, error) {
	m := relativeShape().FindStringSubmatch(strings.ToLower(words))
	if m == nil {
		return Span{}, fmt.Errorf("%q is not next, last or this and a unit", words)
	}
	span, err := unitSpans(m[2], said)
	if err != nil {
		return Span{}, err
	}
	var past, around, future *Span
	for i := range span {
		s := &span[i]
		switch {
		case s.To.Before(said):
			past = s
		case s.From.After(said):
			if future == nil {
				future = s
			}
		default:
			around = s
		}
	}
	switch {
	case m[1] == "next":
		return *future, nil
	case m[1] == "last":
		return *past, nil
	case around != nil:
		return *around, nil
	}
	return *future, nil
}

// unitSpans lists spans of a unit from well before to well after a day, in order.
func unitSpans(unit string, said time.Time) ([]Span, error) {
	date := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	y, mo := said.Year(), int(said.Month())
	var out []Span
	switch {
	case unit == "day":
		for i := -1; i <= 1; i++ {
			d := date(y, mo, said.Day()+i)
			out = append(out, Span{From: d, To: d})
		}
	case unit == "week":
		monday := date(y, mo, said.Day()-(int(said.Weekday())+6)%7)
		for i := -1; i <= 1; i++ {
			out = append(out, Span{From: monday.AddDate(0, 0, 7*i), To: monday.AddDate(0, 0, 7*i+6)})
		}
	case unit == "month":
		for i := -1; i <= 1; i++ {
			out = append(out, Span{From: date(y, mo+i, 1), To: date(y, mo+i+1, 0)})
		}
	case unit == "year":
		for i := -1; i <= 1; i++ {
			out = append(out, Span{From: date(y+i, 1, 1), To: date(y+i, 12, 31)})
		}
	case seasons[unit] != 0:
		for i := -2; i <= 1; i++ {
			out = append(out, Span{From: date(y+i, seasons[unit], 1), To: date(y+i, seasons[unit]+3, 0)})
		}
	default:
		for m := time.January; m <= time.December; m++ {
			if strings.EqualFold(m.String(), unit) {
				for i := -1; i <= 1; i++ {
					out = append(out, Span{From: date(y+i, int(m), 1), To: date(y+i, int(m)+1, 0)})
				}
				return out, nil
			}
		}
		return nil, fmt.Errorf("unit %q is not day, week, month, year, a season or a month", unit)
	}
	return out, nil
}
