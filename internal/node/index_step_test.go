package node

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestIndexStepNeverLosesALog drives the core through logs that grow, ranges that fail, and an index that is dropped: one
// thing is done at a time, ranges follow one another, and when nothing fails any more everything gets indexed.
func TestIndexStepNeverLosesALog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s indexState
		size, indexed := map[string]int64{}, map[string]int64{}
		var doing any
		waiting := false
		feed := func(event any) {
			var effect any
			s, effect = stepIndex(s, event)
			switch e := effect.(type) {
			case nil:
				return
			case retryAfter:
				waiting = true
				if e.wait <= 0 || e.wait > indexRetryMost {
					t.Fatalf("retry after %s", e.wait)
				}
				return
			case indexRange:
				if e.from != indexed[e.log] || e.to <= e.from || e.to > size[e.log] || e.to-e.from > indexRangeFirst || s.finished && e.to-e.from > indexRangeMax {
					t.Fatalf("range %+v of a log of %d, indexed to %d", e, size[e.log], indexed[e.log])
				}
			case finishIndex:
				for id := range size {
					if s.logs[id].indexed < s.logs[id].published {
						t.Fatal("finished before everything known was indexed")
					}
				}
			}
			if doing != nil || waiting {
				t.Fatalf("%#v while doing %#v, waiting %v", effect, doing, waiting)
			}
			doing = effect
		}
		look := func() {
			for id := range size {
				if l, ok := s.logs[id]; !ok {
					feed(logSeen{id, size[id], indexed[id]})
				} else if l.published < size[id] {
					feed(logGrew{id, size[id]})
				}
			}
			feed(looked{})
		}
		carryOut := func(fails bool) {
			was := doing
			doing = nil
			if fails {
				feed(indexFailed{})
				return
			}
			switch e := was.(type) {
			case indexRange:
				if indexed[e.log] == e.from { // else it was dropped meanwhile, and the index says so
					indexed[e.log] = e.to
				}
				feed(rangeIndexed{e.log, indexed[e.log]})
			case finishIndex:
				feed(indexBuilt{})
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0, 1:
				size[fmt.Sprint("l", rapid.IntRange(0, 4).Draw(t, "log"))] += rapid.Int64Range(1, 3*indexRangeFirst).Draw(t, "grows")
			case 2:
				look()
			case 3:
				if doing != nil {
					carryOut(rapid.Bool().Draw(t, "fails"))
				}
			case 4:
				if waiting {
					waiting = false
					feed(retryDue{})
				}
			case 5:
				clear(indexed)
				feed(indexDropped{})
			}
		}
		for look(); doing != nil || waiting; {
			if waiting {
				waiting = false
				feed(retryDue{})
				continue
			}
			carryOut(false)
		}
		for id := range size {
			if indexed[id] != size[id] {
				t.Fatalf("log %s: %d of %d indexed", id, indexed[id], size[id])
			}
		}
		if len(size) > 0 && !s.finished {
			t.Fatal("never finished")
		}
	})
}
