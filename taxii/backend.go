package taxii

import (
	"context"
	"time"
)

// Caller is who makes a request: whatever Options.Authenticate returned, handed to the backend as it is.
type Caller any

// Place is a collection: the name of its API root and its id.
type Place struct{ Root, Collection string }

// Root is an API root as a backend knows it.
type Root struct {
	Name        string // its place in URLs below the server's prefix: one path segment
	Title       string
	Description string
}

// Backend holds collections. Its methods are called from many goroutines. Each takes the caller and answers for that
// caller alone: what it may not know of is ErrNotFound, what it may see and not do is ErrForbidden, and a hidden object
// leaves no trace in pages, in Page.More or in statuses. (The server itself checks can_read and can_write.)
type Backend interface {
	// Roots lists the API roots that the caller may know of; the first is the default one.
	Roots(ctx context.Context, caller Caller) ([]Root, error)
	// Root finds one of them.
	Root(ctx context.Context, caller Caller, name string) (Root, error)
	// Collections lists the collections of a root that the caller may know of, in an order that stays.
	Collections(ctx context.Context, caller Caller, root string) ([]Collection, error)
	// Collection finds one of them by its id or its alias.
	Collection(ctx context.Context, caller Caller, root, name string) (Collection, error)
	// Objects gives a page of a collection, in ascending order of DateAdded.
	Objects(ctx context.Context, caller Caller, at Place, q Query) (Page, error)
	// Add takes what a request brought, and answers with a status that counts what it refused as well. It keeps the status
	// for 24 hours or more. An object whose same version is there already is a success and not stored again.
	Add(ctx context.Context, caller Caller, at Place, s Submission) (Status, error)
	// Delete removes the versions of an object (f.IDs holds its id) that the filter selects; ErrNotFound when there are none.
	Delete(ctx context.Context, caller Caller, at Place, f Filter) error
	// Status finds the status of an earlier Add by the same caller.
	Status(ctx context.Context, caller Caller, root, id string) (Status, error)
}

// Query asks for a page.
//
// Which objects: those with DateAdded after the later of AddedAfter and After, and with one of the IDs and Types. Of
// these, per id, the SpecVersions that are named, or else the newest; of these, per id and spec version, the Versions
// that are named, or else the last: section 3.4.1 has the server return "the latest version for each object matching the
// remainder of the query". After is no part of "the query" in this sense: it only says where to go on, and an object's
// newer version counts whether it is on an earlier page or not.
//
// DateAdded is the order. It has microseconds, no two objects of a collection share one, and an object never becomes
// visible with a DateAdded that is not later than all that were visible in the collection before; so a reader that goes
// on after the last one it saw misses nothing. An object that becomes visible to a caller later gets a new DateAdded.
type Query struct {
	Filter
	After    time.Time // zero: from the start. Exclusive
	Limit    int       // objects, over 0
	MaxBytes int       // stop before the Raw of the page together exceeds this, but give one object at least
	Bare     bool      // Raw is not asked for
}

// Page is the answer to a Query.
type Page struct {
	Entries []Entry
	More    bool // others follow that this caller may see
}

// Entry is one version of one object in a collection.
type Entry struct {
	Object
	DateAdded time.Time // microseconds, UTC
}

// Submission is what a request to add objects brought.
type Submission struct {
	Objects  []Object       // in the order of the envelope
	Refused  []StatusDetail // what the server refused before
	Received time.Time
}
