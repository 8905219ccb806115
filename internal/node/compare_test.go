package node

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// A host that shows a log first, and does not carry its objects, makes nobody wait for them: the one that the log is followed
// from is asked at once.
func TestObjectsComeFromTheHostThatHasThem(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	l := follows(t, other, keeper, id)
	honest := keeper.LogHandler(func(*http.Request) Viewer { return Viewer{Own: true} })
	bare, _ := spoiled(t, honest, "/object", http.NotFound)
	for _, words := range []string{"Observed a walrus", "Observed a narwhal"} { // twice: no pause between
		r := must(keeper.Publish(ctx, id, reportDraft(words)))(t)
		h := &hostJob{n: other, host: bare, due: map[string]time.Time{}, mended: map[string]time.Time{}}
		checkpoint := must(keeper.reader.Checkpoint(ctx, l))(t)
		h.compare(ctx, ChangedLog{Log: l, Checkpoint: string(checkpoint)}, nil)
		if at := must(other.firstAbsent(ctx, l, 0))(t); at >= 0 {
			t.Errorf("the object at place %d is absent", at)
		}
		if err := other.WaitIndexed(ctx, l, r.Size); err != nil || len(found(t, other, words[len("Observed a "):])) != 1 {
			t.Errorf("%s: not found, %v", words, err)
		}
	}
}

// A host that answers slowly beside does not hold up the one that the log is followed from.
func TestASlowHostBesideHoldsUpNobody(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	l := follows(t, other, keeper, id)
	asked := make(chan struct{}, 1)
	slow, _ := spoiled(t, http.NotFoundHandler(), "/log/", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	})
	r := must(keeper.Publish(ctx, id, reportDraft("Observed a beluga")))(t)
	h := &hostJob{n: other, host: slow, due: map[string]time.Time{}, mended: map[string]time.Time{}, beside: map[string]shown{}}
	h.compares.Go(func() {
		h.compare(ctx, ChangedLog{Log: l, Party: keeper.party.ID, Agreement: id, Size: r.Size, Checkpoint: string(must(keeper.reader.Checkpoint(ctx, l))(t))}, nil)
	})
	<-asked
	syncOnce(t, other, l)
	h.compares.Wait() // long before the slow host's time is over
	if _, again := h.beside[l]; !again || must(other.reader.Log(ctx, l))(t).Size != r.Size {
		t.Fatal("the log is not here, or its head beside is forgotten")
	}
}
