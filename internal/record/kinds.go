package record

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A Kind is what sort of statement a record makes.
type Kind string

// The kinds of version 1.
const (
	KindIntel      Kind = "intel"
	KindAct        Kind = "act"
	KindReport     Kind = "report"
	KindRecall     Kind = "recall"
	KindRelease    Kind = "release"
	KindAllegation Kind = "allegation"
	KindResponse   Kind = "response"
	KindKeyring    Kind = "keyring"
	KindEpoch      Kind = "epoch"
	KindReceipt    Kind = "receipt"
	KindRoll       Kind = "roll"
	KindSighting   Kind = "sighting"
	KindAudit      Kind = "audit"
)

// A Body is the typed form of a kind's body, such as [*Act]. Bodies are made with a literal, checked and written by
// [EncodeBody], and read by [ParseBody] or [Parse].
type Body interface {
	Kind() Kind
	check(c *checker, at string)
}

// A Spec says what one kind is: its schema, who issues it, how it travels. Adding a kind is one file, one schema and one
// line in the registry.
type Spec struct {
	Name       Kind
	Schema     []byte // JSON Schema 2020-12 of the body
	Issuer     Role   // the role of the key that issues it: RoleOfficer or RoleNode
	Clear      bool   // always in a clear object, whatever the marking
	Recallable bool   // may be the target of a recall

	parse func(body []byte, at string) (Body, *Error)
}

//go:embed schema/*.json
var schemas embed.FS

// Kinds returns the registry, one entry for each kind of this version, with its schema.
func Kinds() []Spec {
	kinds := registry()
	for i := range kinds {
		kinds[i].Schema = kinds[i].Name.schema()
	}
	return kinds
}

// schema returns the embedded schema: the same build put it there, and a test reads each of them.
func (k Kind) schema() []byte {
	b, _ := schemas.ReadFile("schema/" + string(k) + ".json")
	return b
}

func registry() []Spec {
	return []Spec{
		{Name: KindIntel, Issuer: RoleOfficer, Recallable: true, parse: parseAs[Intel]},
		{Name: KindAct, Issuer: RoleOfficer, parse: parseAs[Act]},
		{Name: KindReport, Issuer: RoleOfficer, Recallable: true, parse: parseAs[Report]},
		{Name: KindRecall, Issuer: RoleOfficer, parse: parseAs[Recall]},
		{Name: KindRelease, Issuer: RoleOfficer, parse: parseAs[Release]},
		{Name: KindAllegation, Issuer: RoleOfficer, Recallable: true, parse: parseAs[Allegation]},
		{Name: KindResponse, Issuer: RoleOfficer, parse: parseAs[Response]},
		{Name: KindKeyring, Issuer: RoleNode, Clear: true, parse: parseAs[KeyringBody]},
		{Name: KindEpoch, Issuer: RoleNode, Clear: true, parse: parseAs[EpochBody]},
		{Name: KindReceipt, Issuer: RoleNode, parse: parseAs[ReceiptBody]},
		{Name: KindRoll, Issuer: RoleNode, parse: parseAs[RollEntry]},
		{Name: KindSighting, Issuer: RoleOfficer, Recallable: true, parse: parseAs[Sighting]},
		{Name: KindAudit, Issuer: RoleNode, parse: parseAs[AuditBody]},
	}
}

// reserved names are those of kinds to come: a record of one is refused by name, not as a misspelling.
func reserved() []Kind {
	return []Kind{"incident", "request", "answer", "hotline", "ack", "advisory", "practice", "meeting", "exercise", "contact"}
}

// LookupKind returns the entry of the registry for a kind, with its schema, or an error with code [CodeKind].
func LookupKind(name Kind) (Spec, error) {
	spec, err := lookupKind(name)
	if err != nil {
		return Spec{}, err
	}
	spec.Schema = name.schema()
	return spec, nil
}

func lookupKind(name Kind) (Spec, *Error) {
	kinds := registry()
	if i := slices.IndexFunc(kinds, func(s Spec) bool { return s.Name == name }); i >= 0 {
		return kinds[i], nil
	}
	if slices.Contains(reserved(), name) {
		return Spec{}, fail(CodeKind, "", "the kind %q is reserved for a later version: upgrade mithaq", name)
	}
	return Spec{}, fail(CodeKind, "", "%.80q is not a kind: see docs/formats.md, section 5", string(name))
}

// CommonSchema returns the definitions that the schemas of the kinds refer to as common.json.
func CommonSchema() []byte {
	return Kind("common").schema()
}

// Check reads a body strictly and applies the kind's rules. Pointers in errors begin at the body.
func (s Spec) Check(body jsontext.Value) error {
	_, err := s.read(body)
	return err
}

func (s Spec) read(body []byte) (Body, error) {
	if err := scan(body, MaxPayload, "/bundle"); err != nil {
		return nil, err
	}
	if jsontext.Value(body).Kind() != '{' {
		return nil, fail(CodeType, "", "a body is a JSON object of the kind's schema")
	}
	b, err := s.parse(body, "")
	if err != nil {
		return nil, err
	}
	return b, nil
}

// ParseBody returns the typed body of a record, such as an [*Act].
func ParseBody(r Record) (Body, error) {
	spec, err := lookupKind(r.Kind)
	if err != nil {
		return nil, err
	}
	return spec.read(r.Body)
}

// Parse returns the body of a record whose kind the caller knows: Parse[record.Act](r).
func Parse[T any](r Record) (T, error) {
	var none T
	body, err := ParseBody(r)
	if err != nil {
		return none, err
	}
	if typed, ok := any(body).(*T); ok {
		return *typed, nil
	}
	return none, fail(CodeKind, "/kind", "the record is of kind %q: it has no %s", r.Kind, strings.TrimPrefix(fmt.Sprintf("%T", none), "record."))
}

// EncodeBody checks a body and returns its JSON. Bytes that are carried verbatim (a bundle, an envelope) stay so.
func EncodeBody(body Body) (jsontext.Value, error) {
	var c checker
	body.check(&c, "")
	if c.err != nil {
		return nil, c.err
	}
	var b []byte
	var err error
	if v, ok := body.(interface{ splice() []byte }); ok {
		b = v.splice()
	} else if b, err = encode(body); err != nil {
		return nil, jsonError(err, "")
	}
	spec, unknown := lookupKind(body.Kind())
	if unknown != nil {
		return nil, unknown
	}
	return b, spec.Check(b)
}

// parseAs decodes a body of type T and checks it. T's defaults, if any, tell a missing number from a zero.
func parseAs[T any, P interface {
	*T
	Body
}](body []byte, at string) (Body, *Error) {
	v := P(new(T))
	if d, ok := any(v).(interface{ defaults() }); ok {
		d.defaults()
	}
	if err := decode(body, at, v); err != nil {
		return nil, err
	}
	var c checker
	v.check(&c, at)
	if c.err != nil {
		return nil, c.err
	}
	return v, nil
}

func oneOf[T ~string](c *checker, v T, at string, allowed ...T) {
	if c.required(v != "", at) && !slices.Contains(allowed, v) {
		c.fail(CodeValue, at, "%.80q cannot stand here: one of %v", string(v), allowed)
	}
}
