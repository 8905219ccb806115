package stix

import (
	"bytes"
	"fmt"
	"time"
)

// timeForm says how good a timestamp is.
type timeForm uint8

const (
	timeGood       timeForm = iota
	timeImpossible          // the form of a timestamp, but no such instant: 30 February, second 60
	timeMalformed
)

// timestampForm checks RFC 3339 in UTC with the letters T and Z in upper case (section 2.15).
func timestampForm(b []byte) timeForm {
	if len(b) < 20 || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' || b[len(b)-1] != 'Z' {
		return timeMalformed
	}
	for i, c := range b[:19] {
		if class[c]&digit == 0 && i != 4 && i != 7 && i != 10 && i != 13 && i != 16 {
			return timeMalformed
		}
	}
	if len(b) > 20 && (b[19] != '.' || len(b) < 22 || !all(b[20:len(b)-1], digit, "")) {
		return timeMalformed
	}
	year, month, day := two(b)*100+two(b[2:]), two(b[5:]), two(b[8:])
	hour, minute, second := two(b[11:]), two(b[14:]), two(b[17:])
	switch {
	case month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60:
		return timeMalformed
	case second == 60 || year == 0 || day > daysIn(year, month):
		return timeImpossible
	}
	return timeGood
}

func two(b []byte) int { return int(b[0]-'0')*10 + int(b[1]-'0') }

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// fraction is a timestamp's digits after the point.
func fraction(b []byte) []byte {
	if len(b) < 22 {
		return nil
	}
	return b[20 : len(b)-1]
}

// compareTimes orders two well-formed timestamps in time, whatever their precision.
func compareTimes(a, b []byte) int {
	if c := bytes.Compare(a[:19], b[:19]); c != 0 {
		return c
	}
	return bytes.Compare(bytes.TrimRight(fraction(a), "0"), bytes.TrimRight(fraction(b), "0"))
}

// ParseTimestamp reads a STIX timestamp. Digits beyond nanoseconds are cut off.
func ParseTimestamp(s string) (time.Time, error) {
	b := []byte(s)
	if timestampForm(b) != timeGood {
		return time.Time{}, fmt.Errorf("reading a timestamp: %q is not an RFC 3339 instant in UTC", s)
	}
	nanos := 0
	digits := fraction(b)
	for i := range 9 {
		nanos *= 10
		if i < len(digits) {
			nanos += int(digits[i] - '0')
		}
	}
	return time.Date(two(b)*100+two(b[2:]), time.Month(two(b[5:])), two(b[8:]), two(b[11:]), two(b[14:]), two(b[17:]), nanos, time.UTC), nil
}

// FormatTimestamp writes a timestamp with at least three and at most nine digits after the point, as created and
// modified need it (section 3.2).
func FormatTimestamp(t time.Time) string {
	t = t.UTC()
	s := t.Format("2006-01-02T15:04:05.000000000")
	n := len(s)
	for n > len(s)-6 && s[n-1] == '0' {
		n--
	}
	return s[:n] + "Z"
}
