package evidence

import (
	"math/bits"

	"github.com/mithaq/mithaq/internal/detect/room"
)

// finder finds series by their keys, which are well mixed and drawn with a seed: open addressing, half full at most. A map
// of the language does the same in three times as many steps.
type finder struct {
	slots []int32 // the number of a series and one; 0 is empty
	used  int
}

func newFinder(series int) finder {
	return finder{slots: room.Make[int32](2 << bits.Len(uint(max(series, 1)-1)))}
}

func (f *finder) home(key uint64) int { return int(key >> 32 & uint64(len(f.slots)-1)) }

// at gives the slot of a key, or the empty one where it would be.
func (f *finder) at(all []series, key uint64) int {
	slot := f.home(key)
	for f.slots[slot] != 0 && all[f.slots[slot]-1].key != key {
		slot = (slot + 1) & (len(f.slots) - 1)
	}
	return slot
}

// get gives a key's series, -1 when there is none.
func (f *finder) get(all []series, key uint64) int32 { return f.slots[f.at(all, key)] - 1 }

// put notes a series that is not there yet, whose key is in all already.
func (f *finder) put(all []series, i int32) {
	slot := f.home(all[i].key)
	for f.slots[slot] != 0 {
		slot = (slot + 1) & (len(f.slots) - 1)
	}
	f.slots[slot] = i + 1
	f.used++
}

// remove takes a key out, and moves those behind it up that would not be found over the gap.
func (f *finder) remove(all []series, key uint64) {
	mask := len(f.slots) - 1
	gap := f.at(all, key)
	if f.slots[gap] == 0 {
		return
	}
	f.used--
	for slot := (gap + 1) & mask; f.slots[slot] != 0; slot = (slot + 1) & mask {
		home := f.home(all[f.slots[slot]-1].key)
		if (slot-home)&mask >= (slot-gap)&mask {
			f.slots[gap] = f.slots[slot]
			gap = slot
		}
	}
	f.slots[gap] = 0
}
