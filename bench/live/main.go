// Command live measures what open screens cost a node: live connections (server-sent events) of people who are signed in,
// quiet and while records arrive, and how a list of many rows scrolls in Chromium. The node runs in a process of its own, in
// a temporary folder; everything stays on the loopback interface.
//
//	go run ./bench/live [-connections 1500] [-seconds 30] [-records 0] [-chromium PATH]
//
// With -records the log is filled first; with -chromium (and the screens' packages installed: tools/ui.sh) its list is
// scrolled from end to end.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/internal/web"
	"github.com/mithaq/mithaq/ui"
)

// serveEnv names the node's folder to the process that serves it.
const serveEnv = "MITHAQ_BENCH_SERVE"

const (
	person   = "amal"
	password = "a dozen words"
)

type settings struct {
	connections, seconds, records int
	chromium                      string
}

func main() {
	var err error
	if dir := os.Getenv(serveEnv); dir != "" {
		err = serve(dir)
	} else {
		var s settings
		flag.IntVar(&s.connections, "connections", 1500, "live connections")
		flag.IntVar(&s.seconds, "seconds", 30, "how long each part is watched")
		flag.IntVar(&s.records, "records", 0, "records in the log whose list is scrolled")
		flag.StringVar(&s.chromium, "chromium", "", "the browser that scrolls")
		flag.Parse()
		err = run(context.Background(), s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/live:", err)
		os.Exit(1)
	}
}

// serve runs the node with its screens until it is told to end.
func serve(dir string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	quiet := slog.New(slog.DiscardHandler)
	n, err := node.Open(ctx, dir, node.OpenOptions{Logger: quiet})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(context.WithoutCancel(ctx))) }()
	screens, err := web.New(n, web.Options{Files: ui.Files(), Logger: quiet})
	if err != nil {
		return err
	}
	d, err := api.Start(ctx, n, "bench", quiet, screens)
	if err != nil {
		return err
	}
	if _, err := fmt.Println(d.URL); err != nil {
		return errors.Join(err, d.Stop())
	}
	return errors.Join(d.Wait(ctx), d.Stop())
}

func run(ctx context.Context, s settings) (err error) {
	work, err := os.MkdirTemp("", "mithaq-bench-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	dir := filepath.Join(work, "node")
	log, err := prepare(ctx, dir, s.records)
	if err != nil {
		return err
	}
	child, url, err := start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { _, err = child.Process.Signal(syscall.SIGTERM), errors.Join(err, child.Wait()) }()
	cookie, err := signIn(ctx, url)
	if err != nil {
		return err
	}
	fmt.Printf("%s; alone: %d MB resident\n", measure.Load(), measure.Resident(child.Process.Pid)>>20)
	if s.connections > 0 {
		if err := watch(ctx, s, child.Process.Pid, dir, url, cookie); err != nil {
			return err
		}
	}
	if s.chromium == "" {
		return nil
	}
	scroll := exec.CommandContext(ctx, "node", "e2e/rows.mjs") // #nosec G204 -- a fixed program
	scroll.Dir, scroll.Stdout, scroll.Stderr = "ui", os.Stdout, os.Stderr
	scroll.Env = append(os.Environ(), "NODE="+url, "COOKIE="+cookie, "LOG="+log, "CHROMIUM="+s.chromium)
	return scroll.Run()
}

// prepare makes a node with a person and so many records, and returns its log's id.
func prepare(ctx context.Context, dir string, records int) (log string, err error) {
	n, err := node.Init(ctx, dir, node.InitOptions{Names: map[string]string{"en": "Bench"}, Public: true, Listen: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, n.Close(ctx)) }()
	if _, err := n.PutPerson(ctx, account.PersonRequest{Name: person, Roles: []string{account.RoleAnalyst}, Password: password}); err != nil {
		return "", err
	}
	g, during := errgroup.WithContext(ctx)
	g.SetLimit(64)
	for i := range records {
		g.Go(func() error {
			_, err := n.Publish(during, "own", report(fmt.Sprintf("Report number %d.", i)))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return "", err
	}
	logs, err := n.Logs(ctx)
	if err != nil {
		return "", err
	}
	return logs[0].ID, nil
}

func report(words string) node.Draft {
	body, _ := json.Marshal(map[string]any{"period": map[string]string{"from": "2026-10-01", "to": "2026-10-31"}, "summary": map[string]string{"en": words}}) // strings have a form
	return node.Draft{Kind: "report", TLP: "TLP:CLEAR", Body: body}
}

// start runs this program again as the node.
func start(ctx context.Context, dir string) (child *exec.Cmd, url string, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	child = exec.CommandContext(ctx, self) // #nosec G204 -- this program
	child.Env = append(os.Environ(), serveEnv+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := child.Start(); err != nil {
		return nil, "", err
	}
	if _, err := fmt.Fscanln(out, &url); err != nil {
		return nil, "", errors.Join(fmt.Errorf("starting the node: %w", err), child.Process.Kill(), child.Wait())
	}
	return child, url, nil
}

func signIn(ctx context.Context, url string) (cookie string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/session", strings.NewReader(fmt.Sprintf(`{"name":%q,"password":%q,"code":""}`, person, password)))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", url)
	client := http.Client{Timeout: time.Minute}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	for _, c := range resp.Cookies() {
		return c.Name + "=" + c.Value, nil
	}
	return "", fmt.Errorf("signing in: %s", resp.Status)
}
