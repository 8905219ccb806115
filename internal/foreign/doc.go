// Package foreign reads what other programs' servers offer: TAXII collections found by what a person calls them, MISP feeds, files.
//
// It promises that an answer is read within bounds of size and time, and that credentials are carried to no other host. It does not publish
// what it reads (internal/node does) and knows no other mithaq (internal/federate). Start reading at [FindCollection], [MISP] and [File].
package foreign
