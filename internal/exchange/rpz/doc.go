// Package rpz writes indicators as a response policy zone, with which name servers refuse to answer about them.
//
// It promises a zone that BIND's named-checkzone takes, in which no text of an indicator can end a line or leave its place,
// and a report of what a zone cannot say. A zone blocks: it asks for more than looking. Start reading at [NewWriter].
package rpz
