package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/node"
)

// besieged is a node that serves with little patience, and what its enemies and its friends do.
type besieged struct {
	trio
	t      *testing.T
	url    string
	addr   string
	handed atomic.Pointer[http.Header] // of the last request that was taken away on its way to the node
}

// calm is the patience of a server with callers that come as fast as the machine lets them.
func calm() Patience {
	return Patience{Header: patience, Upload: patience, Answer: patience, Idle: patience}
}

// besiege serves the keeper of a trio. A request to /capture… is not answered by the node: its head is kept, so that a signature
// which the node has not seen can be used otherwise.
func besiege(t *testing.T, p Patience) *besieged {
	t.Helper()
	b := &besieged{trio: pairOfNodes(t), t: t}
	inner := New(b.keeper, Options{Version: "test"})
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Capture") != "" {
			hasAsked(r)
			h := r.Header.Clone()
			b.handed.Store(&h)
			return
		}
		inner.ServeHTTP(w, r)
	}), p, discard())
	srv.Listener = newCrowd(srv.Listener, maxConnections, maxConnectionsEach, b.keeper.RefusedRequest)
	srv.Start()
	t.Cleanup(srv.Close) // which waits for the connections that net/http keeps for a while after an answer nobody waited for
	b.addr, b.url = srv.Listener.Addr().String(), srv.URL
	return b
}

// captured is the head of a request with content that a member signed and never sent.
func (b *besieged) captured(client *http.Client, path string, content []byte) http.Header {
	b.t.Helper()
	b.asked(client, func() (*http.Request, error) {
		req, err := http.NewRequest(http.MethodPost, b.url+path, bytes.NewReader(content))
		if err == nil {
			req.Header.Set("X-Capture", "1")
		}
		return req, err
	})
	h := b.handed.Load().Clone()
	h.Del("X-Capture")
	h.Del("Content-Length")
	return h
}

// served asks as somebody else, while the enemies are at it.
func (b *besieged) served() {
	b.t.Helper()
	status := b.asked(b.member.SignedClient(), func() (*http.Request, error) {
		return http.NewRequest(http.MethodGet, b.url+"/log/"+b.log+"/checkpoint", http.NoBody)
	})
	if status != http.StatusOK {
		b.t.Fatalf("the member gets %d", status)
	}
}

// asked asks as a friend, until there is an answer: a server without patience may cut off a friend whom the machine holds up.
func (b *besieged) asked(client *http.Client, ask func() (*http.Request, error)) (status int) {
	b.t.Helper()
	until(b.t, "a friend is not answered", func() bool {
		req, err := ask()
		if err != nil {
			b.t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			return false
		}
		status = resp.StatusCode
		return resp.Body.Close() == nil
	})
	return status
}

func (b *besieged) count(kind string) int64 { return b.keeper.Counts().RefusedRequests[kind] }

// inFlight is what two machines' sockets hold of a body that nobody reads any more.
const inFlight = 64 << 20

// patience is after how long a test gives up on what never comes. Nothing that comes is late.
const patience = 2 * time.Minute

// until waits for something that another goroutine does.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

func (b *besieged) dial() net.Conn {
	b.t.Helper()
	c, err := net.Dial("tcp", b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	return c
}

// ended says whether the other side has closed a connection, whatever it said before.
func ended(c net.Conn) bool {
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, err := io.Copy(io.Discard, c)
	return err == nil || !strings.Contains(err.Error(), "timeout")
}

func head(method, path, host string, h http.Header, more string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, host)
	_ = h.Write(&s)
	return s.String() + more
}

// TestSlowCallersAreCutOff has many callers send their heads and bodies by the byte, forever.
func TestSlowCallersAreCutOff(t *testing.T) {
	b := besiege(t, Patience{Header: 200 * time.Millisecond, Upload: 400 * time.Millisecond, Answer: patience, Idle: patience})
	const slow = 40
	ctx, stop := context.WithCancel(context.Background())
	var callers sync.WaitGroup
	defer callers.Wait()
	defer stop()
	trickle := func(first string) net.Conn {
		c := b.dial()
		callers.Go(func() {
			if _, err := io.WriteString(c, first); err != nil {
				return
			}
			for ctx.Err() == nil {
				if _, err := io.WriteString(c, "x"); err != nil {
					return
				}
				select {
				case <-ctx.Done():
				case <-time.After(10 * time.Millisecond):
				}
			}
		})
		return c
	}
	cutOff := func(conns []net.Conn) {
		t.Helper()
		b.served()
		for i, c := range conns {
			if !ended(c) {
				t.Fatalf("connection %d stays open", i)
			}
		}
	}
	silent := b.count(node.RequestSilent)
	var conns []net.Conn
	for range slow {
		conns = append(conns, trickle("GET /healthz HTTP/1.1\r\nX-Slow: "))
	}
	cutOff(conns)
	until(t, "the silent ones are not counted", func() bool { return b.count(node.RequestSilent) >= silent+slow })

	card, err := b.member.Card(ctx)
	if err != nil {
		t.Fatal(err)
	}
	content, err := json.Marshal(card)
	if err != nil {
		t.Fatal(err)
	}
	// A machine that stands still for so long that not even a head comes in time makes silent callers of slow ones: once more.
	until(t, "the slow ones are not counted", func() bool {
		silent, late := b.count(node.RequestSilent), b.count(node.RequestTooSlow)
		var conns []net.Conn
		for _, path := range []string{"/peers", "/acts", "/rolls", "/bundles", "/holds"} {
			h := b.captured(b.member.SignedClient(), path, content)
			h.Del("Content-Type")
			conns = append(conns, trickle(head("POST", path, b.addr, h, "Content-Length: 3000\r\n\r\n{")))
		}
		conns = append(conns, trickle(head("POST", "/witness/add-checkpoint", b.addr, nil, "Content-Length: 3000\r\n\r\nold 0\n")))
		cutOff(conns)
		counted := b.count(node.RequestTooSlow) - late
		if counted != int64(len(conns)) && b.count(node.RequestSilent) == silent {
			t.Fatalf("%d of %d slow bodies are counted", counted, len(conns))
		}
		return counted == int64(len(conns))
	})
	b.served()
}

// attack is a body without an end, and one that says it is huge, under heads that a caller signed.
type attack struct {
	who, path    string
	limit        int64
	read         bool // of an unsigned request nothing is read
	endless, big http.Header
}

// TestEndlessBodiesAreCutOff sends bodies without an end, and ones that say they are huge, to every route that takes some of
// other nodes: signed by a member, by a party that is known and no member, and by nobody. Each is counted as what it was refused for.
func TestEndlessBodiesAreCutOff(t *testing.T) {
	b := besiege(t, calm())
	// refused counts what is refused while several attackers make their attacks.
	refused := func(attackers ...[]attack) (long, crowded int64) {
		t.Helper()
		long, crowded = b.count(node.RequestTooLong), b.count(node.RequestCrowded)
		var all sync.WaitGroup
		for _, attacks := range attackers {
			all.Go(func() {
				for _, a := range attacks {
					b.launch(a)
				}
			})
		}
		b.served()
		all.Wait()
		return b.count(node.RequestTooLong) - long, b.count(node.RequestCrowded) - crowded
	}

	// All that one member can send at a time is more than its room holds, if the machine is fast enough to bring it all.
	atATime := slices.Collect(slices.Chunk(b.attacks()["a member"], 1))
	long, crowded := refused(atATime...)
	if n := int64(len(atATime)); long+crowded != 2*n || long < n { // what says that it is too long takes no room
		t.Errorf("%d counted as too long and %d as too many, of %d", long, crowded, 2*n)
	}

	// One after the other each is read until it is too long: nothing has kept the room.
	attackers, expected := slices.Collect(maps.Values(b.attacks())), int64(0)
	for _, a := range slices.Concat(attackers...) {
		if a.read {
			expected += 2
		}
	}
	if long, crowded := refused(attackers...); long != expected || crowded != 0 {
		t.Errorf("%d counted as too long, of %d; %d as too many", long, expected, crowded)
	}
	b.served()
}

// attacks are all of them, by who makes them.
func (b *besieged) attacks() map[string][]attack {
	b.t.Helper()
	routes := map[string]int64{"/peers": node.MaxReceived, "/acts": node.MaxReceived, "/bundles": node.MaxBrought, "/holds": node.MaxHold,
		"/rolls": node.MaxReceived, "/rolls/" + b.agreement: node.MaxReceived, "/witness/add-checkpoint": maxWitnessBody}
	all := map[string][]attack{}
	for who, client := range map[string]*http.Client{"a member": b.member.SignedClient(), "a peer": b.outsider.SignedClient(), "nobody": {}} {
		for path, limit := range routes {
			if limit > 1<<20 && who != "a member" && path != "/acts" {
				continue // read by the same code
			}
			a := attack{who: who, path: path, limit: limit, read: who != "nobody" || path == "/witness/add-checkpoint",
				endless: b.captured(client, path, []byte("{}")), big: b.captured(client, path, []byte("{}"))}
			a.endless.Del("Content-Type")
			all[who] = append(all[who], a)
		}
	}
	return all
}

// launch makes an attack, and returns when the node has closed both connections.
func (b *besieged) launch(a attack) {
	sent, err := b.endless(head("POST", a.path, b.addr, a.endless, "Transfer-Encoding: chunked\r\n\r\n"))
	if err == nil || sent > a.limit+inFlight {
		b.t.Errorf("%s got rid of %d bytes at %s, which takes %d", a.who, sent, a.path, a.limit)
	}
	// What says at once that it is too long is not read at all.
	status, err := b.first(head("POST", a.path, b.addr, a.big, fmt.Sprintf("Content-Length: %d\r\n\r\n", int64(1)<<40)))
	if err != nil || !strings.HasPrefix(status, "HTTP/1.1 4") {
		b.t.Errorf("%s at %s: %q %v", a.who, a.path, status, err)
	}
}

// endless sends chunks after a head until the other side has enough.
func (b *besieged) endless(head string) (sent int64, err error) {
	c, err := net.Dial("tcp", b.addr)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close() }()
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 1<<20, strings.Repeat(" ", 1<<20))
	_, err = io.WriteString(c, head)
	for err == nil && sent < 256<<20 {
		_, err = io.WriteString(c, chunk)
		sent += int64(len(chunk))
	}
	return sent, err
}

// first is the first line that the other side answers to a head.
func (b *besieged) first(head string) (string, error) {
	c, err := net.Dial("tcp", b.addr)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, head); err != nil {
		return "", err
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	return bufio.NewReader(c).ReadString('\n')
}

// TestStrangeBodiesAreRefused sends other media types, compression bombs, and paths with tricks.
func TestStrangeBodiesAreRefused(t *testing.T) {
	b := besiege(t, calm())
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 64 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	noise := bomb.Bytes()[:1000]
	post := func(client *http.Client, path, kind, coding string, body []byte) int {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, b.url+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if kind != "" {
			req.Header.Set("Content-Type", kind)
		}
		if coding != "" {
			req.Header.Set("Content-Encoding", coding)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	member := b.member.SignedClient()
	for _, path := range []string{"/peers", "/acts", "/bundles", "/holds", "/rolls", "/rolls/" + b.agreement} {
		for kind, what := range map[string]string{"text/html": node.RequestType, "a;;b/": node.RequestType, "multipart/form-data; boundary=x": node.RequestType} {
			before := b.count(what)
			if got := post(member, path, kind, "", []byte("{}")); got != http.StatusUnsupportedMediaType || b.count(what) != before+1 {
				t.Errorf("%s as %s: %d", path, kind, got)
			}
		}
		for _, coding := range []string{"gzip", "zstd", "br", "identity, gzip"} {
			before := b.count(node.RequestCoded)
			if got := post(member, path, "", coding, bomb.Bytes()); got != http.StatusUnsupportedMediaType || b.count(node.RequestCoded) != before+1 {
				t.Errorf("%s in %s: %d", path, coding, got)
			}
		}
		before := b.count(node.RequestBadForm)
		if got := post(member, path, "", "", noise); got == http.StatusOK || got >= 500 || b.count(node.RequestBadForm) != before+1 {
			t.Errorf("%s of noise: %d, counted %d", path, got, b.count(node.RequestBadForm)-before)
		}
	}
	before := b.count(node.RequestCoded)
	if got := post(&http.Client{}, "/witness/add-checkpoint", "", "gzip", bomb.Bytes()); got != http.StatusUnsupportedMediaType || b.count(node.RequestCoded) != before+1 {
		t.Errorf("a compressed request to co-sign: %d", got)
	}
	for _, path := range []string{"/log/" + b.log + "/../../etc/passwd", "/log/%2e%2e/%2e%2e/checkpoint", "//log/" + b.log + "/checkpoint", "/log/" + b.log + "%00/checkpoint",
		"/log/" + b.log + "\\..\\checkpoint", "/object/../node.toml", "/object/" + strings.Repeat("A", 64), "/object/%2fetc%2fpasswd", "/rolls/../acts", "/log/" + strings.Repeat("x", 20_000)} {
		c := b.dial()
		if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: "+b.addr+"\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(patience))
		answer, err := io.ReadAll(c)
		if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 4")) && !bytes.HasPrefix(answer, []byte("HTTP/1.1 301")) && !bytes.HasPrefix(answer, []byte("HTTP/1.1 307")) {
			t.Errorf("%.60s: %.80q %v", path, answer, err)
		}
	}
	b.served()
}

// TestOldAndRepeatedSignaturesAreRefused sends one request twice, and ones whose date was changed, which their signature covers.
func TestOldAndRepeatedSignaturesAreRefused(t *testing.T) {
	b := besiege(t, calm())
	send := func(h http.Header, body string) int {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, b.url+"/rolls", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(req.Header, h)
		resp, err := (&http.Client{}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	card, err := b.member.Card(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	content, err := json.Marshal(card)
	if err != nil {
		t.Fatal(err)
	}
	h := b.captured(b.member.SignedClient(), "/rolls", content)
	if got := send(h, string(content)); got != http.StatusOK {
		t.Fatalf("the honest request: %d", got)
	}
	created := func(shift time.Duration) http.Header {
		other := b.captured(b.member.SignedClient(), "/rolls", content)
		in := other.Get("Signature-Input")
		_, after, _ := strings.Cut(in, ";created=")
		number, _, _ := strings.Cut(after, ";")
		other.Set("Signature-Input", strings.Replace(in, ";created="+number, fmt.Sprintf(";created=%d", time.Now().Add(shift).Unix()), 1))
		return other
	}
	digest := b.captured(b.member.SignedClient(), "/rolls", content)
	sum := sha256.Sum256(append(bytes.Clone(content), ' '))
	digest.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":")
	for _, c := range []struct {
		what, kind, body string
		head             http.Header
	}{
		{"the same again", "replayed", string(content), h},
		{"of another content", "uncovered", string(content) + " ", b.captured(b.member.SignedClient(), "/rolls", content)},
		{"with another digest", "bad-signature", string(content) + " ", digest},
		{"of tomorrow", "out-of-time", string(content), created(24 * time.Hour)},
		{"of yesterday", "out-of-time", string(content), created(-24 * time.Hour)},
		{"a second younger", "bad-signature", string(content), created(30 * time.Second)},
		{"for another route", "bad-signature", string(content), b.captured(b.member.SignedClient(), "/acts", content)},
		{"noise", "malformed", string(content), http.Header{"Signature-Input": {strings.Repeat("(", 9000)}, "Signature": {"x"}}},
	} {
		before := b.count(c.kind)
		if got := send(c.head, c.body); got != http.StatusNotFound || b.count(c.kind) == before {
			t.Errorf("a request %s: %d, %s counted %d times", c.what, got, c.kind, b.count(c.kind)-before)
		}
	}
	b.served()
}

// TestCheckpointsThatNoWitnessSigns sends a witness a checkpoint with a hundred signatures, one of a log it does not know, and noise.
func TestCheckpointsThatNoWitnessSigns(t *testing.T) {
	b := besiege(t, calm())
	line := "— x " + base64.StdEncoding.EncodeToString(make([]byte, 68)) + "\n"
	root := strings.Repeat("A", 43) + "="
	for what, body := range map[string]string{
		"a hundred signatures": "old 0\n\nmithaq/" + b.log + "\n3\n" + root + "\n\n" + strings.Repeat(line, 101),
		"nobody's log":         "old 0\n\nelsewhere\n3\n" + root + "\n\n" + line,
		"a long proof":         "old 1\n" + strings.Repeat(root+"\n", 64) + "\nmithaq/" + b.log + "\n3\n" + root + "\n\n" + line,
		"noise":                strings.Repeat("\x00", 1000),
		"nothing":              "",
	} {
		before := b.count(node.RequestCosigns)
		resp, err := http.Post(b.url+"/witness/add-checkpoint", "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode < 400 || resp.StatusCode >= 500 || b.count(node.RequestCosigns) != before+1 {
			t.Errorf("%s: %d", what, resp.StatusCode)
		}
	}
	b.served()
}

// TestACrowdIsBounded opens more connections than are held. Those that are open are served; one more is, when one has left.
func TestACrowdIsBounded(t *testing.T) {
	counted := map[string]int{}
	var mu sync.Mutex
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	crowd := newCrowd(l, 5, 2, func(kind string) {
		mu.Lock()
		defer mu.Unlock()
		counted[kind]++
	})
	srv := NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hasAsked(r); w.WriteHeader(http.StatusNoContent) }), calm(), discard())
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(crowd) }()
	defer func() { _ = srv.Close(); <-done }()
	ask := func(c net.Conn) bool {
		_, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if err != nil {
			return false
		}
		var answer [12]byte
		_ = c.SetReadDeadline(time.Now().Add(patience))
		n, err := io.ReadFull(c, answer[:])
		if err != nil {
			return false
		}
		_ = n
		_, _ = io.CopyN(io.Discard, c, 0)
		return strings.HasPrefix(string(answer[:]), "HTTP/1.1 204")
	}
	var open []net.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	for range 9 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	served := 0
	for _, c := range open {
		if ask(c) {
			served++
		}
	}
	mu.Lock()
	refused := counted[node.RequestConnects]
	mu.Unlock()
	if served != 5 || refused != 4 { // this machine's own address has no bound of its own
		t.Fatalf("%d of 9 served, %d refused", served, refused)
	}
	for _, c := range open {
		_ = c.Close()
	}
	until(t, "nobody is let in again", func() bool {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return false
		}
		defer func() { _ = c.Close() }()
		return ask(c)
	})
	// From elsewhere each address has its own bound.
	crowd = newCrowd(l, 5, 2, func(string) {})
	for i, want := range []bool{true, true, false} {
		if crowd.enter("192.0.2.1") != want {
			t.Errorf("connection %d from one address", i)
		}
	}
	if !crowd.enter("192.0.2.2") {
		t.Error("another address is held off")
	}
	crowd.leave("192.0.2.1")
	if !crowd.enter("192.0.2.1") {
		t.Error("who left is held off")
	}
}

// TestBodiesShareTheRoom has a stranger hold all that strangers may: a member is read all the same, and everything is given back.
func TestBodiesShareTheRoom(t *testing.T) {
	c := newReception()
	c.strangers.all, c.strangers.each, c.members.all, c.members.each = 100<<10, 70<<10, 100<<10, 70<<10
	request := func(from string, body io.Reader) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/acts", body)
		r.RemoteAddr = from + ":1"
		return r
	}
	w := httptest.NewRecorder()
	f := form{limit: 1 << 20}
	read := func(from, party string, size int) (func(), *refused) {
		_, done, why := c.read(w, request(from, bytes.NewReader(make([]byte, size))), f, party)
		return done, why
	}
	a, why := read("192.0.2.1", "", 40<<10)
	if why != nil {
		t.Fatal(why)
	}
	if _, why := read("192.0.2.1", "", 40<<10); why == nil || why.kind != node.RequestCrowded {
		t.Errorf("one address holds more than its part: %+v", why)
	}
	if _, why := read("192.0.2.2", "", 50<<10); why == nil || why.kind != node.RequestCrowded {
		t.Errorf("strangers hold more than all their part: %+v", why)
	}
	m, why := read("192.0.2.3", "p-member", 40<<10)
	if why != nil {
		t.Errorf("a member waits because of strangers: %+v", why)
	}
	a()
	m()
	if done, why := read("192.0.2.2", "", 50<<10); why != nil {
		t.Errorf("what was given back is not free: %+v", why)
	} else {
		done()
	}
	if c.strangers.held != 0 || c.members.held != 0 || len(c.strangers.by)+len(c.members.by) != 0 {
		t.Errorf("%+v", c)
	}
}

// FuzzExchange sends what it likes to every route between nodes: no answer is the node's own fault, and nothing is read that nobody signed.
func FuzzExchange(f *testing.F) {
	n, err := node.Init(context.Background(), f.TempDir()+"/node", node.InitOptions{Names: map[string]string{"en": "Sahlan"}, Listen: "127.0.0.1:0"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = n.Close(context.Background()) })
	h := New(n, Options{Version: "test"})
	routes := []string{"/peers", "/acts", "/bundles", "/holds", "/rolls", "/rolls/a-x", "/witness/add-checkpoint", "/changes?after=x&wait=-1"}
	const signed = `mithaq=("@method" "@authority" "@path" "@query" "content-digest");created=1;keyid="k-a";alg="ed25519";nonce="aaaaaaaaaaaaaaaaaaaaaa.1";tag="mithaq/request/1"`
	for i := range routes {
		f.Add(uint8(i), signed, "mithaq=:AAAA:", "sha-256=:AAAA:", "application/json", []byte(`{}`)) // #nosec G115 -- below 8
		f.Add(uint8(i), "", "", "", "", []byte("old 0\n\nmithaq/l-a\n1\nAAAA\n\n— x AAAA\n"))        // #nosec G115 -- below 8
	}
	f.Fuzz(func(t *testing.T, route uint8, input, signature, digest, kind string, body []byte) {
		path := routes[int(route)%len(routes)]
		method := http.MethodPost
		if strings.HasPrefix(path, "/changes") {
			method = http.MethodGet
		}
		r := httptest.NewRequest(method, path, bytes.NewReader(body))
		r.Header.Set("Signature-Input", input)
		r.Header.Set("Signature", signature)
		r.Header.Set("Content-Digest", digest)
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 || w.Code == http.StatusOK && method == http.MethodPost {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
	})
}
