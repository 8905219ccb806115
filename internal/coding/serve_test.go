package coding

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func text() []byte { return bytes.Repeat([]byte("a sentence that is said again and again. "), 200) }

func noise(t *testing.T, n int) []byte {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

// get asks a handler; headers are name and value in turn.
func get(h http.Handler, method string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "/x", nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func served(content Content) http.Handler {
	c := New()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		c.Serve(w, r, content)
	})
}

// plain decodes an answer as its Content-Encoding says.
func plain(t *testing.T, resp *http.Response) []byte {
	t.Helper()
	var r io.Reader = resp.Body
	var err error
	switch coding := resp.Header.Get("Content-Encoding"); coding {
	case "":
	case "gzip":
		r, err = gzip.NewReader(resp.Body)
	case "zstd":
		r, err = zstd.NewReader(resp.Body, zstd.WithDecoderMaxWindow(8<<20)) // what browsers take, RFC 9659
	default:
		t.Fatalf("unknown coding %q", coding)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestServeSendsWhatTheClientTakes(t *testing.T) {
	random := noise(t, 8<<10)
	cases := []struct {
		name    string
		content Content
		accept  string
		status  int
		coding  string
	}{
		{"nothing asked", Content{Tag: "t", Body: text()}, "", 200, ""},
		{"gzip", Content{Tag: "t", Body: text()}, "gzip", 200, "gzip"},
		{"zstd before gzip", Content{Tag: "t", Body: text()}, "gzip, zstd", 200, "zstd"},
		{"gzip preferred", Content{Tag: "t", Body: text()}, "gzip, zstd;q=0.5", 200, "gzip"},
		{"only others", Content{Tag: "t", Body: text()}, "br", 200, ""},
		{"too short", Content{Tag: "t", Body: text()[:minBody-1]}, "gzip", 200, ""},
		{"does not shrink", Content{Tag: "t", Body: random}, "gzip, zstd", 200, ""},
		{"known not to shrink", Content{Tag: "t", Body: text(), Dense: true}, "gzip", 200, ""},
		{"plain refused", Content{Tag: "t", Body: random, Dense: true}, "gzip, identity;q=0", 200, "gzip"},
		{"plain refused, short", Content{Tag: "t", Body: []byte("x")}, "zstd, *;q=0", 200, "zstd"},
		{"plain refused, empty", Content{Tag: "t"}, "gzip, *;q=0", 200, "gzip"},
		{"all refused", Content{Tag: "t", Body: text()}, "*;q=0", 406, ""},
		{"all refused but one that is not here", Content{Tag: "t", Body: text()}, "br, identity;q=0", 406, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var header []string
			if c.accept != "" {
				header = []string{"Accept-Encoding", c.accept}
			}
			resp := get(served(c.content), "GET", header...)
			if resp.StatusCode != c.status || resp.Header.Get("Content-Encoding") != c.coding || resp.Header.Get("Vary") != "Accept-Encoding" {
				t.Fatalf("%d %v", resp.StatusCode, resp.Header)
			}
			head := get(served(c.content), "HEAD", header...)
			if b, err := io.ReadAll(head.Body); err != nil || len(b) > 0 && c.status == 200 {
				t.Errorf("HEAD has a body of %d bytes, %v", len(b), err)
			}
			for _, name := range []string{"Etag", "Content-Length", "Content-Encoding", "Content-Type", "Vary", "Accept-Ranges"} {
				if got, want := head.Header.Get(name), resp.Header.Get(name); got != want || head.StatusCode != resp.StatusCode {
					t.Errorf("HEAD says %s %q, GET %q", name, got, want)
				}
			}
			if c.status != 200 {
				if resp.Header.Get("ETag") != "" || resp.Header.Get("Cache-Control") != "no-store" {
					t.Errorf("a refusal that can be kept: %v", resp.Header)
				}
				return
			}
			raw, err := io.ReadAll(resp.Body)
			if err != nil || resp.Header.Get("Content-Length") != strconv.Itoa(len(raw)) {
				t.Fatalf("%d bytes, announced %s, %v", len(raw), resp.Header.Get("Content-Length"), err)
			}
			if c.coding != "" && len(raw) >= len(c.content.Body) && !strings.Contains(c.accept, "q=0") {
				t.Errorf("the coded form has %d bytes of %d", len(raw), len(c.content.Body))
			}
			resp.Body = io.NopCloser(bytes.NewReader(raw))
			if !bytes.Equal(plain(t, resp), c.content.Body) {
				t.Error("other bytes came out")
			}
			wantTag := `"t"`
			if c.coding != "" {
				wantTag = `"t-` + c.coding + `"`
			}
			if resp.Header.Get("ETag") != wantTag {
				t.Errorf("tag %s, want %s", resp.Header.Get("ETag"), wantTag)
			}
		})
	}
}

func TestServeAnswersConditionsOfTheFormItWouldSend(t *testing.T) {
	h := served(Content{Tag: "t", Body: text()})
	cases := []struct {
		accept, none string
		status       int
	}{
		{"", `"t"`, 304}, {"gzip", `"t-gzip"`, 304}, {"zstd", `"t-zstd"`, 304}, {"gzip", `"x", W/"t-gzip"`, 304}, {"gzip", "*", 304},
		{"gzip", `"t"`, 200}, {"", `"t-gzip"`, 200}, {"zstd", `"t-gzip"`, 200}, {"gzip", `"t`, 200},
	}
	for _, c := range cases {
		resp := get(h, "GET", "Accept-Encoding", c.accept, "If-None-Match", c.none)
		if resp.StatusCode != c.status || resp.Header.Get("Vary") != "Accept-Encoding" || resp.Header.Get("ETag") == "" {
			t.Errorf("%+v: %d %v", c, resp.StatusCode, resp.Header)
		}
		if c.status == 304 && (resp.Header.Get("Content-Encoding") != "" || resp.Header.Get("Content-Length") != "") {
			t.Errorf("%+v: a 304 describes a body: %v", c, resp.Header)
		}
	}
	if resp := get(h, "GET", "Accept-Encoding", "gzip", "If-Match", `"t"`); resp.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("If-Match of another form: %d", resp.StatusCode)
	}
}

func TestServeGivesRangesOfThePlainFormOnly(t *testing.T) {
	h := served(Content{Tag: "t", Body: text()})
	resp := get(h, "GET", "Accept-Encoding", "gzip", "Range", "bytes=2-9")
	if b, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 206 || !bytes.Equal(b, text()[2:10]) ||
		resp.Header.Get("Content-Encoding") != "" || resp.Header.Get("ETag") != `"t"` {
		t.Errorf("%d %q %v %v", resp.StatusCode, b, resp.Header, err)
	}
	// Somebody who holds the beginning of the coded form gets the whole again, never a mixture.
	resp = get(h, "GET", "Accept-Encoding", "gzip", "Range", "bytes=2-9", "If-Range", `"t-gzip"`)
	if resp.StatusCode != 200 || !bytes.Equal(plain(t, resp), text()) {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	resp = get(h, "GET", "Accept-Encoding", "gzip, identity;q=0", "Range", "bytes=2-9")
	if resp.StatusCode != 200 || resp.Header.Get("Accept-Ranges") != "none" || !bytes.Equal(plain(t, resp), text()) {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if resp = get(h, "GET", "Range", "bytes=999999-"); resp.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("beyond the end: %d", resp.StatusCode)
	}
}

func TestManyAtATime(t *testing.T) {
	h := served(Content{Tag: "t", Body: text()})
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			resp := get(h, "GET", "Accept-Encoding", []string{"gzip", "zstd"}[i%2])
			if resp.Header.Get("Content-Encoding") == "" || !bytes.Equal(plain(t, resp), text()) {
				t.Errorf("%v", resp.Header)
			}
		})
	}
	all.Wait()
}

func TestAnonymousCompressesOnlyForStrangers(t *testing.T) {
	answer := func(kind string, status int, body []byte) http.Handler {
		return New().Anonymous(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write(body[:len(body)/2])
			_, _ = w.Write(body[len(body)/2:])
		}))
	}
	long := bytes.Repeat(text(), maxBuffered/len(text())+1)
	cases := []struct {
		name    string
		h       http.Handler
		headers []string
		coding  string
		body    []byte
	}{
		{"json", answer("application/json", 200, text()), nil, "gzip", text()},
		{"problem", answer("application/problem+json", 404, text()), nil, "", text()},
		{"openapi", answer("application/openapi+json; charset=utf-8", 200, text()), nil, "gzip", text()},
		{"bytes", answer("application/octet-stream", 200, text()), nil, "", text()},
		{"events", answer("text/event-stream", 200, text()), nil, "", text()},
		{"too long", answer("application/json", 200, long), nil, "", long},
		{"with a token", answer("application/json", 200, text()), []string{"Authorization", "Bearer x"}, "", text()},
		{"with a session", answer("application/json", 200, text()), []string{"Cookie", "s=x"}, "", text()},
		{"signed", answer("application/json", 200, text()), []string{"Signature-Input", "x"}, "", text()},
	}
	for _, c := range cases {
		resp := get(c.h, "GET", append([]string{"Accept-Encoding", "gzip"}, c.headers...)...)
		if got := resp.Header.Get("Content-Encoding"); got != c.coding || !bytes.Equal(plain(t, resp), c.body) {
			t.Errorf("%s: %q, %v", c.name, got, resp.Header)
		}
		if tagged := resp.Header.Get("ETag") != ""; tagged != (c.coding != "") {
			t.Errorf("%s: tag %q", c.name, resp.Header.Get("ETag"))
		}
	}
	r := httptest.NewRequest("GET", "/x", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}}
	w := httptest.NewRecorder()
	cases[0].h.ServeHTTP(w, r)
	if w.Header().Get("Content-Encoding") != "" {
		t.Error("compressed for a caller with a certificate")
	}
	if resp := get(cases[0].h, "POST", "Accept-Encoding", "gzip"); resp.Header.Get("Content-Encoding") != "" {
		t.Error("the answer to a POST is compressed")
	}
}

func TestAnonymousLeavesStreamsAlone(t *testing.T) {
	h := New().Anonymous(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("first "))
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		_, _ = w.Write(text())
	}))
	resp := get(h, "GET", "Accept-Encoding", "gzip")
	if b, err := io.ReadAll(resp.Body); err != nil || resp.Header.Get("Content-Encoding") != "" || string(b) != "first "+string(text()) {
		t.Errorf("%v, %d bytes, %v", resp.Header, len(b), err)
	}
	if resp := get(New().Anonymous(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})), "GET"); resp.StatusCode != 200 {
		t.Errorf("a handler that says nothing: %d", resp.StatusCode)
	}
}
