package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// mailbox VAR DIR: sets VAR to the address of a mail server that writes each mail it gets, decoded, to DIR/1, DIR/2, …
func mailbox(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(dir, 0o700))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for n := 1; ; {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if text := takeMail(c); text != "" {
				_ = os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), []byte(text), 0o600)
				n++
			}
		}
	})
	ts.Defer(func() { _ = l.Close(); serving.Wait() })
	ts.Setenv(args[0], l.Addr().String())
}

// takeMail speaks as much SMTP as one message needs, and returns it decoded.
func takeMail(c net.Conn) string {
	defer func() { _ = c.Close() }()
	say := func(line string) { _, _ = io.WriteString(c, line+"\r\n") }
	r := bufio.NewReader(c)
	say("220 here")
	var data strings.Builder
	inside := false
	for {
		line, err := r.ReadString('\n')
		switch verb := strings.ToUpper(strings.TrimSpace(line)); {
		case err != nil || verb == "QUIT":
			say("221 bye")
			return readMail(data.String())
		case inside && verb == ".":
			inside = false
			say("250 taken")
		case inside:
			data.WriteString(line)
		case verb == "DATA":
			inside = true
			say("354 go on")
		default:
			say("250 fine")
		}
	}
}

func readMail(text string) string {
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		return err.Error()
	}
	var out strings.Builder
	for key, values := range m.Header {
		value, err := new(mime.WordDecoder).DecodeHeader(values[0])
		if err != nil {
			return err.Error()
		}
		out.WriteString(key + ": " + value + "\n")
	}
	body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, m.Body))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n\n" + strings.ReplaceAll(string(body), "\r\n", "\n")
}

// hooks VAR DIR: sets VAR to the address of a server that writes each signed body it is sent to DIR/1, DIR/2, …
func hooks(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(dir, 0o700))
	var mu sync.Mutex
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !strings.HasPrefix(r.Header.Get("Webhook-Signature"), "v1,") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		n++
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), body, 0o600); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}
