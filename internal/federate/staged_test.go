package federate_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/fetch"
)

// An object of one bundle that does not come, while later bundles are complete, leaves no gap among the leaves.
func TestWhatComesAfterAGapIsNotStaged(t *testing.T) {
	a := author(t, 1, 1000)
	for _, missing := range []int64{600, 700, 767} {
		f := newFollower(t, a, federate.Options{Objects: true, PieceLeaves: 64})
		rest := f.round(&source{Source: a.Log, object: func(_ [32]byte, b []byte) ([]byte, error) {
			if bytes.Equal(b, fmt.Appendf(nil, "object %d of %s", missing, a.Log.ID)) {
				return nil, fetch.Refuse(fetch.BrokenOff, "the line broke")
			}
			return b, nil
		}})
		if n := f.state.Staged(); n != missing || rest.Spent {
			t.Errorf("%d leaves are staged of those before leaf %d: %v", n, missing, rest.Err)
			continue
		}
		f.round(a.Log)
		f.has(a.Log, 1000)
	}
}

// What is staged of a tree that nobody can show any more must not hide the smaller one that others have.
func TestStagedLeavesArePublishedUnderASmallerTree(t *testing.T) {
	broken := fetch.Refuse(fetch.BrokenOff, "the line broke")
	for _, size := range []int64{2, 255, 256, 300, 512, 599} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			a := author(t, 1, 1000)
			f := newFollower(t, a, federate.Options{Objects: true, PieceLeaves: 64})
			gone := &source{Source: a.Log, object: func(_ [32]byte, b []byte) ([]byte, error) {
				if bytes.Equal(b, fmt.Appendf(nil, "object 600 of %s", a.Log.ID)) {
					return nil, broken
				}
				return b, nil
			}}
			f.round(gone)
			if f.state.Staged() != 600 || f.state.Head().Size != 0 {
				t.Fatalf("%d leaves are staged, %d published", f.state.Staged(), f.state.Head().Size)
			}
			other, err := a.Log.Fork(size - 1)
			if err != nil {
				t.Fatal(err)
			}
			if err := other.Append([]byte("another history")); err != nil {
				t.Fatal(err)
			}
			f.now = f.now.Add(time.Hour)
			f.look(other, federate.Look{Now: f.now, Beside: true})
			f.has(a.Log, 0)
			mirror, err := a.Log.Fork(size)
			if err != nil {
				t.Fatal(err)
			}
			f.look(mirror, federate.Look{Now: f.now, Beside: true})
			f.has(a.Log, size)
			if n := f.told(federate.NoticeGrew); n == nil || n.From != 0 || n.To != size {
				t.Fatalf("%+v", f.notices)
			}
			f.restart()
			f.round(a.Log)
			f.has(a.Log, 1000)
		})
	}
}
