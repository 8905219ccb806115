package http1

import (
	"strings"
	"testing"
)

func TestRequests(t *testing.T) {
	stream := "GET /a?b=c HTTP/1.1\r\nhOsT: example.org \r\nUser-Agent: x\r\n\r\n" +
		"POST http://proxy.example/form HTTP/1.0\nContent-Length: 22\n\nGET /no HTTP/1.1\r\n\r\nxx" +
		"CONNECT node.example:443 HTTP/1.1\r\nHost: node.example:443\r\n\r\n" +
		"GET /cut HTTP/1.1\r\nHost: cut.example\r\nCook"
	var urls []string
	for r := range Requests([]byte(stream)) {
		urls = append(urls, string(r.Method)+" "+r.URL()+" "+string(r.Host))
	}
	want := "GET http://example.org/a?b=c example.org|POST http://proxy.example/form |CONNECT  node.example:443|GET http://cut.example/cut cut.example"
	if got := strings.Join(urls, "|"); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestStatus(t *testing.T) {
	if code, ok := Status([]byte("HTTP/1.1 404 Not Found\r\n")); code != 404 || !ok {
		t.Error(code, ok)
	}
	if _, ok := Status([]byte("SSH-2.0-x HTTP/1.1")); ok {
		t.Error("no status line")
	}
}

func FuzzRequests(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		for r := range Requests(b) {
			_ = r.URL()
			if n++; n > len(b) {
				t.Fatal("more requests than bytes")
			}
		}
		Status(b)
	})
}
