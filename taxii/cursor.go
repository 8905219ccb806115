package taxii

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"
)

// A cursor is what "next" holds: the date_added of the last object of a page, and the collection it is of, as one
// encrypted block. It keeps no state on the server, works after a restart and on every replica that has the key, and shows
// nobody how far apart two positions are: what is hidden from a caller leaves no gap that could be counted.
//
// Filters are not part of it. A position means the same under any filter, so a client that changes a filter half-way, or
// moves added_after along with next as some do, gets what it asked for.
type cursors struct{ block cipher.Block }

// newCursors takes a key of 32 bytes.
func newCursors(key []byte) (cursors, error) {
	if len(key) != 32 {
		return cursors{}, fmt.Errorf("the cursor key has %d bytes, not 32", len(key))
	}
	block, err := aes.NewCipher(key)
	return cursors{block}, err
}

// seal makes the cursor that follows after.
func (c cursors) seal(at Place, after time.Time) string {
	var b [aes.BlockSize]byte
	binary.BigEndian.PutUint64(b[:8], uint64(after.UnixMicro()))
	copy(b[8:], at.tag())
	c.block.Encrypt(b[:], b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// open gives back what seal was called with, and refuses what this server did not issue for this collection: a block that
// was made up or changed carries the right tag once in 2^64.
func (c cursors) open(at Place, next string) (time.Time, error) {
	var b [aes.BlockSize]byte
	if len(next) != base64.RawURLEncoding.EncodedLen(len(b)) {
		return time.Time{}, fmt.Errorf("no cursor of this server")
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(b[:], []byte(next)); err != nil {
		return time.Time{}, fmt.Errorf("no cursor of this server")
	}
	c.block.Decrypt(b[:], b[:])
	if subtle.ConstantTimeCompare(b[8:], at.tag()) != 1 {
		return time.Time{}, fmt.Errorf("no cursor of this server for this collection")
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64(b[:8]))).UTC(), nil
}

// tag names the collection in 8 bytes.
func (p Place) tag() []byte {
	sum := sha256.Sum256([]byte(p.Root + "\x00" + p.Collection))
	return sum[:8]
}
