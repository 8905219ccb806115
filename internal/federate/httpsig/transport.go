package httpsig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
)

// maxTries is how often a request is made that finds its connection dead.
const maxTries = 4

// Transport signs every request that it sends. A connection that waited for its next request may have died meanwhile; net/http
// would then send the same request again by another one, and a host which the first had reached all the same would take the
// second for a replay. Here each try has a signature of its own, so requests must be ones that do no harm when they come twice.
type Transport struct {
	Signer *Signer
	Base   http.RoundTripper
}

// RoundTrip implements [http.RoundTripper]. A body must be one that GetBody gives again.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	content, err := contentOf(req)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		reused := false
		ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }})
		once := req.Clone(ctx) // a RoundTripper must leave the request as it is
		// net/http repeats by itself what has no body, or one that it can get again.
		once.Body, once.GetBody, once.ContentLength = io.NopCloser(onlyOnce{bytes.NewReader(content)}), nil, int64(len(content))
		if err := t.Signer.Sign(once, content); err != nil {
			return nil, err
		}
		resp, err := t.Base.RoundTrip(once)
		if err == nil || !reused || try == maxTries || !diedIdle(req.Context(), err) {
			return resp, err
		}
	}
}

// onlyOnce hides what net/http knows a [bytes.Reader] by.
type onlyOnce struct{ io.Reader }

// diedIdle says whether an error may mean that a kept connection was dead. One for which somebody waited in vain is none.
func diedIdle(ctx context.Context, err error) bool {
	var timeout net.Error
	return ctx.Err() == nil && !(errors.As(err, &timeout) && timeout.Timeout())
}

// contentOf reads what a request carries, and closes it.
func contentOf(req *http.Request) ([]byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	defer func() { _ = req.Body.Close() }()
	if req.GetBody == nil {
		return nil, errors.New("signing a request: its content cannot be read twice")
	}
	body, err := req.GetBody()
	if err == nil {
		defer func() { _ = body.Close() }()
		var content []byte
		if content, err = io.ReadAll(body); err == nil {
			return content, nil
		}
	}
	return nil, fmt.Errorf("signing a request: its content: %w", err)
}
