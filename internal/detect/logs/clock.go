package logs

// parseTime reads a time as logs write it, in nanoseconds since 1970: seconds with a fraction, or ISO 8601 with a zone
// in any of its forms (Z, +0200, +02:00). 0 is what it is not.
func parseTime(b []byte) int64 {
	if len(b) >= 19 && b[4] == '-' && b[7] == '-' && (b[10] == 'T' || b[10] == ' ') {
		return parseISO(b)
	}
	return parseSeconds(b)
}

// mostSeconds before and after 1970 can be told in nanoseconds: 272 years.
const mostSeconds = 1 << 33

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
	if !ok || whole > mostSeconds {
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

// daysSince1970 counts the days to a date of the Gregorian calendar, by years that begin in March so that the day that may
// be missing is the last. Months and days out of range go over into the next, as in time.Date.
func daysSince1970(year, month, day int) int {
	year, month = year+(month-1)/12, (month-1)%12+1
	if month < 1 {
		year, month = year-1, month+12
	}
	if month < 3 {
		year, month = year-1, month+12
	}
	const fromMarch0 = 719468 // days from 1 March of the year 0 to 1970
	return 365*year + floor(year, 4) - floor(year, 100) + floor(year, 400) + (153*(month-3)+2)/5 + day - 1 - fromMarch0
}

func floor(a, b int) int {
	if a < 0 {
		return -((b - 1 - a) / b)
	}
	return a / b
}

// two reads two digits; other is not 0 where one of them is none.
func two(b []byte) (n int, other byte) {
	tens, ones := b[0]-'0', b[1]-'0'
	if tens > 9 || ones > 9 {
		other = 1
	}
	return int(tens)*10 + int(ones), other
}

func parseISO(b []byte) int64 {
	century, bad1 := two(b)
	year, bad2 := two(b[2:])
	month, bad3 := two(b[5:])
	day, bad4 := two(b[8:])
	hour, bad5 := two(b[11:])
	minute, bad6 := two(b[14:])
	second, bad7 := two(b[17:])
	if bad1|bad2|bad3|bad4|bad5|bad6|bad7 != 0 {
		return 0
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
	at := int64(daysSince1970(century*100+year, month, day))*86400 + int64(hour*3600+minute*60+second)
	if len(rest) >= 5 && (rest[0] == '+' || rest[0] == '-') {
		hours, _ := digits(rest[1:3])
		minutes, _ := digits(rest[len(rest)-2:])
		offset := int64(hours*3600 + minutes*60)
		if rest[0] == '-' {
			offset = -offset
		}
		at -= offset
	}
	if at < -mostSeconds || at > mostSeconds {
		return 0
	}
	return at*1e9 + nanos
}
