package logs

import (
	"encoding/binary"
	"math/bits"
)

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
	nanos, _ := fraction(b[min(dot+1, len(b)):])
	return int64(whole)*1e9 + nanos
}

// fraction reads the digits behind a point as nanoseconds, and tells how many they are. Those behind the ninth count nothing.
func fraction(b []byte) (nanos int64, size int) {
	if len(b) >= 8 {
		// Six digits are what nearly all logs have: eight bytes at a time, with zeros for what is none.
		w := binary.LittleEndian.Uint64(b) ^ '0'*ones
		if none := moreThanNine(w); none != 0 {
			size = bits.TrailingZeros64(none) / 8
			w &= 1<<(8*size) - 1
			w = pairs(w) // and two of those one below 10,000, and two of those one below 100,000,000
			w = (w&(0xff<<32|0xff)*(100+1_000_000<<32) + w>>16&(0xff<<32|0xff)*(1+10_000<<32)) >> 32
			return int64(w) * 10, size
		}
	}
	for scale := int64(1e8); size < len(b) && b[size] >= '0' && b[size] <= '9'; size++ {
		nanos += int64(b[size]-'0') * scale
		scale /= 10
	}
	return nanos, size
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

// pairs makes of eight digits, given as numbers, what two of them count, in the byte of the first.
func pairs(w uint64) uint64 { return w*10 + w>>8 }

// moreThanNine has the highest bit of each byte that is no digit's number.
func moreThanNine(w uint64) uint64 { return (w&low + (0x7f-9)*ones | w) & high }

func parseISO(b []byte) int64 {
	const dateDigits, clockDigits = 0x00ffff00ffffffff, 0xffff00ffff00ffff // of 2006-01- and 02T15:04
	date, clock := (binary.LittleEndian.Uint64(b)^'0'*ones)&dateDigits, (binary.LittleEndian.Uint64(b[8:])^'0'*ones)&clockDigits
	tens, units := b[17]-'0', b[18]-'0'
	if moreThanNine(date)|moreThanNine(clock) != 0 || tens > 9 || units > 9 {
		return 0
	}
	date, clock = pairs(date), pairs(clock)
	day := daysSince1970(int(date&0xff*100+date>>16&0xff), int(date>>40&0xff), int(clock&0xff))
	at := int64(day)*86400 + int64(clock>>24&0xff*3600+clock>>48&0xff*60) + int64(tens)*10 + int64(units)
	rest := b[19:]
	nanos := int64(0)
	if len(rest) > 0 && rest[0] == '.' {
		var size int
		nanos, size = fraction(rest[1:])
		rest = rest[1+size:]
	}
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
