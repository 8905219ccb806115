package record

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"strings"
	"sync"
)

// The English word list of BIP-39: 2048 words, of which the first four letters suffice. It is a file of this package rather
// than a dependency: the list is fixed for ever, and its modules bring wallets with it.
//
//go:embed words.txt
var wordFile string

var words = sync.OnceValue(func() []string { return strings.Fields(wordFile) })

// FingerprintWords returns the eight words that two people compare on a telephone to know that they mean the same party:
// the first 88 bits of a hash of the party id, eleven bits a word (docs/formats.md, section 10).
func FingerprintWords(party string) string {
	sum := sha256.Sum256([]byte("mithaq/fingerprint/v1\x00" + party))
	high, low := binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])
	out := make([]string, 8)
	for i := range out {
		out[i] = words()[high>>(64-11)]
		high, low = high<<11|low>>(64-11), low<<11
	}
	return strings.Join(out, " ")
}
