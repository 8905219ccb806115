package taxii_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/taxii"
)

const base = "http://node.example/taxii2/"

// wire is a transport that hands requests to a handler without a network.
type wire struct{ h http.Handler }

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Date", "Fri, 02 Jan 2026 12:00:00 GMT")
	w.h.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

func newClient(t testing.TB, h http.Handler, change ...func(*taxii.ClientOptions)) *taxii.Client {
	t.Helper()
	o := taxii.ClientOptions{HTTP: &http.Client{Transport: wire{h}}, Authorize: taxii.BasicCredentials("ann", "pw-ann")}
	for _, c := range change {
		c(&o)
	}
	client, err := taxii.NewClient(base, o)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// shelf is a CursorStore.
type shelf struct{ cursor []byte }

func (s *shelf) Load(context.Context) ([]byte, error)        { return s.cursor, nil }
func (s *shelf) Save(_ context.Context, cursor []byte) error { s.cursor = cursor; return nil }

var openURL = taxii.CollectionURL(base+"api1", open)

// drain pulls to the end and gives the ids in order.
func drain(t testing.TB, c *taxii.Client, o taxii.PullOptions) ([]string, error) {
	t.Helper()
	var ids []string
	for b, err := range c.Pull(t.Context(), openURL, o) {
		if err != nil {
			return ids, err
		}
		for _, object := range b.Objects {
			ids = append(ids, object.ID+" "+object.Version)
		}
	}
	return ids, nil
}

func TestClientAgainstServer(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, func(o *taxii.Options) { o.MaxContentLength, o.MaxObjects = 3000, 7 })
	c := newClient(t, s)
	d, err := c.Discover(t.Context())
	if err != nil || d.Default != base+"api1/" {
		t.Fatalf("discovery %+v: %v", d, err)
	}
	list, err := c.Collections(t.Context(), d.Default)
	if err != nil || len(list) != 2 || !list[0].CanWrite {
		t.Fatalf("collections %+v: %v", list, err)
	}
	var objects [][]byte
	for n := range 20 {
		objects = append(objects, []byte(indicator(n, 1)))
	}
	objects = append(objects, []byte(`{"type":"x"}`), bytes.Repeat([]byte(" "), 4000))
	report, err := c.Push(t.Context(), openURL, slices.Values(objects), taxii.PushOptions{})
	if err != nil || report.Sent != 22 || report.Succeeded != 20 || report.Failed != 2 || len(report.Failures) != 2 || len(report.Statuses) < 3 {
		t.Fatalf("push %+v: %v", report, err)
	}
	if status, err := c.Status(t.Context(), d.Default, report.Statuses[0]); err != nil || status.Status != taxii.Complete {
		t.Errorf("status %+v: %v", status, err)
	}
	got, err := drain(t, c, taxii.PullOptions{Limit: 3})
	if err != nil || len(got) != 20 {
		t.Errorf("pulled %d objects: %v", len(got), err)
	}
	records, next, err := c.Manifest(t.Context(), openURL, taxii.Filter{Types: []string{"indicator"}}, 15, "")
	if err != nil || len(records) != 15 || next == "" || records[0].Added().IsZero() {
		t.Errorf("manifest of %d, next %q: %v", len(records), next, err)
	}
	if versions, err := c.Versions(t.Context(), openURL, indicatorID(3)); err != nil || len(versions) != 1 {
		t.Errorf("versions %v: %v", versions, err)
	}
	if raw, err := c.Object(t.Context(), openURL, indicatorID(3), taxii.Filter{}); err != nil || len(raw) != 1 || string(raw[0]) != indicator(3, 1) {
		t.Errorf("object %s: %v", raw, err)
	}
	if err := c.Delete(t.Context(), openURL, indicatorID(3), taxii.Filter{}); err != nil {
		t.Error(err)
	}
	var e *taxii.Error
	if _, err := c.Object(t.Context(), openURL, indicatorID(3), taxii.Filter{}); !errors.As(err, &e) || e.Status != 404 || e.Description == "" {
		t.Errorf("what was deleted: %v", err)
	}
	filter := taxii.Filter{IDs: []string{indicatorID(1), indicatorID(2)}, SpecVersions: []string{"2.1"}, Versions: taxii.Versions{First: true, Exact: []string{"2020-01-01T00:00:00"}}}
	if got, err := drain(t, c, taxii.PullOptions{Filter: filter}); err != nil || len(got) != 2 {
		t.Errorf("filtered: %v, %v", got, err)
	}
}

// TestPullIsOnce: with a crash after any batch, and objects arriving in between, what was stored together with its
// cursor is every object exactly once.
func TestPullIsOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := newMemory()
		c := newClient(t, newServer(t, m, nil))
		store := &shelf{}
		var stored []string
		written := 0
		write := func(n int) {
			for range min(n, 150-written) { // who writes faster than a page is read is never caught up with
				put(t, m, place, indicator(written, 1))
				written++
			}
		}
		limit := rapid.IntRange(1, 9).Draw(r, "limit")
		for range rapid.IntRange(1, 6).Draw(r, "pulls") {
			write(rapid.IntRange(0, 25).Draw(r, "new"))
			crash := rapid.IntRange(0, 6).Draw(r, "crash")
			for b, err := range c.Pull(t.Context(), openURL, taxii.PullOptions{Limit: limit, Cursors: &shelf{store.cursor}, Remember: 8}) {
				if err != nil {
					r.Fatal(err)
				}
				if crash--; crash == 0 {
					break
				}
				for _, o := range b.Objects {
					stored = append(stored, o.ID)
				}
				store.cursor = b.Cursor
				write(rapid.IntRange(0, 3).Draw(r, "meanwhile"))
			}
		}
		for b, err := range c.Pull(t.Context(), openURL, taxii.PullOptions{Limit: limit, Cursors: &shelf{store.cursor}, Remember: 8}) {
			if err != nil {
				r.Fatal(err)
			}
			for _, o := range b.Objects {
				stored = append(stored, o.ID)
			}
		}
		for n := range written {
			if n >= len(stored) || stored[n] != indicatorID(n) {
				r.Fatalf("of %d objects, %d were stored; the %d. is not", written, len(stored), n)
			}
		}
		if len(stored) != written {
			r.Fatalf("%d objects stored, %d written", len(stored), written)
		}
	})
}

// odd is a server with habits. Its objects are indicator(n, 1), added at at[n] in ascending order.
type odd struct {
	at        []time.Time
	round     time.Duration // dates are cut to this where they are shown
	inclusive bool          // added_after includes its date
	offsets   bool          // next is a number of objects to skip; else there is no next
	most      int           // objects in a page
	repeat    int           // each page begins with this many of the page before
	forget    int           // the n-th use of a cursor fails
	loop      bool          // every page is the first one
	silent    bool          // no headers
	uses      int
}

func (o *odd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after, _ := time.Parse(time.RFC3339Nano, q.Get("added_after"))
	limit, _ := strconv.Atoi(q.Get("limit"))
	limit = min(limit, o.most)
	first := 0
	for first < len(o.at) && !o.at[first].After(after) && (!o.inclusive || o.at[first].Before(after)) {
		first++
	}
	if skip, err := strconv.Atoi(q.Get("next")); err == nil && !o.loop {
		if o.uses++; o.uses == o.forget {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		first = max(first+skip-o.repeat, 0)
	}
	end := min(first+limit, len(o.at))
	var objects []string
	for n := first; n < end; n++ {
		objects = append(objects, indicator(n, 1))
	}
	more := ""
	if end < len(o.at) || o.loop {
		more = `"more":true,`
		if o.offsets {
			skip, _ := strconv.Atoi(q.Get("next"))
			more += fmt.Sprintf(`"next":"%d",`, skip+end-first-min(o.repeat, skip))
		}
	}
	if end > first && !o.silent {
		w.Header().Set("X-TAXII-Date-Added-First", o.at[first].Truncate(max(o.round, 1)).Format(time.RFC3339Nano))
		w.Header().Set("X-TAXII-Date-Added-Last", o.at[end-1].Truncate(max(o.round, 1)).Format(time.RFC3339Nano))
	}
	fmt.Fprintf(w, `{%s"objects":[%s]}`, more, strings.Join(objects, ","))
}

func TestPullFromOddServers(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	every := func(n int, step time.Duration) []time.Time {
		var at []time.Time
		for i := range n {
			at = append(at, start.Add(time.Duration(i)*step))
		}
		return at
	}
	recent := func(n int) []time.Time { // by the wire's clock
		at := every(n, 100*time.Millisecond)
		for i := range at {
			at[i] = at[i].Add(time.Date(2026, 1, 2, 11, 59, 45, 0, time.UTC).Sub(start))
		}
		return at
	}
	for name, server := range map[string]*odd{
		"offsets":                  {at: every(100, time.Second), most: 9, offsets: true},
		"offsets that repeat":      {at: every(100, time.Second), most: 9, offsets: true, repeat: 4},
		"dates only":               {at: every(100, 1234567*time.Microsecond), most: 9},
		"dates included":           {at: every(100, 1234567*time.Microsecond), most: 9, inclusive: true},
		"dates in seconds":         {at: every(100, 123456*time.Microsecond), most: 90, round: time.Second},
		"dates in milliseconds":    {at: every(100, 123*time.Microsecond), most: 50, round: time.Millisecond},
		"one date for many":        {at: every(60, 0), most: 100},
		"a cursor forgotten":       {at: every(100, 1234567*time.Microsecond), most: 9, offsets: true, forget: 5},
		"no headers":               {at: recent(100), most: 9, offsets: true, silent: true},
		"no headers and forgotten": {at: recent(100), most: 9, offsets: true, silent: true, forget: 3},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, server)
			store := &shelf{}
			o := taxii.PullOptions{Limit: 10, Cursors: store, Gap: func(err error) { t.Error(err) }}
			all := server.at
			var got []string
			for _, n := range []int{len(all) / 3, len(all)} { // two pulls, with a collection that grew in between
				server.at = all[:n]
				ids, err := drain(t, c, o)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, ids...)
				if len(got) != n {
					t.Errorf("%d objects after a pull of %d", len(got), n)
				}
			}
			slices.Sort(got)
			if n := len(slices.Compact(got)); n != len(all) {
				t.Errorf("%d different objects of %d", n, len(all))
			}
		})
	}
	t.Run("more with one date than fit", func(t *testing.T) {
		gaps := 0
		c := newClient(t, &odd{at: append(every(50, 0), start.Add(time.Minute)), most: 20})
		got, err := drain(t, c, taxii.PullOptions{Limit: 10, Gap: func(error) { gaps++ }})
		if err != nil || gaps == 0 || len(got) != 21 {
			t.Errorf("%d objects, %d gaps, %v", len(got), gaps, err)
		}
	})
	t.Run("a loop", func(t *testing.T) {
		for _, offsets := range []bool{true, false} {
			c := newClient(t, &odd{at: every(50, time.Second), most: 20, loop: true, offsets: offsets})
			if _, err := drain(t, c, taxii.PullOptions{}); !errors.Is(err, taxii.ErrStuck) {
				t.Errorf("offsets %v: %v", offsets, err)
			}
		}
	})
}

// TestPullIsOnceWhateverTheDates: dates to the microsecond happen to be round ones now and then, and the server's clock has
// whole seconds. Neither makes a pull that is taken up again hand out an object twice.
func TestPullIsOnceWhateverTheDates(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		server := &odd{most: rapid.IntRange(1, 5).Draw(r, "page"), offsets: true}
		c := newClient(t, server)
		store := &shelf{}
		overlap := rapid.SampledFrom([]time.Duration{-1, time.Second, 0}).Draw(r, "overlap")
		at := time.Date(2026, 1, 2, 11, 59, 56, 0, time.UTC) // the wire's clock says 12:00:00
		seen := map[string]int{}
		for range rapid.IntRange(1, 8).Draw(r, "drains") {
			for range rapid.IntRange(0, 6).Draw(r, "new") {
				step := rapid.SampledFrom([]time.Duration{time.Microsecond, 400 * time.Microsecond, time.Millisecond, 700 * time.Millisecond, time.Second}).Draw(r, "step")
				if at = at.Add(step); rapid.IntRange(0, 3).Draw(r, "round") == 0 {
					at = at.Truncate(step).Add(step)
				}
				server.at = append(server.at, at)
			}
			got, err := drain(t, c, taxii.PullOptions{Limit: 100, Cursors: store, Overlap: overlap})
			if err != nil {
				r.Fatal(err)
			}
			for _, o := range got {
				seen[o]++
			}
		}
		if len(seen) != len(server.at) {
			r.Errorf("%d objects of %d", len(seen), len(server.at))
		}
		for o, times := range seen {
			if times != 1 {
				r.Errorf("%.80s came %d times", o, times)
			}
		}
	})
}

// TestPullFindsLatecomers: an object that gets an earlier date than the last one seen, because it took longer to
// become visible, is found by the next pull.
func TestPullFindsLatecomers(t *testing.T) {
	at := []time.Time{}
	for i := range 10 {
		at = append(at, time.Date(2026, 1, 2, 11, 59, 50+i, 1000, time.UTC)) // the wire's clock says 12:00:00
	}
	server := &odd{at: slices.Clone(at[:9]), most: 100}
	c := newClient(t, server)
	o := taxii.PullOptions{Cursors: &shelf{}}
	if got, err := drain(t, c, o); err != nil || len(got) != 9 {
		t.Fatal(got, err)
	}
	server.at = append(server.at, at[8]) // the tenth shares the date of the ninth
	if got, err := drain(t, c, o); err != nil || len(got) != 1 || !strings.HasPrefix(got[0], indicatorID(9)) {
		t.Errorf("second pull: %v, %v", got, err)
	}
	if got, err := drain(t, c, o); err != nil || len(got) != 0 {
		t.Errorf("third pull: %v, %v", got, err)
	}
}

func TestCursorOfAnother(t *testing.T) {
	m := newMemory()
	put(t, m, place, indicator(1, 1))
	c, store := newClient(t, newServer(t, m, nil)), &shelf{}
	if _, err := drain(t, c, taxii.PullOptions{Cursors: store}); err != nil {
		t.Fatal(err)
	}
	other := taxii.PullOptions{Cursors: store, Filter: taxii.Filter{Types: []string{"malware"}}}
	if _, err := drain(t, c, other); !errors.Is(err, taxii.ErrForeignCursor) {
		t.Errorf("a cursor with another filter: %v", err)
	}
	if _, err := drain(t, c, taxii.PullOptions{Cursors: &shelf{[]byte("{")}}); err == nil {
		t.Error("a broken cursor was taken")
	}
}

// TestPullReportsBadObjects: an object that cannot be read does not end the pull.
func TestPullReportsBadObjects(t *testing.T) {
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, envelopeOf(indicator(1, 1), `{"a":1,"a":2}`, "null", indicator(2, 1)))
	}))
	for b, err := range c.Pull(t.Context(), openURL, taxii.PullOptions{}) {
		if err != nil || len(b.Objects) != 2 || len(b.Refused) != 2 || b.Refused[1].Index != 2 {
			t.Errorf("batch %+v: %v", b, err)
		}
	}
}

func TestRefusesToLeave(t *testing.T) {
	asked := 0
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.URL.Path == "/taxii2/" {
			_, _ = io.WriteString(w, `{"title":"x","api_roots":["https://elsewhere.example/api1/","/api1/"]}`)
			return
		}
		http.Redirect(w, r, "https://elsewhere.example/", http.StatusTemporaryRedirect)
	}))
	d, err := c.Discover(t.Context())
	if err != nil || !slices.Equal(d.APIRoots, []string{"https://elsewhere.example/api1/", "http://node.example/api1/"}) {
		t.Fatalf("discovery %+v: %v", d, err)
	}
	if _, err := c.APIRoot(t.Context(), d.APIRoots[0]); !errors.Is(err, taxii.ErrElsewhere) || asked != 1 {
		t.Errorf("another host: %v after %d requests", err, asked)
	}
	var e *taxii.Error
	if _, err := c.APIRoot(t.Context(), d.APIRoots[1]); !errors.As(err, &e) || e.Status != 307 || asked != 2 {
		t.Errorf("a redirect: %v after %d requests", err, asked)
	}
}

func TestBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []func(http.ResponseWriter){
			func(w http.ResponseWriter) { w.Header().Set("Retry-After", "90"); w.WriteHeader(429) },
			func(w http.ResponseWriter) {
				w.Header().Set("Retry-After", time.Now().Add(30*time.Second).UTC().Format(http.TimeFormat))
				w.WriteHeader(503)
			},
			func(w http.ResponseWriter) { w.Header().Set("Retry-After", "100000"); w.WriteHeader(503) },
			func(w http.ResponseWriter) { w.WriteHeader(502) },
			func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"title":"x"}`) },
		}
		n := 0
		c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answers[n](w); n++ }))
		begin := time.Now()
		if _, err := c.Discover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 90*time.Second+29*time.Second+5*time.Minute+4*time.Second || took > 8*time.Minute {
			t.Errorf("took %v", took)
		}
		n = 0
		answers = slices.Repeat(answers[3:4], 10)
		if _, err := c.Discover(t.Context()); err == nil || n != 6 {
			t.Errorf("%d tries: %v", n, err)
		}
		n = 0
		if _, err := c.Push(t.Context(), openURL, slices.Values([][]byte{{'1'}}), taxii.PushOptions{}); err == nil || n != 6 {
			t.Errorf("%d tries of the API root: %v", n, err)
		}
	})
}

// TestPushWaits: a status that is pending is asked for until it is complete.
func TestPushWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		polls := 0
		const id = "2d086da7-4bdc-4f91-900e-d77486753710"
		c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPost:
				w.WriteHeader(202)
				_, _ = io.WriteString(w, `{"id":"`+id+`","status":"pending","total_count":1,"success_count":0,"failure_count":0,"pending_count":1}`)
			case strings.Contains(r.URL.Path, "/status/"):
				polls++
				state, success, pending := "pending", 0, 1
				if polls == 3 {
					state, success, pending = "complete", 1, 0
				}
				fmt.Fprintf(w, `{"id":"%s","status":"%s","total_count":1,"success_count":%d,"failure_count":0,"pending_count":%d}`, id, state, success, pending)
			default:
				_, _ = io.WriteString(w, `{"title":"x","versions":["application/taxii+json;version=2.1"],"max_content_length":100000}`)
			}
		}))
		report, err := c.Push(t.Context(), openURL, slices.Values([][]byte{[]byte(indicator(1, 1))}), taxii.PushOptions{})
		if err != nil || report.Succeeded != 1 || report.Pending != 0 || polls != 3 {
			t.Errorf("report %+v after %d polls: %v", report, polls, err)
		}
	})
}

func TestBoundedResponse(t *testing.T) {
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, envelopeOf(strings.Repeat("x", 10000)))
	}), func(o *taxii.ClientOptions) { o.MaxResponse = 1000 })
	if _, err := drain(t, c, taxii.PullOptions{}); err == nil || !strings.Contains(err.Error(), "1000 bytes") {
		t.Errorf("a response of 10,000 bytes: %v", err)
	}
	for _, address := range []string{"", "ftp://x/", "node.example/taxii2", "https://"} {
		if _, err := taxii.NewClient(address, taxii.ClientOptions{}); err == nil {
			t.Errorf("%q is taken for a server", address)
		}
	}
	if u, err := url.Parse(openURL); err != nil || u.Path != "/taxii2/api1/collections/"+open+"/" {
		t.Errorf("the collection's URL is %s", openURL)
	}
}
