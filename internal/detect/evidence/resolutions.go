package evidence

import "github.com/mithaq/mithaq/internal/detect/room"

// resolutions remembers the addresses that names were answered with. It is a table of fixed size; in a full row the name
// asked for longest ago gives way.
type resolutions struct {
	rows  [][4]resolution
	clock uint64
}

type resolution struct {
	name      uint64
	addresses [8]uint64
	at        int64
	used      uint64 // the clock when it was asked for last
	file      uint32
	n         uint8
	over      bool // more addresses than fit: nothing follows from one that is not there
}

func newResolutions(names int) *resolutions {
	n := 1
	for n*4 < names {
		n *= 2
	}
	return &resolutions{rows: room.Make[[4]resolution](n)}
}

func (t *resolutions) row(name uint64) *[4]resolution {
	return &t.rows[name>>32&uint64(len(t.rows)-1)]
}

func (t *resolutions) get(name uint64) *resolution {
	row := t.row(name)
	for i := range row {
		if row[i].name == name {
			return &row[i]
		}
	}
	return nil
}

// room gives the place for a new name: an empty one, or that of the name asked for longest ago.
func (t *resolutions) room(name uint64) *resolution {
	row := t.row(name)
	r := &row[0]
	for i := range row {
		if row[i].used < r.used {
			r = &row[i]
		}
	}
	return r
}

// put brings a name back that is not there, unless its row is full of ones asked for later.
func (t *resolutions) put(r resolution) {
	if at := t.room(r.name); at.name == 0 || at.used < r.used {
		*at = r
	}
}

func (t *resolutions) ask(name uint64, where spot) {
	t.clock++
	r := t.get(name)
	if r == nil {
		r = t.room(name)
		*r = resolution{name: name}
	}
	r.used, r.at, r.file = t.clock, where.at, where.file
}

func (t *resolutions) answer(name, address uint64) {
	r := t.get(name)
	if r == nil {
		return
	}
	for _, have := range r.addresses[:r.n] {
		if have == address {
			return
		}
	}
	if int(r.n) == len(r.addresses) {
		r.over = true
		return
	}
	r.addresses[r.n] = address
	r.n++
}

// agrees tells whether a name was answered with an address: NotSaid-like when nothing can be said.
func (r *resolution) agrees(address uint64) (known, agrees bool) {
	if r == nil || r.n == 0 {
		return false, false
	}
	for _, have := range r.addresses[:r.n] {
		if have == address {
			return true, true
		}
	}
	return !r.over, false
}
