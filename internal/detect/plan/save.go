package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/stix/pattern"
)

// ErrSaved means that bytes are not what Save wrote, or of another version of it.
var ErrSaved = errors.New("not the waiting parts of patterns, or damaged, or of another version")

const (
	// mostSaved bounds what Save writes, in bytes, but for its last state.
	mostSaved = 16 << 20
	savedHead = "mithaq-waiting/1 " // then the SHA-256 of what follows, in hexadecimal, and a line's end
)

// savedState is a state as one line of JSON.
type savedState struct {
	Indicator string             `json:"indicator"`
	Key       string             `json:"key"`
	Newest    time.Time          `json:"newest"`
	Waiting   []savedObservation `json:"waiting"`
}

type savedObservation struct {
	ID      string            `json:"id"`
	First   time.Time         `json:"first"`
	Last    time.Time         `json:"last"`
	Number  int64             `json:"number"`
	Objects []*pattern.Object `json:"objects"`
}

// Save gives what waits as bytes that Restore reads. Of the correlation keys those count for which lasting returns true: observed data
// refers to what stands beside it and cannot be taken out of its document. What was used last comes first, and what is beyond 16 MiB is left out.
func (s *Stream) Save(lasting func(key string) bool) []byte {
	var body bytes.Buffer
	for e := s.used.Front(); e != nil && body.Len() < mostSaved; e = e.Next() {
		st := e.Value.(*state)
		if !lasting(st.key) {
			continue
		}
		line := savedState{Indicator: st.indicator.String(), Key: st.key, Newest: st.newest}
		for _, o := range st.waiting {
			line.Waiting = append(line.Waiting, savedObservation{ID: o.ID, First: o.First, Last: o.Last, Number: o.Number, Objects: o.Objects})
		}
		b, err := json.Marshal(line)
		if err != nil {
			continue // a value that JSON does not have: a part of traffic has none
		}
		body.Write(append(b, '\n'))
	}
	sum := sha256.Sum256(body.Bytes())
	return append([]byte(savedHead+hex.EncodeToString(sum[:])+"\n"), body.Bytes()...)
}

// Restore takes what Save wrote into a Stream in which nothing waits yet. The error wraps ErrSaved; then nothing was taken.
func (s *Stream) Restore(saved []byte) error {
	head, body, _ := bytes.Cut(saved, []byte("\n"))
	sum := sha256.Sum256(body)
	if string(head) != savedHead+hex.EncodeToString(sum[:]) {
		return fmt.Errorf("restoring patterns: %w", ErrSaved)
	}
	var states []*state
	for line := range bytes.Lines(body) {
		st, err := readState(line)
		if err != nil {
			return fmt.Errorf("restoring patterns: %w: %w", ErrSaved, err)
		}
		if len(st.waiting) > s.limits.Observations {
			st.waiting = st.waiting[len(st.waiting)-s.limits.Observations:]
		}
		states = append(states, st)
	}
	for _, st := range slices.Backward(states) {
		if _, twice := s.states[st.stateKey]; twice {
			continue
		}
		s.states[st.stateKey] = s.used.PushFront(st)
		s.total += len(st.waiting)
	}
	s.makeRoom()
	return nil
}

func readState(line []byte) (*state, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var saved savedState
	if err := d.Decode(&saved); err != nil {
		return nil, err
	}
	id, err := index.ParseID(saved.Indicator)
	if err != nil {
		return nil, err
	}
	st := &state{stateKey: stateKey{id, saved.Key}, newest: saved.Newest}
	for _, w := range saved.Waiting {
		for _, object := range w.Objects {
			if object == nil {
				return nil, errors.New("an object is null")
			}
			for name, value := range object.Properties {
				object.Properties[name] = numbers(value)
			}
		}
		st.waiting = append(st.waiting, pattern.Observation{ID: w.ID, First: w.First, Last: w.Last, Number: w.Number, Objects: w.Objects})
	}
	return st, nil
}

// numbers makes of JSON's numbers what patterns compare with.
func numbers(value any) any {
	switch value := value.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			return n
		}
		f, _ := value.Float64()
		return f
	case []any:
		for i := range value {
			value[i] = numbers(value[i])
		}
	case map[string]any:
		for name := range value {
			value[name] = numbers(value[name])
		}
	}
	return value
}
