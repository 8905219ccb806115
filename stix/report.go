package stix

import (
	"fmt"
	"strconv"
	"strings"
)

// Level is how binding a rule is.
type Level uint8

// The levels, in the words of RFC 2119.
const (
	MUST Level = iota
	SHOULD
)

func (l Level) String() string { return [...]string{"MUST", "SHOULD"}[l&1] }

// MarshalText makes a level a word in JSON.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is one rule broken at one place.
type Finding struct {
	// Index is the object's place in the bundle or list, from 0; -1 for the bundle itself or a single object.
	Index int `json:"index"`
	// ID is the object's identifier, as far as it has one.
	ID string `json:"id,omitempty"`
	// Path is a JSON pointer (RFC 6901) into the object.
	Path string `json:"path"`
	// Rule is the section of STIX 2.1 that is broken ("§4.7"), for recommendations with a check of the OASIS validator
	// its code and name ("303 indicator-properties").
	Rule string `json:"rule"`
	// Kind names what is wrong in one word: required, type, timestamp, identifier, order …
	Kind    string `json:"kind"`
	Level   Level  `json:"level"`
	Message string `json:"message"`
}

func (f Finding) String() string {
	var where strings.Builder
	if f.Index >= 0 {
		fmt.Fprintf(&where, "objects[%d] ", f.Index)
	}
	if f.ID != "" {
		where.WriteString(f.ID + " ")
	}
	if f.Path != "" {
		where.WriteString(f.Path + " ")
	}
	return fmt.Sprintf("%s%s %s: %s", where.String(), f.Level, f.Rule, f.Message)
}

// Report is what Validate found.
type Report struct {
	// Valid says that no MUST is broken and, under Options.Strict, no SHOULD either.
	Valid bool `json:"valid"`
	// Objects is how many objects were looked at.
	Objects int `json:"objects"`
	// Findings are in the order of the input, at most Options.MaxFindings; Omitted counts those beyond.
	Findings []Finding `json:"findings,omitempty"`
	Omitted  int       `json:"omitted,omitempty"`
	// Unreadable is set when the document, or an object of it, could not be read at all.
	Unreadable *UnreadableError `json:"unreadable,omitempty"`

	invalid []int
}

// InvalidObjects are the indices of the objects that break a MUST (under Options.Strict: or a SHOULD), in order. A broken
// bundle does not make its objects invalid.
func (r *Report) InvalidObjects() []int { return r.invalid }

// ExitCode is 0 for a valid document, 1 for one that is not valid, 2 for one that cannot be read.
func (r *Report) ExitCode() int {
	switch {
	case r.Unreadable != nil:
		return 2
	case !r.Valid:
		return 1
	}
	return 0
}

// pointer is the JSON pointer from the tape's root to a node.
func (t *tape) pointer(target int32) string {
	var b strings.Builder
	at := int32(0)
	for at != target {
		parent, index := at, 0
		for at = parent + 1; t.nodes[at].next <= target; at = t.nodes[at].next {
			index++
		}
		b.WriteByte('/')
		if t.nodes[parent].kind == isArray {
			b.WriteString(strconv.Itoa(index))
		} else {
			name := strings.ReplaceAll(string(t.key(at)), "~", "~0")
			b.WriteString(strings.ReplaceAll(name, "/", "~1"))
		}
	}
	return b.String()
}
