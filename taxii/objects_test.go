package taxii_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/mithaq/mithaq/taxii"
)

// filtered is a collection with versions, spec versions and objects without a version.
func filtered(t *testing.T) *taxii.Server {
	m := newMemory()
	old := strings.Replace(indicator(2, 2), `"spec_version":"2.1",`, "", 1) // 2.0
	put(t, m, place,
		indicator(1, 1), indicator(1, 3), indicator(1, 2), // the order of adding is not that of versions
		old, indicator(2, 2),
		`{"type":"ipv4-addr","id":"ipv4-addr--00000000-0000-5000-8000-000000000001","value":"192.0.2.1"}`,
		`{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--00000000-0000-4000-8000-000000000001","created":"2017-01-20T00:00:00.000Z"}`,
	)
	return newServer(t, m, nil)
}

func TestFilters(t *testing.T) {
	s := filtered(t)
	_, body := ask(s, "GET", rootPath+"collections/"+open+"/manifest/?match[version]=all&match[spec_version]=2.0,2.1", "")
	var manifest struct{ Objects []taxii.ManifestRecord }
	if err := json.Unmarshal([]byte(body), &manifest, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Objects) != 7 {
		t.Fatalf("the manifest is %s", body)
	}
	dates := map[string]string{} // by number in the order of adding
	for i, r := range manifest.Objects {
		dates[fmt.Sprint(i)] = r.DateAdded
	}
	for query, want := range map[string]string{
		"":                                    "1/03 2/02 ipv4-addr marking-definition",
		"match[version]=all":                  "1/01 1/03 1/02 2/02 ipv4-addr marking-definition",
		"match[version]=first":                "1/01 2/02 ipv4-addr marking-definition",
		"match[version]=last,first":           "1/01 1/03 2/02 ipv4-addr marking-definition",
		"match[version]=2020-01-02T00:00:00Z": "1/02 2/02",
		"match[version]=2020-01-02T00:00:00.000000Z,last":          "1/03 1/02 2/02 ipv4-addr marking-definition",
		"match[version]=2017-01-20T00:00:00Z":                      "marking-definition",
		"match[version]=" + dates["5"]:                             "ipv4-addr",
		"match[spec_version]=2.0":                                  "2.0:2/02",
		"match[spec_version]=2.0,2.1&match[type]=indicator":        "1/03 2.0:2/02 2/02",
		"match[spec_version]=3.7":                                  "",
		"match[type]=indicator":                                    "1/03 2/02",
		"match[type]=ipv4-addr,indicator":                          "1/03 2/02 ipv4-addr",
		"match[type]=x-nobody-knows":                               "",
		"match[id]=" + indicatorID(2):                              "2/02",
		"match%5Bid%5D=" + indicatorID(2) + "%2C" + indicatorID(1): "1/03 2/02",
		"match[id]=" + indicatorID(2) + "&match[type]=ipv4-addr":   "",
		"added_after=" + dates["3"]:                                "2/02 ipv4-addr marking-definition",
		"added_after=" + dates["1"]:                                "1/02 2/02 ipv4-addr marking-definition", // section 3.4.1: the latest of those that match the rest
		"added_after=" + dates["6"]:                                "",
		"limit=1&match[type]=indicator":                            "1/03",
	} {
		response, body := ask(s, "GET", objectsPath+"?"+query, "")
		if response.StatusCode != 200 {
			t.Errorf("%s: %s", query, body)
			continue
		}
		var got []string
		for _, raw := range readPage(t, body).Objects {
			o, err := taxii.ReadObject(raw)
			if err != nil {
				t.Fatal(err)
			}
			name := o.Type
			if o.Type == "indicator" {
				name = o.ID[18:19] + "/" + o.Version[8:10]
			}
			if o.SpecVersion == "2.0" {
				name = "2.0:" + name
			}
			got = append(got, name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", query, strings.Join(got, " "), want)
		}
		if (len(got) == 0) != (response.Header.Get("X-TAXII-Date-Added-Last") == "") {
			t.Errorf("%s: header %q with %d objects", query, response.Header.Get("X-TAXII-Date-Added-Last"), len(got))
		}
		if len(got) == 0 && body != "{}" {
			t.Errorf("%s: an empty envelope is %s", query, body)
		}
	}
	for _, query := range []string{
		"limit=0", "limit=-1", "limit=", "limit=+1", "limit=1.5", "limit=x", "limit=1&limit=1", "next=", "next=x", "next=AAAAAAAAAAAAAAAAAAAAAA",
		"added_after=", "added_after=yesterday", "added_after=2020-01-01", "added_after=2020-01-01T00:00:00", "added_after=2020-01-01T00:00:00%2B00:00",
		"added_after=2020-13-01T00:00:00Z", "added_after=2020-01-01T00:00:00.Z", "added_after=2020-01-01t00:00:00z", "added_after=2020-01-01T00:00:00Z,2020-01-01T00:00:00Z",
		"match[id]=", "match[id]=a,,b", "match[type]=a&match[type]=b", "match[type]=a&match%5btype%5d=b", "match[version]=newest", "match[version]=",
		"match[version]=last,", "match[spec_version]=two", "match[spec_version]=2.1.", "match[name]=x", "match[]=x", "match=x", "foo=bar", "limit=1;next=2",
		"match[id]=%zz", "%=1", "match[id]=a%00b", "match[ID]=" + indicatorID(1), "match[id]=" + strings.Repeat("a,", 1001) + "a",
	} {
		if response, body := ask(s, "GET", objectsPath+"?"+query, ""); response.StatusCode != 400 {
			t.Errorf("%.80s answers %d %s", query, response.StatusCode, body)
		}
	}
}

func TestVersionsAndDelete(t *testing.T) {
	s := filtered(t)
	one := objectsPath + indicatorID(1) + "/"
	if _, body := ask(s, "GET", one+"versions/", ""); body != `{"versions":["2020-01-01T00:00:00.000Z","2020-01-03T00:00:00.000Z","2020-01-02T00:00:00.000Z"]}` {
		t.Errorf("versions: %s", body)
	}
	_, body := ask(s, "GET", one+"versions/?limit=2", "")
	var p struct {
		More     bool
		Next     string
		Versions []string
	}
	if err := json.Unmarshal([]byte(body), &p, json.MatchCaseInsensitiveNames(true)); err != nil || !p.More || len(p.Versions) != 2 {
		t.Fatalf("a page of versions: %s", body)
	}
	if _, body := ask(s, "GET", one+"versions/?limit=2&next="+p.Next, ""); body != `{"versions":["2020-01-02T00:00:00.000Z"]}` {
		t.Errorf("its second page: %s", body)
	}
	if response, body := ask(s, "DELETE", one+"?match[version]=last", ""); response.StatusCode != 200 || body != "" {
		t.Errorf("deleting the last version: %d %s", response.StatusCode, body)
	}
	if _, body := ask(s, "GET", one, ""); !strings.Contains(body, "2020-01-02") {
		t.Errorf("the last is now: %s", body)
	}
	ask(s, "DELETE", one, "")
	if response, _ := ask(s, "GET", one, ""); response.StatusCode != 404 {
		t.Errorf("after deleting everything: %d", response.StatusCode)
	}
	// A cursor of one collection is none in another.
	m := newMemory()
	put(t, m, place, indicator(1, 1), indicator(2, 1))
	put(t, m, taxii.Place{Root: "api1", Collection: secret}, indicator(1, 1), indicator(2, 1))
	s = newServer(t, m, nil)
	_, body = ask(s, "GET", objectsPath+"?limit=1", "")
	if response, _ := ask(s, "GET", rootPath+"collections/"+secret+"/objects/?next="+readPage(t, body).Next, "", as("root")); response.StatusCode != 400 {
		t.Errorf("a foreign cursor answers %d", response.StatusCode)
	}
}

// TestPostTwice: the same version again is no second object, and another object under its name is refused.
func TestPostTwice(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	changed := strings.Replace(indicator(1, 1), "1.50", "1.5", 1)
	_, body := ask(s, "POST", objectsPath, envelopeOf(indicator(1, 1), indicator(1, 1), changed, indicator(1, 2)))
	var status taxii.Status
	if err := json.Unmarshal([]byte(body), &status); err != nil || status.SuccessCount != 3 || status.FailureCount != 1 || *status.Failures[0].Index != 2 {
		t.Errorf("status %s", body)
	}
	_, body = ask(s, "GET", objectsPath+"?match[version]=all", "")
	if body != envelopeOf(indicator(1, 1), indicator(1, 2)) {
		t.Errorf("the collection holds %s", body)
	}
}

// TestBytes posts every object there is and wants the same bytes back, over HTTP.
func TestBytes(t *testing.T) {
	objects := realObjects(t)
	s := newServer(t, newMemory(), nil)
	for chunk := range slices.Chunk(objects, 1000) {
		body := []byte(`{"objects" : [ `)
		body = append(append(body, bytes.Join(chunk, []byte(" ,\n"))...), " ]}"...)
		if response, answer := ask(s, "POST", objectsPath, string(body)); response.StatusCode != 202 || strings.Contains(answer, `"failures"`) {
			i := max(strings.Index(answer, `"failures"`), 0)
			t.Fatalf("status %d: %.500s", response.StatusCode, answer[i:])
		}
	}
	want := map[string]bool{}
	for _, o := range objects {
		want[string(o)] = true
	}
	n, size := len(want), 0
	next := ""
	for {
		_, body := ask(s, "GET", objectsPath+"?limit=777&match[version]=all&match[spec_version]=2.0,2.1"+next, "")
		p := readPage(t, body)
		for _, raw := range p.Objects {
			if !want[string(raw)] {
				t.Fatalf("came back changed, twice or from nowhere: %s", raw)
			}
			delete(want, string(raw))
			size += len(raw)
		}
		if !p.More {
			break
		}
		next = "&next=" + p.Next
	}
	if len(want) > 0 {
		t.Errorf("%d of %d objects did not come back", len(want), n)
	}
	t.Logf("%d objects, %d bytes", n, size)
}

// TestPageBytes: a page ends before it grows too large, whatever limit says.
func TestPageBytes(t *testing.T) {
	m := newMemory()
	for n := range 20 {
		put(t, m, place, indicator(n, 1))
	}
	s := newServer(t, m, func(o *taxii.Options) { o.MaxPageBytes = 3 * len(indicator(0, 1)) })
	_, body := ask(s, "GET", objectsPath+"?limit=20", "")
	if p := readPage(t, body); len(p.Objects) < 1 || len(p.Objects) > 3 || !p.More {
		t.Errorf("%d objects, more %v", len(p.Objects), p.More)
	}
}

// TestOneWriterEightReaders: while objects are posted, each reader that drains by cursor and each that polls by date gets
// every object exactly once, in order.
func TestOneWriterEightReaders(t *testing.T) {
	const total = 3000
	s := newServer(t, newMemory(), func(o *taxii.Options) { o.MaxPage = 97 })
	written := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		defer close(written)
		for n := 0; n < total; n += 10 {
			var batch []string
			for i := n; i < n+10; i++ {
				batch = append(batch, indicator(i, 1))
			}
			if response, body := ask(s, "POST", objectsPath, envelopeOf(batch...)); response.StatusCode != 202 {
				t.Errorf("posting: %s", body)
				return
			}
		}
	})
	for reader := range 8 {
		group.Go(func() {
			limit, seen := 10+reader*13, 0
			query, last := "", ""
			for {
				over := false
				select {
				case <-written:
					over = true
				default:
				}
				response, body := ask(s, "GET", objectsPath+"?limit="+fmt.Sprint(limit)+query, "")
				p := readPage(t, body)
				for _, raw := range p.Objects {
					if string(raw) != indicator(seen, 1) {
						t.Errorf("reader %d: object %d is %s", reader, seen, raw)
						return
					}
					seen++
				}
				if len(p.Objects) > 0 {
					if first := response.Header.Get("X-TAXII-Date-Added-First"); first <= last {
						t.Errorf("reader %d: dates go from %s to %s", reader, last, first)
						return
					}
					last = response.Header.Get("X-TAXII-Date-Added-Last")
				}
				switch {
				case p.More && reader%2 == 0:
					query = "&next=" + p.Next
				case last != "":
					query = "&added_after=" + url.QueryEscape(last)
				}
				if !p.More && over {
					break
				}
			}
			if seen != total {
				t.Errorf("reader %d: %d of %d objects", reader, seen, total)
			}
		})
	}
	group.Wait()
}

// TestPagesAreTheWhole: however a collection came about and is cut into pages, the pages together are what one page is.
func TestPagesAreTheWhole(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := newMemory()
		s := newServer(t, m, nil)
		for range rapid.IntRange(0, 40).Draw(r, "steps") {
			n, v := rapid.IntRange(1, 8).Draw(r, "object"), rapid.IntRange(1, 4).Draw(r, "version")
			if rapid.IntRange(0, 5).Draw(r, "kind") == 0 {
				ask(s, http.MethodDelete, objectsPath+indicatorID(n)+"/?match[version]=first", "")
				continue
			}
			put(t, m, place, indicator(n, v))
		}
		filter := rapid.SampledFrom([]string{"", "&match[version]=all", "&match[version]=first,last", "&match[id]=" + indicatorID(1) + "," + indicatorID(3),
			"&added_after=2026-01-02T03:04:05.010000Z"}).Draw(r, "filter")
		_, whole := ask(s, "GET", objectsPath+"?limit=1000"+filter, "")
		limit := rapid.IntRange(1, 7).Draw(r, "limit")
		var parts []string
		for next := ""; ; {
			_, body := ask(s, "GET", fmt.Sprintf("%s?limit=%d%s%s", objectsPath, limit, filter, next), "")
			p := readPage(t, body)
			for _, raw := range p.Objects {
				parts = append(parts, string(raw))
			}
			if !p.More {
				break
			}
			next = "&next=" + p.Next
		}
		together := "{}"
		if len(parts) > 0 {
			together = envelopeOf(parts...)
		}
		if together != whole {
			r.Fatalf("pages of %d%s give %s, one page %s", limit, filter, together, whole)
		}
	})
}

// TestStatusKept: a status is there for 24 hours and not for ever.
func TestStatusKept(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m := taxii.NewMemory(taxii.MemoryOptions{Clock: func() time.Time { return now }})
	m.Put(taxii.Root{Name: "api1"}, taxii.Collection{ID: open, CanWrite: true})
	add := func() string {
		s, err := m.Add(t.Context(), nil, place, taxii.Submission{})
		if err != nil {
			t.Fatal(err)
		}
		return s.ID
	}
	id := add()
	now = now.Add(24 * time.Hour)
	add()
	if _, err := m.Status(t.Context(), nil, "api1", id); err != nil {
		t.Errorf("after 24 hours: %v", err)
	}
	now = now.Add(time.Second)
	add()
	if _, err := m.Status(t.Context(), nil, "api1", id); err == nil {
		t.Error("a status is kept for ever")
	}
}
