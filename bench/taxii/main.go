// Command taxii compares TAXII servers over loopback: run.sh starts each, and this program makes the objects, serves our
// side from memory, and drives whichever server it is pointed to with the same requests.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/taxii"
)

const collection = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench/taxii:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: taxii serve|node|size|medallion|drive [FLAG…]")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	n := flags.Int("n", 1000, "objects")
	address := flags.String("addr", "127.0.0.1:9000", "serve: where to listen")
	dir := flags.String("dir", "", "node: its directory")
	name := flags.String("name", "", "drive: what to call the server in the table")
	at := flags.String("collection", "", "drive: URL of the collection")
	token := flags.String("auth", "", "drive: Authorization header")
	bound := flags.Duration("t", 60*time.Second, "drive: longest time for each measurement")
	post := flags.Bool("post", false, "drive: post the objects first")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "serve":
		return serve(*address)
	case "size":
		size := 0
		for i := range *n {
			size += len(object(i))
		}
		fmt.Println(size >> 10)
		return nil
	case "node":
		return serveNode(*dir, *address)
	case "medallion":
		return json.NewEncoder(os.Stdout).Encode(medallionData())
	case "drive":
		d := driver{collection: *at, auth: *token, bound: *bound}
		return d.run(os.Stdout, *name, *n, *post)
	}
	return fmt.Errorf("no such command: %s", args[0])
}

// object makes the n-th indicator, some 600 bytes as indicators in the wild are.
func object(n int) []byte {
	return fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":"indicator--%08x-0000-4000-8000-000000000000",`+
		`"created":"2024-03-01T12:00:00.000Z","modified":"2024-03-01T12:00:00.000Z","name":"Command and control, no. %d",`+
		`"description":"Seen as the second stage of a campaign against ministries; resolves for minutes at a time, and is then parked with the registrar until the next wave of messages goes out.",`+
		`"indicator_types":["malicious-activity"],"pattern":"[domain-name:value = 'c2-%d.example.net']","pattern_type":"stix",`+
		`"valid_from":"2024-03-01T12:00:00Z","object_marking_refs":["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"]}`, n, n, n)
}

func envelope(from, to int) []byte {
	var objects [][]byte
	for n := from; n < to; n++ {
		objects = append(objects, object(n))
	}
	return slices.Concat([]byte(`{"objects":[`), bytes.Join(objects, []byte(",")), []byte("]}"))
}

func serve(address string) error {
	m := taxii.NewMemory(taxii.MemoryOptions{})
	m.Put(taxii.Root{Name: "api1", Title: "Bench"}, taxii.Collection{ID: collection, Title: "Bench", CanRead: true, CanWrite: true})
	s, err := taxii.NewServer(taxii.Options{Backend: m, Authenticate: taxii.Basic(func(_ context.Context, user, password string) (taxii.Caller, error) {
		if user != "ann" || password != "pw" {
			return nil, taxii.ErrUnauthenticated
		}
		return user, nil
	})})
	if err != nil {
		return err
	}
	server := http.Server{Addr: address, Handler: s, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

// medallionData is the file from which medallion's memory backend starts.
func medallionData() any {
	type object = map[string]any
	root := object{"title": "Bench", "versions": []string{taxii.MediaType}, "max_content_length": 10 << 20}
	return object{
		"/discovery": object{"title": "Bench", "default": "http://127.0.0.1/api1/", "api_roots": []string{"http://127.0.0.1/api1/"}},
		"api1": object{"information": root, "status": []any{}, "collections": []any{object{
			"id": collection, "title": "Bench", "can_read": true, "can_write": true,
			"media_types": []string{taxii.ObjectMediaType}, "objects": []any{}, "manifest": []any{},
		}}},
	}
}

// driver measures one server.
type driver struct {
	collection, auth string
	bound            time.Duration
}

func (d driver) run(out io.Writer, name string, n int, post bool) error {
	row := []string{name, fmt.Sprint(n), "-", "-", "-", "-", "-"}
	posted := n
	if post {
		begin := time.Now()
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
	}
	drained, took, last, page, err := d.drain()
	if err != nil {
		return err
	}
	row[4] = rate(drained, posted, took)
	row[5] = fmt.Sprintf("%.2f", float64(page.Microseconds())/1000)
	if last == "" {
		last = time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	}
	median, err := d.poll(last)
	if err != nil {
		return err
	}
	row[6] = fmt.Sprintf("%.2f", float64(median.Microseconds())/1000)
	_, err = fmt.Fprintf(out, "| %s |\n", strings.Join(row, " | "))
	return err
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

func (d driver) post(n int) (done int, took time.Duration, err error) {
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

// drain reads everything, and gives the median of the pages' times as well.
func (d driver) drain() (done int, took time.Duration, last string, page time.Duration, err error) {
	begin, next := time.Now(), ""
	var times []time.Duration
	for {
		at := time.Now()
		response, body, err := d.do(http.MethodGet, d.collection+"objects/?limit=1000"+next, nil)
		if err != nil {
			return done, took, last, page, err
		}
		times, took = append(times, time.Since(at)), time.Since(begin)
		done += bytes.Count(body, []byte(`"pattern_type"`))
		if v := response.Header.Get("X-TAXII-Date-Added-Last"); v != "" {
			last = v
		}
		found := nextOf.FindSubmatch(body)
		if found == nil || len(found[1]) == 0 || took > d.bound {
			slices.Sort(times)
			return done, took, last, times[len(times)/2], nil
		}
		next = "&next=" + string(found[1])
	}
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
	slices.Sort(times)
	return times[len(times)/2], nil
}
