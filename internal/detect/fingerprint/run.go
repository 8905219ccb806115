package fingerprint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/mithaq/mithaq/internal/detect/capture"
)

// Run reads a capture with an Engine of its own, see [Engine.Run].
func Run(ctx context.Context, r io.Reader, opts Options, emit func(Event)) (Stats, error) {
	return NewEngine(opts, emit).Run(ctx, r)
}

// Run forgets what came before and reads a capture. It calls emit for every client hello in it, when what the server's side
// shows is complete or will not come any more. Damage in the capture does not stop it; it is
// counted in the Stats, which are right with an error too.
// The error is capture.ErrNotCapture when r is no capture, or that of ctx.
func (e *Engine) Run(ctx context.Context, r io.Reader) (Stats, error) {
	e.Forget()
	reader, err := capture.NewReader(r, capture.Options{Damage: e.opts.Damage, Map: true})
	if err != nil {
		return Stats{}, fmt.Errorf("fingerprinting: %w", err)
	}
	defer reader.Close()
	err = e.readAll(ctx, reader)
	e.Flush()
	stats := e.Stats()
	counts := reader.Counts()
	stats.Damage = counts.Map()
	return stats, err
}

// readAll takes all packets. A file that was cut off meanwhile ends there.
func (e *Engine) readAll(ctx context.Context, reader *capture.Reader) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil && !reader.Fault(fault) {
			panic(fault)
		} else if fault != nil {
			e.torn = true
		}
	}()
	var p capture.Packet
	for n := 0; ; n++ {
		if n&0xfff == 0 {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("fingerprinting, after %d packets: %w", n, err)
			}
		}
		if err := reader.Next(&p); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("fingerprinting, after %d packets: %w", n, err)
		}
		e.Packet(&p)
	}
}
