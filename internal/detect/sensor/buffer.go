package sensor

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/detect/engine"
)

// Found is what was seen of one indicator of one record since it was told of last.
type Found struct {
	Indicator string          `json:"indicator"`
	Record    string          `json:"record"`
	Count     int64           `json:"count"`
	First     time.Time       `json:"first,omitzero"`
	Last      time.Time       `json:"last,omitzero"`
	Example   *engine.Example `json:"example,omitempty"`
}

// Buffer keeps sightings in a file of JSON lines until the node has them. It is bounded: what does not fit is counted
// and given up.
type Buffer struct {
	mu      sync.Mutex
	file    *os.File
	most    int64 // bytes
	size    int64
	waiting int64
	dropped int64
}

// OpenBuffer opens the file with what waits in it from before. A line that a crash cut is left out.
func OpenBuffer(name string, most int64) (*Buffer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) // #nosec G304 -- the operator names the folder
	if err != nil {
		return nil, fmt.Errorf("opening the sightings that wait: %w", err)
	}
	b := &Buffer{file: f, most: most}
	text, err := io.ReadAll(f)
	if err == nil {
		whole := bytes.LastIndexByte(text, '\n') + 1
		b.size, b.waiting = int64(whole), int64(bytes.Count(text[:whole], []byte("\n")))
		err = f.Truncate(b.size)
	}
	if err == nil {
		_, err = f.Seek(b.size, io.SeekStart)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the sightings that wait: %w", errors.Join(err, f.Close()))
	}
	return b, nil
}

// Add writes what was found; it is durable when Add returns without an error.
func (b *Buffer) Add(found []Found) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out bytes.Buffer
	n := int64(0)
	for _, f := range found {
		line, err := json.Marshal(f)
		if err != nil {
			return fmt.Errorf("keeping a sighting: %w", err)
		}
		if b.size+int64(out.Len()+len(line)+1) > b.most {
			b.dropped++
			continue
		}
		out.Write(append(line, '\n'))
		n++
	}
	if n == 0 {
		return nil
	}
	if _, err := b.file.Write(out.Bytes()); err != nil {
		b.dropped += n
		_ = b.file.Truncate(b.size)              // half a line must not stand before the next
		_, _ = b.file.Seek(b.size, io.SeekStart) // a disk that is full is told of by the error above
		return fmt.Errorf("keeping sightings: %w", err)
	}
	b.size, b.waiting = b.size+int64(out.Len()), b.waiting+n
	if err := b.file.Sync(); err != nil {
		return fmt.Errorf("keeping sightings: %w", err)
	}
	return nil
}

// Drain hands what waits to send, and forgets it when send returns without an error. What was sent just before a crash
// may be sent again.
func (b *Buffer) Drain(send func([]Found) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == 0 {
		return nil
	}
	const atOnce = 1000
	var batch []Found
	scanner := bufio.NewScanner(io.NewSectionReader(b.file, 0, b.size))
	scanner.Buffer(nil, int(b.size)+1) // a line that a disk spoiled must not keep the others back, however long it is
	for scanner.Scan() {
		var f Found
		if json.Unmarshal(scanner.Bytes(), &f) != nil {
			b.dropped++ // a disk spoiled it
			continue
		}
		if batch = append(batch, f); len(batch) == atOnce {
			if err := send(batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("reading the sightings that wait: %w", err)
	}
	if len(batch) > 0 {
		if err := send(batch); err != nil {
			return err
		}
	}
	if err := b.file.Truncate(0); err != nil {
		return fmt.Errorf("emptying the sightings that wait: %w", err)
	}
	b.size, b.waiting = 0, 0
	_, err := b.file.Seek(0, io.SeekStart)
	return err
}

// Counts tells how many wait, and how many were given up.
func (b *Buffer) Counts() (waiting, dropped int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting, b.dropped
}

// Close closes the file.
func (b *Buffer) Close() error { return b.file.Close() }
