package node

import (
	"testing"
	"time"
)

func TestAllowance(t *testing.T) {
	a, now := allowance{burst: 3, interval: time.Second}, time.Unix(1000, 0)
	for i := range 3 {
		if !a.allow("x", now) {
			t.Errorf("number %d of the burst was refused", i)
		}
	}
	if a.allow("x", now) {
		t.Error("more than the burst")
	}
	if !a.allow("y", now) {
		t.Error("another caller pays for the first")
	}
	if !a.allow("x", now.Add(time.Second)) || a.allow("x", now.Add(time.Second)) {
		t.Error("after an interval there is one more, not two")
	}
}
