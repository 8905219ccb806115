package record

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ActType says what a party does to an agreement.
type ActType string

// The acts of version 1.
const (
	ActPropose  ActType = "propose"
	ActApprove  ActType = "approve"
	ActJoin     ActType = "join"
	ActDecline  ActType = "decline"
	ActInvite   ActType = "invite"
	ActAmend    ActType = "amend"
	ActWithdraw ActType = "withdraw"
	ActReview   ActType = "review"
	ActObject   ActType = "object"
	ActDeclare  ActType = "declare"
	ActSucceed  ActType = "succeed"
	ActAdmit    ActType = "admit"
	ActRemove   ActType = "remove"
)

// Act is something a party does to an agreement at a date.
type Act struct {
	Act          ActType       `json:"act,omitzero"`
	Date         Date          `json:"date,omitzero"`
	Parent       string        `json:"parent,omitzero"`       // hash of the state it acts upon
	Proposal     string        `json:"proposal,omitzero"`     // leaf hash of the proposal it approves or joins
	Text         *TextVersion  `json:"text,omitzero"`         // which text of the agreement
	Definition   string        `json:"definition,omitzero"`   // an agreement file, verbatim
	Party        string        `json:"party,omitzero"`        // party acted upon
	Reservations []Reservation `json:"reservations,omitzero"` // with join and approve
	Declarations []Text        `json:"declarations,omitzero"`
	ObjectsTo    string        `json:"objects_to,omitzero"` // leaf hash of the act objected to
	Mandate      *Mandate      `json:"mandate,omitzero"`
	Log          *LogAddress   `json:"log,omitzero"` // the acting party's own log under the agreement
	Note         Text          `json:"note,omitzero"`
}

// TextVersion names one text of an agreement.
type TextVersion struct {
	Version string `json:"version,omitzero"` // at most 64 characters
	SHA256  string `json:"sha256,omitzero"`
}

// Reservation is what a party does not accept of a commitment.
type Reservation struct {
	Commitment string `json:"commitment,omitzero"`
	Text       Text   `json:"text,omitzero"`
}

// Mandate says who empowered the signatory, and how.
type Mandate struct {
	By    Names `json:"by,omitzero"`
	Basis Text  `json:"basis,omitzero"`
	Date  Date  `json:"date,omitzero"`
}

// LogAddress names a log and the key that signs its checkpoints, as a C2SP signed-note verifier key.
type LogAddress struct {
	Origin string `json:"origin,omitzero"`
	VKey   string `json:"vkey,omitzero"`
}

const (
	maxDefinition = 1 << 20 // bytes of an agreement file
	maxStatements = 64      // reservations or declarations of one act
)

// Kind returns [KindAct].
func (*Act) Kind() Kind { return KindAct }

func (a *Act) check(c *checker, at string) {
	oneOf(c, a.Act, at+"/act", ActPropose, ActApprove, ActJoin, ActDecline, ActInvite, ActAmend, ActWithdraw, ActReview,
		ActObject, ActDeclare, ActSucceed, ActAdmit, ActRemove)
	c.date(a.Date, at+"/date")
	a.checkNeeds(c, at)
	for _, h := range []struct{ hash, name string }{{a.Parent, "/parent"}, {a.Proposal, "/proposal"}, {a.ObjectsTo, "/objects_to"}} {
		if h.hash != "" {
			c.hash(h.hash, at+h.name)
		}
	}
	if a.Text != nil {
		c.line(a.Text.Version, 64, at+"/text/version")
		if c.required(a.Text.SHA256 != "", at+"/text/sha256") {
			c.hash(a.Text.SHA256, at+"/text/sha256")
		}
	}
	if len(a.Definition) > maxDefinition || !utf8.ValidString(a.Definition) {
		c.fail(CodeSize, at+"/definition", "an agreement file has at most %d bytes of UTF-8: shorten it", maxDefinition)
	}
	if a.Party != "" {
		c.id(a.Party, PrefixParty, at+"/party")
	}
	c.count(len(a.Reservations), maxStatements, at+"/reservations")
	for i, r := range a.Reservations {
		place := fmt.Sprintf("%s/reservations/%d", at, i)
		if c.required(r.Commitment != "", place+"/commitment") {
			c.label(r.Commitment, place+"/commitment")
		}
		c.text(r.Text, place+"/text")
	}
	c.count(len(a.Declarations), maxStatements, at+"/declarations")
	for i, d := range a.Declarations {
		c.text(d, fmt.Sprintf("%s/declarations/%d", at, i))
	}
	if a.Mandate != nil {
		c.names(a.Mandate.By, at+"/mandate/by")
		c.text(a.Mandate.Basis, at+"/mandate/basis")
		c.optionalDate(a.Mandate.Date, at+"/mandate/date")
	}
	if a.Log != nil {
		c.origin(a.Log.Origin, at+"/log/origin")
		c.vkey(a.Log, at+"/log/vkey")
	}
	c.optionalText(a.Note, at+"/note")
}

// checkNeeds checks which members each act cannot do without.
func (a *Act) checkNeeds(c *checker, at string) {
	switch a.Act {
	case ActApprove:
		c.required(a.Parent != "", at+"/parent")
		c.required(a.Proposal != "", at+"/proposal")
	case ActObject:
		c.required(a.ObjectsTo != "", at+"/objects_to")
	case ActPropose, ActAmend:
		c.required(a.Definition != "", at+"/definition")
	case ActDeclare:
		c.required(len(a.Declarations) > 0, at+"/declarations")
	case ActAdmit, ActRemove:
		c.required(a.Party != "", at+"/party")
	}
	if len(a.Reservations) > 0 && a.Act != ActJoin && a.Act != ActApprove {
		c.fail(CodeValue, at+"/reservations", "reservations are made when joining or approving: declare instead, or leave them out")
	}
}

// vkey checks a verifier key of the form ORIGIN+8 hexadecimal digits+base64(1 ‖ Ed25519 public key).
func (c *checker) vkey(l *LogAddress, at string) {
	if !c.required(l.VKey != "", at) {
		return
	}
	name, rest, ok := strings.Cut(l.VKey, "+")
	hash, key, ok2 := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.Strict().DecodeString(key)
	if !ok || !ok2 || name != l.Origin || len(hash) != 8 || strings.Trim(hash, "0123456789abcdef") != "" ||
		err != nil || len(key) != 44 || len(raw) != 33 || raw[0] != 1 {
		c.fail(CodeValue, at, "%.160q is not an Ed25519 verifier key of this origin: copy it from the log's listing", l.VKey)
	}
}

// line checks a required short text that is for programs and lists: one line of up to n characters.
func (c *checker) line(s string, n int, at string) {
	if !c.required(s != "", at) {
		return
	}
	if utf8.RuneCountInString(s) > n {
		c.fail(CodeSize, at, "over %d characters: shorten it", n)
	}
	if !utf8.ValidString(s) {
		c.fail(CodeUTF8, at, "invalid UTF-8: send text in UTF-8")
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == 0x2028 || r == 0x2029 || isBidiControl(r) {
			c.fail(CodeValue, at, "the character %U: write one line without control and direction characters", r)
		}
	}
}
