// Package lists reads plain lists and tables of indicators (addresses, names, URLs, mailboxes, hashes, fingerprints) into
// STIX 2.1 bundles, and writes indicators as such a table.
//
// It promises that every line that is passed over is reported with its number and the reason, that a value becomes the same
// indicator everywhere, and that a list of any length is read in bounded memory per bundle. It guesses a value's type by its
// looks unless it is told. It does not judge whether a value is harmful: warning lists do.
//
// Start reading at [Read], then [Guess].
package lists
