package stix

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ExtensionID identifies mithaq's extension to STIX 2.1, which ExtensionDefinition describes. On any object it says
// under which agreement and record the object was shared, and what it serves; on observables and indicators it carries
// fingerprints of TLS, QUIC, SSH and HTTP clients and servers.
const ExtensionID = "extension-definition--5b1c7c3e-2f5d-4d3a-9c61-7e0f6f1f8a42"

// ExtensionDefinition is the published extension-definition of ExtensionID, as JSON. It never changes but by a new version.
const ExtensionDefinition = `{
  "type": "extension-definition",
  "spec_version": "2.1",
  "id": "` + ExtensionID + `",
  "created_by_ref": "identity--0f6a1f6e-6b0c-4c57-8b3e-4b8f8d5b7a10",
  "created": "2026-11-01T00:00:00.000Z",
  "modified": "2026-11-01T00:00:00.000Z",
  "name": "mithaq",
  "description": "What a cyber-cooperation agreement adds to a STIX object: the agreement and the record under which it was shared, the commitments it serves, its PAP level; and fingerprints of network clients and servers (JA3, JA3S, JA4 and others).",
  "schema": "https://github.com/mithaq/mithaq/blob/main/docs/stix-extension.md",
  "version": "1.0.0",
  "extension_types": ["property-extension"]
}`

// Extension is the content of mithaq's extension on one object. Empty fields are absent.
type Extension struct {
	Agreement string   `json:"agreement,omitempty"` // the agreement's id
	Record    string   `json:"record,omitempty"`    // the record's id
	Leaf      string   `json:"leaf,omitempty"`      // the record's place in its log: its leaf hash, hexadecimal
	Serves    []string `json:"serves,omitempty"`    // labels of the commitments served
	PAP       string   `json:"pap,omitempty"`       // PAP:CLEAR, PAP:GREEN, PAP:AMBER or PAP:RED
	// Fingerprints are of the client or server that the object describes.
	Fingerprints []Fingerprint `json:"fingerprints,omitempty"`
}

// Check says what is wrong with an extension's content.
func (e Extension) Check() error {
	switch e.PAP {
	case "", "PAP:CLEAR", "PAP:GREEN", "PAP:AMBER", "PAP:RED":
	default:
		return fmt.Errorf("checking the mithaq extension: %q is no level of PAP", e.PAP)
	}
	if e.Leaf != "" && (len(e.Leaf) != 64 || !isHexDigits([]byte(e.Leaf))) {
		return errors.New("checking the mithaq extension: a leaf is 64 hexadecimal digits")
	}
	for _, label := range e.Serves {
		if label == "" || len(label) > 32 || !all([]byte(label), lower|upper|digit, ".-") {
			return fmt.Errorf("checking the mithaq extension: %q is no label of a commitment", label)
		}
	}
	for _, f := range e.Fingerprints {
		if err := f.Check(); err != nil {
			return fmt.Errorf("checking the mithaq extension: %w", err)
		}
	}
	return nil
}

// ReadExtension reads mithaq's extension from an object; ok is false when it has none.
func ReadExtension(o Object) (e Extension, ok bool, err error) {
	v, err := o.Open()
	if err != nil {
		return e, false, err
	}
	ext := v.Get("extensions", ExtensionID)
	if !ext.IsObject() {
		return e, false, nil
	}
	e.Agreement, e.Record, e.Leaf, e.PAP = ext.Get("agreement").Text(), ext.Get("record").Text(), ext.Get("leaf").Text(), ext.Get("pap").Text()
	e.Serves = ext.Get("serves").Texts()
	for f := range ext.Get("fingerprints").Elements() {
		e.Fingerprints = append(e.Fingerprints, Fingerprint{Kind: FingerprintKind(strings.ToLower(f.Get("kind").Text())), Value: f.Get("value").Text(),
			Role: f.Get("role").Text(), Raw: f.Get("raw").Text(), From: "mithaq"})
	}
	return e, true, e.Check()
}

// WriteExtension returns an object's bytes with mithaq's extension set; everything else stays byte for byte. Objects that
// others created must not be changed under their identifier: this is for one's own, and for copies made at an exit.
func WriteExtension(o Object, e Extension) ([]byte, error) {
	if err := e.Check(); err != nil {
		return nil, err
	}
	content, err := json.Marshal(struct {
		Type string `json:"extension_type"`
		Extension
	}{"property-extension", e})
	if err != nil {
		return nil, fmt.Errorf("writing the mithaq extension: %w", err)
	}
	v, err := o.Open()
	if err != nil {
		return nil, err
	}
	member := append(append([]byte(`{"`+ExtensionID+`":`), content...), '}')
	if extensions := v.Get("extensions"); extensions.IsObject() {
		if member, err = edit(extensions.Raw(), []Change{{ExtensionID, content}}); err != nil {
			return nil, err
		}
	}
	return edit(o.Raw, []Change{{"extensions", member}})
}
