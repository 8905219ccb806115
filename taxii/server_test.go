package taxii_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mithaq/mithaq/taxii"
)

const objectsPath = rootPath + "collections/" + open + "/objects/"

// TestStatuses walks through what requests are refused for, and what with.
func TestStatuses(t *testing.T) {
	m := newMemory()
	put(t, m, place, indicator(1, 1))
	s := newServer(t, m, func(o *taxii.Options) { o.MaxContentLength = 5000; o.MaxObjects = 5 })
	for _, c := range []struct {
		name, method, path, body string
		change                   func(*http.Request)
		want                     int
	}{
		{"discovery", "GET", "/taxii2/", "", nil, 200},
		{"discovery without a slash", "GET", "/taxii2", "", nil, 200},
		{"discovery with a parameter", "GET", "/taxii2/?limit=1", "", nil, 400},
		{"HEAD", "HEAD", "/taxii2/", "", nil, 200},
		{"a foreign path", "GET", "/other/", "", nil, 404},
		{"no such endpoint", "GET", rootPath + "channels/", "", nil, 404},
		{"two slashes", "GET", "/taxii2//collections/", "", nil, 404},
		{"nobody", "GET", "/taxii2/", "", header("Authorization", ""), 401},
		{"wrong password", "GET", "/taxii2/", "", func(r *http.Request) { r.SetBasicAuth("ann", "x") }, 401},
		{"a token", "GET", "/taxii2/", "", header("Authorization", "bearer token-root"), 200},
		{"nobody, for what is not there", "GET", "/taxii2/nope/", "", header("Authorization", ""), 401},
		{"no such root", "GET", "/taxii2/nope/", "", nil, 404},
		{"a root with nothing to see", "GET", "/taxii2/api2/", "", nil, 404},
		{"the same for who may", "GET", "/taxii2/api2/", "", as("root"), 200},
		{"a root", "GET", rootPath, "", nil, 200},
		{"delete a root", "DELETE", rootPath, "", nil, 405},
		{"collections", "GET", rootPath + "collections/", "", nil, 200},
		{"a collection", "GET", rootPath + "collections/" + open + "/", "", nil, 200},
		{"by its alias", "GET", rootPath + "collections/open/", "", nil, 200},
		{"a secret one", "GET", rootPath + "collections/" + secret + "/", "", nil, 404},
		{"into a secret one", "POST", rootPath + "collections/" + secret + "/objects/", envelopeOf(indicator(1, 1)), nil, 404},
		{"out of a drop box", "GET", rootPath + "collections/" + dropbox + "/objects/", "", nil, 403},
		{"its manifest", "GET", rootPath + "collections/" + dropbox + "/manifest/", "", nil, 403},
		{"into a drop box", "POST", rootPath + "collections/" + dropbox + "/objects/", envelopeOf(indicator(1, 1)), nil, 202},
		{"delete from a drop box", "DELETE", rootPath + "collections/" + dropbox + "/objects/" + indicatorID(1) + "/", "", nil, 403},

		{"any type accepted", "GET", objectsPath, "", header("Accept", "*/*"), 200},
		{"no Accept", "GET", objectsPath, "", header("Accept", ""), 200},
		{"type without version", "GET", objectsPath, "", header("Accept", "application/taxii+json"), 200},
		{"type with spaces", "GET", objectsPath, "", header("Accept", "text/html, Application/TAXII+JSON ; version=\"2.1\""), 200},
		{"version 2.0", "GET", objectsPath, "", header("Accept", "application/taxii+json;version=2.0"), 406},
		{"TAXII 2.0", "GET", objectsPath, "", header("Accept", "application/vnd.oasis.taxii+json; version=2.0"), 406},
		{"plain JSON", "GET", objectsPath, "", header("Accept", "application/json"), 406},
		{"ruled out", "GET", objectsPath, "", header("Accept", "application/taxii+json;q=0, */*"), 406},
		{"garbage accepted", "GET", objectsPath, "", header("Accept", ";;;,=,"), 406},

		{"post", "POST", objectsPath, envelopeOf(indicator(1, 1)), nil, 202},
		{"post without a slash", "POST", strings.TrimSuffix(objectsPath, "/"), envelopeOf(indicator(1, 1)), nil, 202},
		{"post without version", "POST", objectsPath, envelopeOf(indicator(1, 1)), header("Content-Type", "application/taxii+json"), 202},
		{"post plain JSON", "POST", objectsPath, envelopeOf(indicator(1, 1)), header("Content-Type", "application/json"), 415},
		{"post version 2.0", "POST", objectsPath, envelopeOf(indicator(1, 1)), header("Content-Type", "application/taxii+json;version=2.0"), 415},
		{"post without type", "POST", objectsPath, envelopeOf(indicator(1, 1)), header("Content-Type", ""), 415},
		{"post gzip", "POST", objectsPath, envelopeOf(indicator(1, 1)), header("Content-Encoding", "gzip"), 415},
		{"post with a query", "POST", objectsPath + "?limit=1", envelopeOf(indicator(1, 1)), nil, 400},
		{"post nothing", "POST", objectsPath, "", nil, 400},
		{"post no object", "POST", objectsPath, "{}", nil, 422},
		{"post an empty list", "POST", objectsPath, `{"objects":[]}`, nil, 422},
		{"post a list", "POST", objectsPath, `[]`, nil, 422},
		{"post objects that are none", "POST", objectsPath, `{"objects":{}}`, nil, 422},
		{"post half", "POST", objectsPath, `{"objects":[{"a":1}`, nil, 400},
		{"post objects twice", "POST", objectsPath, `{"objects":[{}],"objects":[{}]}`, nil, 400},
		{"post too much", "POST", objectsPath, envelopeOf(indicator(1, 1)) + strings.Repeat(" ", 5000), nil, 413},
		{"post too many", "POST", objectsPath, `{"objects":[1,2,3,4,5,6]}`, nil, 413},
		{"post without a length", "POST", objectsPath, strings.Repeat(" ", 6000), func(r *http.Request) { r.ContentLength = -1 }, 413},

		{"an object", "GET", objectsPath + indicatorID(1) + "/", "", nil, 200},
		{"no such object", "GET", objectsPath + indicatorID(99) + "/", "", nil, 404},
		{"an object filtered away", "GET", objectsPath + indicatorID(1) + "/?added_after=2030-01-01T00:00:00Z", "", nil, 200},
		{"a filter that does not apply", "GET", objectsPath + indicatorID(1) + "/?match[type]=indicator", "", nil, 400},
		{"versions", "GET", objectsPath + indicatorID(1) + "/versions/", "", nil, 200},
		{"versions of nothing", "GET", objectsPath + indicatorID(99) + "/versions/", "", nil, 404},
		{"versions by version", "GET", objectsPath + indicatorID(1) + "/versions/?match[version]=all", "", nil, 400},
		{"delete nothing", "DELETE", objectsPath + indicatorID(99) + "/", "", nil, 404},
		{"delete with a limit", "DELETE", objectsPath + indicatorID(1) + "/?limit=1", "", nil, 400},
		{"no such status", "GET", rootPath + "status/2d086da7-4bdc-4f91-900e-d77486753710/", "", nil, 404},
		{"a status that is none", "GET", rootPath + "status/..%2f/", "", nil, 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			var change []func(*http.Request)
			if c.change != nil {
				change = append(change, c.change)
			}
			response, body := ask(s, c.method, c.path, c.body, change...)
			if response.StatusCode != c.want {
				t.Fatalf("status %d, want %d: %s", response.StatusCode, c.want, body)
			}
			if got := response.Header.Get("Content-Type"); got != taxii.MediaType {
				t.Errorf("Content-Type %q", got)
			}
			if c.want < 400 {
				return
			}
			var e taxii.Error
			if err := json.Unmarshal([]byte(body), &e); err != nil || e.Title == "" || e.HTTPStatus != strconv.Itoa(c.want) {
				t.Errorf("error message %s: %v", body, err)
			}
			if (c.want == 401) != (response.Header.Get("WWW-Authenticate") != "") {
				t.Errorf("WWW-Authenticate %q at %d", response.Header.Get("WWW-Authenticate"), c.want)
			}
		})
	}
}

// TestHiddenIsAbsent compares what is not there with what the caller may not know of, byte for byte.
func TestHiddenIsAbsent(t *testing.T) {
	m := newMemory()
	hidden := strings.Replace(indicator(7, 1), "no. 7", "hidden from others", 1)
	put(t, m, place, indicator(1, 1), hidden, indicator(2, 1))
	s := newServer(t, m, nil)
	for _, pair := range [][2]string{
		{rootPath + "collections/" + secret + "/", rootPath + "collections/00000000-0000-4000-8000-000000000000/"},
		{"/taxii2/api2/", "/taxii2/api9/"},
		{objectsPath + indicatorID(7) + "/", objectsPath + indicatorID(8) + "/"},
		{objectsPath + indicatorID(7) + "/versions/", objectsPath + indicatorID(8) + "/versions/"},
		{objectsPath + "?match[id]=" + indicatorID(7), objectsPath + "?match[id]=" + indicatorID(8)},
	} {
		hiddenResponse, hiddenBody := ask(s, "GET", pair[0], "")
		absentResponse, absentBody := ask(s, "GET", pair[1], "")
		if hiddenResponse.StatusCode != absentResponse.StatusCode || hiddenBody != absentBody ||
			fmt.Sprint(hiddenResponse.Header) != fmt.Sprint(absentResponse.Header) {
			t.Errorf("%s answers %d %s %v, %s answers %d %s %v", pair[0], hiddenResponse.StatusCode, hiddenBody, hiddenResponse.Header,
				pair[1], absentResponse.StatusCode, absentBody, absentResponse.Header)
		}
	}
	_, body := ask(s, "GET", "/taxii2/", "")
	if strings.Contains(body, "api2") {
		t.Errorf("discovery shows a root with nothing to see: %s", body)
	}
	// After the first object one more follows, not two, and the page says no more then.
	_, body = ask(s, "GET", objectsPath+"?limit=1", "")
	first := readPage(t, body)
	_, body = ask(s, "GET", objectsPath+"?limit=1&next="+first.Next, "")
	if p := readPage(t, body); p.More || len(p.Objects) != 1 || string(p.Objects[0]) != indicator(2, 1) {
		t.Errorf("the second page is %s", body)
	}
	if _, body = ask(s, "DELETE", objectsPath+indicatorID(7)+"/", ""); !strings.Contains(body, "404") {
		t.Errorf("deleting a hidden object: %s", body)
	}
}

func TestDiscoveryAndRoot(t *testing.T) {
	s := newServer(t, newMemory(), func(o *taxii.Options) {
		o.BaseURL, o.MaxContentLength = "https://node.example", 12345
		o.Rate, o.MaxUnlisted = taxii.Rate{PerSecond: 1000, Burst: 1000}, 54321
	})
	_, body := ask(s, "GET", "/taxii2/", "", as("root"))
	if want := `{"title":"TAXII 2.1 server","default":"https://node.example/taxii2/api1/","api_roots":["https://node.example/taxii2/api1/","https://node.example/taxii2/api2/"],` +
		`"x_max_content_length":12345,"x_max_objects":10000,"x_max_object_length":1048576,"x_max_page":1000,"x_max_unlisted":54321,"x_requests_per_second":1000}`; body != want {
		t.Errorf("discovery is %s", body)
	}
	_, body = ask(s, "GET", rootPath, "")
	if want := `{"title":"First","versions":["application/taxii+json;version=2.1"],"max_content_length":12345,` +
		`"x_max_objects":10000,"x_max_object_length":1048576,"x_max_page":1000,"x_max_unlisted":54321,"x_requests_per_second":1000}`; body != want {
		t.Errorf("the API root is %s", body)
	}
	_, body = ask(s, "GET", rootPath+"collections/", "")
	if want := `{"collections":[{"id":"` + open + `","title":"Open","alias":"open","can_read":true,"can_write":true,"media_types":["application/stix+json;version=2.1"]},` +
		`{"id":"` + dropbox + `","title":"Drop box","can_read":false,"can_write":true,"media_types":["application/stix+json;version=2.1"]}]}`; body != want {
		t.Errorf("the collections are %s", body)
	}
}

func TestRateLimit(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := newServer(t, newMemory(), func(o *taxii.Options) {
		o.Rate, o.Clock = taxii.Rate{PerSecond: 0.5, Burst: 2}, func() time.Time { return now }
	})
	status := func(user string) int { r, _ := ask(s, "GET", "/taxii2/", "", as(user)); return r.StatusCode }
	if got := []int{status("ann"), status("ann"), status("ann"), status("bob")}; !slices.Equal(got, []int{200, 200, 429, 200}) {
		t.Errorf("statuses %v", got)
	}
	response, _ := ask(s, "GET", "/taxii2/", "")
	if got := response.Header.Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After %q, want 2", got)
	}
	now = now.Add(2 * time.Second)
	if got := status("ann"); got != 200 {
		t.Errorf("status %d after the wait", got)
	}
}

// TestBadObjects posts an envelope in which only the good objects may be taken.
func TestBadObjects(t *testing.T) {
	s := newServer(t, newMemory(), func(o *taxii.Options) {
		o.MaxObjectLength = 4000
		o.Check = func(o taxii.Object) error {
			if o.Type == "malware" {
				return &taxii.Refusal{Pointer: "/is_family", Reason: "is required"}
			}
			return nil
		}
	})
	head := func(n int) string { return `{"type":"indicator","id":"` + indicatorID(n) + `",` }
	bad := []struct{ text, message, pointer string }{
		{head(1) + `"a":1,"a":2}`, "duplicate", "/a"},
		{head(2) + `"a":{"b":[0,"` + "\xff" + `"]}}`, "UTF-8", "/a/b/1"},
		{head(3) + `"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, "nested over 64", "/a"},
		{head(4) + `"a":9007199254740992}`, "2^53-1", "/a"},
		{head(5) + `"a":[1e999]}`, "double", "/a"},
		{head(6) + `"a":0.` + strings.Repeat("1", 200) + `}`, "100 characters", "/a"},
		{head(7) + `"a":nul}`, "", "/a"},
		{head(8) + `"a":"` + strings.Repeat("x", 5000) + `"}`, "4000 bytes", ""},
		{`17`, "no JSON object", ""},
		{`{"id":"indicator--1"}`, "is missing", "/type"},
		{`{"type":"indicator","id":"indicator--1"}`, "type--UUID", "/id"},
		{`{"type":"malware","id":"` + indicatorID(1) + `"}`, "type", "/id"},
		{`{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":[]}`, "bundle", ""},
		{`{"type":7,"id":"x"}`, "no string", "/type"},
		{head(9) + `"modified":"yesterday"}`, "timestamp", "/modified"},
		{`{"type":"malware","id":"malware--00000000-0000-4000-8000-000000000000"}`, "required", "/is_family"},
		{head(10) + "\"a\":\"\x01\"}", "", "/a"},
	}
	var objects []string
	for n, b := range bad {
		objects = append(objects, indicator(100+n, 1), b.text)
	}
	response, body := ask(s, "POST", objectsPath, envelopeOf(objects...))
	if response.StatusCode != 202 {
		t.Fatal(response.StatusCode, body)
	}
	var status taxii.Status
	if err := json.Unmarshal([]byte(body), &status); err != nil {
		t.Fatal(err)
	}
	if status.Status != "complete" || status.SuccessCount != len(bad) || status.FailureCount != len(bad) || status.TotalCount != 2*len(bad) {
		t.Fatalf("status %+v", status)
	}
	for n, f := range status.Failures {
		if *f.Index != 2*n+1 || !strings.Contains(f.Message, bad[n].message) || !strings.HasPrefix(f.Pointer, bad[n].pointer) || f.ID == "" || f.Version == "" {
			t.Errorf("object %d %.60s: failure %+v", 2*n+1, bad[n].text, f)
		}
	}
	_, body = ask(s, "GET", objectsPath, "")
	if p := readPage(t, body); len(p.Objects) != len(bad) {
		t.Errorf("%d objects are there", len(p.Objects))
	}
	_, again := ask(s, "GET", rootPath+"status/"+status.ID+"/", "")
	var kept taxii.Status
	if err := json.Unmarshal([]byte(again), &kept); err != nil || kept.FailureCount != len(bad) {
		t.Errorf("the status asked for later is %s", again)
	}
	if response, _ := ask(s, "GET", rootPath+"status/"+status.ID+"/", "", as("bob")); response.StatusCode != 404 {
		t.Errorf("another caller gets the status: %d", response.StatusCode)
	}
}
