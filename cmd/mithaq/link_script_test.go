package main

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// line is a bad connection to a node: it breaks off after some bytes, is slow, and goes away altogether when it is told to.
type line struct {
	listener net.Listener
	target   string
	down     atomic.Bool
	running  sync.WaitGroup

	mu    sync.Mutex // guards all below
	rng   *rand.Rand
	conns map[net.Conn]bool
}

// link VAR TARGET: sets VAR to the address of a bad line to TARGET.
func link(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	x := &line{listener: l, target: args[1], rng: rand.New(rand.NewPCG(1, 2)), conns: map[net.Conn]bool{}}
	ts.Setenv(args[0], l.Addr().String())
	ts.Value(linesKey{}).(*sync.Map).Store(args[0], x)
	x.running.Go(x.serve)
	ts.Defer(func() { _ = l.Close(); x.cut(); x.running.Wait() })
}

type linesKey struct{}

// linkdown VAR: the line goes away; linkup VAR: it is back.
func linkDown(down bool) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		x, ok := ts.Value(linesKey{}).(*sync.Map).Load(args[0])
		if !ok {
			ts.Fatalf("there is no line %s", args[0])
		}
		x.(*line).down.Store(down)
		x.(*line).cut()
	}
}

func (x *line) cut() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for c := range x.conns {
		_ = c.Close()
	}
}

func (x *line) keep(c net.Conn) func() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.conns[c] = true
	return func() {
		_ = c.Close()
		x.mu.Lock()
		defer x.mu.Unlock()
		delete(x.conns, c)
	}
}

func (x *line) serve() {
	for {
		c, err := x.listener.Accept()
		if err != nil {
			return
		}
		x.mu.Lock()
		bytes := 500 + x.rng.Int64N(40_000) // after which the line breaks
		x.mu.Unlock()
		x.running.Go(func() { x.carry(c, bytes) })
	}
}

func (x *line) carry(c net.Conn, bytes int64) {
	defer x.keep(c)()
	if x.down.Load() {
		return
	}
	to, err := net.Dial("tcp", x.target)
	if err != nil {
		return
	}
	defer x.keep(to)()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(to, c); _ = to.Close() })
	buf := make([]byte, 700)
	for bytes > 0 {
		n, err := to.Read(buf[:min(int64(len(buf)), bytes)])
		if _, bad := c.Write(buf[:n]); err != nil || bad != nil {
			break
		}
		bytes -= int64(n)
		time.Sleep(time.Millisecond) // some 700 kB/s
	}
	_ = c.Close()
	_ = to.Close()
	both.Wait()
}
