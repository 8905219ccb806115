package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/taxii"
)

// names makes observables that are called so.
func names(names ...string) []taxii.Object {
	var objects []taxii.Object
	for i, name := range names {
		id := fmt.Sprintf("domain-name--00000000-0000-5000-8000-%012s", name)
		raw := fmt.Appendf(nil, `{"type":"domain-name","spec_version":"2.1","id":%q,"value":"%s.example"}`, id, name)
		objects = append(objects, taxii.Object{ID: id, Type: "domain-name", SpecVersion: "2.1", Raw: raw, Index: i})
	}
	return objects
}

// poster posts to the first collection of a node.
func poster(t *testing.T, n *Node) func(...taxii.Object) (taxii.Status, error) {
	t.Helper()
	if behind, err := n.awaitIndex(t.Context(), time.Hour); behind > 0 || err != nil {
		t.Fatal(behind, err)
	}
	b, owner := collections{n}, account.TAXIICaller{Owner: true}
	list, err := b.list(t.Context(), owner)
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	return func(objects ...taxii.Object) (taxii.Status, error) {
		return b.Add(t.Context(), owner, taxii.Place{Root: TAXIIRoot, Collection: list[0].id()}, taxii.Submission{Objects: objects, Received: time.Now()})
	}
}

// TestWhatWasPostedAMomentAgoIsKnown: an envelope that comes again before the index has it makes no second record, nor one that comes
// again while the index is built anew.
func TestWhatWasPostedAMomentAgoIsKnown(t *testing.T) {
	ctx := t.Context()
	n := newNodeOn(t, false)
	defer func() { _ = n.Close(context.WithoutCancel(ctx)) }()
	post, objects := poster(t, n), names("0", "1", "2")
	n.indexer.writing.Lock() // the index stands still
	if s, err := post(objects...); err != nil || s.SuccessCount != 3 || s.Successes[0].Message != "" {
		t.Errorf("posted: %+v, %v", s, err)
	}
	again := make(chan taxii.Status, 1)
	repeat := func() {
		s, err := post(objects...)
		if err != nil {
			t.Error(err)
		}
		again <- s
	}
	go repeat()
	for n.pace.waiting.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	n.indexer.writing.Unlock()
	if s := <-again; s.SuccessCount != 3 || s.Successes[0].Message != hereAlready {
		t.Errorf("posted again: %+v", s)
	}
	if len(n.backlog.of("", idsOf(objects))) > 0 {
		t.Error("what is indexed is still remembered")
	}
	if _, err := n.Reindex(ctx); err != nil {
		t.Fatal(err)
	}
	s, err := post(objects...)
	var later *taxii.Error
	for errors.As(err, &later) && later.RetryAfter > 0 {
		time.Sleep(time.Millisecond)
		s, err = post(objects...)
	}
	if err != nil || s.SuccessCount != 3 || s.Successes[0].Message != hereAlready {
		t.Errorf("posted while the index is built: %+v, %v", s, err)
	}
}

// TestPostsWaitForAnIndexThatIsFarBehind: when as much as may be is not indexed, a post waits; an index that does not get on is told of as
// TAXII tells it. What is no intelligence is published all the same.
func TestPostsWaitForAnIndexThatIsFarBehind(t *testing.T) {
	ctx := t.Context()
	n := newNodeOn(t, false)
	defer func() { _ = n.Close(context.WithoutCancel(ctx)) }()
	post := poster(t, n)
	n.backlog.most, n.backlog.wait = 4, time.Millisecond
	n.indexer.writing.Lock() // the index stands still
	if s, err := post(names("0", "1", "2")...); err != nil || s.SuccessCount != 3 {
		t.Fatalf("posted: %+v, %v", s, err)
	}
	if s, err := post(names("3")...); err != nil || s.SuccessCount != 1 {
		t.Fatalf("posted: %+v, %v", s, err)
	}
	_, err := post(names("4")...)
	var told *taxii.Error
	if !errors.As(err, &told) || told.Status != http.StatusServiceUnavailable || told.RetryAfter <= 0 {
		t.Errorf("a post beyond the bound is told %v", err)
	}
	bundle := func(name string) Draft { return Draft{Kind: "intel", Body: plainBundle(names(name))} }
	if _, err := n.Publish(ctx, "own", bundle("5")); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("publishing beyond the bound: %v", err)
	}
	if _, err := n.Publish(ctx, "own", reportDraft("what nobody waits for")); err != nil {
		t.Errorf("publishing what is no intelligence: %v", err)
	}
	n.backlog.wait = time.Hour
	done := make(chan error)
	go func() {
		_, err := post(names("4")...)
		done <- err
	}()
	for n.pace.waiting.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	n.indexer.writing.Unlock()
	if err := <-done; err != nil {
		t.Errorf("a post that waited: %v", err)
	}
	if _, err := n.Publish(ctx, "own", bundle("5")); err != nil {
		t.Errorf("publishing again: %v", err)
	}
}

// slowIndex gets on when a test says so.
type slowIndex map[string]int64

func (s slowIndex) indexedTo(log string) int64 { return s[log] }
func (slowIndex) hurry() func()                { return func() {} }
func (slowIndex) progressed() <-chan struct{}  { return nil }

// TestTheBacklogIsBounded: whatever is posted and indexed in whatever order, no more than the bound is ever taken and not indexed, each
// such object is known, and there is room again once the index has got on.
func TestTheBacklogIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		index, sizes := slowIndex{}, map[string]int64{}
		b := newBacklog()
		b.most, b.wait = rapid.IntRange(1, 20).Draw(t, "most"), 0
		b.begin(index, nil)
		type under struct {
			left int
			done func()
		}
		var posts []under
		at := map[string]Place{} // of the last record with an object
		waiting := func() (n int) {
			for _, one := range b.list {
				if index[one.Log] <= one.Index {
					n += len(one.ids)
				}
			}
			return n
		}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				want := rapid.IntRange(1, 12).Draw(t, "objects")
				fits := index["a"] == sizes["a"] && index["b"] == sizes["b"] && len(posts) == 0
				done, err := b.admit(t.Context(), want)
				if err == nil {
					posts = append(posts, under{min(want, b.most), done})
				} else if fits {
					t.Fatalf("an empty backlog of %d has no room for %d", b.most, want)
				}
			case 1:
				if len(posts) == 0 {
					continue
				}
				p := &posts[0]
				ids := make([]string, rapid.IntRange(0, p.left).Draw(t, "objects of a record"))
				log := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "log")
				for i := range ids {
					ids[i] = fmt.Sprint(rapid.IntRange(0, 30).Draw(t, "object"))
					at[ids[i]] = Place{Log: log, Index: sizes[log]}
				}
				b.note(Place{Log: log, Index: sizes[log]}, ids)
				p.left -= len(ids)
				sizes[log]++
			case 2:
				if len(posts) > 0 {
					posts[0].done()
					posts = posts[1:]
				}
			case 3:
				log := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "log")
				index[log] = rapid.Int64Range(index[log], sizes[log]).Draw(t, "indexed")
			}
			if n := waiting(); n > b.most {
				t.Fatalf("%d objects are taken and not indexed, of at most %d", n, b.most)
			}
			for id, p := range at {
				if want := p.Index + 1; index[p.Log] < want && b.of("", []string{id})[p.Log] < want {
					t.Fatalf("%s in leaf %d of %s is not known", id, p.Index, p.Log)
				}
			}
		}
	})
}
