package sensor

import (
	"context"
	"time"

	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/evidence"
)

// Picture is what a sensor has learnt of the traffic it watches.
type Picture struct {
	Prints  evidence.Prints
	Beacons []*engine.Match // what calls its destination like clockwork
}

const (
	// drawEvery is how often a picture is drawn: reading every rhythm takes the time of some thousand packets.
	drawEvery = 10 * time.Minute
	// maxPrints and maxBeacons bound a picture.
	maxPrints  = 50
	maxBeacons = 50
)

// Draw makes the picture of a run of detection. It is for the goroutine that the history belongs to.
func Draw(h *evidence.History, e *engine.Engine) Picture {
	p := Picture{Prints: h.Prints(maxPrints)}
	e.EachBeacon(func(m *engine.Match) {
		if len(p.Beacons) < maxBeacons {
			p.Beacons = append(p.Beacons, m)
		}
	})
	return p
}

func (s *Sensor) draw() *Picture {
	p := Draw(s.history, s.engine.Load())
	return &p
}

// report hands the last picture to the node, and asks for another when it is time.
func (s *Sensor) report(ctx context.Context) error {
	if s.options.Report == nil {
		return nil
	}
	now := s.options.Now()
	s.mu.Lock()
	due := now.Sub(s.drawn) >= drawEvery
	if due {
		s.drawn = now
	}
	s.mu.Unlock()
	if due {
		s.wanted.Store(true)
	}
	p := s.picture.Load()
	if p == s.shown && !due {
		return nil
	}
	s.shown = p
	if p == nil {
		p = &Picture{} // that the sensor is there, and what it counts
	}
	return s.options.Report(ctx, *p)
}
