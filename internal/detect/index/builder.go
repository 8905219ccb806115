package index

import (
	"encoding/binary"
	"fmt"
	"sort"
)

// Builder collects indicators for a Set. The zero value is ready.
type Builder struct {
	table   tableBuilder
	rows    []byte
	sources []Source
	source  map[Source]uint32
	names   []string
	name    map[string]uint32
}

// maxNames bounds the distinct names that are kept: names are for people, and a feed that gives every indicator one of
// its own must not fill the memory.
const maxNames = 1 << 16

// Len is how many rows were added.
func (b *Builder) Len() int { return len(b.rows) / rowSize }

// maxSources is how many sources rows can name: in a node's set each record is one.
const maxSources = 1 << 24

// Source gives the number by which rows name a source. After maxSources of them the error says so.
func (b *Builder) Source(s Source) (uint32, error) {
	if n, ok := b.source[s]; ok {
		return n, nil
	}
	if len(b.sources) >= maxSources {
		return 0, fmt.Errorf("indexing: more than %d sources", maxSources)
	}
	if b.source == nil {
		b.source = map[Source]uint32{}
	}
	n := uint32(len(b.sources))
	b.sources = append(b.sources, s)
	b.source[s] = n
	return n, nil
}

// Name gives the number by which rows name a name; 0 when there is no room for more.
func (b *Builder) Name(name string) uint32 {
	if name == "" {
		return 0
	}
	if n, ok := b.name[name]; ok {
		return n
	}
	if len(b.names) >= maxNames {
		return 0
	}
	if b.name == nil {
		b.name = map[string]uint32{}
	}
	b.names = append(b.names, name)
	b.name[name] = uint32(len(b.names))
	return uint32(len(b.names))
}

// Add adds an indicator under a key in canonical form. One indicator may stand under several keys, and several under
// one.
func (b *Builder) Add(kind Kind, key []byte, row Row) error {
	if err := b.table.add(kind, key); err != nil {
		return err
	}
	b.rows = row.append(b.rows)
	return nil
}

// build makes the layer. The builder is used up.
func (b *Builder) build(seed uint64) (*layer, error) {
	source, places := Table{arena: b.table.arena}, b.table.places
	table, numbers, err := b.table.build(seed)
	if err != nil {
		return nil, err
	}
	l := &layer{Table: *table, sources: b.sources, names: b.names, gate: make([]byte, gateSize)}
	for kind, key := range table.All {
		openGate(l.gate, kind, key)
	}
	// The first row of each key goes to the key's number, the others behind all keys.
	var p provenanceBuilder
	p.rows = make([]byte, int(table.keys)*placeSize, max(len(numbers), int(table.keys))*placeSize)
	taken := make([]bool, table.keys)
	type extra struct{ key, row uint32 }
	var extras []extra
	var key []byte
	for i, number := range numbers {
		_, s, packed, _ := source.entry(places[i])
		key = appendUnpacked(key[:0], s, packed)
		row := readRow(b.rows[i*rowSize:])
		place := p.pack(&row, s.kind, key)
		if !taken[number] {
			taken[number] = true
			binary.LittleEndian.PutUint32(p.rows[number*placeSize:], place)
			continue
		}
		extras = append(extras, extra{number, uint32(len(p.rows) / placeSize)})
		p.rows = binary.LittleEndian.AppendUint32(p.rows, place)
	}
	l.provenance = p.provenance
	sort.SliceStable(extras, func(i, j int) bool { return extras[i].key < extras[j].key })
	for _, e := range extras {
		l.rows[e.key*placeSize+3] |= placeMore >> 24
		l.more = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(l.more, e.key), e.row)
	}
	return l, nil
}

// copyFrom adds what a layer holds, save indicators that drop names.
func (b *Builder) copyFrom(l *layer, drop func(ID) bool) error {
	number, failed := uint32(0), error(nil)
	for kind, key := range l.All {
		l.eachRow(number, kind, key, func(row Row) {
			if failed != nil || drop(row.Indicator) {
				return
			}
			row.Name = b.Name(l.nameOf(row.Name))
			if row.Source, failed = b.Source(l.sourceOf(row.Source)); failed == nil {
				failed = b.Add(kind, key, row)
			}
		})
		if failed != nil {
			return failed
		}
		number++
	}
	return nil
}

func (l *layer) nameOf(n uint32) string {
	if n == 0 || int(n) > len(l.names) {
		return ""
	}
	return l.names[n-1]
}

func (l *layer) sourceOf(n uint32) Source {
	if int(n) >= len(l.sources) {
		return Source{}
	}
	return l.sources[n]
}
