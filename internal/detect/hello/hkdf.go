package hello

import "crypto/sha256"

// The standard library's HKDF makes eight hashes on the heap for each label, which was most of what a QUIC connection
// cost. These two are HKDF-Extract and HKDF-Expand (RFC 5869) with SHA-256 for what Initial packets need: keys of one
// block at most, and results of one hash at most. What they derive protects nothing: anyone can.

const block = 64 // of SHA-256, in bytes

// hmac256 is HMAC-SHA-256 (RFC 2104) of a message of at most one block, with a key of at most one.
func hmac256(key, message []byte) [sha256.Size]byte {
	var inner [2 * block]byte
	var outer [block + sha256.Size]byte
	copy(inner[:block], key)
	copy(outer[:block], key)
	for i := range block {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	n := copy(inner[block:], message)
	sum := sha256.Sum256(inner[:block+n])
	copy(outer[block:], sum[:])
	return sha256.Sum256(outer[:])
}

// expandLabel fills out, of at most 32 bytes, by HKDF-Expand-Label without context (RFC 8446, section 7.1). A label has at
// most 12 characters.
func expandLabel(secret []byte, label string, out []byte) {
	var space [block]byte
	info := append(space[:0], 0, byte(len(out)), byte(len(label)+6))
	info = append(info, "tls13 "...)
	info = append(info, label...)
	info = append(info, 0, 1) // no context; the first block
	sum := hmac256(secret, info)
	copy(out, sum[:])
}
