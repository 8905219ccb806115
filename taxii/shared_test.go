package taxii_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mithaq/mithaq/taxii"
)

const (
	open     = "91a7b528-80eb-42ed-a74d-c6fbd5a26116" // readable and writable by everybody
	secret   = "52892447-4d7e-4f70-b94d-d7f22742ff63" // for "root" alone
	dropbox  = "472c94ae-3113-4e3e-a4dd-a9f4ac7471d4" // writable, not readable
	rootPath = "/taxii2/api1/"
)

var place = taxii.Place{Root: "api1", Collection: open}

// clock ticks a millisecond at each look, so that tests do not depend on the machine's.
func clock() func() time.Time {
	var n atomic.Int64
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return func() time.Time { return start.Add(time.Duration(n.Add(1)) * time.Millisecond) }
}

func newMemory() *taxii.Memory {
	m := taxii.NewMemory(taxii.MemoryOptions{
		Clock: clock(),
		Rights: func(c taxii.Caller, at taxii.Place) (bool, bool) {
			ok := at.Collection != secret || c == "root"
			return ok, ok
		},
		Visible: func(c taxii.Caller, _ taxii.Place, o taxii.Object) bool {
			return c == "root" || !strings.Contains(string(o.Raw), "hidden from others")
		},
	})
	root := taxii.Root{Name: "api1", Title: "First"}
	m.Put(root, taxii.Collection{ID: open, Title: "Open", Alias: "open", CanRead: true, CanWrite: true})
	m.Put(root, taxii.Collection{ID: secret, Title: "Secret", CanRead: true, CanWrite: true})
	m.Put(root, taxii.Collection{ID: dropbox, Title: "Drop box", CanWrite: true})
	m.Put(taxii.Root{Name: "api2", Title: "Second"}, taxii.Collection{ID: secret, Title: "Secret", CanRead: true})
	return m
}

func users(_ context.Context, user, password string) (taxii.Caller, error) {
	if password != "pw-"+user {
		return nil, taxii.ErrUnauthenticated
	}
	return user, nil
}

func newServer(t testing.TB, m taxii.Backend, change func(*taxii.Options)) *taxii.Server {
	t.Helper()
	o := taxii.Options{
		Backend: m,
		Authenticate: taxii.FirstOf(taxii.Basic(users), taxii.Bearer(func(_ context.Context, token string) (taxii.Caller, error) {
			if token != "token-root" {
				return nil, taxii.ErrUnauthenticated
			}
			return "root", nil
		})),
	}
	if change != nil {
		change(&o)
	}
	s, err := taxii.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends a request as "ann", and gives the response with its body.
func ask(s http.Handler, method, path, body string, change ...func(*http.Request)) (*http.Response, string) {
	r := httptest.NewRequest(method, "http://node.example"+path, strings.NewReader(body))
	r.SetBasicAuth("ann", "pw-ann")
	r.Header.Set("Accept", taxii.MediaType)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", taxii.MediaType)
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	response := w.Result()
	b, _ := io.ReadAll(response.Body)
	return response, string(b)
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		if value == "" {
			r.Header.Del(name)
		} else {
			r.Header.Set(name, value)
		}
	}
}

func as(user string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, "pw-"+user) }
}

// indicator makes the n-th object, in version v.
func indicator(n, v int) string {
	return fmt.Sprintf(`{"type": "indicator", "spec_version":"2.1","id":"indicator--%08d-0000-4000-8000-000000000000",`+
		`"created":"2020-01-01T00:00:00.000Z","modified":"2020-01-%02dT00:00:00.000Z","n":1.50,"name":"no. %d é"}`, n, v, n)
}

func indicatorID(n int) string {
	return fmt.Sprintf("indicator--%08d-0000-4000-8000-000000000000", n)
}

func envelopeOf(objects ...string) string { return `{"objects":[` + strings.Join(objects, ",") + `]}` }

// put adds objects straight to the backend.
func put(t testing.TB, m *taxii.Memory, at taxii.Place, objects ...string) {
	t.Helper()
	var sub taxii.Submission
	for i, text := range objects {
		o, err := taxii.ReadObject([]byte(text))
		if err != nil {
			t.Fatalf("object %d: %v", i, err)
		}
		sub.Objects = append(sub.Objects, o)
	}
	if _, err := m.Add(t.Context(), "root", at, sub); err != nil {
		t.Fatal(err)
	}
}

type page struct {
	More    bool             `json:"more"`
	Next    string           `json:"next"`
	Objects []jsontext.Value `json:"objects"`
}

func readPage(t testing.TB, body string) page {
	t.Helper()
	var p page
	if err := json.Unmarshal([]byte(body), &p, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return p
}

// realObjects reads the objects of the shared STIX files; without them, some of our own.
func realObjects(t testing.TB) [][]byte {
	t.Helper()
	files, _ := filepath.Glob("../../shared/data/stix/*.json.gz")
	if len(files) == 0 {
		var own [][]byte
		for n := range 2500 {
			own = append(own, []byte(indicator(n, 1+n%5)))
		}
		return own
	}
	var all [][]byte
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		var bundle struct {
			Objects []jsontext.Value `json:"objects"`
		}
		if err := json.Unmarshal(b, &bundle); err != nil {
			t.Fatal(err)
		}
		for _, o := range bundle.Objects {
			all = append(all, o)
		}
	}
	return all
}
