package sensor

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/logs"
	"github.com/mithaq/mithaq/internal/detect/traffic"
)

// Spool reads the files of a folder as they come: logs line by line while they grow, captures and compressed files once
// they are complete. How far it has read is kept in a file, so that a restart goes on there; a log that was rotated
// (another file under the same name, or a shorter one) begins anew.
type Spool struct {
	dir, state string
	every      time.Duration
	once       bool // read what is there, then end
	seed       uint64
	now        func() time.Time
	log        *slog.Logger
	told       map[string]bool // of a file and what is wrong with it
	packets    *traffic.Source // of this run; nil before the first capture

	places map[string]place
	mu     sync.Mutex
	counts map[string]int64
}

// place is how far a file was read.
type place struct {
	ID    string    `json:"id"` // of the file by its first bytes and the system's number: tells a rotated one
	Size  int64     `json:"size"`
	Lines int64     `json:"lines,omitempty"`
	Seen  time.Time `json:"seen"`
	Whole bool      `json:"whole,omitempty"` // read to its end and never again
}

// settled is how long a file that is read as a whole has to be unchanged before.
const settled = 5 * time.Second

// NewSpool makes a Spool; state is the file for how far it has read. With once it ends when all that is there was read. What cannot be read is
// counted, and logged once for each file and kind.
func NewSpool(dir, state string, every time.Duration, once bool, seed uint64, now func() time.Time, log *slog.Logger) (*Spool, error) {
	s := &Spool{dir: dir, state: state, every: every, once: once, seed: seed, now: now, log: log, told: map[string]bool{}, places: map[string]place{}, counts: map[string]int64{}}
	text, err := os.ReadFile(state) // #nosec G304 -- the operator names the folder
	if err == nil {
		err = json.Unmarshal(text, &s.places)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading how far the spool was read: %w: remove %s to read all of it again", err, state)
	}
	return s, nil
}

// Run implements Source.
func (s *Spool) Run(ctx context.Context, yield func(*event.Event)) error {
	s.packets = nil
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for {
		if err := s.sweep(ctx, yield); err != nil {
			return err
		}
		if s.once {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Dropped implements Source.
func (s *Spool) Dropped() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int64{}
	for kind, n := range s.counts {
		out[kind] = n
	}
	return out
}

// mostTold bounds for how many files and kinds it is known that they were told of; beyond that all is told again.
const mostTold = 10_000

// tell logs what is wrong with a file, once for each kind.
func (s *Spool) tell(name, kind, what string, why ...any) {
	if key := name + "\x00" + kind; !s.told[key] {
		if len(s.told) >= mostTold {
			clear(s.told)
		}
		s.told[key] = true
		s.log.Warn(what, append([]any{"file", name}, why...)...)
	}
}

// malformed tells of the first line of a kind that cannot be read in a file; the numbers of lines begin behind some that were read before.
func (s *Spool) malformed(before int64) func(logs.Malformed) {
	return func(m logs.Malformed) {
		s.tell(m.File, m.Kind, "a line cannot be read; more of the kind in this file are only counted", "line", m.Line+before, "kind", m.Kind)
	}
}

func (s *Spool) drop(counts map[string]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for kind, n := range counts {
		s.counts[kind] += n
	}
}

// sweep looks at every file once.
func (s *Spool) sweep(ctx context.Context, yield func(*event.Event)) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("reading the spool: %w", err)
	}
	there := map[string]bool{}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		there[e.Name()] = true
		moved, err := s.file(ctx, e.Name(), yield)
		if errors.Is(err, context.Canceled) {
			return err
		}
		if err != nil { // one file that cannot be read does not stop the others
			s.drop(map[string]int64{"unreadable-file": 1})
			s.tell(e.Name(), "unreadable-file", "a file of the spool cannot be read", "error", err)
		}
		if moved {
			if err := s.save(); err != nil {
				return err
			}
		}
	}
	for name := range s.places {
		if !there[name] {
			delete(s.places, name)
		}
	}
	return nil
}

// file reads what is new in a file.
func (s *Spool) file(ctx context.Context, name string, yield func(*event.Event)) (moved bool, err error) {
	path := filepath.Join(s.dir, name)
	f, err := os.Open(path) // #nosec G304 -- a file of the spool
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	head := make([]byte, 64)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) || n == 0 {
		return false, nil // nothing to read yet
	}
	head = head[:n]
	at := s.places[name]
	id := fileID(info)
	if at.ID != id || info.Size() < at.Size {
		at = place{ID: id}
	}
	if at.Whole || at.Size == info.Size() {
		return false, nil
	}
	if traffic.IsCapture(head) || bytes.HasPrefix(head, []byte{0x1f, 0x8b}) || bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		if !s.once && s.now().Sub(info.ModTime()) < settled {
			return false, nil
		}
		err = s.whole(ctx, name, f, yield)
		if !errors.Is(err, context.Canceled) {
			at.Whole, at.Size = true, info.Size() // what cannot be read is not tried again
		}
	} else {
		err = s.grown(ctx, name, f, info.Size(), &at, yield)
	}
	at.Seen = s.now()
	s.places[name] = at
	return true, err
}

// whole reads a capture, or a compressed file.
func (s *Spool) whole(ctx context.Context, name string, f io.Reader, yield func(*event.Event)) error {
	r := bufio.NewReaderSize(f, 1<<18)
	head, err := r.Peek(4)
	switch {
	case err != nil:
		return err
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(r)
		if err != nil {
			return err
		}
		r = bufio.NewReaderSize(z, 1<<18)
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<27))
		if err != nil {
			return err
		}
		defer z.Close()
		r = bufio.NewReaderSize(z, 1<<18)
	}
	if head, err = r.Peek(4); err == nil && traffic.IsCapture(head) {
		if s.packets == nil {
			s.packets = traffic.NewSource("", traffic.Options{Seed: s.seed}, yield)
		}
		stats, err := s.packets.Run(ctx, name, r)
		s.drop(stats.Malformed)
		s.drop(stats.Dropped)
		return err
	}
	stats, err := logs.Read(ctx, name, r, logs.Options{Malformed: s.malformed(0)}, yield)
	s.drop(stats.Malformed)
	return err
}

// grown reads the complete lines that a log has more than before. The head lines of a Zeek log are read again with them:
// they say what the fields are.
func (s *Spool) grown(ctx context.Context, name string, f *os.File, size int64, at *place, yield func(*event.Event)) error {
	end, err := lastLine(f, at.Size, size)
	if err != nil || end == at.Size {
		return err
	}
	var r io.Reader = io.NewSectionReader(f, at.Size, end-at.Size)
	again := int64(0)
	if at.Size > 0 {
		head, lines := zeekHead(f, at.Size)
		again = lines
		r = io.MultiReader(bytes.NewReader(head), r)
	}
	stats, err := logs.Read(ctx, name, bufio.NewReaderSize(r, 1<<18), logs.Options{Malformed: s.malformed(at.Lines - again)}, func(ev *event.Event) {
		if ev.Line > 0 {
			ev.Line += at.Lines - again
		}
		yield(ev)
	})
	s.drop(stats.Malformed)
	if err == nil || !errors.Is(err, context.Canceled) {
		at.Size, at.Lines = end, at.Lines+stats.Lines-again
	}
	return err
}

// lastLine gives where the last complete line ends.
func lastLine(f io.ReaderAt, from, to int64) (int64, error) {
	b := make([]byte, 1<<16)
	for at := to; at > from; {
		n := min(int64(len(b)), at-from)
		if _, err := f.ReadAt(b[:n], at-n); err != nil && !errors.Is(err, io.EOF) {
			return from, err
		}
		if i := bytes.LastIndexByte(b[:n], '\n'); i >= 0 {
			return at - n + int64(i) + 1, nil
		}
		at -= n
	}
	return from, nil
}

// zeekHead gives the lines with which a Zeek log begins.
func zeekHead(f io.ReaderAt, size int64) (head []byte, lines int64) {
	b := make([]byte, min(size, 1<<16))
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0
	}
	for line := range bytes.Lines(b[:n]) {
		if line[0] != '#' || line[len(line)-1] != '\n' {
			break
		}
		head, lines = append(head, line...), lines+1
	}
	return head, lines
}

// save writes how far all files were read; it is durable when it returns.
func (s *Spool) save() error {
	text, err := json.Marshal(s.places)
	if err != nil {
		return fmt.Errorf("keeping how far the spool was read: %w", err)
	}
	if err := writeDurable(s.state, text); err != nil {
		return fmt.Errorf("keeping how far the spool was read: %w", err)
	}
	return nil
}
