package taxii

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Empty lists are prohibited in TAXII (section 2), so every list below is left out when it is empty.

// Discovery is what a server says about itself (section 4.1.1).
type Discovery struct {
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Contact     string   `json:"contact,omitempty"`
	Default     string   `json:"default,omitempty"`   // one of APIRoots
	APIRoots    []string `json:"api_roots,omitempty"` // URLs, absolute or relative to the server

	MaxContentLength int64 `json:"x_max_content_length,omitempty"` // of every API root of this server
	Limits
}

// Limits are what else this server bounds. Section 7 lets a server add properties whose names begin with "x_".
type Limits struct {
	MaxObjects        int     `json:"x_max_objects,omitempty"`         // objects in one request
	MaxObjectLength   int     `json:"x_max_object_length,omitempty"`   // bytes of one object
	MaxPage           int     `json:"x_max_page,omitempty"`            // objects in one response
	MaxUnlisted       int     `json:"x_max_unlisted,omitempty"`        // objects that may be taken and not be listed yet: beyond it a post waits, then gets 503
	RequestsPerSecond float64 `json:"x_requests_per_second,omitempty"` // by one caller, in the long run
}

// APIRoot describes one API root (section 4.2.1).
type APIRoot struct {
	Title            string   `json:"title"`
	Description      string   `json:"description,omitempty"`
	Versions         []string `json:"versions"`
	MaxContentLength int64    `json:"max_content_length"` // bytes of a request body
	Limits
}

// Collection describes one collection as the caller sees it (section 5.2.1).
type Collection struct {
	ID          string   `json:"id"` // a UUID
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Alias       string   `json:"alias,omitempty"` // may stand for the id in URLs
	CanRead     bool     `json:"can_read"`
	CanWrite    bool     `json:"can_write"`
	MediaTypes  []string `json:"media_types,omitempty"`
}

// States of a Status.
const (
	Complete = "complete"
	Pending  = "pending"
)

// Status tells what became of a request to add objects (section 4.3.1). The counts always add up to TotalCount.
type Status struct {
	ID               string         `json:"id"` // a UUID
	Status           string         `json:"status"`
	RequestTimestamp string         `json:"request_timestamp,omitempty"`
	TotalCount       int            `json:"total_count"`
	SuccessCount     int            `json:"success_count"`
	Successes        []StatusDetail `json:"successes,omitempty"`
	FailureCount     int            `json:"failure_count"`
	Failures         []StatusDetail `json:"failures,omitempty"`
	PendingCount     int            `json:"pending_count"`
	Pendings         []StatusDetail `json:"pendings,omitempty"`

	Text []byte `json:"-"` // as Encode wrote it, from a backend that did anyway: answered as it is
}

// Encode writes a status as JSON.
func (s *Status) Encode() ([]byte, error) {
	if s.Text != nil {
		return s.Text, nil
	}
	return marshal(s)
}

// StatusDetail is the part of a Status about one object (section 4.3.1).
type StatusDetail struct {
	ID      string `json:"id"`      // the object's; its JSON pointer in the envelope when it has none that can be read
	Version string `json:"version"` // its timestamp; the time of the request when it has none that can be read
	Message string `json:"message,omitempty"`
	Index   *int   `json:"x_index,omitempty"` // place in the envelope, counted from 0
	Pointer string `json:"x_pointer,omitempty"`
}

// Count sets the counts from the lists, and the state from the counts.
func (s *Status) Count() {
	s.SuccessCount, s.FailureCount, s.PendingCount = len(s.Successes), len(s.Failures), len(s.Pendings)
	s.TotalCount = s.SuccessCount + s.FailureCount + s.PendingCount
	s.Status = Complete
	if s.PendingCount > 0 {
		s.Status = Pending
	}
}

// ManifestRecord describes one version of one object (section 5.3.1).
type ManifestRecord struct {
	ID        string `json:"id"`
	DateAdded string `json:"date_added"`
	Version   string `json:"version"`
	MediaType string `json:"media_type,omitempty"`
}

// Added is the time at which the version came to the collection; zero when the server wrote something else.
func (m ManifestRecord) Added() time.Time {
	t, err := ParseTime(m.DateAdded)
	if err != nil {
		return time.Time{}
	}
	return t
}

// marshal writes a resource of ours. Objects never come here: they leave as they are stored.
func marshal(v any) ([]byte, error) {
	return json.Marshal(v, jsontext.AllowInvalidUTF8(true)) // a stray byte in a title must not silence the server
}
