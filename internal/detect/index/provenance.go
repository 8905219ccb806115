package index

import "encoding/binary"

// How a layer keeps rows. What indicators of one source have alike (where from, how sure, how long valid) stands once, in a
// form; a row is the number of its form in four bytes. A value of a plain list needs no more: its identifier follows from it. An
// indicator with an identifier of its own has it, and the time from which it holds, in a record of 24 bytes.
const (
	placeSize = 4          // of a row: the number of a form, or of an own record
	ownSize   = 16 + 4 + 4 // identifier, From, the number of the form
	formSize  = 16
	placeMore = 1 << 31 // more rows of the same key are behind
	placeOwn  = 1 << 30 // the number is that of an own record
)

// formUntil is a flag of forms beside flagPattern: it ends, and Until is From and the form's span.
const formUntil = 1

// form is what many rows have alike: From (0 where own records have it), the seconds from there to Until, source, confidence,
// name, flags.
type form [formSize]byte

func formOf(r *Row, from uint32) (f form) {
	flags := byte(0)
	if r.Pattern {
		flags |= flagPattern
	}
	binary.LittleEndian.PutUint32(f[:], from)
	if r.Until != 0 {
		flags |= formUntil
		binary.LittleEndian.PutUint32(f[4:], r.Until-r.From) // may run over, and back when it is read
	}
	binary.LittleEndian.PutUint32(f[8:], r.Source&0xffffff|uint32(r.Confidence)<<24)
	binary.LittleEndian.PutUint32(f[12:], r.Name&0xffffff|uint32(flags)<<24)
	return f
}

func (f form) row() Row {
	last, flags := binary.LittleEndian.Uint32(f[12:]), f[15]
	r := Row{From: binary.LittleEndian.Uint32(f[:]), Source: binary.LittleEndian.Uint32(f[8:]) & 0xffffff, Confidence: f[11],
		Name: last & 0xffffff, Pattern: flags&flagPattern != 0}
	if flags&formUntil != 0 {
		r.Until = binary.LittleEndian.Uint32(f[4:])
	}
	return r
}

// provenance is the rows of a layer.
type provenance struct {
	rows  []byte // of placeSize; row n belongs to key n, the others to keys with several
	owns  []byte // of ownSize
	forms []byte // of formSize
}

func (p *provenance) size() int { return len(p.rows) + len(p.owns) + len(p.forms) }

// row reads row n, which is of a key. A number that leads nowhere gives none.
func (p *provenance) row(n uint32, kind Kind, key []byte) (r Row, more, ok bool) {
	if uint64(n)*placeSize+placeSize > uint64(len(p.rows)) {
		return r, false, false
	}
	place := binary.LittleEndian.Uint32(p.rows[n*placeSize:])
	more = place&placeMore != 0
	number, own := place&(placeOwn-1), []byte(nil)
	if place&placeOwn != 0 {
		at := uint64(number) * ownSize
		if at+ownSize > uint64(len(p.owns)) {
			return r, more, false
		}
		own = p.owns[at : at+ownSize]
		number = binary.LittleEndian.Uint32(own[20:])
	}
	at := uint64(number) * formSize
	if at+formSize > uint64(len(p.forms)) {
		return r, more, false
	}
	f := form(p.forms[at : at+formSize])
	if r = f.row(); own != nil {
		r.Indicator, r.From = ID(own), binary.LittleEndian.Uint32(own[16:])
	} else {
		r.Indicator = ListID(kind, key)
	}
	if f[15]&formUntil != 0 {
		r.Until += r.From
	}
	return r, more, true
}

// provenanceBuilder packs rows.
type provenanceBuilder struct {
	provenance
	numbers map[form]uint32
}

// pack gives the place of a row of a key, without placeMore.
func (b *provenanceBuilder) pack(r *Row, kind Kind, key []byte) uint32 {
	if r.Indicator[6]>>4 == 5 && r.Indicator == ListID(kind, key) {
		return b.form(formOf(r, r.From))
	}
	number := uint32(len(b.owns) / ownSize)
	b.owns = append(b.owns, r.Indicator[:]...)
	b.owns = binary.LittleEndian.AppendUint32(b.owns, r.From)
	b.owns = binary.LittleEndian.AppendUint32(b.owns, b.form(formOf(r, 0)))
	return number | placeOwn
}

func (b *provenanceBuilder) form(f form) uint32 {
	if n, ok := b.numbers[f]; ok {
		return n
	}
	if b.numbers == nil {
		b.numbers = map[form]uint32{}
	}
	n := uint32(len(b.numbers))
	b.numbers[f] = n
	b.forms = append(b.forms, f[:]...)
	return n
}
