package sensor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/mithaq/mithaq/internal/detect/evidence"
)

const (
	// rememberEvery is how often what evidence remembers is written, where the options do not say.
	rememberEvery = 10 * time.Minute
	// mostRemembered is more than a full history takes.
	mostRemembered = 1 << 28
)

// memory keeps what evidence remembers of the traffic in a file, so that a restart does not make every destination new and
// every beacon a first call.
type memory struct {
	name  string
	every time.Duration
	asked time.Time
}

// remembered gives the history as it was written last, or a new one: a file that is damaged, or of another version, costs what it held and
// never keeps a sensor from matching.
func (s *Sensor) remembered() (*evidence.History, error) {
	options := evidence.Options{Seed: s.options.Seed}
	f, err := os.Open(s.memory.name) // #nosec G304 -- the operator names the folder
	if errors.Is(err, os.ErrNotExist) {
		return evidence.New(options), nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening what evidence remembers: %w", err)
	}
	saved, err := io.ReadAll(io.LimitReader(f, mostRemembered))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("reading what evidence remembers: %w", err)
	}
	h, err := evidence.Load(saved, options)
	if err != nil {
		s.options.Logger.Warn("what evidence remembered is lost: it is learnt anew", "file", s.memory.name, "error", err)
		return evidence.New(options), nil
	}
	return h, nil
}

// remember writes what the source's goroutine saved of the history, and asks it for more when it is time. It is for the goroutine that exchanges.
func (s *Sensor) remember() {
	if saved := s.saved.Swap(nil); saved != nil {
		if err := writeDurable(s.memory.name, *saved); err != nil {
			s.options.Logger.Error("what evidence remembers is not kept", "error", err)
		}
	}
	if now := s.options.Now(); now.Sub(s.memory.asked) >= s.memory.every {
		s.memory.asked = now
		s.save.Store(true)
	}
}

// keep makes bytes of the history for remember. It is for the source's goroutine.
func (s *Sensor) keep() {
	saved := s.history.Save()
	s.saved.Store(&saved)
}

func memoryIn(state string, every time.Duration, now time.Time) memory {
	if every <= 0 {
		every = rememberEvery
	}
	return memory{name: filepath.Join(state, "evidence.bin"), every: every, asked: now}
}
