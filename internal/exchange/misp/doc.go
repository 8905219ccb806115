// Package misp turns MISP events (the core format that MISP and PyMISP read and write) into STIX 2.1 bundles and back, and
// reads MISP feeds.
//
// It promises identifiers that follow from MISP's own (an attribute's UUID is its indicator's), that what went from MISP
// to STIX comes back member for member (what STIX has no place for travels in an extension), and a report of what could
// not be carried. It decides nothing about who may have an event: it says which marking and audience the event asks for.
// It is not a MISP client: feeds are read through a function that the caller brings.
//
// Start reading at [ToSTIX] and [FromSTIX]; types.go is the table of attribute types.
package misp
