package pattern

import (
	"errors"
	"strings"
	"time"
)

// parseTimestamp reads a timestamp as microseconds since 1970. It is as lenient
// as the reference matcher: fields may lack their leading zero, digits beyond
// the sixth of the fraction are dropped; letters are upper case, the zone is Z,
// and the calendar is kept (no second 60).
func parseTimestamp(s string) (int64, error) {
	r := timestampReader{rest: s}
	year := r.number(4, 4, 1, 9999)
	r.literal('-')
	month := r.number(1, 2, 1, 12)
	r.literal('-')
	day := r.number(1, 2, 1, 31)
	r.literal('T')
	hour := r.number(1, 2, 0, 23)
	r.literal(':')
	minute := r.number(1, 2, 0, 59)
	r.literal(':')
	second := r.number(1, 2, 0, 59)
	micros := 0
	if strings.HasPrefix(r.rest, ".") {
		r.literal('.')
		micros = r.fraction()
	}
	r.literal('Z')
	if r.bad || r.rest != "" {
		return 0, errors.New("reading a timestamp: not of the form 2006-01-02T15:04:05.000Z")
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, micros*1000, time.UTC)
	if t.Day() != day {
		return 0, errors.New("reading a timestamp: the day is not in the calendar")
	}
	return t.UnixMicro(), nil
}

type timestampReader struct {
	rest string
	bad  bool
}

func (r *timestampReader) literal(c byte) {
	if r.rest == "" || r.rest[0] != c {
		r.bad = true
		return
	}
	r.rest = r.rest[1:]
}

func (r *timestampReader) digits(most int) string {
	n := 0
	for n < most && n < len(r.rest) && isDigit(r.rest[n]) {
		n++
	}
	digits := r.rest[:n]
	r.rest = r.rest[n:]
	return digits
}

func (r *timestampReader) number(fewest, most, low, high int) int {
	digits, value := r.digits(most), 0
	for i := 0; i < len(digits); i++ {
		value = value*10 + int(digits[i]-'0')
	}
	if len(digits) < fewest || value < low || value > high {
		r.bad = true
	}
	return value
}

// fraction reads the digits of a fraction of a second as microseconds.
func (r *timestampReader) fraction() int {
	digits := r.digits(len(r.rest))
	if digits == "" {
		r.bad = true
	}
	value := 0
	for i := range 6 {
		value *= 10
		if i < len(digits) {
			value += int(digits[i] - '0')
		}
	}
	return value
}
