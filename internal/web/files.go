package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"golang.org/x/text/language"

	"github.com/mithaq/mithaq/internal/coding"
)

// files are the built screens, read once.
type files struct {
	index  []byte
	assets map[string]file
	coder  *coding.Coder
}

type file struct {
	kind    string // media type
	content coding.Content
}

func readFiles(from fs.FS) (*files, error) {
	f := &files{assets: map[string]file{}, coder: coding.New()}
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, data, err := readFile(from, name)
		if err != nil {
			return err
		}
		if name == "index.html" {
			f.index = data
			return nil
		}
		sum := sha256.Sum256(data)
		f.assets["/"+name] = file{kind: mediaType(name), content: coding.Content{Tag: hex.EncodeToString(sum[:12]), Body: data, Dense: path.Ext(name) == ".woff2"}}
		return nil
	})
	if err == nil && f.index == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("reading the built screens: %w", err)
	}
	return f, nil
}

// readFile reads one built file. What is embedded packed, so that the program is smaller, has its own name and bytes again.
func readFile(from fs.FS, name string) (string, []byte, error) {
	data, err := fs.ReadFile(from, name)
	own, packed := strings.CutSuffix(name, ".gz")
	if err != nil || !packed {
		return name, data, err
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err == nil {
		data, err = io.ReadAll(r)
	}
	if err != nil {
		return "", nil, fmt.Errorf("unpacking %s: %w", name, err)
	}
	return own, data, nil
}

// mediaType does not ask the system, whose tables differ.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	case ".svg":
		return "image/svg+xml"
	case ".json":
		return "application/json"
	}
	if known := mime.TypeByExtension(path.Ext(name)); known != "" {
		return known
	}
	return "application/octet-stream"
}

// serveAsset serves a file whose name holds its hash: it never changes under that name.
func (f *files) serveAsset(w http.ResponseWriter, r *http.Request) {
	asset, ok := f.assets[r.URL.Path]
	if !ok {
		fail(w, http.StatusNotFound, "not-found", "there is no such file: reload the page, the program may be newer")
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if !strings.HasPrefix(r.URL.Path, "/assets/") {
		h.Set("Cache-Control", "public, max-age=3600")
	}
	h.Set("Content-Type", asset.kind)
	f.coder.Serve(w, r, asset.content) // it is the same for everybody: nothing secret
}

// languageCookie holds the language that somebody chose.
const languageCookie = "mithaq-language"

// Languages of the screens. The first is for whoever reads none of them.
var languages = language.NewMatcher([]language.Tag{language.English, language.Arabic, language.French})

// pageLanguage is the language chosen before, else the first one that the browser asks for and the screens have.
func pageLanguage(r *http.Request) string {
	if c, err := r.Cookie(languageCookie); err == nil {
		switch c.Value {
		case "ar", "en", "fr":
			return c.Value
		}
	}
	accept := r.Header.Get("Accept-Language")
	if len(accept) > 1000 {
		accept = ""
	}
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return "en"
	}
	_, i, _ := languages.Match(wanted...)
	return []string{"en", "ar", "fr"}[i]
}

// servePage serves the one page with its language and direction already set, so that nothing jumps when scripts start.
func (f *files) servePage(w http.ResponseWriter, r *http.Request) { f.sendPage(w, r, http.StatusOK) }

func (f *files) sendPage(w http.ResponseWriter, r *http.Request, status int) {
	lang, dir := pageLanguage(r), "ltr"
	if lang == "ar" {
		dir = "rtl"
	}
	page := bytes.Replace(f.index, []byte(`<html lang="en" dir="ltr">`), []byte(`<html lang="`+lang+`" dir="`+dir+`">`), 1)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	_, _ = w.Write(page) //nolint:gosec // the built page; of the request it holds one of three words
}

// orPage answers somebody who typed an address that nothing has with the page, which says so in the reader's language and shows the
// way back. Programs get what they always got.
func (f *files) orPage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.HasPrefix(r.Header.Get("Accept"), "text/html") {
			next.ServeHTTP(w, r)
			return
		}
		m := &missing{ResponseWriter: w}
		next.ServeHTTP(m, r)
		if m.is {
			w.Header().Del("Content-Length")
			f.sendPage(w, r, http.StatusNotFound)
		}
	})
}

// missing holds back the answer that there is nothing at an address.
type missing struct {
	http.ResponseWriter
	is bool
}

func (m *missing) WriteHeader(code int) {
	if m.is = code == http.StatusNotFound && strings.HasPrefix(m.Header().Get("Content-Type"), "text/plain"); !m.is {
		m.ResponseWriter.WriteHeader(code)
	}
}

func (m *missing) Write(b []byte) (int, error) {
	if m.is {
		return len(b), nil
	}
	return m.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (m *missing) Unwrap() http.ResponseWriter { return m.ResponseWriter }
