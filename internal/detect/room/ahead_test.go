package room_test

import (
	"testing"

	"github.com/mithaq/mithaq/internal/detect/room"
)

// TestAheadChangesNothing: neither for what is there, nor for an address that nothing stands behind.
func TestAheadChangesNothing(t *testing.T) {
	table := room.Make[[4]uint64](8)
	table[3][1] = 7
	for i := range table {
		room.Ahead(&table[i])
	}
	room.Ahead[uint64](nil)
	for i := range table {
		want := [4]uint64{}
		if i == 3 {
			want[1] = 7
		}
		if table[i] != want {
			t.Errorf("place %d holds %v", i, table[i])
		}
	}
	if n := testing.AllocsPerRun(10, func() { room.Ahead(&table[0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
