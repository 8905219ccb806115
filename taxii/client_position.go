package taxii

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// position is what a cursor of Pull holds.
type position struct {
	Of        string    `json:"of"`                  // fingerprint of collection and filter
	Newest    time.Time `json:"newest,omitzero"`     // the last date seen
	Drained   time.Time `json:"drained,omitzero"`    // the server's clock when the last drain began
	Barrier   time.Time `json:"barrier,omitzero"`    // what was added up to here may not be remembered any more
	Next      string    `json:"next,omitempty"`      // in the middle of a drain: the server's cursor,
	NextAfter time.Time `json:"next_after,omitzero"` // and the added_after that it goes with
	Seen      []seen    `json:"seen,omitempty"`
}

// seen is what one page brought, for recognising it later.
type seen struct {
	Last  time.Time `json:"last"`  // date of the page's last object; zero when the server did not say
	Marks []byte    `json:"marks"` // 8 bytes for each object
}

func fingerprint(objects string, f Filter) string {
	f.AddedAfter = f.AddedAfter.UTC()
	sum := sha256.Sum256([]byte(objects + "?" + f.values().Encode()))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// save writes the position, with the marks that reading on from its floor may need.
func (p *pull) save() ([]byte, error) {
	at, floor := p.at, p.floor()
	at.Seen = nil
	for _, page := range p.known.pages {
		switch {
		case len(page.Marks) == 0:
		case page.Last.IsZero() || !page.Last.Before(floor):
			at.Seen = append(at.Seen, page)
		case page.Last.After(at.Barrier):
			// The floor may go back by a margin when a later date happens to be a round one: not behind what is forgotten here.
			at.Barrier = page.Last
		}
	}
	b, err := json.Marshal(at)
	if err != nil {
		return nil, fmt.Errorf("writing the cursor: %w", err)
	}
	return b, nil
}

// resume goes on from what save wrote.
func (p *pull) resume(saved []byte) error {
	var at position
	if err := json.Unmarshal(saved, &at); err != nil {
		return fmt.Errorf("reading the cursor: %w", err)
	}
	if at.Of != p.at.Of {
		return ErrForeignCursor
	}
	p.known.load(at.Seen)
	at.Seen = nil
	p.at = at
	return nil
}

// memory knows the objects of the last pages, up to a number of objects.
type memory struct {
	most  int
	pages []seen // oldest first; the last is being filled
	marks map[uint64]struct{}
}

func newMemory(most int) memory { return memory{most: most, marks: map[uint64]struct{}{}} }

func (m *memory) load(pages []seen) {
	m.pages = pages
	for _, page := range pages {
		for b := page.Marks; len(b) >= 8; b = b[8:] {
			m.marks[binary.BigEndian.Uint64(b)] = struct{}{}
		}
	}
}

// turn begins a page.
func (m *memory) turn(last time.Time) { m.pages = append(m.pages, seen{Last: last}) }

// isNew remembers an object of the page, and reports whether it was not known before.
func (m *memory) isNew(o Object, raw []byte, readable bool) bool {
	mark := markOf(o, raw, readable)
	if _, known := m.marks[mark]; known {
		return false
	}
	m.marks[mark] = struct{}{}
	page := &m.pages[len(m.pages)-1]
	page.Marks = binary.BigEndian.AppendUint64(page.Marks, mark)
	return true
}

// trim forgets the oldest pages beyond the bound, and returns the last date among what it forgot.
func (m *memory) trim() (barrier time.Time) {
	for len(m.pages) > 1 && (len(m.marks) > m.most || len(m.pages) > 1024) {
		page := m.pages[0]
		for b := page.Marks; len(b) >= 8; b = b[8:] {
			delete(m.marks, binary.BigEndian.Uint64(b))
		}
		if len(page.Marks) > 0 && page.Last.After(barrier) {
			barrier = page.Last
		}
		m.pages = m.pages[1:]
	}
	return barrier
}

// markOf makes one mark of what is one object: its id, version and spec version; without a version its contents, however
// the server writes them down this time.
func markOf(o Object, raw []byte, readable bool) uint64 {
	h := sha256.New()
	key, err := VersionKey(o.Version)
	switch {
	case readable && err == nil:
		fmt.Fprintf(h, "version\x00%s\x00%s\x00%s", o.ID, key, o.SpecVersion)
	case readable:
		canonical := append(jsontext.Value(nil), raw...)
		if canonical.Canonicalize() != nil {
			canonical = raw
		}
		h.Write([]byte("contents\x00"))
		h.Write(canonical)
	default:
		h.Write([]byte("unreadable\x00"))
		h.Write(raw)
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}
