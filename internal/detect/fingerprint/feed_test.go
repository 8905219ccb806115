package fingerprint

import (
	"bytes"

	"github.com/mithaq/mithaq/internal/detect/capture"
)

// feed gives an engine all packets of a capture.
func feed(e *Engine, file []byte) {
	r, err := capture.NewReader(bytes.NewReader(file), capture.Options{})
	if err != nil {
		return
	}
	defer r.Close()
	var p capture.Packet
	for r.Next(&p) == nil {
		e.Packet(&p)
	}
}
