package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/taxii"
)

// driver measures one server.
type driver struct {
	collection, auth string
	bound            time.Duration
	posters          int
	settle           time.Duration
	pid              int // 0: not known, and no processor time is told
}

// drained is what reading the whole collection took, perhaps several times.
type drained struct {
	objects     int
	whole       bool // to the end at least once
	clock       time.Duration
	processor   time.Duration
	first, last time.Duration // median of the pages at the beginning and at the end of the first time
	date        string        // X-TAXII-Date-Added-Last of the last page
}

func (d driver) run(out io.Writer, name string, n int, post bool) error {
	row := []string{name, fmt.Sprint(n), "-", "-", "-", "-", "-", "-", "-"}
	posted := n
	if post {
		begin, used := time.Now(), d.used()
		var took time.Duration
		var err error
		if posted, took, err = d.post(n); err != nil {
			return err
		}
		row[2] = rate(posted, n, took)
		if err := d.listed(posted - 1); err != nil {
			return err
		}
		row[3] = rate(posted, n, time.Since(begin))
		row[4] = d.each(d.used()-used, posted)
	}
	time.Sleep(d.settle) // what a server does of itself after posting is not what a page costs
	drain, err := d.drain(posted)
	if err != nil {
		return err
	}
	row[5] = fmt.Sprintf("%.0f", float64(drain.objects)/drain.clock.Seconds())
	if !drain.whole {
		row[5] += fmt.Sprintf(" (stopped at %d)", drain.objects)
	}
	row[6] = d.each(drain.processor, drain.objects)
	row[7] = fmt.Sprintf("%.2f, %.2f", milliseconds(drain.first), milliseconds(drain.last))
	if drain.date == "" {
		drain.date = time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	}
	median, err := d.poll(drain.date)
	if err != nil {
		return err
	}
	row[8] = fmt.Sprintf("%.2f", milliseconds(median))
	_, err = fmt.Fprintf(out, "| %s |\n", strings.Join(row, " | "))
	return err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// used is the server's processor time so far, with its workers'.
func (d driver) used() time.Duration {
	if d.pid == 0 {
		return 0
	}
	return measure.ProcessorOfTree(d.pid)
}

// each says microseconds of processor time an object.
func (d driver) each(used time.Duration, objects int) string {
	if d.pid == 0 || objects == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", float64(used.Microseconds())/float64(objects))
}

// rate says objects a second, and how many they were when it was not all of them.
func rate(done, all int, took time.Duration) string {
	text := fmt.Sprintf("%.0f", float64(done)/took.Seconds())
	if done < all {
		text += fmt.Sprintf(" (stopped at %d)", done)
	}
	return text
}

func (d driver) do(method, address string, body []byte) (*http.Response, []byte, error) {
	r, err := http.NewRequest(method, address, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Accept", taxii.MediaType)
	r.Header.Set("Accept-Encoding", "identity") // the same bytes from every server
	r.Header.Set("Authorization", d.auth)
	if body != nil {
		r.Header.Set("Content-Type", taxii.MediaType)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %.300s", method, address, response.Status, b)
	}
	return response, b, err
}

// post posts n objects, in envelopes of 1,000, from as many clients at once as d.posters says; took is the time during which at
// least one request was under way when there is one client, and the whole time, with making the envelopes, when there are more.
func (d driver) post(n int) (done int, took time.Duration, err error) {
	if d.posters > 1 {
		return d.postTogether(n)
	}
	for done < n && took < d.bound {
		next := min(done+1000, n)
		body := envelope(done, next)
		begin := time.Now()
		if _, _, err := d.do(http.MethodPost, d.collection+"objects/", body); err != nil {
			return done, took, err
		}
		took += time.Since(begin)
		done = next
	}
	return done, took, nil
}

// postTogether makes all envelopes first: what the clients compute is not the server's.
func (d driver) postTogether(n int) (int, time.Duration, error) {
	envelopes := make(chan []byte, n/1000+1)
	for at := 0; at < n; at += 1000 {
		envelopes <- envelope(at, min(at+1000, n))
	}
	close(envelopes)
	ctx, cancel := context.WithTimeoutCause(context.Background(), d.bound, errors.New("posting took too long"))
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	begin := time.Now()
	for range d.posters {
		g.Go(func() error {
			for body := range envelopes {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if _, _, err := d.do(http.MethodPost, d.collection+"objects/", body); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := g.Wait()
	return n, time.Since(begin), err
}

// listed waits until the n-th object is answered for by its id.
func (d driver) listed(n int) error {
	id := fmt.Sprintf("indicator--%08x-0000-4000-8000-000000000000", n)
	for begin := time.Now(); ; {
		_, body, err := d.do(http.MethodGet, d.collection+"objects/"+id+"/", nil)
		if err == nil && bytes.Contains(body, []byte(id)) {
			return nil
		}
		if time.Since(begin) > d.bound {
			return fmt.Errorf("%s is not listed: %w", id, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// nextOf finds a page's cursor; parsing the page would measure this program.
var nextOf = regexp.MustCompile(`"next"\s*:\s*"([^"]*)"`)

// drain reads everything, again until the server has worked for long enough to tell how much (its processor time comes in
// hundredths of a second), and says what is missing.
func (d driver) drain(posted int) (drained, error) {
	const enough, manyTimes = 2 * time.Second, 500
	var out drained
	begin, used := time.Now(), d.used()
	for range manyTimes {
		n, err := d.drainOnce(&out, begin)
		if err != nil {
			return out, err
		}
		if out.clock = time.Since(begin); out.clock > d.bound {
			break
		}
		out.whole = true
		if n != posted {
			return out, fmt.Errorf("drained %d objects of %d", n, posted)
		}
		if out.clock > enough {
			break
		}
	}
	out.processor = d.used() - used
	return out, nil
}

func (d driver) drainOnce(out *drained, begin time.Time) (done int, err error) {
	var times []time.Duration
	for next := ""; ; {
		at := time.Now()
		response, body, err := d.do(http.MethodGet, d.collection+"objects/?limit=1000"+next, nil)
		if err != nil {
			return done, err
		}
		times = append(times, time.Since(at))
		n := bytes.Count(body, []byte(`"pattern_type"`))
		done += n
		out.objects += n
		if v := response.Header.Get("X-TAXII-Date-Added-Last"); v != "" {
			out.date = v
		}
		// A cursor stands at the beginning or at the end of a page.
		found := nextOf.FindSubmatch(body[:min(len(body), 1000)])
		if found == nil {
			found = nextOf.FindSubmatch(body[max(0, len(body)-1000):])
		}
		if found == nil || len(found[1]) == 0 || time.Since(begin) > d.bound {
			if some := min(20, len(times)); out.first == 0 {
				out.first, out.last = median(times[:some]), median(times[len(times)-some:])
			}
			return done, nil
		}
		next = "&next=" + string(found[1])
	}
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

// poll asks for what came after everything, and gives the median of the answers' times.
func (d driver) poll(last string) (time.Duration, error) {
	var times []time.Duration
	for begin := time.Now(); len(times) < 200 && (len(times) < 3 || time.Since(begin) < d.bound/4); {
		at := time.Now()
		if _, _, err := d.do(http.MethodGet, d.collection+"objects/?added_after="+last, nil); err != nil {
			return 0, err
		}
		times = append(times, time.Since(at))
	}
	return median(times), nil
}
