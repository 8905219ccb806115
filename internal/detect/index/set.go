package index

import (
	"bytes"
	"net/netip"
)

// Set is a set of indicators as it stands at one moment: a large base, and the changes since it was built. It never
// changes; a Store holds the present one.
type Set struct {
	tiers []tier // the base, then the changes
}

// Build makes a set of what a builder holds, which is used up. The seed should be random.
func Build(b *Builder, seed uint64) (*Set, error) {
	l, err := b.build(seed)
	if err != nil {
		return nil, err
	}
	return &Set{tiers: []tier{{layer: l}}}, nil
}

// Hit is one indicator that a value found.
type Hit struct {
	Row
	Kind  Kind   // of the indicator: Network for an address, Subdomain for a domain
	Key   []byte // of the indicator; valid for as long as what was looked up, and the set, are
	layer *layer
}

// Source says from whom the indicator comes.
func (h *Hit) Source() Source { return h.layer.sourceOf(h.Row.Source) }

// Name is the indicator's name, empty when it has none.
func (h *Hit) Name() string { return h.layer.nameOf(h.Row.Name) }

// Len is how many keys the set holds.
func (s *Set) Len() int {
	n := 0
	for _, l := range s.tiers {
		n += l.Len()
	}
	return n
}

// Size is the memory of the set in bytes: of the index itself, and with provenance.
func (s *Set) Size() (index, all int) {
	for _, l := range s.tiers {
		index += l.Table.Size() + len(l.gate)
		all += l.size()
	}
	return index, all
}

// Has tells whether there is any key of a kind: where not, a value need not be brought into its canonical form.
func (s *Set) Has(kind Kind) bool {
	for _, l := range s.tiers {
		if l.has(kind) {
			return true
		}
	}
	return false
}

// Find appends the indicators with a key of exactly this kind to hits. It allocates only to make room in hits.
func (s *Set) Find(hits []Hit, kind Kind, key []byte) []Hit {
	for i, l := range s.tiers {
		if !l.has(kind) {
			continue
		}
		if number, ok := l.Table.Find(kind, key); ok {
			hits = s.take(hits, i, number, kind, key)
		}
	}
	return hits
}

func (s *Set) take(hits []Hit, n int, number uint32, kind Kind, key []byte) []Hit {
	l := s.tiers[n].layer
	l.eachRow(number, kind, key, func(row Row) {
		if s.covered(n, len(s.tiers)-1, row.Indicator) {
			return
		}
		hits = append(hits, Hit{Row: row, Kind: kind, Key: key, layer: l})
	})
	return hits
}

// FindAddress appends the indicators for an address: the address itself, and networks around it.
func (s *Set) FindAddress(hits []Hit, a netip.Addr) []Hit {
	a = a.Unmap()
	var space [16]byte
	key := AppendAddress(space[:0], a)
	for i, l := range s.tiers {
		if l.has(Address) {
			if number, ok := l.Table.Find(Address, key); ok {
				hits = s.take(hits, i, number, Address, bytes.Clone(key))
			}
		}
		l.eachNetwork(a, func(number uint32, bits int) {
			p, err := a.Prefix(bits - hidden(a))
			if err == nil {
				hits = s.take(hits, i, number, Network, AppendNetwork(nil, p))
			}
		})
	}
	return hits
}

// hidden is how many bits of a key an IPv4 address does not have.
func hidden(a netip.Addr) int {
	if a.Is4() {
		return 96
	}
	return 0
}

// FindDomain appends the indicators for a domain's key: the name itself, and those that take in every name below
// theirs.
func (s *Set) FindDomain(hits []Hit, key []byte) []Hit {
	hits = s.Find(hits, Domain, key)
	below := false
	for _, l := range s.tiers {
		below = below || l.has(Subdomain)
	}
	for parent := key; below; {
		dot := bytes.IndexByte(parent, '.')
		if dot < 0 {
			break
		}
		parent = parent[dot+1:]
		hits = s.Find(hits, Subdomain, parent)
	}
	return hits
}

// FindURL appends the indicators for a URL's key: the URL itself, and for http and https those without a scheme.
func (s *Set) FindURL(hits []Hit, key []byte) []Hit {
	hits = s.Find(hits, URL, key)
	for _, scheme := range [...]string{"http:", "https:"} {
		if bytes.HasPrefix(key, []byte(scheme)) && bytes.HasPrefix(key[len(scheme):], []byte("//")) {
			hits = s.Find(hits, URL, key[len(scheme):])
		}
	}
	return hits
}
