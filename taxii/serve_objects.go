package taxii

import (
	"bufio"
	"bytes"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// page reads what a request asks for, asks the backend, and sets the headers that section 3.5 wants on every page:
// X-TAXII-Date-Added-First and -Last. It returns the cursor that goes on after the page, "" at the end.
func (s *Server) page(c *call, q query, bare bool) (Page, string, error) {
	ask := Query{Filter: q.Filter, Limit: s.o.MaxPage, MaxBytes: s.o.MaxPageBytes, Bare: bare}
	if q.limit > 0 {
		ask.Limit = min(q.limit, s.o.MaxPage) // a server may give fewer than it was asked for (section 3.4)
	}
	if q.next != "" {
		after, err := s.cursors.open(c.at, q.next)
		if err != nil {
			return Page{}, "", problem(http.StatusBadRequest, "parameter next: %s; begin again with added_after", err)
		}
		ask.After = after
	}
	p, err := s.o.Backend.Objects(c.r.Context(), c.caller, c.at, ask)
	if err != nil {
		return Page{}, "", err
	}
	n := len(p.Entries)
	if n == 0 {
		return p, "", nil
	}
	h := c.w.Header()
	h.Set("X-TAXII-Date-Added-First", FormatTime(p.Entries[0].DateAdded))
	h.Set("X-TAXII-Date-Added-Last", FormatTime(p.Entries[n-1].DateAdded))
	if !p.More {
		return p, "", nil
	}
	return p, s.cursors.seal(c.at, p.Entries[n-1].DateAdded), nil
}

// readable checks the right to read, then the query.
func readable(c *call, supported fields) (query, error) {
	if !c.coll.CanRead {
		return query{}, ErrForbidden
	}
	q, err := parseQuery(c.r.URL.RawQuery, supported)
	if err != nil {
		return q, problem(http.StatusBadRequest, "%s", err)
	}
	if c.object != "" {
		q.IDs = []string{c.object}
	}
	return q, nil
}

// objects answers GET …/objects/ (section 5.4).
func (s *Server) objects(c *call) error {
	q, err := readable(c, listFields)
	if err != nil {
		return err
	}
	p, next, err := s.page(c, q, false)
	if err != nil {
		return err
	}
	s.envelope(c, p, next)
	return nil
}

// oneObject answers GET …/objects/<object-id>/ (section 5.6): an envelope too, because an object can have versions.
func (s *Server) oneObject(c *call) error {
	q, err := readable(c, objectFields)
	if err != nil {
		return err
	}
	p, next, err := s.page(c, q, false)
	if err != nil {
		return err
	}
	if len(p.Entries) == 0 {
		if err := s.exists(c); err != nil {
			return err
		}
	}
	s.envelope(c, p, next)
	return nil
}

// exists tells an object that is not there (404) from one of which the filter leaves nothing (an empty envelope).
func (s *Server) exists(c *call) error {
	p, err := s.o.Backend.Objects(c.r.Context(), c.caller, c.at, Query{
		Filter: Filter{IDs: []string{c.object}, Versions: Versions{All: true}}, Limit: 1, MaxBytes: 1, Bare: true,
	})
	if err == nil && len(p.Entries) == 0 {
		return ErrNotFound
	}
	return err
}

// pageBuffer is how much of a page is sent at once.
const pageBuffer = 64 << 10

// envelope sends a page (section 3.7) as the stored bytes of its objects with commas between them; nothing is encoded
// again. "more" and "next" come first, so that a client that reads as a stream knows them early.
func (s *Server) envelope(c *call, p Page, next string) {
	var frame [128]byte
	head := appendMore(frame[:0], next)
	tail := "}"
	if len(p.Entries) > 0 {
		head = append(head, `"objects":[`...)
		tail = "]}"
	} else {
		head = bytes.TrimSuffix(head, []byte(","))
	}
	length := len(head) + len(tail) + max(len(p.Entries)-1, 0)
	for i := range p.Entries {
		length += len(p.Entries[i].Raw)
	}
	h := c.w.Header()
	h.Set("Content-Type", MediaType)
	h.Set("Content-Length", strconv.Itoa(length))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodHead {
		return
	}
	// In large pieces: each write below is one to the network.
	w, ok := s.pages.Get().(*bufio.Writer)
	if !ok {
		w = bufio.NewWriterSize(nil, pageBuffer)
	}
	w.Reset(c.w)
	_, _ = w.Write(head) // an error stays with the writer until Flush
	for i := range p.Entries {
		if i > 0 {
			_ = w.WriteByte(',')
		}
		_, _ = w.Write(p.Entries[i].Raw)
	}
	_, _ = w.WriteString(tail)
	err := w.Flush()
	w.Reset(nil)
	s.pages.Put(w)
	if err != nil {
		s.o.Logger.LogAttrs(c.r.Context(), slog.LevelDebug, "sending a TAXII page", slog.Any("error", err))
	}
}

// appendMore begins a page: "{", and when a cursor follows, "more" and "next" with a comma after them.
func appendMore(b []byte, next string) []byte {
	b = append(b, '{')
	if next != "" {
		b = append(b, `"more":true,"next":"`...)
		b = append(b, next...) // base64: nothing to escape
		b = append(b, `",`...)
	}
	return b
}

// manifest answers GET …/manifest/ (section 5.3). The resource has "more" but no "next" in the standard; without it a client
// could only go on by date, so it is there as well, where clients look for it.
func (s *Server) manifest(c *call) error {
	q, err := readable(c, listFields)
	if err != nil {
		return err
	}
	p, next, err := s.page(c, q, true)
	if err != nil {
		return err
	}
	b := appendMore(make([]byte, 0, 64+200*len(p.Entries)), next)
	for i := range p.Entries {
		e := &p.Entries[i]
		if i == 0 {
			b = append(b, `"objects":[`...)
		} else {
			b = append(b, ',')
		}
		b = append(b, `{"id":`...)
		if b, err = jsontext.AppendQuote(b, e.ID); err != nil {
			return err
		}
		b = append(b, `,"date_added":"`...)
		b = appendTime(b, e.DateAdded)
		b = append(b, `","version":"`...)
		b = appendVersion(b, e)
		b = append(b, `","media_type":"application/stix+json;version=`...)
		b = append(b, e.SpecVersion...) // N.N, checked when it was filed
		b = append(b, `"}`...)
	}
	s.write(c, http.StatusOK, closeList(b, len(p.Entries)))
	return nil
}

// versions answers GET …/objects/<object-id>/versions/ (section 5.8), in the order in which they were added (section 3.3).
func (s *Server) versions(c *call) error {
	q, err := readable(c, versionsFields)
	if err != nil {
		return err
	}
	q.Versions = Versions{All: true}
	p, next, err := s.page(c, q, true)
	if err != nil {
		return err
	}
	if len(p.Entries) == 0 {
		if err := s.exists(c); err != nil {
			return err
		}
	}
	b := appendMore(make([]byte, 0, 64+32*len(p.Entries)), next)
	for i := range p.Entries {
		if i == 0 {
			b = append(b, `"versions":[`...)
		} else {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = appendVersion(b, &p.Entries[i])
		b = append(b, '"')
	}
	s.write(c, http.StatusOK, closeList(b, len(p.Entries)))
	return nil
}

func closeList(b []byte, n int) []byte {
	if n == 0 {
		return append(bytes.TrimSuffix(b, []byte(",")), '}')
	}
	return append(b, "]}"...)
}

// appendVersion writes the object's own timestamp as it stands there, or the date on which it was added. Versions have been
// read as timestamps: nothing in them needs escaping.
func appendVersion(b []byte, e *Entry) []byte {
	if e.Version == "" {
		return appendTime(b, e.DateAdded)
	}
	return append(b, e.Version...)
}

// deleteObject answers DELETE …/objects/<object-id>/ (section 5.7), whose filters are version and spec_version. It takes
// both rights, and without a filter all versions go: the endpoint "deletes an object", and what is left of one would show
// an older version as the latest.
func (s *Server) deleteObject(c *call) error {
	if !c.coll.CanRead || !c.coll.CanWrite {
		return ErrForbidden
	}
	q, err := parseQuery(c.r.URL.RawQuery, deleteFields)
	if err != nil {
		return problem(http.StatusBadRequest, "%s", err)
	}
	q.IDs = []string{c.object}
	if q.Versions.IsZero() {
		q.Versions.All = true
	}
	if err := s.o.Backend.Delete(c.r.Context(), c.caller, c.at, q.Filter); err != nil {
		return err
	}
	s.write(c, http.StatusOK, nil) // "200 OK" without a body
	return nil
}
