package pyre

import "fmt"

const (
	// maxRepeat is the highest bound of one repeat.
	maxRepeat = 10_000
	// maxProgram is how many instructions one expression may unfold to.
	maxProgram = 20_000
)

type assertion int

const (
	beginText assertion = iota
	beginLine
	endText
	endTextOrNewline
	endLine
	wordBoundary
	wordBoundaryASCII
	noWordBoundary
	noWordBoundaryASCII
)

type opcode uint8

const (
	opSet opcode = iota
	opSplit
	opJump
	opAssert
	opLook
	opMatch
)

type instruction struct {
	op     opcode
	negate bool // of opLook
	assert assertion
	x, y   int // where to go on; of opLook, y is the look's number
	set    *charSet
}

// automaton is a nondeterministic automaton that begins at its first instruction.
type automaton struct {
	code     []instruction
	backward bool // reads the text from its end
}

// Program is a compiled expression. Several goroutines may use it at once.
type Program struct {
	main automaton
	// looks are the look-arounds, inner ones first. A look-ahead is an automaton
	// that reads backwards: where it can end is where the text ahead matches.
	looks []automaton
}

// Compile reads an expression in Python's syntax. With bytes, characters stand
// for the bytes 0 to 255, and classes and case know ASCII only, as for a bytes
// pattern in Python. An error that wraps ErrUnsupported says that the expression
// is right, but cannot be matched in linear time and bounded space.
func Compile(expression string, bytes bool) (*Program, error) {
	n, err := parse(expression, bytes)
	if err != nil {
		return nil, err
	}
	p := &Program{}
	c := &compiler{program: p}
	main, err := c.automaton(n, false)
	if err != nil {
		return nil, err
	}
	p.main = main
	return p, nil
}

type compiler struct {
	program  *Program
	code     []instruction
	backward bool
	total    int
}

// automaton compiles a node by itself, with the looks inside it.
func (c *compiler) automaton(n *node, backward bool) (automaton, error) {
	outer, outerBackward := c.code, c.backward
	c.code, c.backward = nil, backward
	err := c.compile(n)
	c.emit(instruction{op: opMatch})
	a := automaton{code: c.code, backward: backward}
	c.code, c.backward = outer, outerBackward
	return a, err
}

func (c *compiler) emit(i instruction) int {
	c.code = append(c.code, i)
	c.total++
	return len(c.code) - 1
}

func (c *compiler) compile(n *node) error {
	if c.total > maxProgram {
		return fmt.Errorf("compiling a regular expression: repeats unfold to more than %d steps: %w", maxProgram, ErrUnsupported)
	}
	switch n.kind {
	case nodeSet:
		i := c.emit(instruction{op: opSet, set: n.set})
		c.code[i].x = i + 1
	case nodeAssert:
		i := c.emit(instruction{op: opAssert, assert: n.assert})
		c.code[i].x = i + 1
	case nodeLook:
		return c.compileLook(n)
	case nodeCat:
		for i := range n.subs {
			sub := n.subs[i]
			if c.backward {
				sub = n.subs[len(n.subs)-1-i]
			}
			if err := c.compile(sub); err != nil {
				return err
			}
		}
	case nodeAlternate:
		return c.compileAlternate(n)
	case nodeRepeat:
		return c.compileRepeat(n)
	}
	return nil
}

func (c *compiler) compileLook(n *node) error {
	look, err := c.automaton(n.subs[0], n.ahead)
	if err != nil {
		return err
	}
	c.program.looks = append(c.program.looks, look)
	i := c.emit(instruction{op: opLook, negate: n.negate, y: len(c.program.looks) - 1})
	c.code[i].x = i + 1
	return nil
}

func (c *compiler) compileAlternate(n *node) error {
	var ends []int
	for i, sub := range n.subs {
		split := -1
		if i < len(n.subs)-1 {
			split = c.emit(instruction{op: opSplit})
			c.code[split].x = split + 1
		}
		if err := c.compile(sub); err != nil {
			return err
		}
		if split >= 0 {
			ends = append(ends, c.emit(instruction{op: opJump}))
			c.code[split].y = len(c.code)
		}
	}
	for _, end := range ends {
		c.code[end].x = len(c.code)
	}
	return nil
}

func (c *compiler) compileRepeat(n *node) error {
	sub := n.subs[0]
	for range n.min {
		if err := c.compile(sub); err != nil {
			return err
		}
	}
	if n.max < 0 {
		split := c.emit(instruction{op: opSplit})
		c.code[split].x = split + 1
		if err := c.compile(sub); err != nil {
			return err
		}
		c.emit(instruction{op: opJump, x: split})
		c.code[split].y = len(c.code)
		return nil
	}
	var splits []int
	for range n.max - n.min {
		split := c.emit(instruction{op: opSplit})
		c.code[split].x = split + 1
		splits = append(splits, split)
		if err := c.compile(sub); err != nil {
			return err
		}
	}
	for _, split := range splits {
		c.code[split].y = len(c.code)
	}
	return nil
}
