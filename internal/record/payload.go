package record

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A Rel says how a record relates to another.
type Rel string

// The relations of references.
const (
	RelAbout    Rel = "about"
	RelAnswers  Rel = "answers"
	RelCorrects Rel = "corrects"
	RelEvidence Rel = "evidence"
	RelReplaces Rel = "replaces"
)

// A Ref points at another record by its leaf hash, which names its bytes whoever serves them.
type Ref struct {
	Rel  Rel    `json:"rel,omitzero"`
	Leaf string `json:"leaf,omitzero"`
}

const (
	maxServes = 64
	maxRefs   = 256
)

// A Record is one statement of one party under one agreement. The zero value of an optional field means that the
// payload does not have the member.
type Record struct {
	ID        string         // r-…, chosen at random
	Agreement string         // a-… or own
	Author    string         // party id
	Officer   string         // key id of who issues it: one of the signatures is by this key
	Kind      Kind           //
	Time      time.Time      // when it was signed, by the author's clock; microseconds
	Expires   *time.Time     // from when no exit may hand it out
	Marking   Marking        //
	Audience  *Audience      // nil: whoever the marking and the agreement allow
	Serves    []string       // labels of the commitments it serves
	Refs      []Ref          //
	Body      jsontext.Value // an object of the kind's schema: the exact bytes
}

// wireRecord is everything of the payload but the body, which is spliced in so that its bytes stay as they are.
type wireRecord struct {
	V         int            `json:"v,omitzero"`
	ID        string         `json:"id,omitzero"`
	Agreement string         `json:"agreement,omitzero"`
	Author    string         `json:"author,omitzero"`
	Officer   string         `json:"officer,omitzero"`
	Kind      Kind           `json:"kind,omitzero"`
	Time      Instant        `json:"time,omitzero"`
	Expires   *Instant       `json:"expires,omitzero"`
	Marking   Marking        `json:"marking,omitzero"`
	Audience  *Audience      `json:"audience,omitzero"`
	Serves    []string       `json:"serves,omitzero"`
	Refs      []Ref          `json:"refs,omitzero"`
	Body      jsontext.Value `json:"body,omitzero"`
}

// Payload checks the record and returns the exact bytes to sign, with Body in them byte for byte. Times are cut to
// microseconds.
func (r Record) Payload() ([]byte, error) {
	head, payload, err := r.compose()
	if err != nil {
		return nil, err
	}
	if err := r.checkPayload(head, payload); err != nil {
		return nil, err
	}
	return payload, nil
}

// Sign returns the record's payload in a signed envelope. The payload is checked before keys that somebody else holds sign it; keys
// in this process sign at the same time, and a signature under what is not right is thrown away.
func (r Record) Sign(ctx context.Context, signers ...Signer) ([]byte, error) {
	head, payload, err := r.compose()
	if err != nil {
		return nil, err
	}
	if len(payload) < signBeside || slices.ContainsFunc(signers, func(s Signer) bool { _, ours := s.(*Ed25519Signer); return !ours }) {
		if err := r.checkPayload(head, payload); err != nil {
			return nil, err
		}
		return Sign(ctx, RecordType, payload, signers...)
	}
	checked := make(chan error, 1)
	go func() { checked <- r.checkPayload(head, payload) }()
	envelope, err := Sign(ctx, RecordType, payload, signers...)
	if wrong := <-checked; wrong != nil {
		return nil, wrong
	}
	return envelope, err
}

// signBeside is from how many bytes on it pays to check a payload beside signing it.
const signBeside = 64 << 10

// compose returns the payload without its body, and with it.
func (r Record) compose() (head, payload []byte, err error) {
	wire := wireRecord{
		V: 1, ID: r.ID, Agreement: r.Agreement, Author: r.Author, Officer: r.Officer, Kind: r.Kind, Time: At(r.Time),
		Marking: r.Marking, Audience: r.Audience, Serves: r.Serves, Refs: r.Refs,
	}
	if r.Expires != nil {
		expires := At(*r.Expires)
		wire.Expires = &expires
	}
	if head, err = encode(wire); err != nil {
		return nil, nil, jsonError(err, "")
	}
	return head, splice(head, "body", r.Body), nil
}

// splice adds a last member to an encoded object without touching the value's bytes. A missing value is left out.
func splice(object []byte, name string, value jsontext.Value) []byte {
	if len(value) == 0 {
		return object
	}
	begin := `,"`
	if len(object) == 2 {
		begin = `"`
	}
	// Joining does not clear the memory before it is written.
	return bytes.Join([][]byte{object[:len(object)-1], []byte(begin + name + `":`), value, []byte("}")}, nil)
}

// ParsePayload reads a record's payload strictly: every rule of docs/formats.md, sections 2, 3 and 5, that does not
// need a key. Errors are *[Error].
func ParsePayload(b []byte) (Record, error) {
	if err := scan(b, MaxPayload, "/body/bundle"); err != nil {
		return Record{}, err
	}
	var wire wireRecord
	if err := decode(b, "", &wire); err != nil {
		return Record{}, err
	}
	var c checker
	wire.check(&c)
	if c.err != nil {
		return Record{}, c.err
	}
	spec, err := lookupKind(wire.Kind)
	if err != nil {
		return Record{}, err.under("/kind")
	}
	if _, err := spec.parse(wire.Body, "/body"); err != nil {
		return Record{}, err
	}
	return wire.record(), nil
}

func (w *wireRecord) check(c *checker) {
	if c.required(w.V != 0, "/v") && w.V != 1 {
		c.fail(CodeValue, "/v", "version %d is not known here: upgrade mithaq", w.V)
	}
	c.id(w.ID, PrefixRecord, "/id")
	if c.required(w.Agreement != "", "/agreement") && !IsAgreementID(w.Agreement) {
		c.fail(CodeValue, "/agreement", "%.80q is not an agreement's id: write a-… or own", w.Agreement)
	}
	c.id(w.Author, PrefixParty, "/author")
	c.id(w.Officer, PrefixKey, "/officer")
	c.required(w.Kind != "", "/kind")
	c.required(!w.Time.IsZero(), "/time")
	if w.Expires != nil && !w.Expires.Time.After(w.Time.Time) {
		c.fail(CodeValue, "/expires", "the record expires before it was signed: give a later time")
	}
	c.marking(w.Marking, "/marking")
	c.audience(w.Audience, "/audience")
	c.reach(w.Marking, w.Audience, "")
	c.labels(w.Serves, maxServes, "/serves")
	c.count(len(w.Refs), maxRefs, "/refs")
	for i, ref := range w.Refs {
		at := fmt.Sprintf("/refs/%d", i)
		if c.required(ref.Rel != "", at+"/rel") {
			oneOf(c, ref.Rel, at+"/rel", RelAbout, RelAnswers, RelCorrects, RelEvidence, RelReplaces)
		}
		if c.required(ref.Leaf != "", at+"/leaf") {
			c.hash(ref.Leaf, at+"/leaf")
		}
	}
	if c.required(len(w.Body) > 0, "/body") && w.Body.Kind() != '{' {
		c.fail(CodeType, "/body", "a JSON %s cannot be a body: it is an object of the kind's schema", kindWord(w.Body.Kind()))
	}
}

// labels checks a list of labels without repeats.
func (c *checker) labels(labels []string, most int, at string) {
	c.count(len(labels), most, at)
	seen := make(map[string]bool, len(labels))
	for i, l := range labels {
		place := fmt.Sprintf("%s/%d", at, i)
		c.label(l, place)
		if seen[l] {
			c.fail(CodeValue, place, "the label %q stands twice: drop the repeat", l)
		}
		seen[l] = true
	}
}
