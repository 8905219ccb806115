// Package feed keeps a set of indicators in step with a node: it takes the changes that the node gives after a cursor,
// compiles them and swaps them in, and keeps them on disk for the times when the node is away.
//
// It promises that what a page takes away fires no more once the page is in, that an older version of an indicator never
// replaces a newer one, that expiry holds without the node, and that a set that is given anew replaces the old one at once
// and whole. It decides on nothing: what may be used is the node's answer. Start reading at [Feed.Pull].
package feed
