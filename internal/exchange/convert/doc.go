// Package convert takes a file of any format that mithaq reads (a STIX bundle, MISP events, a list, a table) and gives the
// STIX bundles that it becomes.
//
// It promises that the format is told by what is in the file, never by its name, and that a STIX bundle is given back byte
// for byte. It checks nothing beyond that. Start reading at [Read].
package convert
