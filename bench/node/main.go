// Command node measures a node as a whole process: size of the stripped binary, time until it is ready, resident memory
// when it is empty, and memory and processor time with 1,000 idle logs. It prints one table and stops everything that it
// started. Linux only: it reads /proc.
//
//	go run ./bench/node [-logs 1000] [-watch 20s]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/internal/node"
)

func main() {
	logs := flag.Int("logs", 1000, "idle logs on the node")
	watch := flag.Duration("watch", 20*time.Second, "how long the idle node is watched")
	flag.Parse()
	if err := take(context.Background(), *logs, *watch); err != nil {
		fmt.Fprintln(os.Stderr, "bench/node:", err)
		os.Exit(1)
	}
}

func take(ctx context.Context, logs int, watch time.Duration) (err error) {
	work, err := os.MkdirTemp("", "mithaq-bench-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	bin := filepath.Join(work, "mithaq")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "./cmd/mithaq")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w: %s", err, out)
	}
	info, err := os.Stat(bin)
	if err != nil {
		return err
	}
	fmt.Printf("| figure | seen | asked |\n| --- | --- | --- |\n")
	fmt.Printf("| stripped binary | %.1f MB | under 45 MB |\n", float64(info.Size())/1e6)

	empty, err := makeNode(ctx, filepath.Join(work, "empty"), 0)
	if err != nil {
		return err
	}
	var best, worst time.Duration
	var resident int64
	for i := range 5 {
		u, err := run(ctx, bin, empty, 2*time.Second)
		if err != nil {
			return err
		}
		if i == 0 || u.ready < best {
			best = u.ready
		}
		worst, resident = max(worst, u.ready), max(resident, u.resident)
	}
	fmt.Printf("| empty node ready in (5 starts) | %d to %d ms | under 300 ms |\n", best.Milliseconds(), worst.Milliseconds())
	fmt.Printf("| empty node resident (largest of 5) | %.0f MB | under 60 MB |\n", float64(resident)/1e6)

	many, err := makeNode(ctx, filepath.Join(work, "many"), logs)
	if err != nil {
		return err
	}
	u, err := run(ctx, bin, many, watch)
	if err != nil {
		return err
	}
	fmt.Printf("| %d idle logs, resident | %.0f MB | under 150 MB |\n", logs, float64(u.resident)/1e6)
	fmt.Printf("| %d idle logs, processor over %s | %.2f %% of a core | under 2 %% |\n", logs, watch, 100*u.busy.Seconds()/watch.Seconds())
	fmt.Printf("| %d logs, ready in | %d ms | |\n", logs, u.ready.Milliseconds())
	return nil
}

func makeNode(ctx context.Context, dir string, logs int) (string, error) {
	n, err := node.Init(ctx, dir, node.InitOptions{Names: map[string]string{"en": "Bench"}, Public: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return "", err
	}
	for i := range logs {
		change := node.KeyChange{Action: "open", Agreement: fmt.Sprintf("a-%032s", strings.NewReplacer("0", "a", "1", "b", "8", "c", "9", "d").Replace(fmt.Sprintf("%032d", i)))}
		proposal, err := n.ProposeKeyrings(ctx, change)
		if err != nil {
			return "", errors.Join(err, n.Close(ctx))
		}
		signed, err := node.SignKeyrings(ctx, proposal, node.RootPath(dir), node.SecretSource{KeyFile: filepath.Join(dir, "unlock.key")})
		if err != nil {
			return "", errors.Join(err, n.Close(ctx))
		}
		if _, err := n.ApplyKeyrings(ctx, signed); err != nil {
			return "", errors.Join(err, n.Close(ctx))
		}
	}
	return dir, n.Close(ctx)
}

type usage struct {
	ready    time.Duration
	resident int64
	busy     time.Duration
}

// run starts the node, waits until it is ready, watches it idle and stops it.
func run(ctx context.Context, bin, dir string, watch time.Duration) (u usage, err error) {
	addr, err := freeAddress()
	if err != nil {
		return u, err
	}
	cmd := exec.CommandContext(ctx, bin, "serve", "--dir", dir, "--listen", addr)
	cmd.Stderr = os.Stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return u, err
	}
	defer func() {
		err = errors.Join(err, cmd.Process.Signal(syscall.SIGINT), cmd.Wait())
	}()
	for {
		resp, err := http.Get("http://" + addr + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Since(start) > time.Minute {
			return u, errors.New("the node was not ready within a minute")
		}
		time.Sleep(time.Millisecond)
	}
	u.ready = time.Since(start)
	before, err := settled(cmd.Process.Pid)
	if err != nil {
		return u, err
	}
	time.Sleep(watch)
	u.busy = measure.ProcessorOf(cmd.Process.Pid) - before
	u.resident = measure.Resident(cmd.Process.Pid)
	if u.resident == 0 {
		return u, errors.New("the node ended while it was watched")
	}
	return u, nil
}

// settled waits until a process has done what starting left behind: under 1 % of a core over two seconds. It returns its
// processor time so far.
func settled(pid int) (time.Duration, error) {
	const span, tries = 2 * time.Second, 30
	last := measure.ProcessorOf(pid)
	for range tries {
		time.Sleep(span)
		now := measure.ProcessorOf(pid)
		if now-last < span/100 {
			return now, nil
		}
		last = now
	}
	return 0, fmt.Errorf("the node does not come to rest within %s", tries*span)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
