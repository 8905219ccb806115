// Package zeek writes indicators as a file of Zeek's intelligence framework (tab-separated, read by Intel::read_files).
//
// It promises one line for each value, of the type that Zeek knows it by, with nothing in it that could end the line or a
// column, and a report of what Zeek's types cannot hold. Start reading at [NewWriter].
package zeek
