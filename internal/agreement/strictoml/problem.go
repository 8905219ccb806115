package strictoml

import (
	"fmt"
	"slices"
	"strings"
)

// MaxProblems is how many problems one file reports before reading stops collecting them.
const MaxProblems = 50

// Pos is a place in a file. Line and Column count from 1; Column counts bytes, as compilers do.
type Pos struct {
	File   string
	Line   int
	Column int
}

// String prints the place as file:line:column.
func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Problem is one thing wrong with a file: where, what, and what to do about it.
type Problem struct {
	Pos    Pos
	What   string
	Remedy string
}

// Error prints "file:line:column: what (remedy)".
func (p Problem) Error() string {
	if p.Remedy == "" {
		return p.Pos.String() + ": " + p.What
	}
	return p.Pos.String() + ": " + p.What + " (" + p.Remedy + ")"
}

// Problems is everything wrong with one file, in the order of the file.
type Problems []Problem

// Error prints one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Log collects problems while a file is read.
type Log struct {
	problems Problems
	dropped  int
}

// Add notes a problem. Beyond [MaxProblems] they are only counted.
func (l *Log) Add(pos Pos, remedy, format string, args ...any) {
	if l.full() {
		l.dropped++
		return
	}
	l.problems = append(l.problems, Problem{Pos: pos, What: fmt.Sprintf(format, args...), Remedy: remedy})
}

// full says that further problems are only counted, so that work on their wording can be spared.
func (l *Log) full() bool { return len(l.problems) >= MaxProblems }

// Err returns nil, or the problems in the order of the file.
func (l *Log) Err() error {
	if len(l.problems) == 0 {
		return nil
	}
	out := slices.Clone(l.problems)
	slices.SortStableFunc(out, func(a, b Problem) int {
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line - b.Pos.Line
		}
		return a.Pos.Column - b.Pos.Column
	})
	if l.dropped > 0 {
		last := out[len(out)-1].Pos
		out = append(out, Problem{Pos: last, What: fmt.Sprintf("%d more problems", l.dropped), Remedy: "correct the ones above first"})
	}
	return out
}
