package taxii

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// What a Backend answers with when it does not answer with data. Anything else becomes a 500 that tells the caller
// nothing but an id under which the log has the reason.
var (
	// ErrNotFound says that there is no such root, collection, object or status, or none that the caller may know of.
	ErrNotFound = errors.New("not found")
	// ErrForbidden says that the caller knows of the thing and may not do this with it.
	ErrForbidden = errors.New("forbidden")
	// ErrUnauthenticated says that the request proves nobody's identity; the caller should try again with credentials.
	ErrUnauthenticated = errors.New("not authenticated")
)

// Error is an error message as it travels (section 3.6.1). A server sends it, a client gets it.
type Error struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	ErrorID     string `json:"error_id,omitempty"`
	ErrorCode   string `json:"error_code,omitempty"`
	HTTPStatus  string `json:"http_status,omitempty"` // the status as digits

	// Status is HTTPStatus as a number; RetryAfter how long to wait before trying again, zero when not said.
	Status     int           `json:"-"`
	RetryAfter time.Duration `json:"-"`
}

// Error implements error.
func (e *Error) Error() string {
	text := fmt.Sprintf("TAXII status %d: %s", e.Status, e.Title)
	if e.Description != "" {
		text += ": " + e.Description
	}
	return text
}

// problem makes an Error with the status's own name as its title.
func problem(status int, format string, args ...any) *Error {
	return &Error{
		Title:       http.StatusText(status),
		Description: fmt.Sprintf(format, args...),
		HTTPStatus:  strconv.Itoa(status),
		Status:      status,
	}
}
