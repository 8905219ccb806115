package taxii

import (
	"net/http"
	"strings"
)

// endpoint is one row of the table in section 3.1.
type endpoint struct {
	methods map[string]func(*Server, *call) error
	allow   string
}

// route finds the endpoint of a path and the path's segments below the prefix; nil when there is none. Endpoints end with
// a slash (section 3.1); many clients leave it out, and a redirect would lose the body of a POST, so both are taken.
func (s *Server) route(path string) (*endpoint, []string) {
	rest, ok := strings.CutPrefix(path+"/", s.o.Prefix)
	if !ok || len(path) > 4096 {
		return nil, nil
	}
	rest = strings.TrimSuffix(strings.TrimSuffix(rest, "/"), "/")
	if rest == "" {
		return get((*Server).discovery), nil
	}
	p := strings.Split(rest, "/")
	for _, segment := range p {
		if segment == "" {
			return nil, nil
		}
	}
	switch n := len(p); {
	case n == 1:
		return get((*Server).apiRoot), p
	case n == 3 && p[1] == "status":
		return get((*Server).getStatus), p
	case p[1] != "collections":
		return nil, nil
	case n == 2:
		return get((*Server).collections), p
	case n == 3:
		return get((*Server).collection), p
	case n == 4 && p[3] == "manifest":
		return get((*Server).manifest), p
	case n == 4 && p[3] == "objects":
		return &endpoint{map[string]func(*Server, *call) error{
			http.MethodGet: (*Server).objects, http.MethodPost: (*Server).addObjects,
		}, "GET, HEAD, POST"}, p
	case n == 5 && p[3] == "objects":
		return &endpoint{map[string]func(*Server, *call) error{
			http.MethodGet: (*Server).oneObject, http.MethodDelete: (*Server).deleteObject,
		}, "GET, HEAD, DELETE"}, p
	case n == 6 && p[3] == "objects" && p[5] == "versions":
		return get((*Server).versions), p
	}
	return nil, nil
}

func get(handle func(*Server, *call) error) *endpoint {
	return &endpoint{map[string]func(*Server, *call) error{http.MethodGet: handle}, "GET, HEAD"}
}
