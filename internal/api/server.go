package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/mithaq/mithaq/internal/coding"
	"github.com/mithaq/mithaq/internal/node"
)

const (
	headerTimeout = 10 * time.Second
	uploadTimeout = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	writeTimeout  = 2 * time.Minute
	maxHeader     = 32 << 10
)

// Options of a handler.
type Options struct {
	Version string
	Owner   bool // every caller is the node's owner: only for the node's own Unix socket
	Metrics *Metrics
	Logger  *slog.Logger
}

type server struct {
	node    *node.Node
	owner   bool
	metrics *Metrics
	logger  *slog.Logger

	reception *reception
}

// New is the node's whole HTTP surface: /api/v1, /taxii2, /log, /object, /healthz, /readyz, /metrics, /openapi.json.
func New(n *node.Node, o Options) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &server{node: n, owner: o.Owner, metrics: o.Metrics, logger: o.Logger, reception: newReception()}
	mux := http.NewServeMux()
	api := describe(mux, o.Version)
	api.UseMiddleware(requireScope(api))
	register(api, n)

	logs := n.LogHandler(func(r *http.Request) node.Viewer { return carrier(r.Context(), n) })
	mux.Handle("/log/", logs)
	mux.Handle("/object/", logs)
	mux.Handle("/objects/", logs)
	s.registerExchange(mux)
	s.mountTAXII(mux)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /metrics", s.serveMetrics)
	mux.HandleFunc(apiRoot, func(w http.ResponseWriter, r *http.Request) { noSuchRoute(mux, w, r) })
	if o.Owner {
		return s.outer(mux) // who it is says no header, and over a socket nothing is gained
	}
	return s.outer(coding.New().Anonymous(mux))
}

// describe begins the description of the API on a mux.
func describe(mux *http.ServeMux, version string) huma.API {
	config := huma.DefaultConfig("mithaq", version)
	config.Info.Description = "The JSON API of a mithaq node. Errors are problem+json (RFC 9457)."
	config.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	config.DocsPath = "" // the documentation page would load scripts from elsewhere
	config.CreateHooks = nil
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	return humago.New(mux, config)
}

// Describe is the description of the API (OpenAPI 3.1) of a program of this version, for whoever generates code from it.
func Describe(version string) (*huma.OpenAPI, error) {
	api := describe(http.NewServeMux(), version)
	register(api, nil) // no operation is called
	return api.OpenAPI(), nil
}

// apiRoot begins every route of the JSON API.
const apiRoot = "/api/"

// noSuchRoute answers below apiRoot what no operation does: 405 where another method would do, else 404.
func noSuchRoute(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != apiRoot {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		writeProblem(w, http.StatusMethodNotAllowed, "use "+strings.Join(allowed, " or "))
		return
	}
	writeProblem(w, http.StatusNotFound, "no such operation: see /openapi.json")
}

func writeProblem(w http.ResponseWriter, status int, detail string) {
	body, err := json.Marshal(huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail})
	if err != nil {
		http.Error(w, detail, status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller has gone: nothing is left to do
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the caller has gone: nothing is left to do
}

func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.node.Ready(r.Context()); err != nil {
		s.logger.Warn("not ready", "error", err) // the caller is anybody: no details
		writeText(w, http.StatusServiceUnavailable, "not ready\n")
		return
	}
	writeText(w, http.StatusOK, "ready\n")
}

// outer identifies the caller, counts the request and turns a panic into a 500 without ending the process.
func (s *server) outer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // net/http's sentinel is compared by identity
					panic(p)
				}
				s.logger.Error("request panicked", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				if rec.wrote {
					panic(http.ErrAbortHandler) // half an answer must not look like a whole one
				}
				writeProblem(rec, http.StatusInternalServerError, "the node's own fault: see its log")
			}
			s.metrics.request(routeOf(r.URL.Path), rec.status, time.Since(start))
			s.logger.Debug("request", "method", r.Method, "path", r.URL.Path, "status", rec.status, "took", time.Since(start))
		}()
		w.Header().Set("X-Content-Type-Options", "nosniff")
		hasAsked(r)
		next.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), callerKey{}, s.identify(r))))
	})
}

type statusRecorder struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status, r.wrote = status, true
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Write(b []byte) (int, error) {
	r.wrote = true
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach deadlines and flushing.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Patience is how long a caller is waited for.
type Patience struct {
	Header time.Duration // for the head of a request
	Upload time.Duration // for all of it
	Answer time.Duration // for the answer to be taken
	Idle   time.Duration // for the next request on a connection
}

// DefaultPatience is that of a node that serves.
func DefaultPatience() Patience {
	return Patience{Header: headerTimeout, Upload: uploadTimeout, Answer: writeTimeout, Idle: idleTimeout}
}

// NewServer is an HTTP server with bounds on everything a caller can make it wait for.
func NewServer(h http.Handler, p Patience, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: p.Header,
		ReadTimeout:       p.Upload,
		WriteTimeout:      p.Answer,
		IdleTimeout:       p.Idle,
		MaxHeaderBytes:    maxHeader,
		ConnContext:       withGuest,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// isLoopback reports whether the request came straight from this machine, not through a proxy.
func isLoopback(r *http.Request) bool {
	for _, proxied := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"} {
		if r.Header.Get(proxied) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
