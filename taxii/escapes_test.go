package taxii

import (
	"bytes"
	"errors"
	"testing"
)

// TestEscapesOneByOne passes over a string that is nothing but escapes. Looking for its end again after each would not come to an
// end before the tests do.
func TestEscapesOneByOne(t *testing.T) {
	text := bytes.Repeat([]byte(`\\`), 1<<20)
	body := append(append([]byte(`{"objects":[{"a":"`), text...), `\""},{"b":1}]}`...)
	e, err := splitEnvelope(body, 10)
	if err != nil || len(e.objects) != 2 {
		t.Fatalf("%d objects, %v; want 2", len(e.objects), err)
	}
	if _, err := splitEnvelope([]byte(`{"objects":`), 10); !errors.Is(err, errMalformed) {
		t.Errorf("an envelope that is cut off: %v", err)
	}
	if s := (scanner{b: []byte(`"\\\"`)}); s.text() {
		t.Error("a string that does not end has an end")
	}
}
