package node

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// largeDraft is a report of so many bytes that no compression makes smaller, and that says word.
func largeDraft(seed uint64, size int, word string) Draft {
	dice := rand.New(rand.NewPCG(seed, seed))
	noise := make([]byte, size*3/4)
	for i := range noise {
		noise[i] = byte(dice.Uint32())
	}
	text := base64.StdEncoding.EncodeToString(noise)
	var objects []any
	for at := 0; at < len(text); at += 40_000 {
		objects = append(objects, map[string]any{"type": "note", "spec_version": "2.1", "id": fmt.Sprintf("note--%08x-0000-4000-8000-%012x", seed, at),
			"created": "2026-11-20T06:30:00.000Z", "modified": "2026-11-20T06:30:00.000Z", "abstract": word, "content": text[at:min(at+40_000, len(text))],
			"object_refs": []string{"indicator--9d2b6f3c-7c3e-4f58-9a40-1b2c3d4e5f60"}})
	}
	bundle, err := json.Marshal(map[string]any{"type": "bundle", "id": fmt.Sprintf("bundle--%08x-5d0c-4a38-8e21-7a1f2b3c4d5e", seed), "objects": objects})
	if err != nil {
		panic(err)
	}
	return Draft{Kind: "intel", TLP: "AMBER", Body: bundle, Serves: []string{"1"}}
}

// cutting breaks a line after so many bytes of a body.
type cutting struct {
	http.ResponseWriter
	left int
}

func (c *cutting) Write(p []byte) (int, error) {
	n := min(len(p), c.left)
	_, _ = c.ResponseWriter.Write(p[:n])
	if c.left -= n; c.left == 0 {
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

func (c *cutting) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// A large object comes over a line that never lives long enough for a fifth of it, in one round, and hardly a byte twice.
func TestALargeObjectComesOverALineThatBreaks(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	l := follows(t, other, keeper, id)
	must(keeper.Publish(ctx, id, largeDraft(7, 400_000, "walrus")))(t)
	var requests atomic.Int64
	url, sent := spoiled(t, keeper.LogHandler(func(*http.Request) Viewer { return Viewer{Own: true} }), "/object/", cutShort(keeper, &requests))
	round := must(other.follower.SyncBeside(ctx, l, url, 0))(t)
	if round.Err != nil {
		t.Fatal(round.Err)
	}
	size := must(keeper.reader.Log(ctx, l))(t).Size
	here := must(other.reader.Log(ctx, l))(t)
	if here.Size != size || len(must(other.store.Absent(ctx, other.book(l).no, 0, 10))(t)) > 0 {
		t.Fatalf("%d of %d leaves are here", here.Size, size)
	}
	if sent.Load() > 600_000 || requests.Load() < 5 {
		t.Errorf("%d bytes went over the line in %d requests", sent.Load(), requests.Load())
	}
	if err := other.WaitIndexed(ctx, l, size); err != nil || len(found(t, other, "walrus")) == 0 {
		t.Error("it cannot be found")
	}
}

func cutShort(keeper *Node, requests *atomic.Int64) http.HandlerFunc {
	honest := keeper.LogHandler(func(*http.Request) Viewer { return Viewer{Own: true} })
	return func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		honest.ServeHTTP(&cutting{w, 70_000}, r)
	}
}

// The same object is served whole, in parts, and not at all beyond its end, without standing in memory.
func TestLargeObjectsAreServedInParts(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	l := follows(t, other, keeper, id)
	must(keeper.Publish(ctx, id, largeDraft(8, 200_000, "narwhal")))(t)
	syncOnce(t, other, l)
	src := must(other.signedSource(logURL(host(t, keeper), l)))(t)
	size := must(other.reader.Log(ctx, l))(t).Size
	leaf := must(other.store.Leaves(ctx, other.book(l).no, size-1, size))(t)
	hash := [32]byte(leaf)
	whole := must(src.Object(ctx, hash))(t)
	part := must(src.OpenObject(ctx, hash, 150_000))(t)
	b := must(part.All())(t)
	_ = part.Close()
	if part.From != 150_000 || string(b) != string(whole[150_000:]) {
		t.Fatalf("from %d: %d bytes of %d", part.From, len(b), len(whole))
	}
	all := must(src.OpenObject(ctx, hash, int64(len(whole))))(t)
	defer func() { _ = all.Close() }()
	if b := must(all.All())(t); all.From != 0 || strings.Compare(string(b), string(whole)) != 0 {
		t.Fatalf("beyond the end: from %d, %d bytes", all.From, len(b))
	}
}
