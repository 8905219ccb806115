package coding

import (
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"
	"strings"
)

// maxBuffered is up to which length an answer is held back to be compressed.
const maxBuffered = 4 << 20

// credentials are the headers by which a caller says who it is.
func credentials() []string {
	return []string{"Authorization", "Cookie", "Proxy-Authorization", "Signature", "Signature-Input"}
}

// Anonymous compresses and tags the texts (JSON, YAML, plain) that next answers to GET and HEAD, for callers that do not
// say who they are: those get what anybody may have, so there is no secret whose neighbours could be chosen. The answers of
// everybody else pass as they are, and so does what next codes, tags or flushes itself, what is not 200 and what is
// longer than 4 MiB.
func (c *Coder) Anonymous(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead || !anonymous(r) {
			next.ServeHTTP(w, r)
			return
		}
		held := &heldWriter{ResponseWriter: w}
		next.ServeHTTP(held, r)
		if held.passing || held.status == 0 {
			return
		}
		sum := sha256.Sum256(held.body)
		w.Header().Del("Content-Length")
		c.Serve(w, r, Content{Tag: hex.EncodeToString(sum[:16]), Body: held.body})
	})
}

func anonymous(r *http.Request) bool {
	for _, name := range credentials() {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	return r.TLS == nil || len(r.TLS.PeerCertificates) == 0
}

// heldWriter keeps a text back until it is whole, and lets everything else pass.
type heldWriter struct {
	http.ResponseWriter
	status  int // 0 until the handler has answered
	passing bool
	body    []byte
}

func (w *heldWriter) WriteHeader(status int) {
	if w.passing || status < http.StatusOK {
		w.ResponseWriter.WriteHeader(status) // status below 200: the answer is yet to come
		return
	}
	if w.status != 0 {
		return
	}
	w.status = status
	if status != http.StatusOK || !isText(w.Header()) {
		w.pass()
	}
}

func (w *heldWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.passing && len(w.body)+len(b) > maxBuffered {
		w.pass()
	}
	if w.passing {
		return w.ResponseWriter.Write(b)
	}
	w.body = append(w.body, b...)
	return len(b), nil
}

// pass sends what was held back and holds back no more.
func (w *heldWriter) pass() {
	w.passing = true
	w.ResponseWriter.WriteHeader(w.status)
	if len(w.body) > 0 {
		_, _ = w.ResponseWriter.Write(w.body) // the caller has gone: the next write says so
		w.body = nil
	}
}

// FlushError is called by handlers that send in pieces (http.ResponseController): theirs is no text to wait for.
func (w *heldWriter) FlushError() error {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if !w.passing {
		w.pass()
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush is FlushError for handlers that ask for http.Flusher.
func (w *heldWriter) Flush() { _ = w.FlushError() }

// Unwrap lets http.ResponseController reach deadlines.
func (w *heldWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// isText says whether an answer is a text that its handler left to us.
func isText(h http.Header) bool {
	if h.Get("Content-Encoding") != "" || h.Get("ETag") != "" || h.Get("Content-Range") != "" {
		return false
	}
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (strings.HasPrefix(kind, "text/") && kind != "text/event-stream" ||
		strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "yaml"))
}
