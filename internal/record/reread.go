package record

import (
	"bytes"
	"encoding/base64"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Reread reads the record of an envelope that was verified before: when it was appended to the own log, or when it was
// taken in. It returns the ids of the keys that signed it and the payload too. Neither signatures nor the rules of the kind are checked
// again, which makes it several times as fast as [History.Judge]; the caller has checked that the object is still the
// one that its leaf commits to. Bytes from elsewhere go to [OpenRecord].
func Reread(envelope []byte) (r Record, signers []string, payload []byte, err error) {
	var e wireEnvelope
	if err := reread(envelope, &e); err != nil {
		return Record{}, nil, nil, err
	}
	if e.PayloadType != RecordType {
		return Record{}, nil, nil, fail(CodeValue, "/payloadType", "%.80q where %s must stand: this is another kind of envelope", e.PayloadType, RecordType)
	}
	var w wireRecord
	if err := reread(e.Payload, &w); err != nil {
		return Record{}, nil, nil, err.under("/payload")
	}
	signers = make([]string, len(e.Signatures))
	for i, s := range e.Signatures {
		signers[i] = s.KeyID
	}
	return w.record(), signers, e.Payload, nil
}

// RereadPayload returns the payload of an envelope that was verified before, as [Reread] does the record in it.
func RereadPayload(envelope []byte) ([]byte, error) {
	// As programs write an envelope the member stands there in so many bytes, and a string cannot hold them: a quote in it is
	// escaped. Finding it costs a fraction of parsing.
	const member = `"payload":"`
	if _, rest, found := bytes.Cut(envelope, []byte(member)); found {
		if end := bytes.IndexByte(rest, '"'); end >= 0 {
			payload := make([]byte, base64.StdEncoding.DecodedLen(end))
			if n, err := base64.StdEncoding.Decode(payload, rest[:end]); err == nil {
				return payload[:n], nil
			}
		}
	}
	var e wireEnvelope
	if err := reread(envelope, &e); err != nil {
		return nil, err
	}
	return e.Payload, nil
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
