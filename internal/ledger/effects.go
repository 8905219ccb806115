package ledger

import "github.com/mithaq/mithaq/internal/store"

// Event is something that happened.
type Event interface{ event() }

type (
	// Submit brings an entry.
	Submit struct{ Submission }
	// Go starts a batch if none is under way and entries wait.
	Go struct{}
	// Prepared answers Prepare.
	Prepared struct {
		Logs  map[int64]Loaded
		Known map[store.InLog]store.Known
		Err   error // nothing could be read
	}
	// Signed answers Sign: a checkpoint or an error for each log.
	Signed struct {
		Checkpoints map[int64][]byte
		Errs        map[int64]error
	}
	// Committed answers Commit: by log, nil or a conflict; or an error after which nothing is known.
	Committed struct {
		Conflicts map[int64]error
		Err       error
	}
	// Guarded answers Protect.
	Guarded struct{ Err error }
	// Forget drops what is known of a log, because something else changed it.
	Forget struct{ LogNo int64 }
	// Lost says that the lease is gone.
	Lost struct{ Err error }
)

func (Submit) event()    {}
func (Go) event()        {}
func (Prepared) event()  {}
func (Signed) event()    {}
func (Committed) event() {}
func (Guarded) event()   {}
func (Forget) event()    {}
func (Lost) event()      {}

// Effect is something to do. All but Reply and Publish are answered with the event of the same phase.
type Effect interface{ effect() }

type (
	// Prepare asks to load logs and to look objects up.
	Prepare struct {
		Load   []int64
		Lookup []store.InLog
	}
	// Sign asks for checkpoints, each by the key that the keyring with the serial names.
	Sign struct {
		Heads   map[int64]Head
		Serials map[int64]uint64
	}
	// Commit asks for one transaction.
	Commit struct{ Advances []store.Advance }
	// Protect asks the guard to record heads.
	Protect struct{ Heads []Head }
	// Publish makes heads visible to readers.
	Publish struct{ Heads map[int64]SignedHead }
	// Reply answers an entry's submitter.
	Reply struct {
		Ticket  Ticket
		Receipt Receipt
		Err     error
	}
)

func (Prepare) effect() {}
func (Sign) effect()    {}
func (Commit) effect()  {}
func (Protect) effect() {}
func (Publish) effect() {}
func (Reply) effect()   {}
