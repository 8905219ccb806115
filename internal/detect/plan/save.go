package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	Indicator string                `json:"indicator"`
	Key       string                `json:"key"`
	Newest    time.Time             `json:"newest"`
	Waiting   []pattern.Observation `json:"waiting"`
}

// Save gives what waits as bytes that Restore reads. What was used last comes first, and what is beyond 16 MiB is left out.
func (s *Stream) Save() []byte {
	var body bytes.Buffer
	for e := s.used.Front(); e != nil && body.Len() < mostSaved; e = e.Next() {
		st := e.Value.(*state)
		b, err := json.Marshal(savedState{st.indicator.String(), st.key, st.newest, st.waiting})
		if err != nil {
			continue // a time that JSON does not have
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
	var saved savedState
	if err := json.Unmarshal(line, &saved); err != nil {
		return nil, err
	}
	id, err := index.ParseID(saved.Indicator)
	if err != nil {
		return nil, err
	}
	return &state{stateKey: stateKey{id, saved.Key}, newest: saved.Newest, waiting: saved.Waiting, restored: slices.Clone(saved.Waiting)}, nil
}
