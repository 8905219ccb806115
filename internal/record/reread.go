package record

import (
	"bytes"
	"encoding/base64"
	"time"

	"filippo.io/age"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mithaq/mithaq/stix"
)

// A Rereader reads records that were verified before: when they were appended to the own log, or when they were taken in.
// Neither signatures nor the rules of the kind are checked again, and memory is used again from record to record, which makes it
// many times as fast as [History.Judge]; the caller has checked that the object is still the one that its leaf commits
// to. Bytes from elsewhere go to [OpenRecord]. The zero Rereader is ready; it serves one goroutine.
type Rereader struct {
	envelope, payload []byte
	outer, inner      stix.Reader
	known             map[string]string // texts that come again and again: one copy of each
	base64            *base64Tables
}

// A Reread is a record as a [Rereader] read it. Record.Body, Payload and Body are good until its next call.
type Reread struct {
	Record  Record
	Signers []string   // ids of the keys that signed
	Payload []byte     // the exact bytes
	Body    stix.Value // Record.Body, parsed; its places are those in Payload
	Huge    bool       // there is a number in the payload that package stix takes for too large
}

const (
	keptBuffer = 4 << 20 // bytes of a buffer that are kept for the next record
	keptTexts  = 4096
)

// Object reads the record in an object, as [OpenObject] opens it.
func (x *Rereader) Object(object []byte, ids ...age.Identity) (Reread, error) {
	if cap(x.envelope) > keptBuffer {
		x.envelope = nil
	}
	envelope, err := openObject(x.envelope[:0], object, ids)
	if err != nil {
		return Reread{}, err
	}
	x.envelope = envelope
	return x.Envelope(envelope)
}

// PayloadOf returns the payload of the record in an object, in memory of its own; nothing else is read.
func (x *Rereader) PayloadOf(object []byte, ids ...age.Identity) ([]byte, error) {
	if cap(x.envelope) > keptBuffer {
		x.envelope = nil
	}
	envelope, err := openObject(x.envelope[:0], object, ids)
	if err != nil {
		return nil, err
	}
	x.envelope = envelope
	return x.payloadOf(envelope)
}

// Envelope reads the record in an envelope.
func (x *Rereader) Envelope(envelope []byte) (Reread, error) {
	e, err := x.outer.Read(envelope, stix.Limits{MaxObject: MaxEnvelope})
	if err != nil {
		return Reread{}, fail(CodeSyntax, "", "not an envelope: %v", err)
	}
	if !e.Get("payloadType").Is(RecordType) {
		return Reread{}, fail(CodeValue, "/payloadType", "%.80q where %s must stand: this is another kind of envelope", e.Get("payloadType").Text(), RecordType)
	}
	text := e.Get("payload").TextBytes()
	if cap(x.payload) > keptBuffer {
		x.payload = nil
	}
	payload, ok := x.decode(x.payload, text)
	if !ok {
		if payload, err = base64.StdEncoding.AppendDecode(x.payload[:0], text); err != nil { // with line ends in it
			return Reread{}, &Error{CodeValue, "/payload", "not base64 of the standard alphabet with padding: encode it again", err}
		}
	}
	x.payload = payload
	signatures := e.Get("signatures")
	signers := make([]string, 0, signatures.Len())
	for s := range signatures.Elements() {
		signers = append(signers, x.text(s.Get("keyid")))
	}
	out, err := x.Payload(x.payload)
	out.Signers = signers
	return out, err
}

// Payload reads the record of a payload alone.
func (x *Rereader) Payload(payload []byte) (out Reread, err error) {
	limits := stix.Limits{MaxObject: MaxPayload}
	v, err := x.inner.Read(payload, limits)
	if err != nil {
		limits.AnyNumber = true
		out.Huge = true
		if v, err = x.inner.Read(payload, limits); err != nil {
			return out, fail(CodeSyntax, "/payload", "not the payload of a record: %v", err)
		}
	}
	out.Payload = payload
	r := &out.Record
	for name, v := range v.Children() {
		switch string(name) {
		case "id":
			r.ID = v.Text()
		case "agreement":
			r.Agreement = x.text(v)
		case "author":
			r.Author = x.text(v)
		case "officer":
			r.Officer = x.text(v)
		case "kind":
			r.Kind = Kind(x.text(v))
		case "time":
			r.Time, err = rereadTime(v)
		case "expires":
			var at time.Time
			at, err = rereadTime(v)
			r.Expires = &at
		case "marking":
			r.Marking = Marking{TLP: TLP(x.text(v.Get("tlp"))), PAP: PAP(x.text(v.Get("pap")))}
		case "audience":
			r.Audience = &Audience{Parties: x.texts(v.Get("parties")), Persons: x.texts(v.Get("persons"))}
		case "serves":
			r.Serves = x.texts(v)
		case "refs":
			r.Refs = make([]Ref, 0, v.Len())
			for ref := range v.Elements() {
				r.Refs = append(r.Refs, Ref{Rel: Rel(x.text(ref.Get("rel"))), Leaf: ref.Get("leaf").Text()})
			}
		case "body":
			r.Body, out.Body = v.Raw(), v
		}
		if err != nil {
			return out, err
		}
	}
	if r.ID == "" || r.Author == "" || r.Kind == "" || r.Time.IsZero() || !out.Body.IsObject() {
		return out, fail(CodeMissing, "/payload", "this is no record: it has no id, author, kind, time or body")
	}
	return out, nil
}

// text is a string that other records have too.
func (x *Rereader) text(v stix.Value) string {
	b := v.TextBytes()
	if s, ok := x.known[string(b)]; ok {
		return s
	}
	if x.known == nil || len(x.known) >= keptTexts {
		x.known = make(map[string]string)
	}
	s := string(b)
	x.known[s] = s
	return s
}

func (x *Rereader) texts(list stix.Value) []string {
	if list.Len() == 0 {
		return nil
	}
	out := make([]string, 0, list.Len())
	for v := range list.Elements() {
		out = append(out, x.text(v))
	}
	return out
}

func rereadTime(v stix.Value) (time.Time, error) {
	text := v.Text()
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || !instantForm(text) {
		return t, fail(CodeValue, "/payload", "%.40q is not a time: write it in UTC as 2026-01-31T23:59:59.123456Z", text)
	}
	return t.UTC(), nil
}

// payloadOf returns the payload of an envelope, in memory of its own.
func (x *Rereader) payloadOf(envelope []byte) ([]byte, error) {
	// As programs write an envelope the member stands there in so many bytes, and a string cannot hold them: a quote in it is
	// escaped. Finding it costs a fraction of parsing.
	const member = `"payload":"`
	if _, rest, found := bytes.Cut(envelope, []byte(member)); found {
		if end := bytes.IndexByte(rest, '"'); end >= 0 {
			if payload, ok := x.decode(nil, rest[:end]); ok {
				return payload, nil
			}
		}
	}
	var e wireEnvelope
	if err := reread(envelope, &e); err != nil {
		return nil, err
	}
	return e.Payload, nil
}

// decode reads base64 of the standard alphabet into dst, or into memory of its own where dst has too little room.
func (x *Rereader) decode(dst, text []byte) ([]byte, bool) {
	if x.base64 == nil {
		x.base64 = newBase64Tables()
	}
	size := base64.StdEncoding.DecodedLen(len(text))
	if cap(dst) < size {
		dst = make([]byte, size)
	}
	n, ok := x.base64.decode(dst[:size], text)
	return dst[:n], ok
}

func reread(b []byte, v any) *Error {
	if err := json.Unmarshal(b, v, jsontext.AllowDuplicateNames(true)); err != nil {
		return jsonError(err, "")
	}
	return nil
}

func (w *wireRecord) record() Record {
	r := Record{
		ID: w.ID, Agreement: w.Agreement, Author: w.Author, Officer: w.Officer, Kind: w.Kind, Time: w.Time.Time,
		Marking: w.Marking, Audience: w.Audience, Serves: w.Serves, Refs: w.Refs, Body: w.Body,
	}
	if w.Expires != nil {
		r.Expires = &w.Expires.Time
	}
	return r
}

// Vouched says whether a record of a kind, at an index of the log and signed by these keys, is vouched for today. It
// says nothing about the signatures themselves.
func (h *History) Vouched(index int64, kind Kind, signers []string) Verdict {
	if kind == KindKeyring {
		// The root key vouches for a keyring, whatever became of the node key that brought it in.
		return Verdict{}
	}
	// A key that was replaced in good order is vouched for up to the keyring that replaced it, whose leaf ends its use.
	var verdict Verdict
	for _, id := range signers {
		if rev, ok := h.revoked[id]; ok && rev.Reason != RevokedSuperseded && rev.Size <= index && (verdict.NotVouched == nil || rev.Size < verdict.NotVouched.Size) {
			verdict.NotVouched = &rev
		}
	}
	return verdict
}
