package record

import "encoding/base64"

// base64Tables give the bits of a character at each of the four places of a group, least significant byte first in the word; what is
// no character of the standard alphabet sets a bit beyond the three bytes.
type base64Tables [4][256]uint32

const notBase64 = 1 << 24

func newBase64Tables() *base64Tables {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	t := new(base64Tables)
	for place := range t {
		for c := range t[place] {
			t[place][c] = notBase64
		}
		for value := range len(alphabet) {
			bits := uint32(value) << (18 - 6*place) // #nosec G115 -- below 64
			t[place][alphabet[value]] = bits>>16&0xff | bits&0xff00 | bits&0xff<<16
		}
	}
	return t
}

// decode is base64.StdEncoding.Decode in less than half the time, because opening a large record is mostly this. ok is false for
// what is not in the standard alphabet, line ends included. dst has room for what DecodedLen says.
func (t *base64Tables) decode(dst, src []byte) (n int, ok bool) {
	bad := uint32(0)
	for len(src) > 8 && len(dst) >= 8 { // the last group may be padded
		a := t[0][src[0]] | t[1][src[1]] | t[2][src[2]] | t[3][src[3]]
		b := t[0][src[4]] | t[1][src[5]] | t[2][src[6]] | t[3][src[7]]
		bad |= a | b
		dst[0], dst[1], dst[2], dst[3], dst[4], dst[5] = byte(a), byte(a>>8), byte(a>>16), byte(b), byte(b>>8), byte(b>>16)
		src, dst = src[8:], dst[6:]
		n += 6
	}
	if bad&notBase64 != 0 {
		return 0, false
	}
	rest, err := base64.StdEncoding.Decode(dst, src)
	return n + rest, err == nil
}
