package index

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestIPv4IsReadAsByTheLibrary: the same texts are addresses, and the same ones.
func TestIPv4IsReadAsByTheLibrary(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, text string) {
		want, err := netip.ParseAddr(text)
		got, ok := parseIPv4([]byte(text))
		if ok != (err == nil && want.Is4()) || ok && got != want {
			t.Fatalf("%q: %v %v, want %v %v", text, got, ok, want, err)
		}
	}
	for _, text := range []string{"1.2.3.4", "255.255.255.255", "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1..2.3.4", ".1.2.3.4", "1.2.3.4.", "0.0.0.0", "00.0.0.0",
		"1234.1.1.1", "1.2.3.999", "::ffff:1.2.3.4", "100.200.30.1", "1.2.3.4/", "1.2.3.4:", "111111111111.1.", "1.1.1.111111111", "...........", "1.2.3.4\x00", "1.2.3.\xb14"} {
		check(t, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		b := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address"))).String()
		check(t, b)
		at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		put := rapid.SampledFrom([]string{"", "0", ".", "9", "/", ":", "\xae", "25", "\x00"}).Draw(t, "put")
		check(t, b[:at]+put+b[at+1:])
		check(t, b[:at]+put+b[at:])
	})
}

// TestPlainNamesAreThoseOfAllNames: read by eight bytes, a name gives what its bytes one by one give, or nothing.
func TestPlainNamesAreThoseOfAllNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SampledFrom([]byte("abzAZ09-_.....@[`{/:^,\x00\xae\xe1\xdf"))
		if rapid.Bool().Draw(t, "plain") {
			letters = rapid.SampledFrom([]byte("abcdefzAZ09-_."))
		}
		name := rapid.SliceOfN(letters, 0, 70).Draw(t, "name")
		want := bytes.ToLower(name)
		labels := strings.Split(string(name), ".")
		plain := len(name) >= 8 && len(name) <= 63
		for _, label := range labels {
			plain = plain && label != "" && strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
		}
		dst := append(make([]byte, 0, rapid.IntRange(3, 80).Draw(t, "room")), "abc"...)
		got, ok := appendPlainDomain(dst, name)
		if ok != plain || ok && string(got) != "abc"+string(want) || !ok && string(got) != "abc" {
			t.Fatalf("%q: %q %v, want %q %v", name, got, ok, want, plain)
		}
	})
}
