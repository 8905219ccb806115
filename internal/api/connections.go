package api

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/mithaq/mithaq/internal/node"
)

// How many connections are held open: in all, and from one address. This machine's own addresses are not counted one by one, since
// a proxy in front of the node speaks for everybody.
const (
	maxConnections     = 10_000
	maxConnectionsEach = 512
)

// crowd is a listener that holds a bounded number of connections; one more is closed as soon as it is made. It counts the
// connections on which nobody asked anything.
type crowd struct {
	net.Listener
	all, each int
	refused   func(kind string)

	mu   sync.Mutex // guards all below
	open int
	from map[string]int
}

func newCrowd(l net.Listener, all, each int, refused func(kind string)) *crowd {
	return &crowd{Listener: l, all: all, each: each, refused: refused, from: map[string]int{}}
}

// Accept implements [net.Listener].
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := addressOf(conn.RemoteAddr().String())
		if c.enter(from) {
			return &guest{Conn: conn, crowd: c, from: from}, nil
		}
		c.refused(node.RequestConnects)
		_ = conn.Close()
	}
}

func (c *crowd) enter(from string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	ip := net.ParseIP(from)
	if c.open >= c.all || c.from[from] >= c.each && (ip == nil || !ip.IsLoopback()) {
		return false
	}
	c.open++
	c.from[from]++
	return true
}

func (c *crowd) leave(from string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	if c.from[from]--; c.from[from] <= 0 {
		delete(c.from, from)
	}
}

// guest is one connection.
type guest struct {
	net.Conn
	crowd *crowd
	from  string
	asked atomic.Bool
	left  atomic.Bool
}

// Close implements [net.Conn].
func (g *guest) Close() error {
	if g.left.CompareAndSwap(false, true) {
		g.crowd.leave(g.from)
		if !g.asked.Load() {
			g.crowd.refused(node.RequestSilent)
		}
	}
	return g.Conn.Close()
}

type guestKey struct{}

// withGuest lets requests say on which connection they came.
func withGuest(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn() // what TLS speaks over
	}
	if g, ok := c.(*guest); ok {
		return context.WithValue(ctx, guestKey{}, g)
	}
	return ctx
}

// hasAsked notes that a whole request has come on a connection.
func hasAsked(r *http.Request) {
	if g, ok := r.Context().Value(guestKey{}).(*guest); ok {
		g.asked.Store(true)
	}
}
