// Package pyre matches the regular expressions of STIX patterns: the syntax and
// the meaning of Python's re.search, on which the published verdicts rest, in
// time that grows with the product of the lengths of expression and text.
//
// It promises to answer exactly or to refuse. What needs backtracking (back
// references, conditionals, atomic groups, possessive repeats) is refused by
// Compile; look-ahead and look-behind are answered in linear time. It is not for
// finding where an expression matched: there are no captures.
//
// Start reading at Compile, then at Program.Match.
package pyre
