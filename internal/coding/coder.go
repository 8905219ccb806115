package coding

import (
	"bytes"
	"context"
	"fmt"
	"runtime"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	// minBody is what fits one packet with its header, so that fewer bytes arrive no sooner.
	minBody = 1 << 10
	// maxBody bounds what is compressed in memory; longer contents are sent plain.
	maxBody = 16 << 20
	// window bounds the memory of a client that decodes, and ours.
	window = 1 << 20
)

// pays says whether a coded form is enough smaller to be worth the client's work: by a sixteenth.
func pays(coded, plain int) bool { return coded <= plain-plain/16 }

// Coder compresses for as many requests at a time as there are processors; others wait for their turn. Safe for concurrent
// use.
type Coder struct {
	zstd *zstd.Encoder
	gzip chan *gzip.Writer // those that are free; nil: not made yet
}

// New returns a Coder. It takes no memory worth naming until it is used.
func New() *Coder {
	n := runtime.GOMAXPROCS(0)
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(n), zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true))
	if err != nil {
		e = nil // it refuses only options that it does not know: gzip is left
	}
	c := &Coder{zstd: e, gzip: make(chan *gzip.Writer, n)}
	for range n {
		c.gzip <- nil
	}
	return c
}

// encode returns b in a coding.
func (c *Coder) encode(ctx context.Context, coding Coding, b []byte) ([]byte, error) {
	switch {
	case coding == Zstd && c.zstd != nil:
		return c.zstd.EncodeAll(b, make([]byte, 0, len(b)/2)), nil
	case coding == Gzip:
		return c.encodeGzip(ctx, b)
	}
	return nil, fmt.Errorf("compressing: there is no coding %q", coding)
}

func (c *Coder) encodeGzip(ctx context.Context, b []byte) ([]byte, error) {
	var w *gzip.Writer
	select {
	case w = <-c.gzip:
	case <-ctx.Done():
		return nil, fmt.Errorf("compressing: %w", ctx.Err())
	}
	defer func() { c.gzip <- w }()
	var out bytes.Buffer
	out.Grow(len(b) / 2)
	if w == nil {
		w = gzip.NewWriter(&out)
	} else {
		w.Reset(&out)
	}
	_, err := w.Write(b)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return out.Bytes(), nil
}
