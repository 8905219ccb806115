package notify_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mithaq/mithaq/internal/notify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func notice(language string) notify.Notice {
	return notify.Notice{ID: "m-1", Occasion: notify.Approval, Count: 2, Since: noon, Link: "https://cert.example/desk", Party: "سهلان", Language: language}
}

// Every occasion has words of its own in every language, and no message says more than what, how many and where.
func TestEveryOccasionHasWords(t *testing.T) {
	for _, language := range notify.Languages() {
		seen := map[string]bool{}
		for _, o := range append(notify.Occasions(), notify.Test) {
			n := notice(language)
			n.Occasion = o
			if s := n.Subject(); s == "" || strings.HasPrefix(s, ":") || seen[s] || strings.Contains(s, "\n") {
				t.Errorf("%s %s: %q", language, o, s)
			} else {
				seen[s] = true
			}
			if text := n.Text(); !strings.Contains(text, n.Link) || !strings.Contains(text, n.Party) {
				t.Errorf("%s %s: %q", language, o, text)
			}
		}
	}
	n := notice("en")
	n.Mark = "Fictional"
	if s := n.Subject(); !strings.HasPrefix(s, "[Fictional] ") {
		t.Errorf("the mark is missing: %q", s)
	}
}

// mailServer is as much of a server as a message needs. It hands over what it was told, line by line.
type mailServer struct {
	addr    string
	roots   *x509.CertPool
	told    chan []string
	offers  string // after EHLO, besides STARTTLS
	tls     *tls.Config
	bare    bool   // offers no STARTTLS
	refuses string // the answer to RCPT, where it is not 250
	floods  bool   // greets without end
}

func (s *mailServer) start(t *testing.T, wrapped bool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s.roots = x509.NewCertPool()
	s.roots.AddCert(cert)
	s.tls = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr, s.told = l.Addr().String(), make(chan []string, 1)
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if wrapped {
				c = tls.Server(c, s.tls)
			}
			s.serve(c)
		}
	}()
}

func (s *mailServer) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	say := func(line string) { _, _ = io.WriteString(c, line+"\r\n") }
	if s.floods {
		for err := error(nil); err == nil; {
			_, err = io.WriteString(c, "220-still greeting\r\n")
		}
		return
	}
	lines := []string{}
	r := bufio.NewReader(c)
	say("220 here")
	data, asked := false, 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		lines = append(lines, line)
		verb, rest, _ := strings.Cut(strings.ToUpper(line), " ")
		switch {
		case data && line == ".":
			data = false
			say("250 taken")
			s.told <- lines
		case data:
		case asked > 0:
			if asked--; asked == 1 {
				say("334 " + base64.StdEncoding.EncodeToString([]byte("Password:")))
			} else {
				say("235 welcome")
			}
		case verb == "EHLO":
			say("250-here")
			if _, secure := c.(*tls.Conn); !secure && !s.bare {
				say("250-STARTTLS")
			}
			say("250 " + s.offers)
		case verb == "STARTTLS":
			say("220 go")
			c = tls.Server(c, s.tls)
			r = bufio.NewReader(c)
		case verb == "AUTH" && rest == "LOGIN":
			asked = 2
			say("334 " + base64.StdEncoding.EncodeToString([]byte("Username:")))
		case verb == "AUTH":
			say("235 welcome")
		case verb == "RCPT" && s.refuses != "":
			say(s.refuses)
		case verb == "DATA":
			data = true
			say("354 go on")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

// A mail arrives over STARTTLS and over TLS, signed in by whichever mechanism there is, and reads as it was written.
func TestMailArrives(t *testing.T) {
	for _, c := range []struct{ security, offers, wants string }{
		{notify.StartTLS, "AUTH PLAIN LOGIN", "AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00mithaq\x00secret"))},
		{notify.TLS, "AUTH LOGIN", base64.StdEncoding.EncodeToString([]byte("secret"))},
	} {
		s := &mailServer{offers: c.offers}
		s.start(t, c.security == notify.TLS)
		m := notify.Mailer{Server: s.addr, Security: c.security, From: "mithaq@cert.example", User: "mithaq", Secret: "secret", TLS: &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}}
		n := notice("ar")
		if err := m.Send(context.Background(), "duty@cert.example", n, noon); err != nil {
			t.Fatalf("%s: %v", c.security, err)
		}
		lines := <-s.told
		all := strings.Join(lines, "\n")
		if !strings.Contains(all, c.wants) || !strings.Contains(all, "RCPT TO:<duty@cert.example>") || !strings.Contains(all, "MAIL FROM:<mithaq@cert.example>") {
			t.Errorf("%s: %s", c.security, all)
		}
		_, text, _ := strings.Cut(all, "\nDATA\n")
		got, err := mail.ReadMessage(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
		if err != nil || subject != n.Subject() || got.Header.Get("Auto-Submitted") != "auto-generated" || got.Header.Get("Message-Id") != "<m-1@cert.example>" {
			t.Errorf("%s: %q %v", c.security, subject, got.Header)
		}
		from, err := got.Header.AddressList("From")
		if err != nil || from[0].Name != "سهلان" {
			t.Errorf("%v %v", from, err)
		}
		body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, strings.NewReader(strings.TrimSuffix(strings.TrimSpace(readAll(t, got.Body)), "."))))
		if err != nil || strings.ReplaceAll(string(body), "\r\n", "\n") != n.Text() {
			t.Errorf("%q %v", body, err)
		}
	}
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// No password and no message crosses a line that is less protected than the configuration says, and a hostile server is left.
func TestMailIsNotSentOtherwise(t *testing.T) {
	for name, c := range map[string]struct {
		server mailServer
		mailer notify.Mailer
		want   string
	}{
		"no STARTTLS":           {mailServer{bare: true}, notify.Mailer{Security: notify.StartTLS}, "offers no STARTTLS"},
		"a foreign certificate": {mailServer{}, notify.Mailer{Security: notify.StartTLS, TLS: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}}, "certificate"},
		"nobody signs in":       {mailServer{}, notify.Mailer{Security: notify.StartTLS, User: "mithaq"}, "lets nobody sign in"},
		"a refused recipient":   {mailServer{refuses: "550 no such person"}, notify.Mailer{Security: notify.Plain}, "no such person"},
		"an endless greeting":   {mailServer{floods: true}, notify.Mailer{Security: notify.Plain}, "says more than"},
	} {
		c.server.start(t, false)
		c.mailer.Server, c.mailer.From = c.server.addr, "mithaq@cert.example"
		if c.mailer.TLS == nil {
			c.mailer.TLS = &tls.Config{RootCAs: c.server.roots, MinVersion: tls.VersionTLS12}
		}
		err := c.mailer.Send(context.Background(), "duty@cert.example", notice("en"), noon)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.server.addr) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for _, m := range []notify.Mailer{
		{Server: "smtp.example", Security: notify.TLS, From: "a@b.example"},
		{Server: "smtp.example:25", Security: "ssl", From: "a@b.example"},
		{Server: "smtp.example:25", Security: notify.Plain, User: "a", From: "a@b.example"},
		{Server: "smtp.example:25", Security: notify.Plain, From: "a@b.example\r\nBcc: c@d.example"},
		{Server: "smtp.example:25", Security: notify.Plain, From: "Somebody <a@b.example>"},
	} {
		if m.Check() == nil {
			t.Errorf("%+v is taken", m)
		}
	}
}

// A webhook is signed over what was sent, says nothing but what waits where, and counts as taken only in the 200s.
func TestWebhook(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	status := http.StatusNoContent
	var body []byte
	var header http.Header
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header, body = r.Header, []byte(readAll(t, r.Body))
		if status == http.StatusFound {
			http.Redirect(w, r, "/elsewhere", status)
			return
		}
		w.WriteHeader(status)
		if status == http.StatusOK {
			_, _ = io.WriteString(w, strings.Repeat("thank you ", 1000))
		}
	}))
	defer receiver.Close()
	hook := notify.NewHook()
	defer hook.Close()
	n := notice("fr")
	for _, s := range []int{http.StatusOK, http.StatusNoContent, http.StatusAccepted, http.StatusFound, http.StatusForbidden, http.StatusInternalServerError} {
		status = s
		if err := hook.Post(context.Background(), receiver.URL+"/hook", key, n, noon); (err == nil) != (s < 300) {
			t.Errorf("%d: %v", s, err)
		}
	}
	if got := header.Get("Webhook-Signature"); got != notify.Sign(key, "m-1", header.Get("Webhook-Timestamp"), body) || header.Get("Webhook-Id") != "m-1" {
		t.Errorf("%v", header)
	}
	var said map[string]any
	if err := json.Unmarshal(body, &said); err != nil || said["format"] != notify.Format || said["occasion"] != "approval" || said["count"] != 2.0 || said["link"] != n.Link || said["text"] != n.Text() {
		t.Errorf("%s %v", body, err)
	}
	if err := hook.Post(context.Background(), "http://169.254.169.254/latest", key, n, noon); err == nil || !strings.Contains(err.Error(), "never another party's") {
		t.Errorf("a link-local address: %v", err)
	}
}

// The signature is the one of the specification's own example.
func TestSignatureOfTheSpecification(t *testing.T) {
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := notify.Sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Error(got)
	}
}
