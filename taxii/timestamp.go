package taxii

import (
	"fmt"
	"strings"
	"time"
)

// FormatTime writes t as TAXII does: "the TAXII timestamp MUST have microsecond precision", in UTC with a Z (section 2).
func FormatTime(t time.Time) string { return string(appendTime(make([]byte, 0, 27), t)) }

func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
}

// ParseTime reads a timestamp in UTC with a Z. A fraction of any length is taken, because clients write milliseconds and
// none as often as the microseconds that section 2 asks for; beyond nanoseconds it is cut off.
func ParseTime(s string) (time.Time, error) {
	if !timeShaped(s) {
		return time.Time{}, fmt.Errorf("reading timestamp %q: want YYYY-MM-DDTHH:MM:SS.ssssssZ", clip(s))
	}
	if len(s) > 30 {
		s = s[:29] + "Z"
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading timestamp %q: no such day or time", clip(s))
	}
	return t, nil
}

// timeShaped checks the form only: digits where digits belong, T and Z in capitals, a fraction that is not empty.
func timeShaped(s string) bool {
	const form = "0000-00-00T00:00:00"
	if len(s) < len(form)+1 || len(s) > 64 || s[len(s)-1] != 'Z' {
		return false
	}
	for i := range len(form) {
		if form[i] == '0' && (s[i] < '0' || s[i] > '9') || form[i] != '0' && s[i] != form[i] {
			return false
		}
	}
	fraction := s[len(form) : len(s)-1]
	if fraction == "" {
		return true
	}
	return fraction[0] == '.' && len(fraction) > 1 && strings.Trim(fraction[1:], "0123456789") == ""
}

// VersionKey brings a version, which is a timestamp of any precision, into a form in which two versions are the same
// when the strings are, and older when the string sorts before: "…:01.500Z" and "…:01.5Z" have one key.
func VersionKey(version string) (string, error) {
	if _, err := ParseTime(version); err != nil {
		return "", err
	}
	key := version[:len(version)-1]
	if len(key) > 19 {
		key = strings.TrimRight(strings.TrimRight(key, "0"), ".") // the point keeps the zeros of the seconds
	}
	return key, nil
}

// clip shortens what a stranger sent for use in a message.
func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}
