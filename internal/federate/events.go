package federate

import (
	"time"

	"github.com/mithaq/mithaq/internal/store"
)

// Resource is what a host serves of a log.
type Resource int

// The resources.
const (
	ResourceCheckpoint Resource = iota + 1
	ResourceKeyrings
	ResourceTile
	ResourceBundle
	ResourceObject
)

// Request names one resource. It is comparable, and answers carry it back.
type Request struct {
	What  Resource
	Level int   // of a tile
	N     int64 // of a tile or bundle
	Width int   // of a tile or bundle
	Hash  [32]byte
}

// Event is something that happened. Now is the reader's clock.
type Event interface{ event() }

type (
	// Look asks whether the log has grown. While a round is under way it is ignored.
	Look struct {
		Now time.Time
		// Beside says that another host is asked than the one that the log is followed from: to compare what two were shown,
		// or to take what the other lacks. That it has less means nothing.
		Beside bool
		// Absent is the first leaf whose object such a host is asked for where it is absent here; negative: for none, which is
		// what nobody but the host that the log is followed from need be asked again and again.
		Absent int64
	}
	// Came answers Fetch.
	Came struct {
		Request Request
		Body    Body
		Err     error
		Now     time.Time
	}
	// Stored answers Store. After an error nothing is known of what is stored: the state is spent, and following begins
	// again from what the store holds.
	Stored struct {
		Err error
		Now time.Time
	}
	// Edged answers Edge.
	Edged struct {
		Root     [32]byte
		Frontier []byte // as in [store.Head]
		Err      error
		Now      time.Time
	}
	// Prefixed answers Prefix.
	Prefixed struct {
		Proof [][32]byte
		Err   error
		Now   time.Time
	}
)

func (Look) event()     {}
func (Came) event()     {}
func (Stored) event()   {}
func (Edged) event()    {}
func (Prefixed) event() {}

// Body is what came.
type Body struct {
	// Bytes are what came; nil of an object that is too large to be anything but contents.
	Bytes []byte
	// File says that an object's bytes were written to its file, and hashed to Hash, while they came.
	File bool
	Hash [32]byte
	Size int64
}

// Effect is something to do.
type Effect interface{ effect() }

type (
	// Fetch asks for a resource of the host.
	Fetch struct{ Request Request }
	// Store asks for one transaction. Objects whose Bytes are nil are in files.
	Store struct{ Taking store.Taking }
	// Edge asks for the edge of the tree of the first Size leaves that are staged.
	Edge struct{ Size int64 }
	// Prefix asks for the prefix proof of our own published tree.
	Prefix struct{ Size int64 }
	// Notice is something that a person, or another part of the node, should know.
	Notice struct {
		Kind     NoticeKind
		Text     string
		Evidence *Evidence  // of a NoticeMismatch
		From, To int64      // of a NoticeGrew
		Over     *Overdraft // of a NoticeQuota
		Places   []int64    // of a NoticeKeys
	}
	// Rest ends a round: nothing is under way any more. Until says when to look again by itself.
	Rest struct {
		Until time.Time
		Err   error // why the round ended early
		Mend  bool  // the log is to be looked at then although nobody tells of news: wraps are asked for again
		Spent bool  // the state must be made anew from the store
	}
)

func (Fetch) effect()  {}
func (Store) effect()  {}
func (Edge) effect()   {}
func (Prefix) effect() {}
func (Notice) effect() {}
func (Rest) effect()   {}

// NoticeKind is what a notice is about.
type NoticeKind string

// The kinds of notices.
const (
	NoticeGrew     NoticeKind = "grew"
	NoticeMismatch NoticeKind = "history mismatch" // two signed checkpoints contradict each other
	NoticeRollback NoticeKind = "rollback"         // the host shows an older history than its author has signed
	NoticeRefused  NoticeKind = "refused"          // what the host sent does not hold
	NoticeStale    NoticeKind = "stale"            // no valid checkpoint for too long
	NoticeQuota    NoticeKind = "over quota"       // the author publishes more than is taken
	NoticeKeys     NoticeKind = "keys"             // wraps came late that epoch records at these places name
	NoticeKeyless  NoticeKind = "key did not come" // a wrap was asked for too often: only its author can help
)
