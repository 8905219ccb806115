package coding

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Content is what an answer of status 200 carries.
type Content struct {
	// Tag names the bytes of the plain form and no others: the inside of a strong entity-tag, without its quotes.
	Tag  string
	Body []byte
	// Dense is set for what does not get smaller (hashes, ciphertext, what is compressed): it is not even tried.
	Dense bool
}

// Serve answers a GET or HEAD request. Content-Type and Cache-Control are the caller's to set before; ETag, Vary,
// Content-Encoding and Content-Length are set here. Who takes neither the plain form nor a coding that there is gets 406.
func (c *Coder) Serve(w http.ResponseWriter, r *http.Request, content Content) {
	vary(w.Header())
	coding, body, ok := c.choose(r, content)
	if !ok {
		notAcceptable(w)
		return
	}
	if coding == "" {
		w.Header().Set("ETag", `"`+content.Tag+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
		return
	}
	w.Header().Set("ETag", `"`+content.Tag+"-"+string(coding)+`"`)
	w.Header().Set("Content-Encoding", string(coding))
	w.Header().Set("Content-Length", strconv.Itoa(len(body))) // ServeContent leaves it out beside a coding
	// Another release may compress to other bytes under the same tag, so a coded form is sent whole or not at all.
	whole := r.Clone(r.Context())
	whole.Header.Del("Range")
	whole.Header.Del("If-Range")
	http.ServeContent(withoutRanges{w}, whole, "", time.Time{}, bytes.NewReader(body))
}

// ServeDense is Serve for what does not get smaller and is too large to stand in memory: it is sent plain, or a part of it.
func (c *Coder) ServeDense(w http.ResponseWriter, r *http.Request, tag string, body io.ReadSeeker) {
	vary(w.Header())
	if !accept(r.Header.Values("Accept-Encoding")).plain {
		notAcceptable(w)
		return
	}
	w.Header().Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, body)
}

func notAcceptable(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "send an Accept-Encoding that takes identity, gzip or zstd", http.StatusNotAcceptable)
}

// choose returns the form to send; ok is false when the client takes none that there is.
func (c *Coder) choose(r *http.Request, content Content) (coding Coding, body []byte, ok bool) {
	takes := accept(r.Header.Values("Accept-Encoding"))
	size := len(content.Body)
	if takes.plain && (content.Dense || size < minBody || size > maxBody || r.Header.Get("Range") != "") {
		return "", content.Body, true
	}
	if size > maxBody {
		return "", nil, false
	}
	for _, coding := range takes.codings {
		coded, err := c.encode(r.Context(), coding, content.Body)
		if err != nil {
			continue // the client has gone, or this coding is not to be had: the next, or plain
		}
		if !takes.plain || pays(len(coded), size) {
			return coding, coded, true
		}
		break // another coding would not do much better
	}
	return "", content.Body, takes.plain
}

// vary says to caches that the answer depends on the codings that the client takes.
func vary(h http.Header) {
	const name = "Accept-Encoding"
	if !slices.ContainsFunc(h.Values("Vary"), func(v string) bool { return v == "*" || strings.EqualFold(v, name) }) {
		h.Add("Vary", name)
	}
}

// withoutRanges takes back the offer of ranges that http.ServeContent makes.
type withoutRanges struct{ http.ResponseWriter }

func (w withoutRanges) WriteHeader(status int) {
	w.Header().Set("Accept-Ranges", "none")
	w.ResponseWriter.WriteHeader(status)
}
