// Package event is what every input of detection is turned into: one thing that happened, with the values that
// indicators are about.
//
// It promises nothing but a shape: readers of logs and packets fill an Event in, again and again the same one, and
// what matches reads it. Its slices are valid only during the call it is passed to. It is not a store and judges
// nothing. Start reading at [Event].
package event

import (
	"net/netip"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/stix/pattern"
)

// Event is one log line, one object of observed data, or one thing that packets showed.
type Event struct {
	Place
	Time             int64      // nanoseconds since 1970; 0 is not known
	Src, Dst         netip.Addr // of the connection, from who began it; invalid when there is none
	SrcPort, DstPort uint16
	Protocol         string // tcp, udp, icmp …; may be empty
	UID              []byte // the connection's name in the log
	Values           []Value
	Groups           []*Group // more values, behind Values
	Facts            Facts
	// Observed is set when the event is observed data: what patterns are matched against then.
	Observed *pattern.Observation

	// Scratch is room for values that are put together from several fields. Reset keeps it.
	Scratch []byte
}

// Facts are what an event tells beside the values: nothing that an indicator names, and what evidence is made of.
type Facts struct {
	Begin       int64  // when the connection began, in nanoseconds since 1970; 0: the event's time
	Duration    int64  // of the connection, in nanoseconds; 0 is not known
	Bytes       int64  // of the connection in both directions; 0 is not known
	Service     string // an encrypted service seen as such: dot, doh, doq
	Certificate Certificate
}

// Certificate is what an event tells of the server's own certificate.
type Certificate struct {
	Subject, Issuer []byte
	From, Until     int64 // its validity, in seconds since 1970; 0 is not known
	Name            Answer
	Trusted         Answer
}

// Answer is yes, no, or nothing that was said.
type Answer uint8

// The answers.
const (
	NotSaid Answer = iota
	Yes
	No
)

// Place is where an event was found.
type Place struct {
	File   string
	Format string // zeek-tsv, zeek-json, eve, stix, json, packets
	Log    string // which log or kind of event: dns, tls …
	Line   int64  // from 1; 0 for packets
	Packet int64  // from 1; 0 for lines
	Object string // the identifier of an observed-data object
}

// Value is something that an indicator can be about.
type Value struct {
	Kind  index.Kind
	Field string     // where in the line or packet: query, tls.sni
	Text  []byte     // as it stood there; nil until Spread for an address that no text was at hand for
	Path  string     // for index.Other: the STIX object path
	Addr  netip.Addr // for index.Address, when the reader has it at hand
}

// Reset makes the event empty, save its place's file and format.
func (e *Event) Reset() {
	*e = Event{Place: Place{File: e.File, Format: e.Format}, Values: e.Values[:0], Groups: e.Groups[:0], Scratch: e.Scratch[:0]}
}

// Add adds a value that is not empty.
func (e *Event) Add(kind index.Kind, field string, text []byte) {
	if len(text) > 0 {
		e.Values = append(e.Values, Value{Kind: kind, Field: field, Text: text})
	}
}

// AddString adds a value that is not empty.
func (e *Event) AddString(kind index.Kind, field, text string) {
	if text != "" {
		e.Add(kind, field, e.Bytes(text))
	}
}

// Bytes copies a text into the event's scratch.
func (e *Event) Bytes(text string) []byte {
	begin := len(e.Scratch)
	e.Scratch = append(e.Scratch, text...)
	return e.Scratch[begin:len(e.Scratch):len(e.Scratch)]
}

// AddOther adds a string that stands at a STIX object path.
func (e *Event) AddOther(path, field string, text []byte) {
	if len(text) > 0 {
		e.Values = append(e.Values, Value{Kind: index.Other, Field: field, Text: text, Path: path})
	}
}

// AddAddress adds an address that was read from text; nil: from something else.
func (e *Event) AddAddress(field string, text []byte, a netip.Addr) {
	e.Values = append(e.Values, Value{Kind: index.Address, Field: field, Text: text, Addr: a})
}

// AddHost adds what is an address or a name.
func (e *Event) AddHost(field string, text []byte) {
	n := len(text)
	if n == 0 {
		return
	}
	if last := text[n-1]; last >= '0' && last <= '9' || last == ']' || index.IsIPv6(text) {
		if a, ok := index.ParseAddress(text); ok {
			e.AddAddress(field, text, a)
			return
		}
	}
	e.Add(index.Domain, field, text)
}
