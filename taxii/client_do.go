package taxii

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// do makes a request and tries it again while the server is busy. The error of an answer other than 2xx is an *Error.
func (c *Client) do(ctx context.Context, method, address string, values url.Values, body []byte) (*http.Response, error) {
	u, err := c.base.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%q is no URL", clip(address))
	}
	if !c.ours(u) {
		return nil, fmt.Errorf("%w: %s", ErrElsewhere, u.Redacted())
	}
	u.RawQuery = values.Encode()
	for attempt := 1; ; attempt++ {
		response, err := c.once(ctx, method, u, body)
		if err == nil {
			return response, nil
		}
		wait, again := c.again(method, err, attempt)
		if !again || attempt >= c.o.Attempts {
			return nil, err
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func (c *Client) ours(u *url.URL) bool {
	for _, host := range c.hosts {
		if origin(u) == host {
			return true
		}
	}
	return false
}

func (c *Client) once(ctx context.Context, method string, u *url.URL, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", MediaType)
	request.Header.Set("User-Agent", c.o.UserAgent)
	if method == http.MethodPost {
		request.Header.Set("Content-Type", MediaType)
	}
	if c.o.Authorize != nil {
		if err := c.o.Authorize(request); err != nil {
			return nil, fmt.Errorf("authorizing a request: %w", err)
		}
	}
	response, err := c.o.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }()
	return nil, c.failure(response)
}

// failure reads the error message of an answer; the status alone has to do when there is none that can be read.
func (c *Client) failure(response *http.Response) error {
	e := problem(response.StatusCode, "")
	if response.StatusCode >= 300 && response.StatusCode < 400 {
		e.Description = "the server redirects to " + clip(response.Header.Get("Location")) + ", and redirects are refused"
		return e
	}
	const most = 64 << 10
	body, err := io.ReadAll(io.LimitReader(response.Body, most))
	var told Error
	if err == nil && json.Unmarshal(body, &told) == nil && told.Title != "" {
		told.Title, told.Description = clip(told.Title), clipText(told.Description)
		told.Status = response.StatusCode
		e = &told
	}
	e.RetryAfter = c.retryAfter(response.Header.Get("Retry-After"))
	return e
}

func clipText(s string) string {
	const most = 500
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// retryAfter reads seconds or a date (RFC 9110, section 10.2.3).
func (c *Client) retryAfter(value string) time.Duration {
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		return time.Duration(max(seconds, 0)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(c.o.Clock()), 0)
	}
	return 0
}

// again tells whether to try once more, and after how long. What changes something is repeated only when the server has
// said that it did not do it.
func (c *Client) again(method string, err error, attempt int) (time.Duration, bool) {
	wait := time.Duration(0)
	var e *Error
	switch {
	case errors.As(err, &e):
		switch e.Status {
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		case http.StatusBadGateway, http.StatusGatewayTimeout:
			if method == http.MethodPost {
				return 0, false
			}
		default:
			return 0, false
		}
		wait = e.RetryAfter
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), method == http.MethodPost:
		return 0, false
	default: // a connection that failed
		var u *url.Error
		if !errors.As(err, &u) {
			return 0, false
		}
	}
	if wait == 0 {
		wait = time.Second << min(attempt-1, 10)
		wait = wait/2 + c.spread(wait/2)
	}
	return min(wait, c.o.MaxWait), true
}

// spread keeps clients that failed together from coming back together.
func (c *Client) spread(most time.Duration) time.Duration {
	if c.o.Rand != nil {
		return time.Duration(c.o.Rand.Int64N(int64(most) + 1))
	}
	return rand.N(most + 1) //nolint:forbidigo // the parameter's documented default
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// remotePage is a page as a server sent it.
type remotePage struct {
	envelope
	first, last time.Time // X-TAXII-Date-Added-First and -Last; zero when the server sent none that can be read
	date        time.Time // of the response, by the server's clock; zero likewise
}

// maxPageObjects bounds the objects of one response beside its bytes: "0,0,0,…" has one for every two bytes.
const maxPageObjects = 1 << 17

func (c *Client) page(ctx context.Context, address string, values url.Values) (remotePage, error) {
	var p remotePage
	response, err := c.do(ctx, http.MethodGet, address, values, nil)
	if err != nil {
		return p, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := c.read(response)
	if err != nil {
		return p, err
	}
	if p.envelope, err = splitEnvelope(body, maxPageObjects); err != nil {
		return p, fmt.Errorf("reading a page: %w", err)
	}
	p.first = lenientTime(response.Header.Get("X-TAXII-Date-Added-First"))
	p.last = lenientTime(response.Header.Get("X-TAXII-Date-Added-Last"))
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		p.date = date.UTC()
	}
	return p, nil
}

// lenientTime reads what servers write for a timestamp, offsets included.
func lenientTime(s string) time.Time {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil && len(s) <= 64 {
		return t.UTC()
	}
	return time.Time{}
}

// pageValues are the parameters of a page.
func pageValues(f Filter, limit int, next string) url.Values {
	v := f.values()
	if limit > 0 {
		v.Set("limit", strconv.Itoa(limit))
	}
	if next != "" {
		v.Set("next", next)
	}
	return v
}
