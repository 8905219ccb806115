// Package index finds values of traffic among millions of indicators.
//
// It promises exact answers (a filter turns most look-ups away, what it lets pass is compared byte by
// byte), no pointer for the garbage collector to follow, no allocation for a look-up, and that a change
// of the set is visible in one swap while look-ups go on. Values are compared in the canonical forms of
// canonical.go, which indicators and traffic both go through. It is not for patterns of several parts
// (package plan is) and it judges no match. Start reading at [Set.Find], then [Table] for how keys lie in
// memory and on disk.
package index
