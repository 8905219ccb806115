package index

import (
	"crypto/sha1" // #nosec G505 -- RFC 9562 makes identifiers of version 5 with it; nothing is protected by it
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"time"
)

// ID is the UUID of an indicator: what stands behind "indicator--".
type ID [16]byte

// ParseID reads "indicator--" and a UUID.
func ParseID(text string) (id ID, err error) {
	rest, ok := strings.CutPrefix(text, "indicator--")
	if !ok || len(rest) != 36 || rest[8] != '-' || rest[13] != '-' || rest[18] != '-' || rest[23] != '-' {
		return id, errors.New("the id is not indicator-- and a UUID")
	}
	b, err := hex.DecodeString(strings.ReplaceAll(rest, "-", ""))
	if err != nil || len(b) != len(id) {
		return id, errors.New("the id is not indicator-- and a UUID")
	}
	return ID(b), nil
}

// listNamespace is the UUID under which the indicators of plain lists get identifiers of their own.
var listNamespace = [16]byte{0x2b, 0x1f, 0x7a, 0x5c, 0x8d, 0x1e, 0x4e, 0x0a, 0x9a, 0x35, 0x0b, 0x55, 0x61, 0x7e, 0x90, 0x3d}

// ListID makes the identifier of a value that stands in a plain list: the same for the same value everywhere (UUID version 5, RFC
// 9562). A layer does not keep it.
func ListID(kind Kind, key []byte) ID {
	var space [256]byte
	sum := sha1.Sum(append(append(append(space[:0], listNamespace[:]...), byte(kind)), key...)) // #nosec G401 -- see the import
	id := ID(sum[:16])
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}

// String gives the identifier as STIX writes it.
func (id ID) String() string {
	b := append(make([]byte, 0, 47), "indicator--"...)
	for i, n := range [...]int{4, 2, 2, 2, 6} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, id[:n])
		id = ID(append(append([]byte(nil), id[n:]...), make([]byte, n)...))
	}
	return string(b)
}

// Row is what is known of one indicator behind a key: where it comes from and when it holds.
type Row struct {
	Indicator   ID
	From, Until uint32 // seconds since 1970; an Until of 0 is for ever
	Source      uint32 // in the layer that the row is of, up to 2^24; see Set.Source
	Confidence  uint8  // 0 to 100
	Pattern     bool   // the key is one part of a pattern: look at the rest of it
	Name        uint32 // up to 2^24, 0 is none; see Set.Name
}

// rowSize is the size in bytes of a row in a Builder; how a layer keeps it is in provenance.go.
const rowSize = 32

const flagPattern = 2

// NoConfidence is the Confidence of indicators that state none.
const NoConfidence = 255

// Seconds brings valid_from and valid_until into the form of rows. What is before 1970 is its first second. What is
// after 2106 never comes: as an end it is for ever, as a beginning the last second there is.
func Seconds(from, until time.Time) (f, u uint32) {
	if !from.IsZero() {
		f = uint32(min(max(from.Unix(), 1), math.MaxUint32))
	}
	if !until.IsZero() && until.Unix() <= math.MaxUint32 {
		u = uint32(max(until.Unix(), 1))
	}
	return f, u
}

// Holds tells whether the indicator is valid at a time in seconds since 1970: from From on, before Until. An unknown
// time (0 or less) is within any span.
func (r *Row) Holds(seconds int64) bool {
	return seconds <= 0 || seconds >= int64(r.From) && (r.Until == 0 || seconds < int64(r.Until))
}

func (r *Row) append(dst []byte) []byte {
	flags := byte(0)
	if r.Pattern {
		flags |= flagPattern
	}
	dst = append(dst, r.Indicator[:]...)
	dst = binary.LittleEndian.AppendUint32(dst, r.From)
	dst = binary.LittleEndian.AppendUint32(dst, r.Until)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(r.Source))
	dst = append(dst, r.Confidence, flags)
	return binary.LittleEndian.AppendUint32(dst, r.Name&0xffffff|r.Source>>16<<24)
}

func readRow(b []byte) Row {
	return Row{Indicator: ID(b[:16]), From: binary.LittleEndian.Uint32(b[16:]), Until: binary.LittleEndian.Uint32(b[20:]),
		Source:     uint32(binary.LittleEndian.Uint16(b[24:])) | uint32(b[31])<<16,
		Confidence: b[26], Pattern: b[27]&flagPattern != 0,
		Name: binary.LittleEndian.Uint32(b[28:]) & 0xffffff}
}

// Source says from whom indicators come, and what may be done with them.
type Source struct {
	Feed       string `json:"feed"` // the file or collection they were read from
	Author     string `json:"author,omitempty"`
	AuthorName string `json:"author_name,omitempty"`
	Agreement  string `json:"agreement,omitempty"`
	Record     string `json:"record,omitempty"`
	Marking    string `json:"marking,omitempty"` // TLP
	PAP        string `json:"pap,omitempty"`
	Expires    int64  `json:"expires,omitempty"` // seconds since 1970, of the record; 0: never
}

// ScanKey appends the key under which the row of a pattern stands that no value leads to. No value of traffic has it.
func ScanKey(dst []byte, id ID) []byte { return append(append(dst, "scan="...), id[:]...) }
