package node

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/mithaq/mithaq/internal/entry"
)

// LogView is one log of this node as the API and the command line show it.
type LogView struct {
	ID         string         `json:"id" doc:"Log id" example:"l-mfzwizltoq2gs3tfmr2w4zi6wq"`
	Origin     string         `json:"origin" doc:"Checkpoint origin (C2SP tlog-checkpoint)"`
	Size       int64          `json:"size" doc:"Number of leaves in the published checkpoint"`
	VKey       string         `json:"vkey" doc:"Verifier key of the checkpoint (C2SP signed-note)"`
	URL        string         `json:"url" doc:"Prefix of the log's tiles (C2SP tlog-tiles)"`
	Root       string         `json:"root" doc:"Root hash of the published tree, hexadecimal"`
	Agreement  string         `json:"agreement" doc:"Agreement id, or own"`
	Party      string         `json:"party" doc:"Party id of the author"`
	Mark       string         `json:"mark,omitempty" doc:"خيالي · Fictional · Fictif, where its author or its agreement is invented"`
	Generation int            `json:"generation" doc:"0, or the number of successor logs before this one"`
	Public     bool           `json:"public" doc:"Whether tiles and objects are served without a token"`
	State      string         `json:"state" enum:"open,behind,retired,followed" doc:"open: appends; followed: another party's, of which what is here is verified; behind: others have seen more of it than this node has; retired: a successor log has been opened"`
	Cosigned   []CosignerView `json:"cosigned,omitempty" doc:"Whose cosignatures its newest checkpoint bears"`
}

// PartyView is the party that this node is.
type PartyView struct {
	ID          string            `json:"id" doc:"Party id"`
	Names       map[string]string `json:"names" doc:"Name by language tag"`
	Fingerprint string            `json:"fingerprint" doc:"The party id in eight words, to compare by telephone"`
	Mark        string            `json:"mark,omitempty" doc:"خيالي · Fictional · Fictif, of an invented party"`
}

// Receipt says where a published record stands.
type Receipt struct {
	Record    string `json:"record" doc:"Record id"`
	Kind      string `json:"kind"`
	Log       string `json:"log" doc:"Log id"`
	Index     int64  `json:"index" doc:"The record's place in the log, from 0"`
	Leaf      string `json:"leaf" doc:"Leaf hash, hexadecimal: what references name"`
	Object    string `json:"object" doc:"SHA-256 of the object, hexadecimal"`
	Size      int64  `json:"size" doc:"Size of the checkpoint that covers the record"`
	Duplicate bool   `json:"duplicate,omitempty" doc:"The same object was in the log before; this is its first place"`
}

// Standing of a record after it was checked.
const (
	StandingValid      = entry.Valid
	StandingNotVouched = entry.NotVouched
	StandingSealed     = entry.Sealed
	StandingErased     = entry.Erased
	StandingInvalid    = entry.Invalid
	StandingWithheld   = "withheld" // the sharing decision keeps it from who asks
)

// RecordView is one entry of a log as far as this node can open it.
type RecordView struct {
	Log       string            `json:"log"`
	Index     int64             `json:"index"`
	Leaf      string            `json:"leaf" doc:"Leaf hash, hexadecimal"`
	Object    string            `json:"object" doc:"SHA-256 of the object, hexadecimal"`
	Standing  string            `json:"standing" enum:"valid,not-vouched-for,sealed,erased,invalid,withheld"`
	Why       string            `json:"why,omitempty" doc:"Why the standing is not valid, or why not all of it is shown"`
	WhyIn     map[string]string `json:"why_in,omitempty" doc:"The same by language, where the sharing decision says why"`
	Witnessed *bool             `json:"witnessed,omitempty" doc:"Whether enough witnesses saw that the log with it only grew; absent: the agreement asks for none. They vouch for no contents"`
	Mark      string            `json:"mark,omitempty" doc:"خيالي · Fictional · Fictif, where its author or its agreement is invented"`
	Sealed    bool              `json:"sealed" doc:"Whether the object is sealed to its audience"`
	ID        string            `json:"id,omitempty" doc:"Record id"`
	Agreement string            `json:"agreement,omitempty"`
	Author    string            `json:"author,omitempty"`
	Officer   string            `json:"officer,omitempty"`
	Kind      string            `json:"kind,omitempty"`
	Time      *time.Time        `json:"time,omitempty"`
	Expires   *time.Time        `json:"expires,omitempty"`
	TLP       string            `json:"tlp,omitempty"`
	PAP       string            `json:"pap,omitempty"`
	Parties   []string          `json:"parties,omitempty" doc:"Audience: party ids"`
	Persons   []string          `json:"persons,omitempty" doc:"Audience: officers' key ids"`
	Serves    []string          `json:"serves,omitempty" doc:"Commitments served"`
	Refs      []RefView         `json:"refs,omitempty"`
	Warnings  []WarningView     `json:"warnings,omitempty" doc:"Of intelligence: values that are on this node's warning lists, at most 100"`
	Galaxies  []GalaxyView      `json:"galaxies,omitempty" doc:"Of intelligence: actors, techniques and tools of ATT&CK and other galaxies that its objects have to do with, at most 50"`
	Tags      []TagView         `json:"tags,omitempty" doc:"Of intelligence: labels of known taxonomies, with what they mean"`
	Partial   bool              `json:"partial,omitempty" doc:"Not all of it is shown: its author took objects back. The body is a bundle of the others, which nobody signed"`
	Recalled  []RecalledView    `json:"recalled,omitempty" doc:"Of one's own intelligence: the objects that were taken back by themselves"`
	Body      json.RawMessage   `json:"body,omitempty" doc:"The record's body; …/body gives its exact bytes"`
}

// RefView is a reference of a record to a leaf.
type RefView struct {
	Rel  string `json:"rel"`
	Leaf string `json:"leaf"`
}

// KeyView is one key of a keyring.
type KeyView struct {
	ID      string            `json:"id"`
	Alg     string            `json:"alg"`
	Role    string            `json:"role"`
	Names   map[string]string `json:"names,omitempty"`
	Kinds   []string          `json:"kinds,omitempty"`
	Log     string            `json:"log"`
	Revoked *int64            `json:"revoked,omitempty" doc:"Size of the log up to which the key is vouched for"`
	Reason  string            `json:"reason,omitempty"`
	Held    bool              `json:"held" doc:"Whether this node holds the private key or a command that signs with it"`
}

// proofPath is where the API gives the offline proof of a record.
func proofPath(p Place) string {
	return "/api/v1/logs/" + p.Log + "/records/" + strconv.FormatInt(p.Index, 10) + "/proof"
}
