package foreign

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"

	"github.com/mithaq/mithaq/internal/fetch"
)

// mostRedirects is how often a feed may send on to another address.
const mostRedirects = 5

// MaxFile bounds a file that is read, in bytes.
const MaxFile = 256 << 20

// getter reads files of web servers that are no TAXII servers.
type getter struct {
	client        *http.Client
	authorization string // value of the header; empty: none. It is not sent on to another host
}

// newGetter makes a getter for addresses that the operator named, which may be in this network.
func newGetter(authorization string) getter {
	redirects := fetch.Redirects(mostRedirects)
	if authorization != "" {
		redirects = fetch.RedirectsWithin(mostRedirects)
	}
	transport := fetch.NewTransport(fetch.TransportOptions{Private: true})
	return getter{&http.Client{Transport: transport, CheckRedirect: redirects}, authorization}
}

// fetched is a file as a server gave it. The caller closes the body.
type fetched struct {
	Body      io.ReadCloser
	Tag       string // the server's ETag, if it gives one
	Unchanged bool   // the file is the one with the tag that was asked for; there is no body
}

// get reads a file of at most [MaxFile] bytes. A file that is not there is fs.ErrNotExist. tag is that of the version that is
// here already, or empty.
func (g getter) get(ctx context.Context, address, tag string) (fetched, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fetched{}, err
	}
	req.Header.Set("Accept", "application/json, text/csv, text/plain, */*;q=0.1")
	if g.authorization != "" {
		req.Header.Set("Authorization", g.authorization)
	}
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
	}
	answer, err := fetch.Open(g.client, req, fetch.Limits{Bytes: MaxFile})
	if err != nil {
		return fetched{}, err
	}
	if answer.Status == http.StatusOK {
		return fetched{Body: answer, Tag: answer.Header.Get("ETag")}, nil
	}
	_ = answer.Close() // nothing of it is wanted
	status := fmt.Sprintf("%d %s", answer.Status, http.StatusText(answer.Status))
	switch answer.Status {
	case http.StatusNotModified:
		return fetched{Tag: tag, Unchanged: true}, nil
	case http.StatusNotFound, http.StatusGone:
		return fetched{}, fmt.Errorf("it answered %s: %w", status, fs.ErrNotExist)
	}
	return fetched{}, fmt.Errorf("it answered %s", status)
}

// credentials is the header that a user and a secret make: Basic, or a bearer token where there is no user.
func credentials(user, secret string) string {
	switch {
	case user != "":
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret))
	case secret != "":
		return "Bearer " + secret
	}
	return ""
}
