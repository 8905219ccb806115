package taxii

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mithaq/mithaq/stix"
)

// Object is one version of one STIX object, with what a collection files it under.
type Object struct {
	ID          string
	Type        string
	SpecVersion string // "2.1", "2.0"
	// Version is "modified", else "created", as written; empty when the object has neither. Section 3.4.1 then has the
	// server choose a value that is consistent: the date on which it was added.
	Version string
	Raw     []byte // exactly as it came
	Index   int    // its place in the envelope it came in
}

// Refusal says why an object was not taken.
type Refusal struct {
	Index   int    // place in the envelope, counted from 0
	ID      string // the object's, as far as it could be read
	Version string // likewise
	Pointer string // JSON pointer in the object; empty for the object as a whole
	Reason  string
}

// Error implements error.
func (r *Refusal) Error() string {
	return fmt.Sprintf("object %d: %s", r.Index, r.text())
}

func (r *Refusal) text() string {
	if r.Pointer == "" {
		return r.Reason
	}
	return r.Pointer + ": " + r.Reason
}

// Bounds within which an object is read; what exceeds them is refused before it costs anything.
const (
	maxDepth  = 64  // brackets within brackets
	maxNumber = 100 // bytes of a number
	// A whole number has to fit in 54 bits with its sign (section 2; RFC 7493, section 2.2).
	maxInteger = 1<<53 - 1
)

// ReadObject checks that raw is one JSON object without duplicate names, invalid UTF-8, deep nesting or numbers that
// others would read differently (RFC 7493), and finds its id, type and version. It does not validate STIX. The Object's
// Raw is raw itself. The error is a *Refusal.
func ReadObject(raw []byte) (Object, error) { return readObject(new(stix.Reader), raw) }

// readObject is ReadObject with a reader that keeps its memory for the next object.
func readObject(reader *stix.Reader, raw []byte) (Object, error) {
	o := Object{Raw: raw}
	if len(raw) == 0 || raw[0] != '{' {
		return o, &Refusal{Reason: "is no JSON object"}
	}
	if at, reason := measure(raw); reason != "" {
		return o, &Refusal{Pointer: pointerAt(raw, at), Reason: reason}
	}
	var head header
	if !head.readQuickly(reader, raw) {
		if err := head.read(raw); err != nil {
			return o, head.refusal(err)
		}
	}
	if pointer, reason := head.fill(&o); reason != "" {
		return o, &Refusal{ID: head.id, Version: o.Version, Pointer: pointer, Reason: reason}
	}
	return o, nil
}

// header is what of an object is read.
type header struct {
	id, typ, specVersion, created, modified string
}

// readQuickly reads nearly every object that read takes, in half the time; of the others it says false, and read finds out why.
func (h *header) readQuickly(reader *stix.Reader, raw []byte) bool {
	v, err := reader.Read(raw, stix.Limits{MaxDepth: maxDepth})
	if err != nil {
		return false
	}
	for name, v := range v.Children() {
		if field := h.field(string(name)); field != nil {
			if !v.IsString() {
				*h = header{}
				return false
			}
			*field = v.Text()
		}
	}
	return true
}

// read goes over the whole object once; the decoder refuses duplicate names and invalid UTF-8 wherever they are.
func (h *header) read(raw []byte) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		field := h.field(name.String())
		if field == nil {
			if err := dec.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if dec.PeekKind() != '"' {
			if err := dec.SkipValue(); err != nil {
				return err
			}
			return &Refusal{Pointer: string(dec.StackPointer()), Reason: "is no string"}
		}
		value, err := dec.ReadToken()
		if err != nil {
			return err
		}
		*field = value.String()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	if len(bytes.TrimLeft(raw[dec.InputOffset():], " \t\r\n")) > 0 {
		return &Refusal{Reason: "something follows the object"}
	}
	return nil
}

func (h *header) field(name string) *string {
	switch name {
	case "id":
		return &h.id
	case "type":
		return &h.typ
	case "spec_version":
		return &h.specVersion
	case "created":
		return &h.created
	case "modified":
		return &h.modified
	}
	return nil
}

// refusal turns an error of read into one that names the place.
func (h *header) refusal(err error) *Refusal {
	r := &Refusal{Reason: "is not well-formed JSON"}
	if idFormed(h.id) {
		r.ID = h.id
	}
	var ours *Refusal
	var syntax *jsontext.SyntacticError
	switch {
	case errors.As(err, &ours):
		r.Pointer, r.Reason = ours.Pointer, ours.Reason
	case errors.As(err, &syntax):
		r.Pointer = clipPointer(string(syntax.JSONPointer))
		if syntax.Err != nil {
			r.Reason = clip(strings.ToValidUTF8(syntax.Err.Error(), "�"))
		}
	}
	return r
}

// fill moves the header to o, or says what is wrong with it.
func (h *header) fill(o *Object) (pointer, reason string) {
	o.Version = h.modified
	versionField := "/modified"
	if h.modified == "" {
		o.Version, versionField = h.created, "/created"
	}
	if o.Version != "" {
		if _, err := VersionKey(o.Version); err != nil {
			o.Version = ""
			return versionField, "is no timestamp in UTC"
		}
	}
	typ, _, _ := strings.Cut(h.id, "--")
	switch {
	case h.typ == "":
		return "/type", "is missing"
	case h.typ == "bundle":
		return "", "a bundle is no object: send what it holds" // section 3.7: the objects stand in the envelope itself
	case h.id == "":
		return "/id", "is missing"
	case !idFormed(h.id):
		return "/id", "is not of the form type--UUID"
	case typ != h.typ:
		return "/id", "does not begin with the object's type"
	case h.specVersion != "" && !specVersionShaped(h.specVersion):
		return "/spec_version", "is no version"
	}
	o.ID, o.Type, o.SpecVersion = h.id, h.typ, h.specVersion
	if o.SpecVersion == "" {
		// Domain and relationship objects of 2.1 say so (STIX 2.1, section 3.2); observables need not.
		o.SpecVersion = "2.1"
		if h.created != "" {
			o.SpecVersion = "2.0"
		}
	}
	return "", ""
}

// measure looks for nesting and numbers out of bounds, and gives the place of the first.
func measure(raw []byte) (at int, reason string) {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			s := scanner{b: raw, at: i}
			if !s.text() {
				return 0, "is not well-formed JSON"
			}
			i = s.at - 1
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return i, fmt.Sprintf("is nested over %d levels deep", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		case c == '-' || c >= '0' && c <= '9':
			end := i + 1
			for end < len(raw) && numeric(raw[end]) {
				end++
			}
			if reason := numberFault(raw[i:end]); reason != "" {
				return i, reason
			}
			i = end - 1
		}
	}
	return 0, ""
}

func numeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'
}

func numberFault(number []byte) string {
	whole := !bytes.ContainsAny(number, ".eE")
	switch {
	case len(number) > maxNumber:
		return fmt.Sprintf("is a number of over %d characters", maxNumber)
	case whole && len(number) <= 15:
		return ""
	case whole:
		n, err := strconv.ParseInt(string(number), 10, 64)
		if errors.Is(err, strconv.ErrRange) || n > maxInteger || n < -maxInteger {
			return "is a whole number beyond 2^53-1"
		}
		return ""
	}
	if _, err := strconv.ParseFloat(string(number), 64); errors.Is(err, strconv.ErrRange) {
		return "is a number beyond what a double holds"
	}
	return ""
}

// pointerAt finds the JSON pointer of the value at an offset, as far as the text before it can be read.
func pointerAt(raw []byte, offset int) string {
	dec := jsontext.NewDecoder(bytes.NewReader(raw[:offset]), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	pointer := ""
	for {
		if _, err := dec.ReadToken(); err != nil {
			break
		}
		pointer = string(dec.StackPointer())
	}
	return clipPointer(pointer)
}

func clipPointer(pointer string) string {
	const most = 200
	if len(pointer) > most {
		return strings.ToValidUTF8(pointer[:most], "") + "…"
	}
	return strings.ToValidUTF8(pointer, "�")
}

// idFormed checks type--UUID (STIX 2.1, section 2.9).
func idFormed(id string) bool {
	typ, uuid, ok := strings.Cut(id, "--")
	if !ok || typ == "" || len(typ) > 250 || len(uuid) != 36 {
		return false
	}
	for i := range len(typ) {
		if c := typ[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return uuidFormed(uuid)
}

func uuidFormed(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}

// idShaped and typeShaped are what a filter may ask for: anything that could be an id or a type somewhere.
func idShaped(s string) bool   { return len(s) > 0 && len(s) <= 300 && plain(s) }
func typeShaped(s string) bool { return len(s) > 0 && len(s) <= 250 && plain(s) }

func plain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// specVersionShaped checks N.N.
func specVersionShaped(s string) bool {
	major, minor, ok := strings.Cut(s, ".")
	return ok && len(s) <= 8 && major != "" && minor != "" && strings.Trim(major+minor, "0123456789") == ""
}
