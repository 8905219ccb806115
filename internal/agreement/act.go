package agreement

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// ActKind is what a party does to an agreement.
type ActKind string

// The acts, as in the body of an act record (docs/formats.md section 5).
const (
	ActPropose  ActKind = "propose"
	ActApprove  ActKind = "approve"
	ActJoin     ActKind = "join"
	ActDecline  ActKind = "decline"
	ActInvite   ActKind = "invite"
	ActAmend    ActKind = "amend"
	ActWithdraw ActKind = "withdraw"
	ActReview   ActKind = "review"
	ActObject   ActKind = "object"
	ActDeclare  ActKind = "declare"
	ActSucceed  ActKind = "succeed"
	ActAdmit    ActKind = "admit"
	ActRemove   ActKind = "remove"
)

// ActKinds lists the acts.
func ActKinds() []ActKind {
	return []ActKind{ActPropose, ActApprove, ActJoin, ActDecline, ActInvite, ActAmend, ActWithdraw, ActReview, ActObject,
		ActDeclare, ActSucceed, ActAdmit, ActRemove}
}

// Act is the body of an act record. Hashes are in lower-case hexadecimal.
type Act struct {
	Act          ActKind       `json:"act"`
	Date         string        `json:"date"`                // YYYY-MM-DD
	Parent       string        `json:"parent,omitzero"`     // state hash: see docs/agreement-state.md for which one
	Proposal     string        `json:"proposal,omitzero"`   // leaf hash of the proposal approved
	Text         *TextVersion  `json:"text,omitzero"`       // the text acted upon
	Definition   string        `json:"definition,omitzero"` // an agreement file, verbatim
	Party        string        `json:"party,omitzero"`      // party id acted upon
	Reservations []Reservation `json:"reservations,omitzero"`
	Declarations []Text        `json:"declarations,omitzero"`
	ObjectsTo    string        `json:"objects_to,omitzero"` // leaf hash
	Mandate      *Mandate      `json:"mandate,omitzero"`
	Log          *LogKey       `json:"log,omitzero"`
	Note         Text          `json:"note,omitzero"`
}

// TextVersion names a text by its version and hash.
type TextVersion struct {
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
}

// Reservation excludes or limits a commitment for its author.
type Reservation struct {
	Commitment string `json:"commitment"`
	Text       Text   `json:"text"`
}

// Mandate says on whose authority an officer acted.
type Mandate struct {
	By    Text   `json:"by"`
	Basis Text   `json:"basis"`
	Date  string `json:"date,omitzero"`
}

// LogKey is where a party's log under the agreement is and which key signs it.
type LogKey struct {
	Origin string `json:"origin"`
	VKey   string `json:"vkey"`
}

// isHash says whether s is 64 lower-case hexadecimal digits.
func isHash(s string) bool {
	if len(s) != 2*sha256.Size {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isParty says whether s is a party id: p- and 32 digits of base 32.
func isParty(s string) bool {
	if len(s) != 34 || s[:2] != "p-" {
		return false
	}
	for i := 2; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// limits of one act.
const (
	maxReservations = 64
	maxDeclarations = 64
)

// ID is the id of the agreement that a founding proposal begins: `a-` and the base 32 of the first 20 bytes of
// SHA-256("mithaq/agreement/v1" ‖ 0 ‖ the definition's bytes), docs/formats.md section 1.
func ID(definition []byte) string {
	h := sha256.New()
	h.Write([]byte("mithaq/agreement/v1\x00"))
	h.Write(definition)
	return "a-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:20]))
}

// TextHash is the hash by which acts name a text: SHA-256 of the definition's bytes, in hexadecimal.
func TextHash(definition []byte) string {
	sum := sha256.Sum256(definition)
	return hex.EncodeToString(sum[:])
}

// Check says what is wrong with an act on its own, before any state is looked at.
func (a Act) Check() error {
	if _, err := time.Parse(time.DateOnly, a.Date); err != nil {
		return malformed("date", "%q is not a day YYYY-MM-DD", clip(a.Date))
	}
	if err := a.checkHashes(); err != nil {
		return err
	}
	if err := a.checkTexts(); err != nil {
		return err
	}
	return a.checkNeeds()
}

func malformed(field, format string, args ...any) error {
	return &Refusal{Code: Malformed, What: field + ": " + fmt.Sprintf(format, args...)}
}

func (a Act) checkHashes() error {
	for _, h := range [...]struct{ field, hash string }{{"parent", a.Parent}, {"proposal", a.Proposal}, {"objects_to", a.ObjectsTo}} {
		if h.hash != "" && !isHash(h.hash) {
			return malformed(h.field, "%q is not 64 hexadecimal digits", clip(h.hash))
		}
	}
	if a.Text != nil && (!isHash(a.Text.SHA256) || a.Text.Version == "" || len(a.Text.Version) > 64) {
		return malformed("text", "needs a version and a SHA-256")
	}
	if a.Party != "" && !isParty(a.Party) {
		return malformed("party", "%q is not a party id", clip(a.Party))
	}
	if a.Log != nil && (a.Log.Origin == "" || len(a.Log.Origin) > 256 || a.Log.VKey == "" || len(a.Log.VKey) > 512) {
		return malformed("log", "needs an origin and a verifier key")
	}
	return nil
}

func (a Act) checkTexts() error {
	if len(a.Reservations) > maxReservations || len(a.Declarations) > maxDeclarations {
		return malformed("reservations", "more than %d, or more than %d declarations", maxReservations, maxDeclarations)
	}
	for _, r := range a.Reservations {
		if err := CheckLabel(r.Commitment); err != nil {
			return malformed("reservations", "%v", err)
		}
		if err := checkTextMap(r.Text, CheckText); err != nil {
			return malformed("reservations", "%v", err)
		}
	}
	for _, d := range a.Declarations {
		if err := checkTextMap(d, CheckText); err != nil {
			return malformed("declarations", "%v", err)
		}
	}
	if a.Note != nil {
		if err := checkTextMap(a.Note, CheckText); err != nil {
			return malformed("note", "%v", err)
		}
	}
	if m := a.Mandate; m != nil {
		if err := checkTextMap(m.By, CheckName); err != nil {
			return malformed("mandate", "%v", err)
		}
		if err := checkTextMap(m.Basis, CheckText); err != nil {
			return malformed("mandate", "%v", err)
		}
		if _, err := time.Parse(time.DateOnly, m.Date); m.Date != "" && err != nil {
			return malformed("mandate", "date %q is not a day", clip(m.Date))
		}
	}
	return nil
}

func checkTextMap(t Text, check func(string) error) error {
	if len(t) == 0 || len(t) > MaxLanguages {
		return fmt.Errorf("%d languages, not 1 to %d", len(t), MaxLanguages)
	}
	for _, l := range t.Languages() {
		if err := CheckLanguage(l); err != nil {
			return err
		}
		if err := check(t[l]); err != nil {
			return err
		}
	}
	return nil
}

func (a Act) checkNeeds() error {
	need := func(ok bool, field string) error {
		if ok {
			return nil
		}
		return malformed(field, "%s needs it", a.Act)
	}
	if a.Definition != "" && a.Act != ActPropose && a.Act != ActAmend {
		return malformed("definition", "%s takes none", a.Act)
	}
	if len(a.Reservations) > 0 && a.Act != ActJoin && a.Act != ActApprove {
		return malformed("reservations", "%s takes none: a reservation is made when joining or approving", a.Act)
	}
	switch a.Act {
	case ActPropose:
		return need(a.Definition != "", "definition")
	case ActAmend:
		if err := need(a.Definition != "", "definition"); err != nil {
			return err
		}
		return need(a.Parent != "", "parent")
	case ActApprove:
		if err := need(a.Parent != "", "parent"); err != nil {
			return err
		}
		return need(a.Proposal != "", "proposal")
	case ActObject:
		return need(a.ObjectsTo != "", "objects_to")
	case ActDeclare:
		return need(len(a.Declarations) > 0, "declarations")
	case ActSucceed:
		if err := need(a.Parent != "", "parent"); err != nil {
			return err
		}
		return need(a.Party != "", "party")
	case ActInvite, ActAdmit, ActRemove:
		return need(a.Party != "", "party")
	case ActJoin, ActDecline, ActWithdraw, ActReview:
		return nil
	}
	return malformed("act", "%q is not an act", clip(string(a.Act)))
}
