package engine

import "strings"

// fileKey begins the correlation keys of events without addresses and of observed data.
const fileKey = "file\x00"

// SaveWaiting gives the parts of patterns over several events that wait for others, as bytes that RestoreWaiting reads: those of hosts, not
// those of a file. It is for the goroutine of the events.
func (e *Engine) SaveWaiting() []byte {
	return e.stream.Save(func(key string) bool { return !strings.HasPrefix(key, fileKey) })
}

// RestoreWaiting takes what SaveWaiting gave, before the first event. The error wraps [plan.ErrSaved]; then nothing waits.
func (e *Engine) RestoreWaiting(saved []byte) error { return e.stream.Restore(saved) }
