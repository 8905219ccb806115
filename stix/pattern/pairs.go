package pattern

import "slices"

// pairNeed is a need for two observations at a time, so many times: the one
// REPEATS over times for which distinct observations can always be found, or
// ruled out, in polynomial time.
type pairNeed struct {
	left, right []int32
	times       int64
	ordered     bool  // left is followed by right
	within      int64 // both lie in a span of so many microseconds
}

// pairOf tells whether a need has that form.
func pairOf(n need) (pairNeed, bool) {
	repeat, ok := n.(repeatNeed)
	if !ok {
		return pairNeed{}, false
	}
	p := pairNeed{times: repeat.times, within: maxSpan}
	inner := repeat.of
	for {
		within, ok := inner.(withinNeed)
		if !ok {
			break
		}
		p.within = min(p.within, within.duration)
		inner = within.of
	}
	var two []need
	switch inner := inner.(type) {
	case orderedNeed:
		two, p.ordered = inner, true
	case allNeed:
		two = inner
	}
	if len(two) != 2 {
		return pairNeed{}, false
	}
	left, leftOK := two[0].(slotNeed)
	right, rightOK := two[1].(slotNeed)
	p.left, p.right = left.set, right.set
	return p, leftOK && rightOK && left.demand == 1 && right.demand == 1
}

// instances is how many instances of observations could be in pairs.
func (p pairNeed) instances(t *timeline) int64 {
	n := int64(0)
	for _, place := range union(p.left, p.right) {
		n += min(t.capacity[place], 2*p.times)
	}
	return n
}

// maxPairInstances bounds the graph that pairs are looked for in.
const maxPairInstances = 4000

// pairGraph has an instance of an observation for each vertex, and an edge where
// two can be a pair. Enough disjoint pairs are a matching of that size; it is
// found by Edmonds' algorithm: grow a tree of alternating paths from a free
// vertex, shrink odd cycles to their base, and turn a path to another free vertex.
type pairGraph struct {
	timeline *timeline
	need     pairNeed
	steps    *int64
	places   []int32 // of each vertex
	isLeft   []bool  // of each place
	isRight  []bool
	mate     []int32 // of each vertex, or -1
	parent   []int32 // in the tree, of vertices an odd way from the root; or -1
	base     []int32 // of the cycle a vertex is shrunk into
	even     []bool
	queue    []int32
}

// bindPairs finds the places of enough pairs; nil without an error says that
// there are not enough.
func bindPairs(p pairNeed, t *timeline, steps *int64) ([]int32, error) {
	g := &pairGraph{timeline: t, need: p, steps: steps, isLeft: make([]bool, len(t.first)), isRight: make([]bool, len(t.first))}
	for _, place := range p.left {
		g.isLeft[place] = true
	}
	for _, place := range p.right {
		g.isRight[place] = true
	}
	for _, place := range union(p.left, p.right) {
		for range min(t.capacity[place], 2*p.times) {
			g.places = append(g.places, place)
		}
	}
	n := len(g.places)
	g.mate, g.parent, g.base = slices.Repeat([]int32{-1}, n), make([]int32, n), make([]int32, n)
	g.even = make([]bool, n)
	found := int64(0)
	for root := range int32(n) {
		if found == p.times {
			break
		}
		if g.mate[root] >= 0 {
			continue
		}
		end, err := g.augmentingPath(root)
		if err != nil {
			return nil, err
		}
		if end < 0 {
			continue
		}
		found++
		for end >= 0 {
			previous := g.parent[end]
			next := g.mate[previous]
			g.mate[end], g.mate[previous] = previous, end
			end = next
		}
	}
	if found < p.times {
		return nil, nil
	}
	var all []int32
	for vertex, mate := range g.mate {
		if mate >= 0 {
			all = append(all, g.places[vertex])
		}
	}
	return slices.Compact(all), nil
}

func (g *pairGraph) edge(u, v int32) bool {
	a, b := g.places[u], g.places[v]
	return u != v && (g.fits(a, b) || g.fits(b, a))
}

func (g *pairGraph) fits(left, right int32) bool {
	t := g.timeline
	return g.isLeft[left] && g.isRight[right] &&
		(!g.need.ordered || t.first[left] <= t.last[right]) &&
		max(t.first[left], t.first[right])-min(t.last[left], t.last[right]) <= g.need.within
}

// augmentingPath looks for a free vertex that an alternating path from the root
// leads to, or gives -1.
func (g *pairGraph) augmentingPath(root int32) (int32, error) {
	for i := range g.base {
		g.base[i], g.parent[i], g.even[i] = int32(i), -1, false
	}
	g.even[root] = true
	g.queue = append(g.queue[:0], root)
	for len(g.queue) > 0 {
		v := g.queue[0]
		g.queue = g.queue[1:]
		if *g.steps -= int64(len(g.places)); *g.steps < 0 {
			return -1, errSteps
		}
		for to := range int32(len(g.places)) {
			if g.base[v] == g.base[to] || g.mate[v] == to || !g.edge(v, to) {
				continue
			}
			switch {
			case to == root || g.mate[to] >= 0 && g.parent[g.mate[to]] >= 0:
				g.shrink(v, to)
			case g.parent[to] < 0:
				g.parent[to] = v
				if g.mate[to] < 0 {
					return to, nil
				}
				g.even[g.mate[to]] = true
				g.queue = append(g.queue, g.mate[to])
			}
		}
	}
	return -1, nil
}

// shrink makes one vertex of the odd cycle that an edge between two even
// vertices closes.
func (g *pairGraph) shrink(v, w int32) {
	base := g.commonBase(v, w)
	inCycle := make([]bool, len(g.places))
	g.markPath(inCycle, v, base, w)
	g.markPath(inCycle, w, base, v)
	for i := range int32(len(g.places)) {
		if inCycle[g.base[i]] {
			g.base[i] = base
			if !g.even[i] {
				g.even[i] = true
				g.queue = append(g.queue, i)
			}
		}
	}
	*g.steps -= int64(len(g.places))
}

func (g *pairGraph) markPath(inCycle []bool, v, base, child int32) {
	for g.base[v] != base {
		inCycle[g.base[v]], inCycle[g.base[g.mate[v]]] = true, true
		g.parent[v] = child
		child = g.mate[v]
		v = g.parent[g.mate[v]]
	}
}

func (g *pairGraph) commonBase(v, w int32) int32 {
	seen := make([]bool, len(g.places))
	for {
		v = g.base[v]
		seen[v] = true
		if g.mate[v] < 0 {
			break // the root
		}
		v = g.parent[g.mate[v]]
	}
	for {
		w = g.base[w]
		if seen[w] {
			return w
		}
		w = g.parent[g.mate[w]]
	}
}
