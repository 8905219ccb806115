package sensor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/evidence"
	"github.com/mithaq/mithaq/internal/detect/feed"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/intel"
	"github.com/mithaq/mithaq/internal/detect/plan"
	"github.com/mithaq/mithaq/internal/detect/warning"
)

// Source is where events come from. Run calls yield for every event until it is over, or ctx is.
type Source interface {
	Run(ctx context.Context, yield func(*event.Event)) error
	// Dropped counts what was not read, by kind.
	Dropped() map[string]int64
}

// Options says how a Sensor works.
type Options struct {
	State    string // a folder of its own, for what has to last
	Source   Source
	Fetch    feed.Fetch                           // indicators of the node
	Send     func(context.Context, []Found) error // sightings to the node
	Report   func(context.Context, Picture) error // what is seen of the traffic, to the node, now and then; nil: nobody is told
	Match    func(*engine.Match)                  // told of every match, on the source's goroutine
	Warnings *warning.Lists
	Shadow   []string      // authors on trial
	Every    time.Duration // how often the node is asked, and sightings are written and sent
	MostKept int64         // bytes of sightings that wait; 0: 64 MiB
	Remember time.Duration // how often what evidence remembers is written; 0: 10 minutes
	Seed     uint64        // random
	Now      func() time.Time
	Logger   *slog.Logger
}

// Sensor is one sensor.
type Sensor struct {
	options Options
	feed    *feed.Feed
	buffer  *Buffer
	engine  atomic.Pointer[engine.Engine]
	events  atomic.Int64
	history *evidence.History
	memory  memory               // of the goroutine that exchanges
	save    atomic.Bool          // that the source's goroutine makes bytes of what it knows
	saved   atomic.Pointer[kept] // these bytes, to be written
	wanted  atomic.Bool          // that the source's goroutine draws a picture, because the history is its own
	picture atomic.Pointer[Picture]
	shown   *Picture // that the node has; of the goroutine that exchanges

	mu        sync.Mutex // of what follows
	sightings *engine.Sightings
	counts    Counts
	failing   bool
	drawn     time.Time // when a picture was last asked for
}

// Counts is what a sensor counted.
type Counts struct {
	Events     int64
	Matches    map[engine.Level]int64
	Indicators int
	Pulled     time.Time // when the node last answered; zero: not yet
	Waiting    int64     // sightings on disk
	Sent       int64
	Dropped    map[string]int64
}

// New makes a Sensor with what its folder holds from before.
func New(o Options) (*Sensor, error) {
	if o.MostKept <= 0 {
		o.MostKept = 64 << 20
	}
	s := &Sensor{options: o, sightings: engine.NewSightings(), counts: Counts{Matches: map[engine.Level]int64{}}, memory: memoryIn(o.State, o.Remember, o.Now())}
	var err error
	if s.history, err = s.remembered(); err != nil {
		return nil, err
	}
	s.feed, err = feed.Open(feed.Options{Name: "node", Seed: o.Seed, Warnings: o.Warnings, Now: o.Now, Journal: filepath.Join(o.State, "indicators.jsonl"),
		Refused: func(r intel.Refusal) { o.Logger.Debug("indicator left out", "why", r.String()) },
		Plans: func(p map[index.ID]*plan.Plan) {
			if e := s.engine.Load(); e != nil {
				e.SetPlans(p)
			}
		}})
	if err != nil {
		return nil, err
	}
	if s.buffer, err = OpenBuffer(filepath.Join(o.State, "sightings.jsonl"), o.MostKept); err != nil {
		return nil, errors.Join(err, s.feed.Close())
	}
	shadow := map[string]bool{}
	for _, author := range o.Shadow {
		shadow[author] = true
	}
	e := engine.New(s.feed.Store(), s.feed.Plans(), engine.Options{Warnings: o.Warnings, Allowed: s.feed.Allowed, History: s.history,
		Shadow: func(src index.Source) bool { return shadow[src.Author] },
		Feedback: func(id index.ID) engine.Feedback {
			v := s.feed.Verdicts(id)
			return engine.Feedback{Confirmed: v.Confirmed, Refused: v.Refused, Partners: v.Partners}
		}}, s.match)
	if err := s.wait(e); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.engine.Store(e)
	return s, nil
}

func (s *Sensor) match(m *engine.Match) {
	s.mu.Lock()
	s.counts.Matches[m.Level]++
	s.sightings.Add(m)
	s.mu.Unlock()
	if s.options.Match != nil {
		s.options.Match(m)
	}
}

// Run matches until ctx is over or the source is at its end, writes what it saw, and tries once more to hand it to the
// node. That the node does not answer is no error: it is asked again.
func (s *Sensor) Run(ctx context.Context) error {
	s.exchange(ctx)
	done := make(chan struct{})
	var beside sync.WaitGroup
	beside.Go(func() {
		tick := time.NewTicker(s.options.Every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.exchange(ctx)
			case <-done:
				return
			}
		}
	})
	e := s.engine.Load()
	err := s.options.Source.Run(ctx, func(ev *event.Event) {
		e.Event(ev)
		s.events.Add(1)
		if s.wanted.Load() && s.wanted.Swap(false) {
			s.picture.Store(s.draw())
		}
		if s.save.Load() && s.save.Swap(false) {
			s.keep()
		}
	})
	s.keep()
	s.picture.Store(s.draw())
	close(done)
	beside.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	s.exchange(last)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("sensing: %w", err)
	}
	return nil
}

// exchange writes what was found, and exchanges with the node.
func (s *Sensor) exchange(ctx context.Context) {
	log := s.options.Logger
	s.mu.Lock()
	found := s.sightings.All()
	s.sightings = engine.NewSightings()
	s.mu.Unlock()
	lines := make([]Found, 0, len(found))
	for _, f := range found {
		if f.From.Record != "" {
			lines = append(lines, Found{Indicator: f.Indicator.ID, Record: f.From.Record, Count: f.Count, First: f.First, Last: f.Last, Example: f.Example})
		}
	}
	if err := s.buffer.Add(lines); err != nil {
		log.Error("sightings are lost", "error", err)
	}
	s.remember()
	got, err := s.feed.Pull(ctx, s.options.Fetch)
	if err == nil {
		if got.Changes > 0 {
			log.Info("indicators changed", "changes", got.Changes, "anew", got.Reset)
		}
		err = s.buffer.Drain(func(found []Found) error {
			if err := s.options.Send(ctx, found); err != nil {
				return err
			}
			s.mu.Lock()
			s.counts.Sent += int64(len(found))
			s.mu.Unlock()
			return nil
		})
	}
	if err == nil {
		err = s.report(ctx)
	}
	if err == nil || ctx.Err() == nil { // one that was called off says nothing of the node
		s.told(err)
	}
}

// told logs when the node stops answering, and when it answers again.
func (s *Sensor) told(err error) {
	s.mu.Lock()
	was := s.failing
	s.failing = err != nil
	s.mu.Unlock()
	switch {
	case err != nil && !was:
		s.options.Logger.Warn("the node does not answer: matching goes on with the indicators that are here, sightings wait on disk", "error", err)
	case err == nil && was:
		s.options.Logger.Info("the node answers again")
	}
}

// Counts tells what was counted so far.
func (s *Sensor) Counts() Counts {
	s.mu.Lock()
	c := s.counts
	c.Matches = map[engine.Level]int64{}
	for level, n := range s.counts.Matches {
		c.Matches[level] = n
	}
	s.mu.Unlock()
	c.Events = s.events.Load()
	c.Indicators, c.Pulled = s.feed.Len()
	c.Dropped = s.options.Source.Dropped()
	waiting, dropped := s.buffer.Counts()
	c.Waiting = waiting
	if dropped > 0 {
		c.Dropped["sightings"] += dropped
	}
	return c
}

// Close closes the files.
func (s *Sensor) Close() error { return errors.Join(s.buffer.Close(), s.feed.Close()) }
