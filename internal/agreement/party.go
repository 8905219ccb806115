package agreement

// PartyKind says what a party is.
type PartyKind string

// The kinds of parties.
const (
	KindState         PartyKind = "state"
	KindAgency        PartyKind = "agency"
	KindCERT          PartyKind = "cert"
	KindCompany       PartyKind = "company"
	KindNGO           PartyKind = "ngo"
	KindUniversity    PartyKind = "university"
	KindInternational PartyKind = "international-organisation"
	KindBody          PartyKind = "body"   // an organ of something else: a council, a forum, a working group
	KindPerson        PartyKind = "person" // a person in an office
)

// PartyKinds lists the kinds in the order in which they are shown.
func PartyKinds() []PartyKind {
	return []PartyKind{KindState, KindAgency, KindCERT, KindCompany, KindNGO, KindUniversity, KindInternational, KindBody, KindPerson}
}

// Party is who acts. ID is empty for a party that does not run mithaq: being named in a real agreement
// is a fact of the world, being connected is membership in a roll.
type Party struct {
	Label     string
	Kind      PartyKind
	ID        string // party id, docs/formats.md section 1
	Names     Text
	Short     Text
	Also      map[string][]string // other names by language, for search and matching
	Country   string              // ISO 3166-1 alpha-2, where it has one
	Of        string              // label of the party it belongs to: an agency's state, a minister's ministry
	Office    Text                // a person's office
	Term      Term                // when the office was held
	Fictional bool                // invented for a demonstration; refused in a real agreement
}

// Term is a time in office. Either end may be unknown.
type Term struct {
	From, To FuzzyDate
}
