// Package pattern is the STIX 2.1 patterning language on its own: Parse with
// exact error positions, a syntax tree that is printed back by String, Check for
// validity, and Compile and Match for the verdict on observations.
//
// It promises the verdict of the OASIS matcher (stix2-matcher) wherever that
// gives one, in bounded time and memory where that one runs out of both: it
// answers, or says why there is no answer (*MatchError); it never answers wrongly
// to save work. It differs on purpose in four places: NOT EXISTS holds where a
// path reaches nothing (the reference takes it for EXISTS), EXISTS may stand
// beside other comparisons, IPv6 addresses and networks are compared, and
// regular expressions that need backtracking are refused (see internal/pyre).
//
// It is not for indexing many patterns against a stream of events: detection
// compiles the syntax tree for that by itself. It does no I/O, reads no clock and
// imports nothing else of the project.
//
// Start reading at syntax.go for the tree, at Matcher.Match for matching, and at
// bind in search.go for how distinct observations are found for a pattern.
package pattern
