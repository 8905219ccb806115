package agreement

import "time"

// Calendar names the calendar in which a date was printed.
type Calendar string

// The calendars. A text that prints a Hijri date seldom says which one: Hijri leaves it open and allows a day of difference.
const (
	Gregorian Calendar = "gregorian"
	Hijri     Calendar = "hijri"
	Tabular   Calendar = "hijri-tabular"   // civil epoch (16 July 622 Julian), leap years 2 5 7 10 13 16 18 21 24 26 29
	UmmAlQura Calendar = "hijri-ummalqura" // 1300 to 1600 AH
)

const secondsPerDay = 24 * 60 * 60

// unixDay is the number of days since 1970-01-01.
func unixDay(t time.Time) int {
	s := t.Unix()
	d := s / secondsPerDay
	if s%secondsPerDay < 0 {
		d--
	}
	return int(d)
}

func fromUnixDay(d int) time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// tabularStart is 1 Muharram of year 1 in days since 1970-01-01.
const tabularStart = -492148

// tabularDay counts the days to a date of the tabular calendar: 354 days a year and 11 leap days in 30 years.
func tabularDay(year, month, day int) int {
	return tabularStart + (year-1)*354 + (3+11*year)/30 + 29*(month-1) + month/2 + day - 1
}

func tabularMonth(year, month int) int {
	if month == 12 {
		return tabularDay(year+1, 1, 1) - tabularDay(year, 12, 1)
	}
	return tabularDay(year, month+1, 1) - tabularDay(year, month, 1)
}

func ummAlQuraMonth(year, month int) (days int, ok bool) {
	i := year - ummAlQuraFirst
	if i < 0 || i >= len(ummAlQuraMonths) || month < 1 || month > 12 {
		return 0, false
	}
	return 29 + int(ummAlQuraMonths[i]>>(month-1)&1), true
}

func ummAlQuraDay(year, month, day int) (int, bool) {
	length, ok := ummAlQuraMonth(year, month)
	if !ok || day < 1 || day > length {
		return 0, false
	}
	d := ummAlQuraStart
	for y := ummAlQuraFirst; y < year; y++ {
		for m := 1; m <= 12; m++ {
			n, _ := ummAlQuraMonth(y, m)
			d += n
		}
	}
	for m := 1; m < month; m++ {
		n, _ := ummAlQuraMonth(year, m)
		d += n
	}
	return d + day - 1, true
}

// HijriDay is the Gregorian day of a Hijri date, and how many days the answer may be off: 0 for a named calendar,
// 1 for [Hijri], where the text does not say which and the moon may have been seen a day earlier or later.
// ok is false for a date which that calendar does not have.
func HijriDay(c Calendar, year, month, day int) (at time.Time, tolerance int, ok bool) {
	if year < 1 || year > 2000 || month < 1 || month > 12 || day < 1 || day > 30 {
		return time.Time{}, 0, false
	}
	switch c {
	case Tabular:
		if day > tabularMonth(year, month) {
			return time.Time{}, 0, false
		}
		return fromUnixDay(tabularDay(year, month, day)), 0, true
	case UmmAlQura:
		d, ok := ummAlQuraDay(year, month, day)
		return fromUnixDay(d), 0, ok
	case Hijri:
		if d, ok := ummAlQuraDay(year, month, day); ok {
			return fromUnixDay(d), 1, true
		}
		return fromUnixDay(tabularDay(year, month, day)), 1, true
	}
	return time.Time{}, 0, false
}

// ToHijri is the date of a Gregorian day in the Umm al-Qura calendar, or in the tabular one outside its years.
func ToHijri(day time.Time) (c Calendar, year, month, dayOfMonth int) {
	d := unixDay(day)
	if rest := d - ummAlQuraStart; rest >= 0 {
		for y := ummAlQuraFirst; y < ummAlQuraFirst+len(ummAlQuraMonths); y++ {
			for m := 1; m <= 12; m++ {
				n, _ := ummAlQuraMonth(y, m)
				if rest < n {
					return UmmAlQura, y, m, rest + 1
				}
				rest -= n
			}
		}
	}
	year = (30*(d-tabularStart) + 10646) / 10631
	for tabularDay(year, 1, 1) > d {
		year--
	}
	for tabularDay(year+1, 1, 1) <= d {
		year++
	}
	month = 1
	for month < 12 && tabularDay(year, month+1, 1) <= d {
		month++
	}
	return Tabular, year, month, d - tabularDay(year, month, 1) + 1
}
