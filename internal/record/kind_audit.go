package record

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// AuditBody commits to what a node decided at its exits in one hour. It says how much that was, and nothing of it: the rows
// stay in the node's table, and are checked against the hash.
type AuditBody struct {
	Hour      Instant `json:"hour,omitzero"`      // when it began, in UTC
	Rows      int64   `json:"rows,omitzero"`      // of the table
	Decisions int64   `json:"decisions,omitzero"` // that they count
	Hash      string  `json:"hash,omitzero"`      // [AuditHash] of Previous and the rows
	Previous  string  `json:"previous,omitzero"`  // the hash of the audit record before this one in the log; empty: the first
}

// Kind returns [KindAudit].
func (*AuditBody) Kind() Kind { return KindAudit }

func (a *AuditBody) check(c *checker, at string) {
	if c.required(!a.Hour.IsZero(), at+"/hour") && !a.Hour.Time.Truncate(time.Hour).Equal(a.Hour.Time) {
		c.fail(CodeValue, at+"/hour", "not the beginning of an hour in UTC")
	}
	for _, n := range []struct {
		value int64
		name  string
	}{{a.Rows, "/rows"}, {a.Decisions, "/decisions"}} {
		if c.required(n.value != 0, at+n.name) && (n.value < 1 || n.value > maxExact) {
			c.fail(CodeValue, at+n.name, "counts from 1: an hour without decisions has no record")
		}
	}
	if c.required(a.Hash != "", at+"/hash") {
		c.hash(a.Hash, at+"/hash")
	}
	if a.Previous != "" {
		c.hash(a.Previous, at+"/previous")
	}
}

// AuditHash is the hash of an hour's rows, each in the bytes that the table's owner fixed for it, in their order, chained to
// the hour before (docs/formats.md, section 5).
func AuditHash(previous string, hour time.Time, rows [][]byte) string {
	h := sha256.New()
	h.Write([]byte("mithaq/audit/v1\x00"))
	h.Write([]byte(previous + "\x00" + hour.UTC().Format(instantLayout) + "\x00"))
	for _, row := range rows {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(row)))
		h.Write(size[:])
		h.Write(row)
	}
	return hex.EncodeToString(h.Sum(nil))
}
