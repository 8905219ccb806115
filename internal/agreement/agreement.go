package agreement

// Mode says who keeps the roll.
type Mode string

// The modes.
const (
	Depositary Mode = "depositary" // one party keeps the text and the roll
	Pair       Mode = "pair"       // two parties, no depositary: each log holds the other's act
	Shelf      Mode = "shelf"      // known, not run here: an unofficial copy of what others agreed
)

// Agreement is what an agreement file says. It is never changed after it was loaded.
type Agreement struct {
	Label      string
	Type       string // see [Types]
	Force      string // legal force, see [Forces]
	Version    string
	Mode       Mode
	Fictional  bool
	Names      Text
	Short      Text
	Also       map[string][]string // other names by language: one agreement, several names
	Date       FuzzyDate
	Place      Text
	Purpose    Text
	Depositary string // label of a party
	Source     string // label of the source of all this, for the shelf

	Words       map[string]Text // verbs and nouns of its own: "join" → supports, joined, signed
	Terms       Terms
	Officers    []OfficerRule
	Witnesses   Witnesses
	Quota       Quota
	Backfill    Backfill
	Sources     []Source
	Parties     []Party
	Founders    []string // labels of the parties which found it
	Texts       []AuthenticText
	Commitments []Commitment
	Items       []Item
	Sectors     []string // "list/item" of a list of sectors
	Deadlines   []Deadline
	Rules       []Rule
	Crosswalks  []Crosswalk
	Links       []Link
	Acts        []WorldAct
	Claims      []Claim
}

// Types lists what an agreement can be. A list carries entries (sectors, a taxonomy) and no promises.
func Types() []string {
	return []string{"call", "memorandum", "treaty", "convention", "norms", "measures", "initiative", "working-group",
		"dialogue", "exercise-series", "directory", "directive", "rule", "declaration", "survey", "network", "policy", "list"}
}

// Forces lists the legal forces.
func Forces() []string {
	return []string{"voluntary", "political", "binding", "law", "proposed", "technical"}
}

// WordKeys lists the words an agreement may choose for itself.
func WordKeys() []string {
	return []string{"party", "depositary", "commitment", "propose", "approve", "join", "decline", "invite", "amend", "withdraw", "review"}
}

// AuthenticText is the agreement's own text in one language, named by its hash; it is linked, not copied.
type AuthenticText struct {
	Language  string
	Authentic bool // false: a translation
	Title     string
	URL       string
	SHA256    string // hexadecimal; empty while nobody has vouched for one
	Size      string // as printed at the source
	Modified  FuzzyDate
	Source    string
}

// Commitment is one numbered promise, with what puts it into practice.
type Commitment struct {
	Label     string
	Article   string // the number in the text, where it differs from the label
	Group     string
	Names     Text
	Text      Text     // wording, for agreements written here; real texts are linked
	Note      Text     // what to know about it: its limits, how others read it
	Kinds     []string // kinds of records that put it into practice
	Deadlines []string // labels of deadlines
	Refs      []string // facts it rests on
	Source    string
	Place     string
}

// Item is an entry of a list: a sector, an incident type, a marking.
type Item struct {
	Label string
	Group string // label of another item
	Code  string // in the list's own scheme, where it differs from the label
	Names Text
	Note  Text
}

// Deadline starts with a record of one kind and is met by another, or comes round by itself.
type Deadline struct {
	Label   string
	Names   Text
	Starts  string // kind of the record that starts it; empty for a recurring one
	Due     string // kind of the record that meets it
	Within  Period
	Every   Period // for a recurring one
	AtLeast int    // how many records in each period; 1 unless said
	Note    Text
	Source  string
	Place   string
}

// Rule is a sharing rule of the agreement's own, in Cedar. Here it is only text.
type Rule struct {
	Label string
	Names Text
	Cedar string
}

// Limits on sharing rules; what a rule means and costs is asked of a [RuleChecker].
const (
	MaxRuleBytes = 8 << 10
	MaxRules     = 64
)

// RuleChecker compiles a rule against the closed schema and refuses one that is outside it or costs too much.
type RuleChecker interface {
	CheckRule(label, cedar string) error
}

// Crosswalk says how a commitment or item corresponds to one of another agreement. To is "agreement/label".
type Crosswalk struct {
	From     string
	To       string
	Relation Relation
	Note     Text
}

// Relation is read from From to To: From is … To.
type Relation string

// The relations.
const (
	Same     Relation = "same"
	Broader  Relation = "broader"
	Narrower Relation = "narrower"
	Related  Relation = "related"
)

// Inverse is the relation read the other way.
func (r Relation) Inverse() Relation {
	switch r {
	case Broader:
		return Narrower
	case Narrower:
		return Broader
	}
	return r
}

// Link relates a whole agreement to another: follows, updates, context.
type Link struct {
	To       string
	Relation string
	Note     Text
}

// LinkRelations lists how agreements relate.
func LinkRelations() []string {
	return []string{"updates", "implements", "follows", "part-of", "related", "context"}
}

// Quota limits what one author may bring in. 0: no limit of the agreement's own.
type Quota struct {
	RecordsPerDay   int
	MegabytesPerDay int
	IndicatorsTotal int
}

// Backfill says which earlier epochs a newcomer gets.
type Backfill string

// The backfill rules.
const (
	BackfillNone Backfill = "none"
	BackfillAll  Backfill = "all"
	BackfillYear Backfill = "year" // the twelve months before joining
)

// Party returns the party with a label declared in the file.
func (a *Agreement) Party(label string) (Party, bool) {
	return find(a.Parties, label, func(p *Party) string { return p.Label })
}

// Commitment returns the commitment with a label.
func (a *Agreement) Commitment(label string) (Commitment, bool) {
	return find(a.Commitments, label, func(c *Commitment) string { return c.Label })
}

// Item returns the list entry with a label.
func (a *Agreement) Item(label string) (Item, bool) {
	return find(a.Items, label, func(i *Item) string { return i.Label })
}

// Deadline returns the deadline with a label.
func (a *Agreement) Deadline(label string) (Deadline, bool) {
	return find(a.Deadlines, label, func(d *Deadline) string { return d.Label })
}

// SourceOf returns the source with a label.
func (a *Agreement) SourceOf(label string) (Source, bool) {
	return find(a.Sources, label, func(s *Source) string { return s.Label })
}

func find[T any](all []T, label string, of func(*T) string) (T, bool) {
	for i := range all {
		if of(&all[i]) == label {
			return all[i], true
		}
	}
	var none T
	return none, false
}
