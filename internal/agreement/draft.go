package agreement

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Draft is an act on its way through the officers of one party: drafted, approved, signed. Every approval is for the
// exact act; changing it starts again. It is a value: its methods return another one, and its fields are there to be
// stored and shown, not to be changed.
type Draft struct {
	Act        Act
	DraftedBy  string // key id of an officer
	DraftedAt  time.Time
	Needed     int // m
	Mandate    bool
	Officers   []string // n, sorted
	ApprovedBy []string // of exactly this act, sorted
	SignedBy   []string // sorted
}

// NewDraft begins a draft. The agreement's rules say how many of the officers must sign; a nil agreement
// (a founding proposal is its own) needs one.
func NewDraft(a *Agreement, officers []string, by string, act Act, at time.Time) (Draft, error) {
	d := Draft{Act: act, DraftedBy: by, DraftedAt: at, Officers: slices.Compact(slices.Sorted(slices.Values(officers)))}
	d.Needed, d.Mandate = a.OfficersFor(act.Act)
	if err := act.Check(); err != nil {
		return Draft{}, err
	}
	if !slices.Contains(d.Officers, by) {
		return Draft{}, notEntitled("whoever drafts must be one of the officers", "")
	}
	if len(d.Officers) < d.Needed {
		return Draft{}, &Refusal{Code: TooFew, What: fmt.Sprintf("%s needs %d officers, the keyring has %d", act.Act, d.Needed, len(d.Officers)),
			Remedy: "add officers to the keyring"}
	}
	return d, nil
}

// OfficersFor says how many officers of a party must sign an act under the agreement, and whether the act must name its
// mandate. A nil agreement asks for one officer.
func (a *Agreement) OfficersFor(act ActKind) (needed int, mandate bool) {
	needed = 1
	if a == nil {
		return needed, false
	}
	for _, r := range a.Officers {
		if len(r.Acts) == 0 || slices.Contains(r.Acts, act) {
			needed = max(needed, r.Signatures)
			mandate = mandate || r.Mandate
		}
	}
	return needed, mandate
}

// Digest names the exact act that officers approve.
func (d Draft) Digest() Hash {
	b, err := json.Marshal(d.Act)
	if err != nil {
		return Hash{}
	}
	return sha256.Sum256(append([]byte("mithaq/draft/v1\x00"), b...))
}

// Change replaces the act and drops what was approved of the old one.
func (d Draft) Change(by string, act Act) (Draft, error) {
	if len(d.SignedBy) > 0 {
		return d, turn("an officer has signed", "begin a new draft")
	}
	if !slices.Contains(d.Officers, by) {
		return d, notEntitled("only an officer may change the draft", "")
	}
	if act.Act != d.Act.Act {
		return d, turn("a draft keeps its kind of act", "begin a new draft")
	}
	if err := act.Check(); err != nil {
		return d, err
	}
	d.Act, d.ApprovedBy = act, nil
	return d, nil
}

// Approve adds an officer's approval of the act with this digest.
func (d Draft) Approve(officer string, digest Hash) (Draft, error) {
	if err := d.may(officer, digest, d.ApprovedBy); err != nil {
		return d, err
	}
	if d.Mandate && d.Act.Mandate == nil {
		return d, &Refusal{Code: TooFew, What: fmt.Sprintf("%s needs a mandate", d.Act.Act), Remedy: "say in the draft on whose authority it is"}
	}
	d.ApprovedBy = with(d.ApprovedBy, officer)
	return d, nil
}

// Sign notes that an officer has signed. Nobody signs before enough have approved, and only who approved signs.
func (d Draft) Sign(officer string, digest Hash) (Draft, error) {
	if err := d.may(officer, digest, d.SignedBy); err != nil {
		return d, err
	}
	if len(d.ApprovedBy) < d.Needed {
		return d, turn(fmt.Sprintf("%d of %d officers have approved", len(d.ApprovedBy), d.Needed), "let the others read it first")
	}
	if !slices.Contains(d.ApprovedBy, officer) {
		return d, turn("this officer has not approved the draft", "approve it first")
	}
	d.SignedBy = with(d.SignedBy, officer)
	return d, nil
}

func (d Draft) may(officer string, digest Hash, already []string) error {
	switch {
	case !slices.Contains(d.Officers, officer):
		return notEntitled("this key is not one of the party's officers for the act", "")
	case digest != d.Digest():
		return &Refusal{Code: WrongParent, What: "the draft has changed since it was read", Remedy: "read it again"}
	case slices.Contains(already, officer):
		return &Refusal{Code: Repeated, What: "this officer has done so already"}
	}
	return nil
}

// Complete says that enough officers have signed.
func (d Draft) Complete() bool { return len(d.SignedBy) >= d.Needed }

func with(list []string, s string) []string {
	out := append(slices.Clone(list), s)
	slices.Sort(out)
	return out
}
