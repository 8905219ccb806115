package evidence_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/evidence"
)

// network makes a day of a network of 200 hosts from a seed: what people and harmless programs do, most of it periodic,
// and beacons among it.
type network struct {
	random *rand.Rand
	events []event.Event
	series map[string]*event.Event // by what makes it, source and destination: its last event
	next   int
}

var midnight = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

func host(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}) }

// somewhere gives a destination that nothing else uses.
func (n *network) somewhere() netip.Addr {
	n.next++
	return netip.AddrFrom4([4]byte{198, byte(18 + n.next>>16), byte(n.next >> 8), byte(n.next)})
}

func (n *network) call(kind string, src, dst netip.Addr, port uint16, at float64, bytes, seconds float64) {
	if at < 0 || at >= 24*3600 {
		return
	}
	e := event.Event{Place: event.Place{File: "conn.log", Format: "zeek-json", Log: "conn", Line: int64(len(n.events) + 1)},
		Time: midnight.Add(time.Duration(at * 1e9)).UnixNano(), Src: src, Dst: dst, SrcPort: 40000, DstPort: port, Protocol: "tcp",
		Facts: event.Facts{Bytes: int64(bytes), Duration: int64(seconds * 1e9)}}
	n.events = append(n.events, e)
	n.series[kind+" "+src.String()+" "+dst.String()] = &event.Event{Src: src, Dst: dst, DstPort: port, Time: e.Time}
}

// near draws from [x(1-j), x(1+j)].
func (n *network) near(x, j float64) float64 { return x * (1 + j*(2*n.random.Float64()-1)) }

// timer calls again and again, each gap drawn anew.
func (n *network) timer(kind string, src, dst netip.Addr, port uint16, from, to, period, jitter float64, bytes, seconds func() float64) {
	for at := from + period*n.random.Float64(); at < to; at += n.near(period, jitter) {
		n.call(kind, src, dst, port, at, bytes(), seconds())
	}
}

// heavy draws sizes as pages have them: from hundreds to millions.
func (n *network) heavy() float64 { return 500 * (1 + 50*n.random.ExpFloat64()*n.random.ExpFloat64()) }

func (n *network) harmless(hosts int) {
	const hour = 3600.0
	r := n.random
	sites, chats := make([]netip.Addr, 1500), make([]netip.Addr, 30)
	for i := range sites {
		sites[i] = n.somewhere()
	}
	for i := range chats {
		chats[i] = n.somewhere()
	}
	clocks := []netip.Addr{n.somewhere(), n.somewhere(), n.somewhere()}
	updates, mail, telemetry := n.somewhere(), n.somewhere(), n.somewhere()
	small := func(bytes float64) func() float64 { return func() float64 { return n.near(bytes, 0.02) } }
	for h := range hosts {
		src := host(h)
		begin, end := n.near(8.5, 0.1)*hour, n.near(17, 0.08)*hour
		for at := begin; at < end; at += 400 * r.ExpFloat64() { // somebody reads
			site := sites[int(float64(len(sites))*r.Float64()*r.Float64()*r.Float64())]
			for t, k := at, r.IntN(12); k >= 0; k-- {
				n.call("browsing", src, site, 443, t, n.heavy(), 30*r.ExpFloat64())
				t += 20 * r.ExpFloat64()
			}
		}
		n.timer("clock", src, clocks[h%3], 123, 0, 24*hour, 1024, 0.02, small(96), small(0.05))
		n.timer("updates", src, updates, 443, 0, 24*hour, hour, 0.1, small(5000), small(1))
		if h%2 == 0 {
			n.timer("mail", src, mail, 993, begin, end, 300, 0.02, n.heavy, small(2))
		}
		if h%5 < 3 {
			for at := 0.0; at < 24*hour; at += 600 * r.ExpFloat64() {
				n.call("telemetry", src, telemetry, 443, at, n.near(3000, 0.6), n.near(1, 0.5))
			}
		}
		if h%5 < 2 {
			n.timer("chat", src, chats[r.IntN(len(chats))], 5222, begin, end, 60, 0.08, small(300), small(0.2))
		}
		if h%20 == 0 { // a page of one's own that reloads itself for some hours
			n.timer("dashboard", src, n.somewhere(), 443, begin+hour, begin+4*hour, 30, 0.03, func() float64 { return n.near(40000, 0.3) }, small(1))
		}
		if h%20 == 1 { // a queue that is worked off by chance, and nobody else asks
			for at, dst := 0.0, n.somewhere(); at < 24*hour; at += 300 * r.ExpFloat64() {
				n.call("queue", src, dst, 443, at, n.near(2000, 0.5), n.near(1, 0.5))
			}
		}
	}
	for range 40 { // one host watches over others
		n.timer("monitoring", host(0), n.somewhere(), 8080, 0, 24*hour, 120, 0.01, small(800), small(0.1))
	}
}

func (n *network) beacons(kind string, count, hosts int, jitter float64) {
	const hour = 3600.0
	for i := range count {
		period := []float64{60, 300, 600, 1200}[i%4]
		from := 12 * hour * n.random.Float64()
		src, dst := host(n.random.IntN(hosts)), n.somewhere()
		reply := 400 + 2000*n.random.Float64()
		asleep := -1.0
		if i%4 == 1 {
			asleep = from + 4*hour*n.random.Float64()
		}
		for at := from; at < 24*hour; at += n.near(period, jitter) {
			if asleep > 0 && at > asleep && at < asleep+2*hour {
				continue
			}
			n.call(kind, src, dst, 443, at, n.near(reply, 0.05), n.near(0.5, 0.3))
		}
	}
}

// table detects in what a seed makes, and counts by kind: series long enough for a verdict, those with the sign, and
// those with it whose destination is not a popular one.
func table(seed uint64) (text string, recall map[string]float64, falsely float64) {
	n := &network{random: rand.New(rand.NewPCG(seed, 1)), series: map[string]*event.Event{}}
	const hosts = 200
	n.harmless(hosts)
	kinds := []string{}
	for _, jitter := range []int{0, 10, 30, 50, 80} {
		kind := fmt.Sprintf("beacon, %d %% jitter", jitter)
		kinds = append(kinds, kind)
		n.beacons(kind, 100, hosts, float64(jitter)/100)
	}
	slices.SortStableFunc(n.events, func(a, b event.Event) int { return int(a.Time - b.Time) })
	h := evidence.New(evidence.Options{Seed: seed})
	for i := range n.events {
		h.Observe(&n.events[i])
	}
	type counts struct{ series, rhythm, unpopular int }
	count := map[string]*counts{}
	for name, ev := range n.series {
		kind := name[:strings.LastIndex(name[:strings.LastIndex(name, " ")], " ")]
		c := count[kind]
		if c == nil {
			c = &counts{}
			count[kind] = c
		}
		c.series++
		beacon, popular := false, false
		for _, s := range h.Signs(nil, ev) {
			beacon = beacon || s.Name == "beacon"
			popular = popular || s.Name == "popular-destination"
		}
		if beacon {
			c.rhythm++
			if !popular {
				c.unpopular++
			}
		}
	}
	var b strings.Builder
	b.WriteString("| who calls | series | called a beacon by its rhythm | and few others call there |\n| --- | --- | --- | --- |\n")
	row := func(kind string, c *counts) {
		fmt.Fprintf(&b, "| %s | %d | %d (%.1f %%) | %d (%.1f %%) |\n", kind, c.series, c.rhythm, 100*float64(c.rhythm)/float64(c.series), c.unpopular, 100*float64(c.unpopular)/float64(c.series))
	}
	recall = map[string]float64{}
	for _, kind := range kinds {
		row(kind, count[kind])
		recall[kind] = float64(count[kind].unpopular) / float64(count[kind].series)
	}
	all := &counts{}
	for _, kind := range []string{"browsing", "telemetry", "queue", "clock", "updates", "mail", "chat", "dashboard", "monitoring"} {
		row(kind, count[kind])
		all.series, all.rhythm, all.unpopular = all.series+count[kind].series, all.rhythm+count[kind].rhythm, all.unpopular+count[kind].unpopular
	}
	row("all that is harmless", all)
	return b.String(), recall, float64(all.unpopular) / float64(all.series)
}

// TestBeaconsAmongHarmlessTimers makes the table of docs/benchmarks.md and holds the page against it.
func TestBeaconsAmongHarmlessTimers(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine, and days of traffic for figures that are always the same")
	}
	text, recall, falsely := table(1)
	for kind, r := range recall {
		if r < 0.9 {
			t.Errorf("%s: %.0f %% are found", kind, 100*r)
		}
	}
	if falsely > 0.02 {
		t.Errorf("%.2f %% of what is harmless is called a beacon", 100*falsely)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), text) {
		t.Errorf("docs/benchmarks.md does not have this table:\n%s", text)
	}
}
