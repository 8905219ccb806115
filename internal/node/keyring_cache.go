package node

import (
	"crypto/sha256"
	"sync"

	"github.com/mithaq/mithaq/internal/record"
)

// maxKeyrings bounds how many keyrings are remembered: two generations of half of it, some 8 KB each.
const maxKeyrings = 1024

// keyrings remembers keyrings that were read, by the hash of their envelope: reading one verifies signatures and post-quantum
// keys, and the same few are looked at for every request, witness and decision. The zero value is empty. Safe for concurrent use.
type keyrings struct {
	mu       sync.Mutex // guards all below
	now, old map[[32]byte]record.Keyring
}

// parse is [record.ParseKeyring]. What it returns is shared: nobody changes it.
func (c *keyrings) parse(envelope []byte) (record.Keyring, error) {
	hash := sha256.Sum256(envelope)
	c.mu.Lock()
	k, known := c.now[hash]
	if !known {
		k, known = c.old[hash]
	}
	c.mu.Unlock()
	if !known {
		var err error
		if k, err = record.ParseKeyring(envelope); err != nil {
			return k, err // not remembered: it costs its sender as much as us
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.now) >= maxKeyrings/2 {
		c.old, c.now = c.now, nil
	}
	if c.now == nil {
		c.now = map[[32]byte]record.Keyring{}
	}
	c.now[hash] = k
	return k, nil
}
