package pattern

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Result is the verdict of a match.
type Result struct {
	Matched bool
	// Observations are the places, in the slice given to Match, of observations
	// that satisfy the pattern together, in ascending order. Others may as well.
	Observations []int
	// IDs are the ids of those observations that have one, in the same order.
	IDs []string
}

// Match tells whether the pattern matches the observations, by the rules of STIX
// 2.1, section 9, as the OASIS matcher reads them. The error is a *MatchError: no
// verdict is possible, or a limit was passed before there was one. Memory is
// linear in the observations.
func (m *Matcher) Match(observations []Observation) (Result, error) {
	if len(observations) > m.limits.Observations {
		return Result{}, &MatchError{Code: TooCostly,
			Msg: fmt.Sprintf("there are %d observations, more than %d", len(observations), m.limits.Observations)}
	}
	steps := m.limits.Steps
	if leaf, ok := m.plan.(leafPlan); ok {
		return m.matchOne(m.leaves[leaf], observations, &steps)
	}
	order, t, err := m.timeline(observations)
	if err != nil {
		return Result{}, err
	}
	leaves, err := m.evaluate(observations, order, &steps)
	if err != nil {
		return Result{}, err
	}
	b := builder{timeline: t, leaves: leaves}
	found, err := bind(b.build(m.plan, nil), t, &steps)
	if err != nil || found == nil {
		return Result{}, err
	}
	result := Result{Matched: true}
	for _, place := range found {
		result.Observations = append(result.Observations, int(order[place]))
	}
	slices.Sort(result.Observations)
	for _, i := range result.Observations {
		if id := observations[i].ID; id != "" {
			result.IDs = append(result.IDs, id)
		}
	}
	return result, nil
}

// matchOne is Match for a pattern about one observation. It evaluates all of them,
// since one that cannot be compared is refused wherever it stands.
func (m *Matcher) matchOne(leaf condition, observations []Observation, steps *int64) (Result, error) {
	w := newWalker(steps)
	result := Result{}
	for i := range observations {
		o := &observations[i]
		if o.Number < 1 {
			return Result{}, badObservation(o.pointer, "number_observed must be 1 or more")
		}
		w.observation, w.byID = o, nil
		holds, err := w.holds(leaf)
		if err != nil {
			return Result{}, err
		}
		if holds && !result.Matched {
			result = Result{Matched: true, Observations: []int{i}}
			if o.ID != "" {
				result.IDs = []string{o.ID}
			}
		}
	}
	return result, nil
}

// holds tells whether a leaf holds of one of the observation's objects.
func (w *walker) holds(leaf condition) (bool, error) {
	holds := false
	for _, object := range w.observation.Objects {
		if *w.steps--; *w.steps < 0 {
			return false, errSteps
		}
		ok, err := leaf.holds(w, object)
		if err != nil {
			return false, at(err, w.observation.pointer)
		}
		holds = holds || ok
	}
	return holds, nil
}

// timeline puts the observations in order of time; order gives for each place
// in it the place in the slice.
func (m *Matcher) timeline(observations []Observation) ([]int32, *timeline, error) {
	n := len(observations)
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
		o := &observations[i]
		if o.Number < 1 || o.Number > math.MaxInt32 {
			return nil, nil, badObservation(o.pointer, "number_observed must be 1 or more")
		}
		if m.temporal && o.Last.Before(o.First) {
			return nil, nil, badObservation(o.pointer, "last_observed is before first_observed")
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		return cmp.Or(observations[a].First.Compare(observations[b].First), observations[a].Last.Compare(observations[b].Last))
	})
	t := &timeline{first: make([]int64, n), last: make([]int64, n), capacity: make([]int64, n)}
	for place, i := range order {
		o := &observations[i]
		t.first[place], t.last[place], t.capacity[place] = o.First.UnixMicro(), o.Last.UnixMicro(), o.Number
		t.total += o.Number
	}
	return order, t, nil
}

// evaluate gives for each leaf the places of the observations it holds of.
func (m *Matcher) evaluate(observations []Observation, order []int32, steps *int64) ([][]int32, error) {
	leaves := make([][]int32, len(m.leaves))
	w := newWalker(steps)
	for place, i := range order {
		w.observation, w.byID = &observations[i], nil
		for l, leaf := range m.leaves {
			holds, err := w.holds(leaf)
			if err != nil {
				return nil, err
			}
			if holds {
				leaves[l] = append(leaves[l], int32(place))
			}
		}
	}
	return leaves, nil
}

// at says in an error at which observation it came up.
func at(err error, pointer string) error {
	var m *MatchError
	if !errors.As(err, &m) || m.Code == TooCostly || m.Pointer != "" {
		return err
	}
	placed := *m
	placed.Pointer = pointer
	return &placed
}
