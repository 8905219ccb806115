package pyre

import "errors"

// ErrSteps tells that a match was given up because its steps were used up.
var ErrSteps = errors.New("matching a regular expression: out of steps")

// Match tells whether the expression matches anywhere in the text. Every
// instruction looked at takes one from steps; when none are left the error is
// ErrSteps. For a program of bytes, each rune is one byte.
func (p *Program) Match(text []rune, steps *int64) (bool, error) {
	m := &machine{text: text, steps: steps}
	for i := range p.looks {
		ends := make([]bool, len(text)+1)
		if _, err := m.run(&p.looks[i], ends); err != nil {
			return false, err
		}
		m.looks = append(m.looks, ends)
	}
	return m.run(&p.main, nil)
}

// machine runs automata over one text, all threads in step.
type machine struct {
	text  []rune
	looks [][]bool // for each look, the places where it holds
	steps *int64
	stack []int
}

// threads is a set of instructions to go on from, with constant-time clearing.
type threads struct {
	list []int
	mark []int // mark[i] == round when i is in the list
}

// run reads the text, beginning a thread at every place. Without ends it stops
// at the first match; with ends it notes every place where a match ends.
func (m *machine) run(a *automaton, ends []bool) (bool, error) {
	n := len(m.text)
	current := threads{mark: make([]int, len(a.code))}
	next := threads{mark: make([]int, len(a.code))}
	found := false
	for i := 0; i <= n; i++ {
		place := i
		if a.backward {
			place = n - i
		}
		if m.follow(a, &current, 0, place, i+1) {
			found = true
			if ends == nil {
				return true, nil
			}
			ends[place] = true
		}
		if *m.steps -= int64(len(current.list)) + 1; *m.steps < 0 {
			return false, ErrSteps
		}
		if i == n {
			break
		}
		var r rune
		onward := place + 1
		if a.backward {
			r, onward = m.text[place-1], place-1
		} else {
			r = m.text[place]
		}
		next.list = next.list[:0]
		for _, at := range current.list {
			if in := &a.code[at]; in.op == opSet && in.set.matches(r) && m.follow(a, &next, in.x, onward, i+2) {
				found = true
				if ends == nil {
					return true, nil
				}
				ends[onward] = true
			}
		}
		current, next = next, current
	}
	return found, nil
}

// follow adds all that can be reached without reading, and tells whether a
// match is among it.
func (m *machine) follow(a *automaton, to *threads, from, place, round int) bool {
	found := false
	m.stack = append(m.stack[:0], from)
	for len(m.stack) > 0 {
		at := m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
		if to.mark[at] == round {
			continue
		}
		to.mark[at] = round
		to.list = append(to.list, at)
		switch in := &a.code[at]; in.op {
		case opMatch:
			found = true
		case opJump:
			m.stack = append(m.stack, in.x)
		case opSplit:
			m.stack = append(m.stack, in.x, in.y)
		case opAssert:
			if m.holds(in.assert, place) {
				m.stack = append(m.stack, in.x)
			}
		case opLook:
			if m.looks[in.y][place] != in.negate {
				m.stack = append(m.stack, in.x)
			}
		}
	}
	return found
}

func (m *machine) holds(a assertion, place int) bool {
	n := len(m.text)
	switch a {
	case beginText:
		return place == 0
	case beginLine:
		return place == 0 || m.text[place-1] == '\n'
	case endText:
		return place == n
	case endTextOrNewline:
		return place == n || place == n-1 && m.text[place] == '\n'
	case endLine:
		return place == n || m.text[place] == '\n'
	case wordBoundary, wordBoundaryASCII:
		return m.boundary(place, a == wordBoundaryASCII)
	}
	// Python says that an empty text has no place that is no boundary.
	return n > 0 && !m.boundary(place, a == noWordBoundaryASCII)
}

func (m *machine) boundary(place int, ascii bool) bool {
	before := place > 0 && isWord(m.text[place-1], ascii)
	after := place < len(m.text) && isWord(m.text[place], ascii)
	return before != after
}
