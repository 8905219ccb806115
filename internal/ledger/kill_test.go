package ledger

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/store"
)

var killLogs = []string{"l-kill-a", "l-kill-b"}

// TestKillChild is not a test: it is the process that TestKillNine kills.
func TestKillChild(t *testing.T) {
	dir := os.Getenv("MITHAQ_KILL_DIR")
	if dir == "" {
		t.Skip("only run by TestKillNine")
	}
	from, err := strconv.Atoi(os.Getenv("MITHAQ_KILL_FROM"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := tryFixture(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, id := range killLogs {
		if _, err := f.Log(ctx, id); err != nil {
			mustCreate(t, f.Ledger, id, true)
		}
	}
	var out sync.Mutex
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := from + g; ; i += 6 {
				id := killLogs[i%2]
				r, err := f.Append(ctx, id, Entry{Object: killObject(id, i)})
				if err != nil {
					t.Error(err)
					return
				}
				out.Lock()
				fmt.Fprintf(os.Stdout, "ack %s %d %d\n", id, i, r.Index)
				out.Unlock()
			}
		})
	}
	wg.Wait()
}

func killObject(id string, i int) []byte {
	if i%40 == 7 {
		return append(make([]byte, store.SmallObject), objectNo(id, i)...)
	}
	return objectNo(id, i)
}

// ack is a line that the child printed before it was killed.
type ack struct {
	id    string
	i     int
	index int64
}

// runAndKill starts the child and kills it some time after its first acknowledgement.
func runAndKill(t *testing.T, dir string, from int) []ack {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKillChild$", "-test.v=false")
	cmd.Env = append(os.Environ(), "MITHAQ_KILL_DIR="+dir, "MITHAQ_KILL_FROM="+strconv.Itoa(from))
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var acks []ack
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		var a ack
		if n, _ := fmt.Sscanf(lines.Text(), "ack %s %d %d", &a.id, &a.i, &a.index); n != 3 {
			continue // a line that the kill cut
		}
		if len(acks) == 0 {
			time.AfterFunc(time.Duration(rand.IntN(120_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		}
		acks = append(acks, a)
	}
	if err := cmd.Wait(); err == nil || len(acks) == 0 {
		t.Fatalf("the child ended by itself after %d entries: %v", len(acks), err)
	}
	return acks
}

func TestKillNine(t *testing.T) {
	rounds := 5
	if os.Getenv("MITHAQ_LONG") != "" {
		rounds = 200
	}
	dir := t.TempDir()
	where := map[string]map[int]int64{killLogs[0]: {}, killLogs[1]: {}}
	from, total := 0, 0
	for range rounds {
		most := from
		for _, a := range runAndKill(t, dir, from) {
			if have, ok := where[a.id][a.i]; ok && have != a.index {
				t.Fatalf("entry %d of %s acknowledged at %d and at %d", a.i, a.id, have, a.index)
			}
			where[a.id][a.i] = a.index
			most = max(most, a.i)
			total++
		}
		from = most - most%6 // some of the unacknowledged ones are tried again
	}
	f := openFixture(t, dir)
	s := serveLogs(t, f.Ledger)
	ctx := context.Background()
	for id, entries := range where {
		seen := map[Hash]int64{}
		size := int64(0)
		_, err := Audit(ctx, StoreSource(f.Ledger, id), AuditOptions{Origin: "mithaq/" + id, Verifier: testVerifier(t, "mithaq/"+id),
			Leaf: func(i int64, leaf []byte) error {
				if was, twice := seen[Hash(leaf[1:])]; twice {
					return fmt.Errorf("it is leaf %d too", was)
				}
				seen[Hash(leaf[1:])] = i
				size++
				return nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		for i, index := range entries {
			o, err := object(killObject(id, i))
			if err != nil {
				t.Fatal(err)
			}
			if at, ok := seen[o.Hash]; !ok || at != index {
				t.Fatalf("entry %d of %s was acknowledged at %d and is at %d (%v)", i, id, index, at, ok)
			}
			if _, err := f.Object(ctx, o.Hash); err != nil {
				t.Fatalf("object of entry %d: %v", i, err)
			}
		}
		if err := runFsck(t, s.URL, id, ""); err != nil {
			t.Fatalf("fsck of %s: %v", id, err)
		}
		t.Logf("%s: %d leaves, %d acknowledged", id, size, len(entries))
	}
	left, err := filepath.Glob(filepath.Join(dir, "objects", "*", "*.tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
	t.Logf("%d kills, %d acknowledgements", rounds, total)
}
