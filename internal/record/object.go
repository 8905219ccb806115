package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"filippo.io/age"
)

// An object is objectMagic, the form, the salt, the content; a leaf is leafVersion and the object's hash.
const (
	objectMagic  = "MQO1"
	saltSize     = 32
	objectHeader = len(objectMagic) + 1 + saltSize
	leafVersion  = 0x01
	// LeafSize is the number of bytes of a leaf.
	LeafSize = 1 + sha256.Size
)

// A Form says whether an object's content is clear or sealed.
type Form byte

// The forms of an object.
const (
	FormClear  Form = 1
	FormSealed Form = 2
)

// SealObject returns the object of a record's envelope. It refuses to leave clear what must be sealed, and the reverse:
// the record's own marking and kind decide. rand gives the salt.
func SealObject(rand io.Reader, envelope []byte, to Sealing) ([]byte, error) {
	e, err := ParseEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	r, err := ParsePayload(e.Payload)
	if err != nil {
		return nil, located(err, "/payload")
	}
	if err := CheckForm(to.form, r); err != nil {
		return nil, err
	}
	return sealObject(rand, envelope, to)
}

// Seal is [SealObject] for the envelope that the caller signed just now over what r.Payload returned: it relies on that, and
// does not read the envelope a second time. A large bundle is appended in half the time.
func (r Record) Seal(rand io.Reader, envelope []byte, to Sealing) ([]byte, error) {
	if err := CheckForm(to.form, r); err != nil {
		return nil, err
	}
	return sealObject(rand, envelope, to)
}

func sealObject(rand io.Reader, envelope []byte, to Sealing) ([]byte, error) {
	object := make([]byte, objectHeader, objectHeader+len(envelope)/2)
	copy(object, objectMagic)
	object[len(objectMagic)] = byte(to.form)
	if _, err := io.ReadFull(rand, object[len(objectMagic)+1:]); err != nil {
		return nil, fmt.Errorf("salting an object: %w", err)
	}
	var err error
	if to.form == FormSealed {
		var content []byte
		if content, err = compress(nil, envelope); err == nil {
			content, err = seal(content, to.recipients...)
		}
		object = append(object, content...)
	} else {
		object, err = compress(object, envelope)
	}
	if err != nil {
		return nil, err
	}
	if len(object) > MaxObject {
		return nil, fail(CodeSize, "", "an object of %d bytes, at most %d are allowed: split the record", len(object), MaxObject)
	}
	return object, nil
}

// FormFor returns the form that a record travels in.
func FormFor(r Record) (Form, error) {
	spec, err := lookupKind(r.Kind)
	if err != nil {
		return 0, err
	}
	if spec.Clear || r.Marking.TLP == TLPClear {
		return FormClear, nil
	}
	return FormSealed, nil
}

// CheckForm refuses a record in the wrong form of object.
func CheckForm(form Form, r Record) error {
	want, err := FormFor(r)
	if err != nil {
		return err
	}
	switch {
	case form == want:
		return nil
	case want == FormClear:
		return fail(CodeSealing, "/payload/kind", "a %s record with %s is never sealed: leave it clear", r.Kind, r.Marking.TLP)
	}
	return fail(CodeSealing, "/payload/marking", "a record with %s is never clear: seal it to its audience", r.Marking.TLP)
}

// ObjectForm returns the form of an object, having looked at its head alone.
func ObjectForm(object []byte) (Form, error) {
	if len(object) > MaxObject {
		return 0, fail(CodeSize, "", "an object of %d bytes, at most %d are allowed", len(object), MaxObject)
	}
	if len(object) <= objectHeader || !bytes.HasPrefix(object, []byte(objectMagic)) {
		return 0, fail(CodeObject, "", "not an object of mithaq (%s): fetch it again", objectMagic)
	}
	form := Form(object[len(objectMagic)])
	if form != FormClear && form != FormSealed {
		return 0, fail(CodeObject, "", "form %d is not known here: upgrade mithaq", form)
	}
	return form, nil
}

// EnvelopeSize is how many bytes the envelope in a clear object has when it is decompressed, by what the object's head states: to
// know what [OpenObject] will take.
func EnvelopeSize(object []byte) (int, error) {
	form, err := ObjectForm(object)
	if err != nil {
		return 0, err
	}
	if form != FormClear {
		return 0, fail(CodeSealing, "", "a sealed object does not state the size of its envelope: open it")
	}
	size, fault := checkFrame(object[objectHeader:], MaxEnvelope)
	if fault != nil {
		return 0, fault
	}
	return size, nil
}

// OpenObject returns the envelope in an object, as it was sealed. Whether the object is the one that a leaf commits to
// is [CheckLeaf]'s question, whether to believe the envelope [OpenRecord]'s. An error that wraps [ErrNotForUs] says that none
// of the identities opens it.
func OpenObject(object []byte, ids ...age.Identity) ([]byte, error) {
	return openObject(nil, object, ids)
}

// openObject is OpenObject into the room after dst.
func openObject(dst, object []byte, ids []age.Identity) ([]byte, error) {
	form, err := ObjectForm(object)
	if err != nil {
		return nil, err
	}
	content := object[objectHeader:]
	if form == FormSealed {
		if content, err = unseal(content, MaxObject, recordStanzas, ids); err != nil {
			return nil, err
		}
	}
	envelope, fault := decompress(dst, content, MaxEnvelope)
	if fault != nil {
		return nil, fault
	}
	return envelope, nil
}

// ObjectHash returns the name of an object: its SHA-256 in hexadecimal. Wraps are named the same way.
func ObjectHash(object []byte) string { return hexOf(sha256.Sum256(object)) }

// Leaf returns the leaf that commits to an object: 33 bytes.
func Leaf(object []byte) []byte {
	sum := sha256.Sum256(object)
	return append([]byte{leafVersion}, sum[:]...)
}

// ParseLeaf returns the hash of the object that a leaf commits to.
func ParseLeaf(leaf []byte) ([32]byte, error) {
	if len(leaf) != LeafSize || leaf[0] != leafVersion {
		return [32]byte{}, fail(CodeObject, "", "not a leaf of version %d: %d bytes", leafVersion, len(leaf))
	}
	return [32]byte(leaf[1:]), nil
}

// CheckLeaf refuses an object that is not the one that the leaf commits to.
func CheckLeaf(leaf, object []byte) error {
	want, err := ParseLeaf(leaf)
	if err != nil {
		return err
	}
	if got := sha256.Sum256(object); got != want {
		return fail(CodeObject, "", "the object has hash %x, the leaf commits to %x: the object was changed, fetch it elsewhere", got, want)
	}
	return nil
}

// ParseHash reads a hash that was checked to be 64 hexadecimal digits; what is none gives zeros.
func ParseHash(digits string) (h [32]byte) {
	if raw, err := hex.DecodeString(digits); err == nil {
		copy(h[:], raw)
	}
	return h
}

// LeafHash returns the RFC 6962 hash of a leaf, SHA-256(0x00 ‖ leaf): what references name.
func LeafHash(leaf []byte) [32]byte {
	return sha256.Sum256(append([]byte{0}, leaf...))
}
