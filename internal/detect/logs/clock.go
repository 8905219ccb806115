package logs

import (
	"time"
)

// parseTime reads a time as logs write it, in nanoseconds since 1970: seconds with a fraction, or ISO 8601 with a zone
// in any of its forms (Z, +0200, +02:00). 0 is what it is not.
func parseTime(b []byte) int64 {
	if len(b) >= 19 && b[4] == '-' && b[7] == '-' && (b[10] == 'T' || b[10] == ' ') {
		return parseISO(b)
	}
	return parseSeconds(b)
}

func digits(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, len(b) > 0 && len(b) < 12
}

func parseSeconds(b []byte) int64 {
	dot := len(b)
	for i, c := range b {
		if c == '.' {
			dot = i
			break
		}
	}
	whole, ok := digits(b[:dot])
	if !ok || whole > 1<<33 {
		return 0
	}
	return int64(whole)*1e9 + fraction(b[min(dot+1, len(b)):])
}

// fraction reads the digits behind a point as nanoseconds.
func fraction(b []byte) int64 {
	n, scale := int64(0), int64(1e8)
	for _, c := range b {
		if c < '0' || c > '9' || scale == 0 {
			break
		}
		n += int64(c-'0') * scale
		scale /= 10
	}
	return n
}

func parseISO(b []byte) int64 {
	var part [6]int
	for i, at := range [...][2]int{{0, 4}, {5, 7}, {8, 10}, {11, 13}, {14, 16}, {17, 19}} {
		n, ok := digits(b[at[0]:at[1]])
		if !ok {
			return 0
		}
		part[i] = n
	}
	rest := b[19:]
	nanos := int64(0)
	if len(rest) > 0 && rest[0] == '.' {
		nanos = fraction(rest[1:])
		end := 1
		for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
			end++
		}
		rest = rest[end:]
	}
	at := time.Date(part[0], time.Month(part[1]), part[2], part[3], part[4], part[5], 0, time.UTC).Unix()
	if len(rest) >= 5 && (rest[0] == '+' || rest[0] == '-') {
		hours, _ := digits(rest[1:3])
		minutes, _ := digits(rest[len(rest)-2:])
		offset := int64(hours*3600 + minutes*60)
		if rest[0] == '-' {
			offset = -offset
		}
		at -= offset
	}
	return at*1e9 + nanos
}
