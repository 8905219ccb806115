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
		h := &hostJob{n: other, host: bare, mended: map[string]time.Time{}}
		checkpoint := must(keeper.reader.Checkpoint(ctx, l))(t)
		if !h.compare(ctx, ChangedLog{Log: l, Checkpoint: string(checkpoint)}, nil) {
			t.Fatal("the log has not grown")
		}
		if at := must(other.firstAbsent(ctx, l, 0))(t); at >= 0 {
			t.Errorf("the object at place %d is absent", at)
		}
		if err := other.WaitIndexed(ctx, l, r.Size); err != nil || len(found(t, other, words[len("Observed a "):])) != 1 {
			t.Errorf("%s: not found, %v", words, err)
		}
	}
}
