package ledger

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound: no such log, leaf, tile or object, or none that the published tree covers.
	ErrNotFound = errors.New("not found")
	// ErrRetired: the log has ended; its successor takes new entries.
	ErrRetired = errors.New("the log is retired: append to its successor")
	// ErrFollowed: the log is another party's; only its author appends to it.
	ErrFollowed = errors.New("the log is another party's: it is followed here, and only its author appends to it")
	// ErrClosed: the ledger is shutting down.
	ErrClosed = errors.New("the ledger is closed")
	// ErrTooLarge: an object is over MaxObject.
	ErrTooLarge = errors.New("the object is larger than 48 MiB")
	// ErrNotPublished: the entry may be stored but its checkpoint could not be guarded. Appending the same object
	// again is safe and tells.
	ErrNotPublished = errors.New("the entry may be stored but is not published yet: append it again")
)

// ErrFence is returned when a record was signed under another keyring than the one in force at its place.
type ErrFence struct {
	LogID       string
	Have, Under uint64
}

func (e *ErrFence) Error() string {
	return fmt.Sprintf("log %s: the record was signed under keyring %d but keyring %d is in force: sign it again", e.LogID, e.Under, e.Have)
}

// ErrBehind is returned for a log whose database is older than what was already published, as after restoring an old
// backup. The log signs nothing until CatchUp has fetched the missing tail or a successor is opened.
type ErrBehind struct {
	LogID string
	Have  Head // what the database holds
	Guard Head // what the guard file says was published
}

func (e *ErrBehind) Error() string {
	if e.Have.Size == e.Guard.Size {
		return fmt.Sprintf("log %s: the database and the guard hold different trees of %d leaves: the log signs nothing until it is restored", e.LogID, e.Have.Size)
	}
	return fmt.Sprintf("log %s: the database holds %d leaves but %d were published: fetch the tail back from a follower (restore), or open a successor log", e.LogID, e.Have.Size, e.Guard.Size)
}
