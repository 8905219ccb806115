package taxii

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/mithaq/mithaq/stix"
)

// addObjects answers POST …/objects/ (section 5.5): 202 with a status that says of each object what became of it.
func (s *Server) addObjects(c *call) error {
	if !c.coll.CanWrite {
		return ErrForbidden
	}
	if err := noParameters(c); err != nil {
		return err
	}
	// "415: The client attempted to POST a payload with a content type the server does not support."
	if !contentTypeFits(c.r.Header.Get("Content-Type")) {
		return problem(http.StatusUnsupportedMediaType, "send %s", MediaType)
	}
	if coding := c.r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return problem(http.StatusUnsupportedMediaType, "send the body without content coding")
	}
	select {
	case s.posts <- struct{}{}:
		defer func() { <-s.posts }()
	default:
		e := problem(http.StatusServiceUnavailable, "%d requests to add objects are under way", s.o.MaxPosts)
		e.RetryAfter = time.Second
		return e
	}
	received := s.o.Clock().UTC()
	body, err := s.body(c)
	if err != nil {
		return err
	}
	e, err := splitEnvelope(body, s.o.MaxObjects)
	if err == nil && len(e.objects) == 0 {
		err = errNotEnvelope
	}
	if err != nil {
		return s.envelopeProblem(err)
	}
	status, err := s.o.Backend.Add(c.r.Context(), c.caller, c.at, s.sift(e.objects, received))
	if err != nil {
		return err
	}
	text, err := status.Encode()
	if err != nil {
		return fmt.Errorf("writing a TAXII status: %w", err)
	}
	s.write(c, http.StatusAccepted, text)
	return nil
}

// body reads the request's body, within MaxContentLength: section 4.2.1, "the maximum size of the request body in octets
// that the server can support".
func (s *Server) body(c *call) ([]byte, error) {
	tooLarge := problem(http.StatusRequestEntityTooLarge, "a request holds at most %d bytes (max_content_length)", s.o.MaxContentLength)
	if c.r.ContentLength > s.o.MaxContentLength {
		return nil, tooLarge
	}
	// A body that trickles in must not keep its place. Recorders in tests have no deadline to set; they do not trickle.
	deadline := time.Now().Add(s.o.ReadTimeout) //nolint:forbidigo // the network has no other clock
	_ = http.NewResponseController(c.w).SetReadDeadline(deadline)
	var b bytes.Buffer
	if n := c.r.ContentLength; n > 0 && n <= 1<<20 {
		b.Grow(int(n) + bytes.MinRead) // a larger one has to arrive before it takes memory
	}
	_, err := b.ReadFrom(http.MaxBytesReader(c.w, c.r.Body, s.o.MaxContentLength))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge
	case err != nil:
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, problem(http.StatusBadRequest, "the body ends too early")
		}
		return nil, problem(http.StatusBadRequest, "the body could not be read")
	}
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{})
	return b.Bytes(), nil
}

func (s *Server) envelopeProblem(err error) error {
	switch {
	case errors.Is(err, errTooManyObjects):
		return problem(http.StatusRequestEntityTooLarge, "a request holds at most %d objects", s.o.MaxObjects)
	case errors.Is(err, errNotEnvelope):
		// "422: … could not be processed": it is JSON, and it is no envelope with objects in it.
		return problem(http.StatusUnprocessableEntity, "want {\"objects\": […]} with at least one object (section 3.7): %s", err)
	}
	return problem(http.StatusBadRequest, "%s", err)
}

// siftAlone is how many objects are read by one processor: for fewer it does not pay to wake another.
const siftAlone = 256

// sift parts the objects that can be filed from those that cannot.
func (s *Server) sift(objects [][]byte, received time.Time) Submission {
	half := len(objects)
	if half > siftAlone && runtime.GOMAXPROCS(0) > 1 {
		half /= 2
	}
	rest := make(chan Submission, 1)
	go func() { rest <- s.siftFrom(objects[half:], half, received) }()
	sub := s.siftFrom(objects[:half], 0, received)
	more := <-rest
	return Submission{Objects: append(sub.Objects, more.Objects...), Refused: append(sub.Refused, more.Refused...), Received: received}
}

// siftFrom is sift for some of the objects, of which the first has the index at.
func (s *Server) siftFrom(objects [][]byte, at int, received time.Time) Submission {
	reader, ok := s.readers.Get().(*stix.Reader)
	if !ok {
		reader = new(stix.Reader)
	}
	defer s.readers.Put(reader)
	sub := Submission{Objects: make([]Object, 0, 2*len(objects)), Received: received} // room for the other half
	for i, raw := range objects {
		o, err := s.read(reader, raw)
		if err != nil {
			sub.Refused = append(sub.Refused, refusalDetail(at+i, received, o, err))
			continue
		}
		o.Index = at + i
		sub.Objects = append(sub.Objects, o)
	}
	return sub
}

func (s *Server) read(reader *stix.Reader, raw []byte) (Object, error) {
	if len(raw) > s.o.MaxObjectLength {
		return Object{}, &Refusal{Reason: "is over " + strconv.Itoa(s.o.MaxObjectLength) + " bytes long"}
	}
	o, err := readObject(reader, raw)
	if err == nil && s.o.Check != nil {
		err = s.o.Check(o)
	}
	return o, err
}

// refusalDetail makes the failure of a status. Both id and version are required there (section 4.3.1), so one that cannot
// be read is replaced by the object's place in the envelope, and by the time of the request.
func refusalDetail(index int, received time.Time, o Object, err error) StatusDetail {
	var r *Refusal
	if !errors.As(err, &r) {
		r = &Refusal{Reason: err.Error()}
	}
	d := StatusDetail{ID: r.ID, Version: r.Version, Message: r.text(), Index: &index, Pointer: r.Pointer}
	if d.ID == "" {
		d.ID = o.ID
	}
	if !idFormed(d.ID) {
		d.ID = "/objects/" + strconv.Itoa(index)
	}
	if d.Version == "" {
		d.Version = o.Version
	}
	if d.Version == "" {
		d.Version = FormatTime(received)
	}
	return d
}
