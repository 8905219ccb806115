package engine

import (
	"time"

	"github.com/mithaq/mithaq/internal/detect/index"
)

// Match is one indicator found in one event. Its JSON form is the output of `mithaq detect`, one line each.
type Match struct {
	Time      *time.Time `json:"time"` // of the event; null when it is not known
	Level     Level      `json:"level"`
	Would     Level      `json:"would,omitempty"` // of a shadow match: what it would have been
	Sure      float64    `json:"sure"`            // 0 to 1
	Seen      Seen       `json:"seen"`
	Also      []Seen     `json:"also_seen,omitempty"` // more values of the same event by the same indicator
	Where     Where      `json:"where"`
	Flow      *Flow      `json:"flow,omitempty"`
	Indicator Indicator  `json:"indicator,omitzero"` // none for what only the traffic itself shows
	From      From       `json:"from,omitzero"`
	Evidence  []Term     `json:"evidence"`           // what Sure is made of
	Warnings  []string   `json:"warnings,omitempty"` // names of the warning lists that the value is on
	Together  []Where    `json:"together,omitempty"` // for patterns over several events: all of them

	id index.ID
	at int64
}

// ID is the indicator's identifier.
func (m *Match) ID() index.ID { return m.id }

// At is the event's time in nanoseconds since 1970, 0 when it is not known.
func (m *Match) At() int64 { return m.at }

// Level says what a match asks of a person.
type Level string

// The levels. Context alone wakes nobody: a fingerprint many programs share, or a value on a warning list. Shadow is by a
// source that is only on trial.
const (
	Alert   Level = "alert"
	Context Level = "context"
	Shadow  Level = "shadow"
)

// Seen is a value in traffic.
type Seen struct {
	Kind  string `json:"kind"`
	Value string `json:"value"` // as it stood there
	Field string `json:"field"`
}

// Where is the place of an event.
type Where struct {
	File   string `json:"file"`
	Format string `json:"format"`
	Log    string `json:"log,omitempty"`
	Line   int64  `json:"line,omitempty"`
	Packet int64  `json:"packet,omitempty"`
	UID    string `json:"uid,omitempty"`
	Object string `json:"object,omitempty"`
}

// Flow is the connection an event was part of.
type Flow struct {
	Src      string `json:"src,omitempty"`
	SrcPort  uint16 `json:"srcport,omitempty"`
	Dst      string `json:"dst,omitempty"`
	DstPort  uint16 `json:"dstport,omitempty"`
	Protocol string `json:"proto,omitempty"`
	Service  string `json:"service,omitempty"` // dot, doh or doq: DNS under encryption, seen as such
}

// Indicator is what matched.
type Indicator struct {
	ID         string `json:"id"`
	Name       string `json:"name,omitempty"`
	Kind       string `json:"kind"`            // of its value, or pattern
	Value      string `json:"value,omitempty"` // the indicator's own: a network, a parent domain
	ValidFrom  string `json:"valid_from,omitempty"`
	ValidUntil string `json:"valid_until,omitempty"`
	Confidence *int   `json:"confidence,omitempty"`
}

// From is who shared the indicator, and under what.
type From struct {
	Feed       string `json:"feed"`
	Author     string `json:"author,omitempty"`
	AuthorName string `json:"author_name,omitempty"`
	Agreement  string `json:"agreement,omitempty"`
	Record     string `json:"record,omitempty"`
	Marking    string `json:"marking,omitempty"`
	PAP        string `json:"pap,omitempty"`
	Expires    int64  `json:"-"`
}

// Term is one piece of evidence: Weight is added to the log-odds. Rows are the lines or packets that show it again.
type Term struct {
	Name   string  `json:"term"`
	Weight float64 `json:"weight"`
	Why    string  `json:"why"`
	// Details are the values in Why by name, so that it can be said in another language.
	Details map[string]any `json:"details,omitempty"`
	Rows    []Where        `json:"rows,omitempty"`
	Times   []int64        `json:"times,omitempty"` // of a beacon: when its newest calls were, in milliseconds since 1970
}
