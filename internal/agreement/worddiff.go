package agreement

import (
	"strings"
	"unicode"
)

// Piece is a run of words that two texts share, or that only one has.
type Piece struct {
	Op   Op     `json:"op"`
	Text string `json:"text"`
}

// Op says whose words they are.
type Op string

// The operations.
const (
	Keep   Op = "keep"
	Insert Op = "insert"
	Delete Op = "delete"
)

// maxEdits bounds the work: texts which differ by more words are shown as one deletion and one insertion.
const maxEdits = 1000

// DiffWords compares two texts word by word. Blanks belong to the word before them, so that joining all but the
// insertions gives the old text, and all but the deletions the new one.
func DiffWords(old, new string) []Piece {
	a, b := words(old), words(new)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var d pieces
	d.add(Keep, a[:head])
	d.middle(a[head:len(a)-tail], b[head:len(b)-tail])
	d.add(Keep, a[len(a)-tail:])
	return d
}

type pieces []Piece

func (d *pieces) add(op Op, words []string) {
	if len(words) == 0 {
		return
	}
	text := strings.Join(words, "")
	if n := len(*d); n > 0 && (*d)[n-1].Op == op {
		(*d)[n-1].Text += text
		return
	}
	*d = append(*d, Piece{op, text})
}

// middle is Myers's greedy comparison (1986): the furthest point reached on each diagonal, one more edit at a time.
func (d *pieces) middle(a, b []string) {
	most := len(a) + len(b)
	if most == 0 {
		return
	}
	limit := min(most, maxEdits)
	furthest := make([]int32, 2*limit+2)
	var trace [][]int32
	for edits := 0; edits <= limit; edits++ {
		// Only the diagonals which this many edits can reach are kept.
		trace = append(trace, append([]int32(nil), furthest[limit-edits:limit+edits+2]...))
		for k := -edits; k <= edits; k += 2 {
			var x int32
			if k == -edits || k != edits && furthest[limit+k-1] < furthest[limit+k+1] {
				x = furthest[limit+k+1]
			} else {
				x = furthest[limit+k-1] + 1
			}
			for int(x) < len(a) && int(x)-k < len(b) && a[x] == b[int(x)-k] {
				x++
			}
			furthest[limit+k] = x
			if int(x) >= len(a) && int(x)-k >= len(b) {
				d.walk(a, b, trace)
				return
			}
		}
	}
	d.add(Delete, a)
	d.add(Insert, b)
}

// walk goes back through the trace and writes the path found.
func (d *pieces) walk(a, b []string, trace [][]int32) {
	type step struct {
		op   Op
		from int
	}
	var steps []step
	x, y := len(a), len(b)
	for edits := len(trace) - 1; edits >= 0 && (x > 0 || y > 0); edits-- {
		at := func(k int) int { return int(trace[edits][edits+k]) }
		k := x - y
		before := k - 1
		if k == -edits || k != edits && at(k-1) < at(k+1) {
			before = k + 1
		}
		var fromX int
		if edits > 0 {
			fromX = at(before)
		}
		fromY := fromX - before
		for x > fromX && y > fromY && x > 0 && y > 0 && a[x-1] == b[y-1] {
			x, y = x-1, y-1
			steps = append(steps, step{Keep, x})
		}
		switch {
		case edits == 0:
		case before == k+1:
			y--
			steps = append(steps, step{Insert, y})
		default:
			x--
			steps = append(steps, step{Delete, x})
		}
	}
	for i := len(steps) - 1; i >= 0; i-- {
		s := steps[i]
		if s.op == Insert {
			d.add(Insert, b[s.from:s.from+1])
		} else {
			d.add(s.op, a[s.from:s.from+1])
		}
	}
}

// words cuts a text behind each run of blanks.
func words(s string) []string {
	var out []string
	start, blank := 0, false
	for i, r := range s {
		if unicode.IsSpace(r) {
			blank = true
			continue
		}
		if blank {
			out = append(out, s[start:i])
			start, blank = i, false
		}
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}
