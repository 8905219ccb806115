package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

// asMithaq in the environment makes this test binary the program itself.
const asMithaq = "MITHAQ_TEST_AS_PROGRAM"

// program is a command that runs mithaq in a process of its own.
func program(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asMithaq+"=1")
	return cmd
}

// mithaq runs the program to its end.
func mithaq(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := program(args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func mustMithaq(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, code := mithaq(t, args...)
	if code != exitOK {
		t.Fatalf("mithaq %s: exit code %d: %s", strings.Join(args, " "), code, errs)
	}
	return out
}

// serving starts 'mithaq serve' and returns when it says that it serves.
func serving(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := program("serve", "--dir", dir, "--listen", "127.0.0.1:0")
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "serving ") {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatalf("serve says %q, %v: %s", line, err, errs.String())
	}
	return cmd
}

func quiet(text string) node.Draft {
	return node.Draft{Kind: "report", TLP: "CLEAR", Body: fmt.Appendf(nil, `{"period":{"from":"2026-10-01","to":"2026-10-31"},"summary":{"en":%q}}`, text)}
}

// publishUntilDead publishes from several goroutines until the daemon is gone, and returns what was acknowledged.
func publishUntilDead(t *testing.T, dir string, round int, first func()) []node.Receipt {
	t.Helper()
	c, ok := api.OverSocket(context.Background(), dir)
	if !ok {
		t.Fatal("the daemon does not answer")
	}
	defer c.Close()
	var mu sync.Mutex
	var acked []node.Receipt
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				r, err := c.Publish(context.Background(), "own", quiet(fmt.Sprintf("%d/%d/%d", round, g, i)))
				if err != nil {
					return
				}
				mu.Lock()
				if acked = append(acked, r); len(acked) == 1 {
					first()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return acked
}

// The real process is killed while records are published: nothing acknowledged is lost, nothing stands twice, and the log
// holds for tessera's auditor.
func TestKillNine(t *testing.T) {
	rounds := 5
	if os.Getenv("MITHAQ_LONG") != "" {
		rounds = 200
	}
	dir := filepath.Join(t.TempDir(), "node")
	mustMithaq(t, "init", "--dir", dir, "--name", "en=Sahlan", "--public")
	var acked []node.Receipt
	for round := range rounds {
		cmd := serving(t, dir)
		got := publishUntilDead(t, dir, round, func() {
			time.AfterFunc(time.Duration(rand.IntN(150_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		})
		_ = cmd.Process.Kill() // when nothing was acknowledged at all
		if err := cmd.Wait(); err == nil {
			t.Fatal("the daemon ended by itself")
		}
		if len(got) == 0 {
			t.Fatalf("round %d: nothing was acknowledged", round)
		}
		acked = append(acked, got...)
	}
	t.Logf("%d kills, %d records acknowledged", rounds, len(acked))
	checkAcknowledged(t, dir, acked)
}

// checkAcknowledged starts the node once more and holds its log against what it acknowledged.
func checkAcknowledged(t *testing.T, dir string, acked []node.Receipt) {
	t.Helper()
	cmd := serving(t, dir)
	defer func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the daemon's end: %v", err)
		}
	}()
	c, ok := api.OverSocket(context.Background(), dir)
	if !ok {
		t.Fatal("the daemon does not answer")
	}
	defer c.Close()
	ids, leaves := map[string]int64{}, map[int64]string{}
	for from := int64(0); ; from += 1000 {
		page, err := c.Records(context.Background(), "own", from, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page {
			if was, twice := ids[r.ID]; twice || r.Standing != node.StandingValid {
				t.Errorf("record %s at %d is %s and stands at %d too", r.ID, r.Index, r.Standing, was)
			}
			ids[r.ID], leaves[r.Index] = r.Index, r.Leaf
		}
		if len(page) < 1000 {
			break
		}
	}
	for _, r := range acked {
		if at, ok := ids[r.Record]; !ok || at != r.Index || leaves[r.Index] != r.Leaf {
			t.Errorf("record %s was acknowledged at %d and is at %d (%v)", r.Record, r.Index, at, ok)
		}
	}
	var logs []node.LogView
	if err := json.Unmarshal([]byte(mustMithaq(t, "log", "list", "--json", "--dir", dir)), &logs); err != nil {
		t.Fatal(err)
	}
	checkFsck(t, logs[0])
	mustMithaq(t, "log", "verify", "--objects", logs[0].URL)
}

// checkFsck has tessera's own auditor check a log over HTTP.
func checkFsck(t *testing.T, l node.LogView) {
	t.Helper()
	verifier, err := note.NewVerifier(l.VKey)
	if err != nil {
		t.Fatal(err)
	}
	root, err := url.Parse(l.URL)
	if err != nil {
		t.Fatal(err)
	}
	fetcher, err := client.NewHTTPFetcher(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := fsck.New(verifier.Name(), verifier, fetcher, bundleLeafHashes, fsck.Opts{N: 2}).Check(context.Background()); err != nil {
		t.Errorf("fsck: %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}
