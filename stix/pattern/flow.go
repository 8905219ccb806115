package pattern

import "slices"

// grant is so many instances of one observation given to a slot.
type grant struct {
	place int32
	units int64
}

// flow gives instances of observations to slots, so that each slot has as many
// as it needs and no observation gives more than it has: a maximum flow, found
// greedily first and by augmenting paths where greed fails.
type flow struct {
	capacity []int64 // of each place in the timeline
	slots    []*slot
	grants   [][]grant         // of each slot
	left     map[int32]int64   // what a place has left; absent: all of it
	users    map[int32][]int32 // slots that hold instances of a place
	steps    *int64
}

// fill satisfies all slots, or tells that it cannot be done.
func (f *flow) fill() (bool, error) {
	f.grants = make([][]grant, len(f.slots))
	if len(f.slots) == 1 {
		return f.alone(), nil
	}
	f.left = map[int32]int64{}
	f.users = map[int32][]int32{}
	order := make([]int32, len(f.slots))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return len(f.slots[a].set) - len(f.slots[b].set) })
	missing := make([]int64, len(f.slots))
	for _, s := range order {
		missing[s] = f.greedy(s)
	}
	for _, s := range order {
		for missing[s] > 0 {
			units, err := f.augment(s, missing[s])
			if err != nil || units == 0 {
				return false, err
			}
			missing[s] -= units
		}
	}
	return true, nil
}

// alone fills a slot that shares nothing with others.
func (f *flow) alone() bool {
	slot := f.slots[0]
	need := slot.demand
	for _, place := range slot.set {
		*f.steps--
		units := min(need, f.capacity[place])
		f.grants[0] = append(f.grants[0], grant{place, units})
		if need -= units; need == 0 {
			return true
		}
	}
	return false
}

func (f *flow) available(place int32) int64 {
	if left, ok := f.left[place]; ok {
		return left
	}
	return f.capacity[place]
}

// greedy takes what is free and tells what is missing. Slots that come late in
// an order of time take late observations, the others early ones.
func (f *flow) greedy(s int32) int64 {
	slot := f.slots[s]
	need := slot.demand
	for i := range slot.set {
		if need == 0 {
			break
		}
		*f.steps--
		place := slot.set[i]
		if slot.late {
			place = slot.set[len(slot.set)-1-i]
		}
		if units := min(need, f.available(place)); units > 0 {
			f.left[place] = f.available(place) - units
			f.grants[s] = append(f.grants[s], grant{place, units})
			f.users[place] = append(f.users[place], s)
			need -= units
		}
	}
	return need
}

// hold changes what a slot holds of a place, without looking at what is left.
func (f *flow) hold(s, place int32, units int64) {
	for i := range f.grants[s] {
		if g := &f.grants[s][i]; g.place == place {
			if g.units += units; g.units == 0 {
				f.grants[s] = slices.Delete(f.grants[s], i, i+1)
				f.users[place] = slices.DeleteFunc(f.users[place], func(user int32) bool { return user == s })
			}
			return
		}
	}
	f.grants[s] = append(f.grants[s], grant{place, units})
	f.users[place] = append(f.users[place], s)
}

func (f *flow) held(s, place int32) int64 {
	for _, g := range f.grants[s] {
		if g.place == place {
			return g.units
		}
	}
	return 0
}

// augment finds more for a slot by letting others change to what is free. It
// gives how much was found, 0 when nothing can be.
func (f *flow) augment(from int32, most int64) (int64, error) {
	type arrival struct {
		slot int32 // the slot that would take the place
	}
	via := map[int32]arrival{} // places reached, and for which slot
	freed := map[int32]int32{} // slots reached, and the place they would give up
	queue := []int32{from}
	freed[from] = -1
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if *f.steps -= int64(len(f.slots[s].set)); *f.steps < 0 {
			return 0, errSteps
		}
		for _, place := range f.slots[s].set {
			if _, seen := via[place]; seen {
				continue
			}
			via[place] = arrival{s}
			if f.available(place) > 0 {
				units := min(most, f.available(place))
				for at := place; ; { // how much every link of the path can carry
					slot := via[at].slot
					give := freed[slot]
					if give < 0 {
						break
					}
					units = min(units, f.held(slot, give))
					at = give
				}
				f.left[place] = f.available(place) - units
				for at := place; at >= 0; {
					slot := via[at].slot
					f.hold(slot, at, units)
					give := freed[slot]
					if give >= 0 {
						f.hold(slot, give, -units)
					}
					at = give
				}
				return units, nil
			}
			for _, user := range f.users[place] {
				if _, seen := freed[user]; !seen {
					freed[user] = place
					queue = append(queue, user)
				}
			}
		}
	}
	return 0, nil
}
