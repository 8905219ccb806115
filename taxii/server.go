package taxii

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options set up a Server.
type Options struct {
	Backend Backend // required

	// Authenticate tells who calls; nil lets everybody in with a nil Caller.
	Authenticate Authenticate
	// Challenges are the WWW-Authenticate headers of a 401 (section 3.2); none: one for Basic.
	Challenges []string

	// Prefix is the path of discovery, and API roots are one segment below it; "" is "/taxii2/", where section 4.1 puts it.
	Prefix string
	// BaseURL ("https://node.example") makes the URLs of API roots absolute; "" leaves them relative to the server, which
	// section 4.1.1 allows and which stays right behind any proxy.
	BaseURL string
	// Title, Description and Contact are for discovery. Title "" is "TAXII 2.1 server".
	Title, Description, Contact string

	MaxContentLength int64         // bytes of a request body; 0: 10 MiB. More is 413
	MaxObjects       int           // objects in a request; 0: 10,000. More is 413
	MaxObjectLength  int           // bytes of one object; 0: 1 MiB. A larger one is refused by itself
	MaxPage          int           // objects in a response, and what a request without limit gets; 0: 1,000
	MaxPageBytes     int           // bytes of objects in a response; 0: 32 MiB
	MaxPosts         int           // bodies read at the same time; 0: 16. Others get 503 with Retry-After
	MaxUnlisted      int           // objects that the backend takes before they are listed, for discovery; 0: not said
	ReadTimeout      time.Duration // for one body; 0: one minute
	Rate             Rate          // requests of each caller; beyond it 429 with Retry-After

	// Check judges an object before the backend sees it, a STIX validator say; nil takes what ReadObject takes. An error that
	// is a *Refusal tells the place too.
	Check func(Object) error

	CursorKey []byte           // 32 bytes; nil draws one: cursors then end with the process. Replicas share it
	Clock     func() time.Time // nil: time.Now
	Random    io.Reader        // nil: crypto/rand
	Logger    *slog.Logger     // nil: none. Never gets objects
}

// Server is the http.Handler.
type Server struct {
	o       Options
	cursors cursors
	limiter *limiter
	posts   chan struct{} // one place for each body being read
	pages   sync.Pool     // of *bufio.Writer
	readers sync.Pool     // of *stix.Reader
}

// NewServer checks the options and fills in what they leave out.
func NewServer(o Options) (*Server, error) {
	if o.Backend == nil {
		return nil, errors.New("setting up TAXII: no backend")
	}
	if o.Prefix == "" {
		o.Prefix = "/taxii2/"
	}
	if !strings.HasPrefix(o.Prefix, "/") || !strings.HasSuffix(o.Prefix, "/") {
		return nil, fmt.Errorf("setting up TAXII: prefix %q does not begin and end with a slash", o.Prefix)
	}
	if o.Title == "" {
		o.Title = "TAXII 2.1 server"
	}
	if len(o.Challenges) == 0 {
		o.Challenges = []string{`Basic realm="TAXII", charset="UTF-8"`}
	}
	fill(&o.MaxContentLength, 10<<20)
	fill(&o.MaxObjects, 10_000)
	fill(&o.MaxObjectLength, 1<<20)
	fill(&o.MaxPage, 1000)
	fill(&o.MaxPageBytes, 32<<20)
	fill(&o.MaxPosts, 16)
	fill(&o.ReadTimeout, time.Minute)
	if o.Clock == nil {
		o.Clock = time.Now //nolint:forbidigo // the parameter's documented default
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.CursorKey == nil {
		o.CursorKey = make([]byte, 32)
		if _, err := io.ReadFull(o.Random, o.CursorKey); err != nil {
			return nil, fmt.Errorf("setting up TAXII: drawing a cursor key: %w", err)
		}
	}
	c, err := newCursors(o.CursorKey)
	if err != nil {
		return nil, fmt.Errorf("setting up TAXII: %w", err)
	}
	return &Server{o: o, cursors: c, limiter: newLimiter(o.Rate), posts: make(chan struct{}, o.MaxPosts)}, nil
}

func fill[T int | int64 | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// A call is one request on its way through the server.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	caller Caller
	root   Root
	coll   Collection
	at     Place
	object string
	status string
}

// ServeHTTP answers one request. The order of the checks is what keeps hidden things hidden: who calls comes before
// whether a thing is there, and whether it is there for this caller before what may be done with it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{w: w, r: r}
	if err := s.serve(c); err != nil {
		s.fail(c, err)
	}
}

func (s *Server) serve(c *call) error {
	endpoint, segments := s.route(c.r.URL.Path)
	if endpoint == nil {
		return problem(http.StatusNotFound, "there is no such endpoint")
	}
	if err := s.admit(c); err != nil {
		return err
	}
	handle, ok := endpoint.methods[c.r.Method]
	if c.r.Method == http.MethodHead {
		handle, ok = endpoint.methods[http.MethodGet]
	}
	if !ok {
		c.w.Header().Set("Allow", endpoint.allow)
		return problem(http.StatusMethodNotAllowed, "this endpoint answers %s", endpoint.allow)
	}
	if err := s.locate(c, segments); err != nil {
		return err
	}
	return handle(s, c)
}

// admit checks who calls, how often, and what it can read.
func (s *Server) admit(c *call) error {
	if s.o.Authenticate != nil {
		caller, err := s.o.Authenticate(c.r)
		if err != nil {
			return err
		}
		c.caller = caller
	}
	if wait := s.limiter.wait(c.caller, s.o.Clock()); wait > 0 {
		e := problem(http.StatusTooManyRequests, "more than %g requests a second", s.o.Rate.PerSecond)
		e.RetryAfter = wait
		return e
	}
	// Section 3.2 and every endpoint: 406, "the media type provided in the Accept header is invalid".
	if !accepts(c.r.Header.Values("Accept")) {
		return problem(http.StatusNotAcceptable, "this server answers in %s", MediaType)
	}
	return nil
}

// locate finds what the path names, as far as the caller may know of it.
func (s *Server) locate(c *call, segments []string) (err error) {
	ctx := c.r.Context()
	if len(segments) == 0 {
		return nil
	}
	if c.root, err = s.o.Backend.Root(ctx, c.caller, segments[0]); err != nil {
		return err
	}
	if len(segments) < 3 {
		return nil
	}
	if segments[1] == "status" {
		c.status = segments[2]
		return nil
	}
	if c.coll, err = s.o.Backend.Collection(ctx, c.caller, c.root.Name, segments[2]); err != nil {
		return err
	}
	c.at = Place{Root: c.root.Name, Collection: c.coll.ID}
	if len(segments) > 4 {
		if c.object = segments[4]; !idShaped(c.object) {
			return ErrNotFound
		}
	}
	return nil
}

// fail answers with an error message (section 3.6).
func (s *Server) fail(c *call, err error) {
	e := s.explain(c.r.Context(), err)
	h := c.w.Header()
	switch {
	case e.Status == http.StatusUnauthorized:
		for _, challenge := range s.o.Challenges {
			h.Add("WWW-Authenticate", challenge)
		}
	case e.RetryAfter > 0:
		h.Set("Retry-After", strconv.FormatInt(int64((e.RetryAfter+time.Second-1)/time.Second), 10))
	}
	body, err := marshal(e)
	if err != nil {
		s.o.Logger.LogAttrs(c.r.Context(), slog.LevelError, "writing a TAXII error", slog.Any("error", err))
	}
	s.write(c, e.Status, body)
}

// explain finds what a caller is told of an error.
func (s *Server) explain(ctx context.Context, err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, ErrUnauthenticated):
		return problem(http.StatusUnauthorized, "authenticate to use this server")
	case errors.Is(err, ErrForbidden):
		return problem(http.StatusForbidden, "you may not do this here")
	case errors.Is(err, ErrNotFound):
		// One text for what is not there and for what the caller may not know of.
		return problem(http.StatusNotFound, "there is nothing here that you may see")
	}
	e = problem(http.StatusInternalServerError, "the server could not answer; its log says why")
	id, idErr := newUUID(s.o.Random)
	if idErr == nil {
		e.ErrorID = id
	}
	s.o.Logger.LogAttrs(ctx, slog.LevelError, "answering a TAXII request", slog.Any("error", err), slog.String("error_id", id))
	return e
}

// write sends a whole response.
func (s *Server) write(c *call, status int, body []byte) {
	h := c.w.Header()
	h.Set("Content-Type", MediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store") // what one caller may see is nobody else's
	h.Set("X-Content-Type-Options", "nosniff")
	c.w.WriteHeader(status)
	if c.r.Method == http.MethodHead {
		return
	}
	if _, err := c.w.Write(body); err != nil {
		s.o.Logger.LogAttrs(c.r.Context(), slog.LevelDebug, "sending a TAXII response", slog.Any("error", err))
	}
}

// resource sends a resource of ours.
func (s *Server) resource(c *call, status int, v any) error {
	body, err := marshal(v)
	if err != nil {
		return fmt.Errorf("writing a TAXII resource: %w", err)
	}
	s.write(c, status, body)
	return nil
}

// newUUID makes a version 4 UUID: section 2 asks for one wherever it says identifier.
func newUUID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("drawing an id: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}
