package policy

import (
	"slices"
	"time"
)

// Membership is a party's tie to an agreement on mithaq, folded from the roll by the caller at the time of asking.
type Membership string

// The ties rules can name.
const (
	NoMember  Membership = "none"      // none; the empty Membership is this one
	Member    Membership = "member"    // in the roll and in force
	Client    Membership = "client"    // served by the member named in Principal.Via
	Community Membership = "community" // recognised by the agreement without being a member
	Witness   Membership = "witness"   // checks that logs only grow; sees no contents
)

// Standing is where a party stands towards the agreement in the world, as far as a claim says. It is a fact with a
// source, and never makes anyone a member.
type Standing string

// The standings rules can name.
const (
	NoStanding Standing = "none" // nothing is known; the empty Standing is this one
	Invited    Standing = "invited"
	Declined   Standing = "declined"
	Joined     Standing = "joined" // supports, signed, ratified: the agreement has its own verb
	Withdrawn  Standing = "withdrawn"
)

// Principal is who asks.
type Principal struct {
	Party      string // party id; empty for an anonymous visitor
	Person     string // key id of the officer at the screen or behind the token; empty for a machine
	Via        string // of a client: the member that serves it
	Membership Membership
	Standing   Standing
	Connected  bool     // runs the agreement on a node of its own
	Sectors    []string // labels of the sectors the party works in, at most 32
}

// KindLog is the kind of an item that is a log itself (its checkpoints, tiles and leaves) and not a record in it.
// A public log is marked TLP:CLEAR, any other TLP:GREEN or stricter.
const KindLog = "log"

// KindSealed is the kind of an object of which nothing is known here but its sealed bytes, because they are sealed to others.
// It is marked TLP:AMBER+STRICT, so that members carry it for one another and nobody else gets it.
const KindSealed = "sealed"

// Item is what is asked for. A bundle's object is an item of its own with the record's ID and its STIX id in Part.
type Item struct {
	ID        string // leaf hash, or whatever names it to the caller; a Grant is for this ID
	Part      string // id of the part that is asked for; empty for all of it
	Agreement string
	Author    string // party id
	Officer   string // key id of who issued it: it may see what it wrote
	Kind      string
	Marking   Marking
	Audience  *Audience // nil: whoever the marking and the agreement allow
	Sectors   []string  // labels of the sectors it concerns, at most 32
	Expires   time.Time // zero: never
	Sealed    bool      // only the sealed bytes are handed out, unreadable without the recipient's key
	// Restrictions are the recalls and erasures that bind this item. A release is not among them: it changes Marking and
	// Audience, and the caller leaves out the restrictions it lifted.
	Restrictions []Restriction
}

// Audience is whom an author named. A person is named by key.
type Audience struct {
	Parties []string // party ids, sorted; a party out of order is not found, and so denied
	Persons []Person
}

// Person is an officer's key, with its party so that sealed bytes can be carried to that party's node.
type Person struct {
	Key   string
	Party string // empty when the keyring is not known: the person can read, the party's node cannot carry
}

// RestrictionAction is what a restriction does.
type RestrictionAction string

// The restrictions there are (docs/formats.md, section 5: recall; section 1: erasure).
const (
	Withdraw RestrictionAction = "withdraw"
	Narrow   RestrictionAction = "narrow"
	Erase    RestrictionAction = "erase"
)

// Restriction is a recall or an erasure. It binds from the moment it is known, whatever time it bears: an author whose
// clock is ahead is obeyed at once.
type Restriction struct {
	Action   RestrictionAction
	Marking  *Marking  // of a narrowing: the marking that holds too
	Audience *Audience // of a narrowing: the audience that holds too
	Parts    []string  // ids of the parts it is for; empty: all. What holds for a part holds for the whole it is in
	Record   string    // the leaf hash of the recall, for the reasons
}

// Narrows says whether something is left of what a restriction binds, under a tighter marking or audience. A narrowing that
// names parts and nothing else leaves less of the whole: these parts are taken back.
func (r Restriction) Narrows() bool {
	return r.Action == Narrow && (r.Marking != nil || r.Audience != nil)
}

// binds says whether a restriction is for this item or for something in it.
func (r Restriction) binds(it Item) bool {
	return len(r.Parts) == 0 || it.Part == "" || slices.Contains(r.Parts, it.Part)
}

// Request is one question.
type Request struct {
	Principal Principal
	Exit      Exit
	Use       Use
	Item      Item
	Now       time.Time
}
