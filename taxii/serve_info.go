package taxii

import (
	"net/http"
)

// rootURL is where a client finds an API root. Section 4.1.1: "API Root relative URLs MUST begin with a single `/`".
func (s *Server) rootURL(name string) string { return s.o.BaseURL + s.o.Prefix + name + "/" }

// discovery answers GET /taxii2/ (section 4.1) with the API roots that this caller may know of.
func (s *Server) discovery(c *call) error {
	if err := noParameters(c); err != nil {
		return err
	}
	roots, err := s.o.Backend.Roots(c.r.Context(), c.caller)
	if err != nil {
		return err
	}
	d := Discovery{Title: s.o.Title, Description: s.o.Description, Contact: s.o.Contact,
		MaxContentLength: s.o.MaxContentLength, Limits: s.limits()}
	for _, root := range roots {
		d.APIRoots = append(d.APIRoots, s.rootURL(root.Name))
	}
	if len(d.APIRoots) > 0 {
		d.Default = d.APIRoots[0] // "MUST be an item in the list of API Roots"
	}
	return s.resource(c, http.StatusOK, d)
}

// apiRoot answers GET <api-root>/ (section 4.2).
func (s *Server) apiRoot(c *call) error {
	if err := noParameters(c); err != nil {
		return err
	}
	return s.resource(c, http.StatusOK, APIRoot{
		Title:            c.root.Title,
		Description:      c.root.Description,
		Versions:         []string{MediaType}, // "MUST include the optional version parameter"
		MaxContentLength: s.o.MaxContentLength,
		Limits:           s.limits(),
	})
}

// limits are stated wherever a client looks for them: at discovery and at each API root.
func (s *Server) limits() Limits {
	return Limits{MaxObjects: s.o.MaxObjects, MaxObjectLength: s.o.MaxObjectLength, MaxPage: s.o.MaxPage, MaxUnlisted: s.o.MaxUnlisted, RequestsPerSecond: max(s.o.Rate.PerSecond, 0)}
}

// getStatus answers GET <api-root>/status/<status-id>/ (section 4.3).
func (s *Server) getStatus(c *call) error {
	if err := noParameters(c); err != nil {
		return err
	}
	if !uuidFormed(c.status) {
		return ErrNotFound
	}
	status, err := s.o.Backend.Status(c.r.Context(), c.caller, c.root.Name, c.status)
	if err != nil {
		return err
	}
	return s.resource(c, http.StatusOK, status)
}

// collections answers GET <api-root>/collections/ (section 5.1).
func (s *Server) collections(c *call) error {
	if err := noParameters(c); err != nil {
		return err
	}
	list, err := s.o.Backend.Collections(c.r.Context(), c.caller, c.root.Name)
	if err != nil {
		return err
	}
	return s.resource(c, http.StatusOK, struct {
		Collections []Collection `json:"collections,omitempty"`
	}{list})
}

// collection answers GET <api-root>/collections/<id>/ (section 5.2).
func (s *Server) collection(c *call) error {
	if err := noParameters(c); err != nil {
		return err
	}
	return s.resource(c, http.StatusOK, c.coll)
}

// noParameters refuses a query on an endpoint that has no filters.
func noParameters(c *call) error {
	if _, err := parseQuery(c.r.URL.RawQuery, 0); err != nil {
		return problem(http.StatusBadRequest, "%s", err)
	}
	return nil
}
