package sensor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/evidence"
)

const (
	// rememberEvery is how often what evidence remembers is written, where the options do not say.
	rememberEvery = 10 * time.Minute
	// mostRemembered is more than a full history takes.
	mostRemembered = 1 << 28
)

// memory keeps in two files what a sensor knows of the traffic, so that a restart does not make every destination new and every beacon a
// first call, and parts of patterns go on waiting for others. Either of them costs what it held when it is damaged or of another
// version, and never keeps a sensor from matching.
type memory struct {
	history string // file of what evidence remembers
	waiting string // file of the parts of patterns that wait
	every   time.Duration
	asked   time.Time
}

// kept is what the two files hold.
type kept struct{ history, waiting []byte }

// remembered gives the history as it was written last, or a new one.
func (s *Sensor) remembered() (*evidence.History, error) {
	options := evidence.Options{Seed: s.options.Seed}
	saved, err := readKept(s.memory.history)
	if saved == nil || err != nil {
		return evidence.New(options), err
	}
	h, err := evidence.Load(saved, options)
	if err != nil {
		s.options.Logger.Warn("what evidence remembered is lost: it is learnt anew", "file", s.memory.history, "error", err)
		return evidence.New(options), nil
	}
	return h, nil
}

// wait lets the parts of patterns wait in the engine that waited when the process before ended.
func (s *Sensor) wait(e *engine.Engine) error {
	saved, err := readKept(s.memory.waiting)
	if saved == nil || err != nil {
		return err
	}
	if err := e.RestoreWaiting(saved); err != nil {
		s.options.Logger.Warn("the parts of patterns that waited are lost", "file", s.memory.waiting, "error", err)
	}
	return nil
}

// readKept reads a file, nil where there is none.
func readKept(name string) ([]byte, error) {
	f, err := os.Open(name) // #nosec G304 -- the operator names the folder
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening what the sensor remembers: %w", err)
	}
	saved, err := io.ReadAll(io.LimitReader(f, mostRemembered))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("reading what the sensor remembers: %w", err)
	}
	return saved, nil
}

// remember writes what the source's goroutine saved, and asks it for more when it is time. It is for the goroutine that exchanges.
func (s *Sensor) remember() {
	if saved := s.saved.Swap(nil); saved != nil {
		if err := errors.Join(writeDurable(s.memory.history, saved.history), writeDurable(s.memory.waiting, saved.waiting)); err != nil {
			s.options.Logger.Error("what the sensor remembers is not kept", "error", err)
		}
	}
	if now := s.options.Now(); now.Sub(s.memory.asked) >= s.memory.every {
		s.memory.asked = now
		s.save.Store(true)
	}
}

// keep makes bytes of the history and of what waits, for remember. It is for the source's goroutine.
func (s *Sensor) keep() {
	s.saved.Store(&kept{s.history.Save(), s.engine.Load().SaveWaiting()})
}

func memoryIn(state string, every time.Duration, now time.Time) memory {
	if every <= 0 {
		every = rememberEvery
	}
	return memory{history: filepath.Join(state, "evidence.bin"), waiting: filepath.Join(state, "waiting.jsonl"), every: every, asked: now}
}
