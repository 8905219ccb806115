package federate

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// Log names what is followed.
type Log struct {
	ID        string
	Origin    string
	Party     string // whose it must be
	Agreement string
}

// Start is where following begins: what the store holds of a log.
type Start struct {
	Log        Log
	Head       ledger.Head // what is published here
	Checkpoint []byte      // that signs it; nil while the log is empty here
	Target     []byte      // the largest signed checkpoint that was seen; nil: none
	Growth     *ledger.Growth
	History    *record.History      // of the staged leaves
	Absent     []store.AbsentObject // some leaves whose object has not come
	Wanted     []store.WantedWrap   // wraps that have not come
	Seen       time.Time            // when a checkpoint was last verified
}

// State is what a follower knows of one log. It is owned by whoever calls Step, which changes it in place.
//
//	resting ── Look ──► asking ── checkpoint ──► proving ── tiles ──► walking ── last leaf stored ──► resting
//
// A round asks for the newest checkpoint, proves from the host's tiles that the tree it signs begins with all that is here,
// walks through the leaves that are not, and ends when they are stored under the new head. What was stored on the way stays:
// the next round goes on from there.
type State struct {
	log      Log
	opts     Options
	head     ledger.Head
	note     []byte // the checkpoint that signs head
	growth   *ledger.Growth
	history  *record.History
	seen     signed // the largest that was ever seen
	opened   signed // the last whose signature was verified, with openedBy: an idle log shows the same one every minute
	openedBy string
	fresh    time.Time
	absent   []store.AbsentObject
	wanted   []store.WantedWrap
	offered  []record.Keyring // the keyrings that the host last showed
	retry    time.Duration
	spent    bool
	told     map[NoticeKind]string // what was said already, so that it is not said every minute
	purse    *Purse

	// What follows is of the round under way.
	phase         phase
	asked         map[Request]bool
	beside        bool   // another host is asked
	besideFrom    int64  // the first leaf whose absent object that host is asked for; negative: none
	pending       []byte // a checkpoint that waits for keyrings
	askedKeyrings bool
	target        signed
	signer        record.Keyring // whose log key signed target
	tiles         map[tileKey][]byte
	walk          *walk
	storing       bool
	moving        bool // what is being stored moves the head
	mendAt        time.Time
	unasked       int64    // first leaf that another host showed, and for whose object the log's own has not been asked; -1: none
	unsaid        []Effect // notices that wait for what they tell of to be stored
	failure       error    // a fetch of the walk failed
	cut           bool     // not even objects come
	progress      bool     // something was stored
	more          bool     // absent objects came, and others may
}

// signed is a head with the checkpoint that says so.
type signed struct {
	ledger.Head
	note []byte
}

type phase int

const (
	resting phase = iota
	asking
	comparing // with our own tree at an earlier size
	settling  // with the staged leaves up to an earlier size
	proving
	walking
	mending // absent objects are asked for once more
)

// New makes the state of a follower out of what is stored. target, if any, was verified when it was stored.
func New(start Start, o Options) (*State, error) {
	s := &State{log: start.Log, opts: o.withDefaults(), head: start.Head, note: start.Checkpoint, growth: start.Growth, history: start.History,
		absent: start.Absent, wanted: start.Wanted, fresh: start.Seen, told: map[NoticeKind]string{}, unasked: -1}
	if s.purse = o.Purse; s.purse == nil {
		s.purse = NewPurse(o.Quota, store.Spent{})
	}
	s.seen = signed{start.Head, start.Checkpoint}
	if start.Target != nil {
		h, err := ledger.ParseCheckpoint(start.Target)
		if err != nil {
			return nil, fmt.Errorf("following log %s: the stored checkpoint: %w", start.Log.ID, err)
		}
		if h.Size > s.seen.Size {
			s.seen = signed{h, start.Target}
		}
	}
	return s, nil
}

// Configure changes how the log is followed from the next round on.
func (s *State) Configure(o Options) { s.opts = o.withDefaults() }

// Head is what is published here.
func (s *State) Head() ledger.Head { return s.head }

// Staged is how many leaves are here.
func (s *State) Staged() int64 { return s.growth.Size() }

// Step takes one event and says what to do.
func (s *State) Step(ev Event) []Effect {
	if s.spent {
		return nil
	}
	switch ev := ev.(type) {
	case Look:
		if s.phase != resting {
			return nil
		}
		s.beside, s.besideFrom = ev.Beside, ev.Absent
		return s.look(ev.Now)
	case Came:
		if !s.asked[ev.Request] {
			return nil // repeated, or of a round that has ended
		}
		delete(s.asked, ev.Request)
		return s.came(ev)
	case Prefixed:
		if s.phase != comparing {
			return nil
		}
		return s.compared(ev)
	case Edged:
		if s.phase != settling {
			return nil
		}
		return s.settle(ev)
	case Stored:
		if !s.storing {
			return nil
		}
		s.storing = false
		return s.stored(ev)
	}
	return nil
}

// look begins a round.
func (s *State) look(now time.Time) []Effect {
	s.asked, s.tiles, s.walk, s.pending, s.target = map[Request]bool{}, map[tileKey][]byte{}, nil, nil, signed{}
	s.phase, s.storing, s.moving, s.failure = asking, false, false, nil
	s.cut, s.progress, s.more = false, false, false
	if s.fresh.IsZero() {
		s.fresh = now // following has just begun
	}
	var out []Effect
	if s.askedKeyrings = s.history.Len() == 0; s.askedKeyrings {
		out = append(out, s.fetch(Request{What: ResourceKeyrings}))
	}
	return append(out, s.fetch(Request{What: ResourceCheckpoint}))
}

func (s *State) fetch(r Request) Effect {
	s.asked[r] = true
	return Fetch{r}
}

func (s *State) came(ev Came) []Effect {
	switch ev.Request.What {
	case ResourceKeyrings:
		return s.cameKeyrings(ev)
	case ResourceCheckpoint:
		if ev.Err != nil {
			return s.giveUp(ev.Now, fmt.Errorf("fetching the checkpoint: %w", ev.Err))
		}
		s.pending = ev.Body.Bytes
		return s.judge(ev.Now)
	case ResourceTile:
		return s.cameTile(ev)
	case ResourceBundle:
		return s.cameBundle(ev)
	case ResourceObject:
		return s.cameObject(ev)
	}
	return nil
}

func (s *State) cameKeyrings(ev Came) []Effect {
	if ev.Err != nil {
		return s.giveUp(ev.Now, fmt.Errorf("fetching the keyrings: %w", ev.Err))
	}
	list, err := record.SplitKeyrings(ev.Body.Bytes)
	if err != nil {
		return s.refuse(ev.Now, fetch.Malformed, err)
	}
	chain, err := record.KeyringChain(list, s.log.Origin)
	if err != nil {
		return s.refuse(ev.Now, fetch.BadSigned, err)
	}
	if chain[0].Party != s.log.Party || chain[0].Log.Agreement != s.log.Agreement {
		return s.refuse(ev.Now, fetch.BadSigned, fmt.Errorf("the log belongs to %s under %s, not to %s under %s", chain[0].Party, chain[0].Log.Agreement, s.log.Party, s.log.Agreement))
	}
	s.offered = chain
	return s.judge(ev.Now)
}

// judge verifies the checkpoint that came and compares it with what is here.
func (s *State) judge(now time.Time) []Effect {
	if s.pending == nil || s.asked[Request{What: ResourceKeyrings}] {
		return nil // the other half is under way
	}
	cp, ok := s.verify(s.pending)
	if !ok {
		if !s.askedKeyrings {
			s.askedKeyrings = true
			return []Effect{s.fetch(Request{What: ResourceKeyrings})}
		}
		return s.refuse(now, fetch.BadSigned, errors.New("the checkpoint is not signed by the log's key"))
	}
	s.pending, s.target = nil, cp
	s.fresh = now
	delete(s.told, NoticeStale)
	return s.compare(now)
}

// verify finds the keyring whose log key signed a checkpoint: the last one that the leaves here introduced, or a later one.
// A log key that was replaced before signs nothing any more.
func (s *State) verify(cp []byte) (signed, bool) {
	last, _ := s.history.Last()
	var candidates []record.Keyring
	if last.Serial > 0 {
		candidates = append(candidates, last)
	}
	for _, k := range s.offered {
		if k.Serial > last.Serial {
			candidates = append(candidates, k)
		}
	}
	for _, k := range candidates {
		key := CheckpointKey(k)
		if s.openedBy == key && bytes.Equal(s.opened.note, cp) {
			s.signer = k
			return s.opened, true
		}
		v, err := note.NewVerifier(key)
		if err != nil {
			continue
		}
		if h, err := ledger.OpenCheckpoint(cp, s.log.Origin, v); err == nil {
			s.signer, s.opened, s.openedBy = k, signed{h, cp}, key
			return s.opened, true
		}
	}
	return signed{}, false
}
