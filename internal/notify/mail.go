package notify

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"strconv"
	"strings"
	"time"
)

// How a connection to a mail server is protected.
const (
	StartTLS = "starttls" // the server must offer it (RFC 3207)
	TLS      = "tls"      // from the first byte on (RFC 8314)
	Plain    = "none"     // not at all: then nobody signs in
)

// maxReplies bounds what a mail server may answer during one message, in bytes.
const maxReplies = 256 << 10

// Mailer hands messages to one mail server.
type Mailer struct {
	Server   string // HOST:PORT
	Security string // StartTLS, TLS or Plain
	From     string // address
	User     string // empty: nobody signs in
	Secret   string
	// TLS is for servers whose certificate no system authority signed. Default: the system's authorities.
	TLS *tls.Config
}

// Check says what is wrong with how the server is named.
func (m Mailer) Check() error {
	host, _, err := net.SplitHostPort(m.Server)
	switch {
	case err != nil || host == "":
		return fmt.Errorf("server = %q is not HOST:PORT: write for example \"smtp.example:587\"", m.Server)
	case m.Security != StartTLS && m.Security != TLS && m.Security != Plain:
		return fmt.Errorf("security = %q: write \"starttls\", \"tls\" or \"none\"", m.Security)
	case m.Security == Plain && m.User != "":
		return errors.New("user needs security = \"starttls\" or \"tls\": a password is never sent in the clear")
	}
	if err := CheckAddress(m.From); err != nil {
		return fmt.Errorf("from: %w", err)
	}
	return nil
}

// CheckAddress tells whether something is one bare mail address.
func CheckAddress(address string) error {
	a, err := mail.ParseAddress(address)
	if err != nil || a.Name != "" || a.Address != address || strings.IndexFunc(address, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return fmt.Errorf("%.100q is not a mail address: write for example \"duty@cert.example\"", address)
	}
	return nil
}

// Send hands a notice to the server.
func (m Mailer) Send(ctx context.Context, to string, n Notice, now time.Time) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("sending mail by %s: %w", m.Server, err)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	host, _, err := net.SplitHostPort(m.Server)
	if err != nil {
		return err
	}
	line, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.Server)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = line.Close() }) // whoever waits for it gets the error
	defer stop()
	secure := m.TLS.Clone()
	if secure == nil {
		secure = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	secure.ServerName = host
	bounded := net.Conn(&bounded{Conn: line, left: maxReplies})
	if m.Security == TLS {
		bounded = tls.Client(bounded, secure)
	}
	defer func() { _ = line.Close() }() // after Quit it is closed already
	c, err := smtp.NewClient(bounded, host)
	if err != nil {
		return err
	}
	if err := m.greet(c, secure); err != nil {
		return err
	}
	if err := deliver(c, m.From, to, m.compose(to, n, now)); err != nil {
		return err
	}
	_ = c.Quit() // the message is the server's by now
	return nil
}

// greet opens the session: encrypted and signed in as the configuration says, or not at all.
func (m Mailer) greet(c *smtp.Client, secure *tls.Config) error {
	if err := c.Hello(domainOf(m.From)); err != nil {
		return err
	}
	if m.Security == StartTLS {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return errors.New("the server offers no STARTTLS: set security to \"tls\", or ask its operator")
		}
		if err := c.StartTLS(secure); err != nil {
			return err
		}
	}
	if m.User == "" {
		return nil
	}
	ok, offered := c.Extension("AUTH")
	if !ok {
		return errors.New("the server lets nobody sign in here: leave user out, or ask its operator for the port of submission")
	}
	var auth smtp.Auth = login{m.User, m.Secret}
	if strings.Contains(" "+offered+" ", " PLAIN ") {
		auth = smtp.PlainAuth("", m.User, m.Secret, secure.ServerName)
	}
	return c.Auth(auth)
}

func deliver(c *smtp.Client, from, to string, text []byte) error {
	if err := c.Mail(from); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	return w.Close()
}

// compose writes the message (RFC 5322). It says of itself that a program wrote it (RFC 3834), so that nobody's absence is
// announced to it.
func (m Mailer) compose(to string, n Notice, now time.Time) []byte {
	var b strings.Builder
	from := mail.Address{Name: n.Party, Address: m.From}
	for _, h := range [][2]string{
		{"From", from.String()},
		{"To", "<" + to + ">"},
		{"Subject", mime.BEncoding.Encode("utf-8", n.Subject())},
		{"Date", now.Format(time.RFC1123Z)},
		{"Message-ID", "<" + n.ID + "@" + domainOf(m.From) + ">"},
		{"Auto-Submitted", "auto-generated"},
		{"Content-Language", n.Language},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "base64"},
	} {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	b.WriteString("\r\n")
	for text := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(n.Text(), "\n", "\r\n"))); text != ""; {
		length := min(len(text), 76) // RFC 2045, 6.8
		b.WriteString(text[:length] + "\r\n")
		text = text[length:]
	}
	return []byte(b.String())
}

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return domain
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// login is the mechanism that servers offer which do not offer PLAIN. It is used behind TLS alone: Check sees to that.
type login struct{ user, secret string }

func (l login) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS {
		return "", nil, errors.New("the connection is not encrypted: no password is sent")
	}
	return "LOGIN", nil, nil
}

func (l login) Next(asked []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	switch text := strings.ToLower(string(asked)); {
	case strings.HasPrefix(text, "user"):
		return []byte(l.user), nil
	case strings.HasPrefix(text, "pass"):
		return []byte(l.secret), nil
	}
	return nil, fmt.Errorf("the server asks for %.40q", asked)
}

// bounded is a connection whose other end may say only so much.
type bounded struct {
	net.Conn
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the server says more than %d bytes: %w", maxReplies, io.ErrShortBuffer)
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
