package node

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"
)

// getTimeout bounds one file of a feed.
const getTimeout = 5 * time.Minute

// mostRedirects is how often a feed may send on to another address.
const mostRedirects = 5

// getter reads files of web servers that are no TAXII servers.
type getter struct {
	authorization string // value of the header; empty: none. It is not sent on to another host
}

// fetched is a file as a server gave it. The caller closes the body.
type fetched struct {
	Body      io.ReadCloser
	Tag       string // the server's ETag, if it gives one
	Unchanged bool   // the file is the one with the tag that was asked for; there is no body
}

// get reads a file. A file that is not there is fs.ErrNotExist. tag is that of the version that is here already, or empty.
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
	client := http.Client{Timeout: getTimeout, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if len(via) > mostRedirects || g.authorization != "" && next.URL.Host != via[0].URL.Host {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	resp, err := client.Do(req)
	if err != nil {
		return fetched{}, err
	}
	if resp.StatusCode == http.StatusOK {
		return fetched{Body: resp.Body, Tag: resp.Header.Get("ETag")}, nil
	}
	_ = resp.Body.Close() // nothing of it is wanted
	switch resp.StatusCode {
	case http.StatusNotModified:
		return fetched{Tag: tag, Unchanged: true}, nil
	case http.StatusNotFound, http.StatusGone:
		return fetched{}, fmt.Errorf("it answered %s: %w", resp.Status, fs.ErrNotExist)
	}
	return fetched{}, fmt.Errorf("it answered %s", resp.Status)
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
