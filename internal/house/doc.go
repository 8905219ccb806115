// Package house keeps the shape of the project true by test, and holds no code of its own.
//
// Its tests read the sources of every package and check the rules that no compiler checks: imports point down one
// list of folders, the domain does no I/O and reads neither clock nor global randomness, nothing happens at package
// initialisation, no variable of a package changes. They promise to be fast (sources are parsed, nothing is built) and to name the
// file, the line and the remedy. They are not for style, which is the linters' work, and not for behaviour. Start
// reading at rules_test.go, which states every rule once; ARCHITECTURE.md says why they are as they are.
package house
