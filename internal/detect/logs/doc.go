// Package logs turns logs into events: Zeek's in both its forms, Suricata's EVE, STIX observed data, and other JSON
// lines with a mapping.
//
// It promises that a line that cannot be read never stops a run (it is counted by kind and reported with its number),
// that memory is bounded by the longest line that is taken, and that Zeek's TSV and JSON of the same traffic give the
// same events. Its field scanner looks at the fields that indicators are about and steps over the rest; it is no JSON
// library. Start reading at [Read].
package logs
