package agreement

import (
	"slices"
	"time"
)

// Phase is how far an agreement has come.
type Phase string

// The phases.
const (
	Nothing  Phase = "nothing"  // the roll is empty
	Proposed Phase = "proposed" // the founding text waits for its founders
	InForce  Phase = "in-force"
	Ended    Phase = "ended" // the last party has left
)

// Membership is where a party stands in a roll. It is not [Standing], which is a fact of the world.
type Membership string

// The memberships.
const (
	Invited   Membership = "invited"
	Applied   Membership = "applied" // asked to join, waits for admission
	Joined    Membership = "joined"
	Declined  Membership = "declined"
	Withdrawn Membership = "withdrawn"
	Removed   Membership = "removed"
)

// Member is a party in a roll.
type Member struct {
	Membership   Membership
	Since        string // date of the act that made it so
	Leaf         string // of that act
	Text         TextVersion
	Reservations []Reservation
	Declarations int
	Reviewed     string // date of its last review
	Log          *LogKey
}

func (m Member) encode(e *encoder) {
	e.str(string(m.Membership))
	e.str(m.Since)
	e.str(m.Leaf)
	e.str(m.Text.Version)
	e.str(m.Text.SHA256)
	e.num(len(m.Reservations))
	for _, r := range m.Reservations {
		e.str(r.Commitment)
		e.text(r.Text)
	}
	e.num(m.Declarations)
	e.str(m.Reviewed)
	if m.Log == nil {
		e.num(0)
		return
	}
	e.num(1)
	e.str(m.Log.Origin)
	e.str(m.Log.VKey)
}

// Proposal is a text put before the parties, a child of the basis it names as its parent.
type Proposal struct {
	Leaf       string
	Party      string
	Date       string
	Parent     string // basis, hexadecimal
	Text       TextVersion
	Status     ProposalStatus
	Definition *Agreement
	Bytes      string // the definition, verbatim
	votes      votes
}

// ProposalStatus says what became of a proposal.
type ProposalStatus string

// The statuses.
const (
	Open    ProposalStatus = "open"
	Enacted ProposalStatus = "enacted"
	Lapsed  ProposalStatus = "lapsed" // another child of the same parent took force
)

// Approvals is how many approvals it has, those of parties that have left since included.
func (p Proposal) Approvals() int { return p.votes.count }

// ApprovedBy says whether a party has approved it.
func (p Proposal) ApprovedBy(party string) bool { return p.votes.has(party) }

func (p Proposal) encode(e *encoder) {
	e.str(p.Party)
	e.str(p.Date)
	e.str(p.Parent)
	e.str(p.Text.Version)
	e.str(p.Text.SHA256)
	e.str(string(p.Status))
	p.votes.encode(e)
}

// votes counts the parties that agreed to something. It is a list that only grows at its head, so a copy costs nothing.
type votes struct {
	count int
	head  *vote
	chain Hash
}

type vote struct {
	party string
	older *vote
}

func (v votes) add(party string) votes {
	var e encoder
	e.hash(v.chain)
	e.str(party)
	return votes{count: v.count + 1, head: &vote{party, v.head}, chain: e.sum("mithaq/state/vote/v1")}
}

func (v votes) has(party string) bool {
	for n := v.head; n != nil; n = n.older {
		if n.party == party {
			return true
		}
	}
	return false
}

func (v votes) encode(e *encoder) {
	e.num(v.count)
	e.hash(v.chain)
}

// ballot is a question put to the parties: admit or remove somebody, or who succeeds the depositary.
type ballot struct {
	votes votes
	done  bool
}

func (b ballot) encode(e *encoder) {
	b.votes.encode(e)
	if b.done {
		e.num(1)
	} else {
		e.num(0)
	}
}

// Approval is one party's word for one child of a parent: a proposal, or a successor to the depositary.
type Approval struct {
	Party  string
	Parent string
	Child  string // leaf of the proposal, or id of the successor
	Leaf   string // of the act that says so
}

func (a Approval) encode(e *encoder) {
	e.str(a.Party)
	e.str(a.Parent)
	e.str(a.Child)
	e.str(a.Leaf)
}

// Statement is a declaration or an objection of a party.
type Statement struct {
	Party     string
	Date      string
	Leaf      string
	ObjectsTo string // leaf, for an objection
	Texts     []Text
}

func (s Statement) encode(e *encoder) {
	e.str(s.Party)
	e.str(s.Date)
	e.str(s.ObjectsTo)
	e.num(len(s.Texts))
	for _, t := range s.Texts {
		e.text(t)
	}
}

// logged is what a state remembers of each entry.
type logged struct {
	seq   int
	party string
	act   ActKind
}

func (l logged) encode(e *encoder) {
	e.num(l.seq)
	e.str(l.party)
	e.str(string(l.act))
}

// State is what an agreement is after some entries of its roll. It is a value: [Apply] returns another one and
// leaves this one as it was, and copies share what they have in common.
type State struct {
	opt        Options
	id         string
	phase      Phase
	size       int
	basis      Hash
	text       TextVersion
	definition *Agreement
	bytes      string
	depositary string
	last       time.Time
	reviewed   string
	joined     int
	open       []string // leaves of open proposals, oldest first
	succession string   // hash of the state on which parties name a successor, or ""

	members    trie[Member]
	proposals  trie[Proposal]
	approvals  trie[Approval] // party "/" parent
	ballots    trie[ballot]
	statements trie[Statement]
	entries    trie[logged]

	hash Hash
}

// Begin is the state of an empty roll. The options are those with which definitions are read;
// every reader of the roll must use the same.
func Begin(id string, opt Options) State {
	var e encoder
	e.str(id)
	s := State{opt: opt, id: id, phase: Nothing, basis: e.sum("mithaq/basis/v1")}
	s.hash = s.computeHash()
	return s
}

func (s *State) computeHash() Hash {
	e := newEncoder()
	e.str(s.id)
	e.str(string(s.phase))
	e.num(s.size)
	e.hash(s.basis)
	e.str(s.text.Version)
	e.str(s.text.SHA256)
	e.str(s.depositary)
	if s.last.IsZero() {
		e.str("")
	} else {
		e.str(s.last.UTC().Format(time.RFC3339Nano))
	}
	e.str(s.reviewed)
	e.num(s.joined)
	e.str(s.succession)
	e.hash(s.members.rootHash())
	e.hash(s.proposals.rootHash())
	e.hash(s.approvals.rootHash())
	e.hash(s.ballots.rootHash())
	e.hash(s.statements.rootHash())
	e.hash(s.entries.rootHash())
	return e.sum("mithaq/state/v1")
}

// nextBasis is the basis once a text takes force: it names all texts before it as well.
func nextBasis(basis Hash, textHash string) Hash {
	var e encoder
	e.hash(basis)
	e.str(textHash)
	return e.sum("mithaq/basis/v1")
}

// Hash names the state: the same entries give the same hash everywhere.
func (s State) Hash() Hash { return s.hash }

// ID is the agreement's id.
func (s State) ID() string { return s.id }

// Phase says how far the agreement has come.
func (s State) Phase() Phase { return s.phase }

// Size is the number of entries folded.
func (s State) Size() int { return s.size }

// Basis is the parent that amendments and approvals must name: it changes when a text takes force.
func (s State) Basis() Hash { return s.basis }

// Text is the text in force, or the founding text while it is proposed.
func (s State) Text() TextVersion { return s.text }

// Definition is what that text says; nil before the founding proposal.
func (s State) Definition() *Agreement { return s.definition }

// DefinitionBytes is that text, verbatim.
func (s State) DefinitionBytes() string { return s.bytes }

// Depositary is the id of the party that keeps the roll.
func (s State) Depositary() string { return s.depositary }

// LastTime is the latest time of an entry.
func (s State) LastTime() time.Time { return s.last }

// Reviewed is the date of the last review by a party, or "".
func (s State) Reviewed() string { return s.reviewed }

// Succession is the state hash on which parties are naming a successor to the depositary, or "".
func (s State) Succession() string { return s.succession }

// Joined is how many parties the agreement has.
func (s State) Joined() int { return s.joined }

// Connected says whether a party runs this agreement: whether it has joined its roll and not left.
func (s State) Connected(party string) bool {
	m, ok := s.members.get(party)
	return ok && m.Membership == Joined
}

// Member returns what the roll says of a party.
func (s State) Member(party string) (Member, bool) { return s.members.get(party) }

// Members calls yield for every party of the roll, in the order of their ids.
func (s State) Members(yield func(party string, m Member) bool) {
	for _, kv := range s.members.all() {
		if !yield(kv.key, kv.value) {
			return
		}
	}
}

// Proposal returns a proposal by the leaf of its act.
func (s State) Proposal(leaf string) (Proposal, bool) { return s.proposals.get(leaf) }

// OpenProposals lists the proposals on the current basis, oldest first.
func (s State) OpenProposals() []Proposal {
	out := make([]Proposal, 0, len(s.open))
	for _, leaf := range s.open {
		if p, ok := s.proposals.get(leaf); ok {
			out = append(out, p)
		}
	}
	return out
}

// Needed is how many parties must approve an open proposal.
func (s State) Needed() int {
	if s.definition == nil {
		return 0
	}
	if s.phase == Proposed {
		return s.definition.Terms.Founding.Of(len(s.definition.Founders))
	}
	return s.definition.Terms.Amendment.Of(s.joined)
}

// Statements lists declarations and objections, by the order of their entries.
func (s State) Statements() []Statement {
	all := s.statements.all()
	slices.SortStableFunc(all, func(a, b keyed[Statement]) int { return s.seq(a.key) - s.seq(b.key) })
	out := make([]Statement, len(all))
	for i, kv := range all {
		out[i] = kv.value
	}
	return out
}

func (s State) seq(leaf string) int {
	l, _ := s.entries.get(leaf)
	return l.seq
}

// NeedsWitnesses says whether an act counts only once k witnesses have co-signed a checkpoint that covers it:
// accessions and amendments wait, everything else acts at signature.
func NeedsWitnesses(k ActKind) bool {
	return k == ActPropose || k == ActJoin || k == ActAdmit || k == ActAmend || k == ActApprove
}
