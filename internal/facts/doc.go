// Package facts carries what mithaq knows before anybody tells it: real agreements, what five documents report about
// them, parties, countries, sectors, taxonomies, in Arabic, English and French, each statement with its source.
//
// It promises that what is only reported is never called verified, that every correspondence between lists leads
// somewhere from both ends, and that no invented party stands in a real agreement. Short names and notes are the
// editors' own words; the texts themselves stay with their owners and are linked.
// It is *not* a place for what a node learns later (that is records and claims), nor does it decide anything.
//
// Start reading at [Load], then [Facts]; [Facts.Find] recognises names in running text.
package facts
