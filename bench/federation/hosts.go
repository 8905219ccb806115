package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/internal/federate/simulate"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// quiet hosts: many parties' nodes with one small log each and nothing new, in one cheap process, each on a loopback address of
// its own.

const (
	hostsPort = 18473
	benchID   = "a-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" // an agreement that needs no roll here: nothing new is shown under it
	birthday  = "2026-11-22T08:00:00Z"
)

// hostAddress is the address of the i-th host.
func hostAddress(i int) string { return fmt.Sprintf("127.0.%d.%d:%d", 1+i/250, 1+i%250, hostsPort) }

// hostParty makes the i-th party, the same in every process.
func hostParty(i int) (*simulate.Author, error) {
	at, err := time.Parse(time.RFC3339, birthday)
	if err != nil {
		return nil, err
	}
	return simulate.NewAuthor(simulate.Dice(uint64(i)+1), fmt.Sprintf("Party %d", i), benchID, at) // #nosec G115 -- small
}

// serveHosts is the process of the quiet hosts; it ends with its standard input.
func serveHosts(in io.Reader, hosts int) error {
	var waiting, asked atomic.Int64
	for i := range hosts {
		a, err := hostParty(i)
		if err != nil {
			return err
		}
		l, err := net.Listen("tcp", hostAddress(i))
		if err != nil {
			return err
		}
		mux := http.NewServeMux()
		serveLog(mux, a.Log)
		answer := func(w http.ResponseWriter, text string) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, text)
		}
		mux.HandleFunc("POST /peers", func(w http.ResponseWriter, _ *http.Request) { answer(w, `{"cards":[]}`) })
		mux.HandleFunc("GET /changes", func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if wait, err := strconv.Atoi(r.FormValue("wait")); err == nil && r.FormValue("after") != "" {
				waiting.Add(1)
				defer waiting.Add(-1)
				select {
				case <-time.After(time.Duration(wait) * time.Second):
				case <-r.Context().Done():
				}
			}
			answer(w, `{"cursor":"1","logs":[]}`)
		})
		mux.HandleFunc("GET /bench", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, waiting.Load(), asked.Load()) })
		go func() { _ = (&http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}).Serve(l) }()
	}
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, in)
	return err
}

// serveLog serves a log in memory under the paths of C2SP tlog-tiles.
func serveLog(mux *http.ServeMux, l *simulate.Log) {
	answer := func(w http.ResponseWriter, b []byte, err error) {
		if err != nil {
			http.NotFound(w, nil)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(b)
	}
	mux.HandleFunc("GET /log/"+l.ID+"/", func(w http.ResponseWriter, r *http.Request) {
		what := strings.TrimPrefix(r.URL.Path, "/log/"+l.ID+"/")
		switch what {
		case "checkpoint":
			b, err := l.Checkpoint(r.Context())
			answer(w, b, err)
		case "keyrings":
			b, err := l.Keyrings(r.Context())
			answer(w, b, err)
		default:
			level, n, width, ok := ledger.ParseTilePath(what)
			if !ok {
				http.NotFound(w, r)
				return
			}
			if level < 0 {
				b, err := l.Entries(r.Context(), n, width)
				answer(w, b, err)
				return
			}
			b, err := l.Tile(r.Context(), level, n, width)
			answer(w, b, err)
		}
	})
	mux.HandleFunc("GET /objects/{hashes}", func(w http.ResponseWriter, r *http.Request) {
		var out []byte
		for name := range strings.SplitSeq(r.PathValue("hashes"), ",") {
			var o []byte
			if raw, err := hex.DecodeString(name); err == nil && len(raw) == 32 {
				o, _ = l.Object(r.Context(), [32]byte(raw)) // of what is not here, and of what is large, the length is 0
			}
			if len(o) > store.SmallObject {
				o = nil
			}
			out = append(binary.BigEndian.AppendUint32(out, uint32(len(o))), o...) // #nosec G115 -- made here, and small
		}
		answer(w, out, nil)
	})
	mux.HandleFunc("GET /object/{hash}", func(w http.ResponseWriter, r *http.Request) {
		raw, err := hex.DecodeString(r.PathValue("hash"))
		if err != nil || len(raw) != 32 {
			http.NotFound(w, r)
			return
		}
		o, err := l.Object(r.Context(), [32]byte(raw))
		if err == nil && r.Header.Get("Range") != "" {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(o))
			return
		}
		answer(w, o, err)
	})
}

// followQuiet measures one node that follows many logs on as many hosts with nothing new.
func followQuiet(ctx context.Context, out io.Writer, hosts int, watch time.Duration) (err error) {
	work, err := os.MkdirTemp("", "mithaq-bench-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	bin := filepath.Join(work, "mithaq")
	if text, err := exec.CommandContext(ctx, "go", "build", "-o", bin, "./cmd/mithaq").CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w: %s", err, text)
	}
	endHosts, err := startHosts(ctx, hosts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, endHosts()) }()
	dir := filepath.Join(work, "node")
	if err := meetHosts(ctx, dir, hosts); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, bin, "serve", "--dir", dir, "--listen", "127.0.0.1:0")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cmd.Process.Signal(syscall.SIGINT), cmd.Wait()) }()
	if err := awaitWaiting(ctx, hosts); err != nil {
		return err
	}
	_, askedBefore, err := hostsNow(ctx)
	if err != nil {
		return err
	}
	before, start := measure.ProcessorOf(cmd.Process.Pid), time.Now()
	select {
	case <-time.After(watch):
	case <-ctx.Done():
		return ctx.Err()
	}
	busy, took := measure.ProcessorOf(cmd.Process.Pid)-before, time.Since(start)
	_, askedAfter, err := hostsNow(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "| %d logs on %d hosts, nothing new, %.1f rounds a minute at each, processor over %s | %.1f %% of a core | under 5 %% |\n",
		hosts, hosts, float64(askedAfter-askedBefore)/float64(hosts)/took.Minutes(), took.Round(time.Second), 100*busy.Seconds()/took.Seconds())
	fmt.Fprintf(out, "| the same, memory at its peak since the start | %.0f MB | under 200 MB |\n", float64(measure.Peak(cmd.Process.Pid))/1e6)
	fmt.Fprintf(out, "| the same, memory at the end | %.0f MB | |\n", float64(measure.Resident(cmd.Process.Pid))/1e6)
	return nil
}

// startHosts starts the process of the quiet hosts.
func startHosts(ctx context.Context, hosts int) (end func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-serve-hosts", strconv.Itoa(hosts)) // #nosec G204 -- this very program
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	text, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(text, make([]byte, len("ready\n"))); err != nil {
		return nil, errors.Join(fmt.Errorf("the quiet hosts did not start: %w", err), cmd.Wait())
	}
	return func() error { return errors.Join(in.Close(), cmd.Wait()) }, nil
}

// meetHosts makes a node that has followed each host's log to its end and knows the hosts as peers. These are put into its store
// at once: one after the other, as a person adds them, each is compared with all before it.
func meetHosts(ctx context.Context, dir string, hosts int) error {
	peers, err := followHosts(ctx, dir, hosts)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "mithaq.db"))
	if err != nil {
		return err
	}
	for _, p := range peers {
		if err := db.PutPeer(ctx, p); err != nil {
			return errors.Join(err, db.Close())
		}
	}
	return db.Close()
}

func followHosts(ctx context.Context, dir string, hosts int) (peers []store.Peer, err error) {
	n, err := node.Init(ctx, dir, node.InitOptions{Names: record.Names{"en": "Bench"}, Listen: "127.0.0.1:0"})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, n.Close(context.WithoutCancel(ctx))) }()
	for i := range hosts {
		a, err := hostParty(i)
		if err != nil {
			return nil, err
		}
		url := "http://" + hostAddress(i)
		peers = append(peers, store.Peer{Party: a.Party, URL: url, Keyring: a.Keyring.Envelope(), Updated: time.Now()})
		if err := n.FollowAs(ctx, a.Keyring.Log, a.Party, url); err != nil {
			return nil, err
		}
		round, err := n.Sync(ctx, a.Log.ID)
		if err := errors.Join(err, round.Err); err != nil {
			return nil, fmt.Errorf("following party %d: %w", i, err)
		}
	}
	return peers, nil
}

// awaitWaiting waits until the node waits for news at every host.
func awaitWaiting(ctx context.Context, hosts int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if waiting, _, err := hostsNow(ctx); err == nil && waiting >= int64(hosts)*95/100 {
			return nil
		}
		time.Sleep(time.Second)
	}
	return errors.New("the node does not wait for news at every host")
}

// hostsNow says how many requests wait for news, and how many were asked so far.
func hostsNow(ctx context.Context) (waiting, asked int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+hostAddress(0)+"/bench", nil)
	if err != nil {
		return 0, 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = fmt.Fscan(resp.Body, &waiting, &asked)
	return waiting, asked, err
}
