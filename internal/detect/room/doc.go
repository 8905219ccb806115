// Package room makes tables that are large and touched in no order, as those of connections are.
//
// It promises a slice like make does, and asks the system to back it with large pages, where it knows how: a table of ten
// megabytes in small pages costs a fault for each of them when it fills up, and a walk through the page tables at every
// look-up. [Ahead] has what is needed soon fetched from such memory. It is not for what grows, nor for what is small. Start reading
// at [Make].
package room
