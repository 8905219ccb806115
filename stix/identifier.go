package stix

import (
	"crypto/sha1" // #nosec G505 -- UUIDv5 is defined with it; it makes a name here, not a protection
	"encoding/hex"
	"fmt"
	"io"
)

// namespace is 00abedb4-aa42-466c-9c01-fed23315a9b7, of all name-based identifiers of observables (section 2.9).
var namespace = [16]byte{0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7}

// NewID makes a random identifier (UUID version 4) for an object of a type, from 16 bytes of rand.
func NewID(rand io.Reader, typeName string) (string, error) {
	var u [16]byte
	if _, err := io.ReadFull(rand, u[:]); err != nil {
		return "", fmt.Errorf("making an identifier: %w", err)
	}
	return typeName + "--" + formatUUID(u, 4), nil
}

// ObservableID is the deterministic identifier of an observable: a UUID of version 5 over the canonical JSON of its
// ID-contributing properties. ok is false where there are none, or none at hand, and the identifier is to be random:
// for processes, say.
//
// Of several hashes one counts: MD5, else SHA-1, else SHA-256, else SHA-512, else the first in the order of names.
func ObservableID(raw []byte) (id string, ok bool, err error) {
	v, err := OpenValue(raw, Limits{})
	if err != nil {
		return "", false, err
	}
	return observableID(v, v.Get("type").Text(), contributing(v.Get("type").Text()))
}

// ObservableIDOf is ObservableID for types of one's own, with the properties that their extension says contribute.
func ObservableIDOf(raw []byte, contributing []string) (id string, ok bool, err error) {
	v, err := OpenValue(raw, Limits{})
	if err != nil {
		return "", false, err
	}
	return observableID(v, v.Get("type").Text(), contributing)
}

func observableID(v Value, typeName string, names []string) (string, bool, error) {
	sorted := append([]string(nil), names...)
	for i := range sorted { // a handful of names: insertion keeps them in order
		for j := i; j > 0 && sorted[j] < sorted[j-1]; j-- {
			sorted[j], sorted[j-1] = sorted[j-1], sorted[j]
		}
	}
	name := []byte{'{'}
	for _, property := range sorted {
		value := v.Get(property)
		if !value.Exists() {
			continue
		}
		if len(name) > 1 {
			name = append(name, ',')
		}
		name = append(appendString(name, []byte(property)), ':')
		if property == "hashes" && value.IsObject() {
			name = appendHash(name, value)
		} else {
			name = value.Canonical(name)
		}
	}
	if len(name) == 1 || typeName == "" {
		return "", false, nil
	}
	name = append(name, '}')
	sum := sha1.New() // #nosec G401 -- see above
	sum.Write(namespace[:])
	sum.Write(name)
	var u [16]byte
	copy(u[:], sum.Sum(nil))
	return typeName + "--" + formatUUID(u, 5), true, nil
}

// appendHash writes the one hash that counts.
func appendHash(dst []byte, hashes Value) []byte {
	chosen := ""
	for _, algorithm := range []string{"MD5", "SHA-1", "SHA-256", "SHA-512"} {
		if hashes.Get(algorithm).Exists() {
			chosen = algorithm
			break
		}
	}
	if chosen == "" {
		for name := range hashes.Members() {
			if chosen == "" || name < chosen {
				chosen = name
			}
		}
	}
	if chosen == "" {
		return append(dst, "{}"...)
	}
	dst = append(appendString(append(dst, '{'), []byte(chosen)), ':')
	return append(hashes.Get(chosen).Canonical(dst), '}')
}

func formatUUID(u [16]byte, version byte) string {
	u[6] = u[6]&0x0f | version<<4
	u[8] = u[8]&0x3f | 0x80
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// SplitID takes an identifier apart; ok is false for what is none.
func SplitID(id string) (typeName, uuid string, ok bool) {
	b := []byte(id)
	if !isIdentifier(b) {
		return "", "", false
	}
	name := identifierType(b)
	return string(name), id[len(name)+2:], true
}
