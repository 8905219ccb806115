package engine

// SaveWaiting gives the parts of patterns over several events that wait for others, as bytes that RestoreWaiting reads. It is for the
// goroutine of the events.
func (e *Engine) SaveWaiting() []byte { return e.stream.Save() }

// RestoreWaiting takes what SaveWaiting gave, before the first event. The error wraps [plan.ErrSaved]; then nothing waits.
func (e *Engine) RestoreWaiting(saved []byte) error { return e.stream.Restore(saved) }
