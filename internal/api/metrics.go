package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/node"
)

// Metrics are the node's Prometheus metrics. They count; they never carry contents or names of parties.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// NewMetrics makes the metrics of one node.
func NewMetrics(n *node.Node) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mithaq_http_requests_total", Help: "HTTP requests by route and status."}, []string{"route", "status"}),
		seconds:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "mithaq_http_request_seconds", Help: "Time to answer by route.", Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8)}, []string{"route"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, c := range []struct {
		name, help string
		value      func(node.Counts) float64
	}{
		{"mithaq_leaves_appended_total", "Leaves appended since the start.", func(c node.Counts) float64 { return float64(c.Leaves) }},
		{"mithaq_append_failures_total", "Entries that were refused or failed since the start.", func(c node.Counts) float64 { return float64(c.Failures) }},
	} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: c.name, Help: c.help}, func() float64 { return c.value(n.Counts()) }))
	}
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "mithaq_writer", Help: "1 while this process holds the writer's lease."}, func() float64 {
		if n.Counts().Writer {
			return 1
		}
		return 0
	}))
	m.registerRefusals(n)
	return m
}

// registerRefusals counts what other nodes sent that was refused. Every kind is there from the start, at 0.
func (m *Metrics) registerRefusals(n *node.Node) {
	count := func(name, help, kind string, of func(node.Counts) map[string]int64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: prometheus.Labels{"kind": kind}},
			func() float64 { return float64(of(n.Counts())[kind]) }))
	}
	for _, k := range fetch.Kinds() {
		count("mithaq_peer_answers_refused_total", "Answers of other nodes that were refused, by kind.", string(k), func(c node.Counts) map[string]int64 { return c.RefusedAnswers })
	}
	for _, k := range node.RequestKinds() {
		count("mithaq_peer_requests_refused_total", "Requests of other nodes that were refused, by kind.", k, func(c node.Counts) map[string]int64 { return c.RefusedRequests })
	}
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "mithaq_authors_held_back", Help: "Authors whose records wait because a quota is used up."},
			func() float64 { return float64(n.Counts().HeldAuthors) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "mithaq_logs_held_elsewhere", Help: "Times that another party says it holds an own log back."},
			func() float64 { return float64(n.Counts().HeldLogs) }))
	for _, k := range []federate.NoticeKind{federate.NoticeMismatch, federate.NoticeRollback, federate.NoticeRefused, federate.NoticeStale, federate.NoticeQuota} {
		count("mithaq_follow_notices_total", "What was told of followed logs, by kind.", string(k), func(c node.Counts) map[string]int64 { return c.Notices })
	}
}

func (m *Metrics) request(route string, status int, took time.Duration) {
	if m == nil {
		return
	}
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

// routeOf names the route of a path with few values, so that nobody can make labels without end.
func routeOf(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "log", "object", "healthz", "readyz", "metrics", "changes", "acts", "rolls", "peers", "bundles", "holds", ".well-known", "openapi.json", "openapi.yaml", "schemas":
		return first
	case "api", "taxii2":
		return first
	}
	return "other"
}

func (s *server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	allowed := s.owner
	switch s.node.Config().Metrics {
	case "loopback":
		allowed = allowed || isLoopback(r)
	case "token":
		allowed = allowed || callerOf(r.Context()).may(ScopeMetrics)
	}
	if !allowed || s.metrics == nil {
		http.NotFound(w, r)
		return
	}
	promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{DisableCompression: true}).ServeHTTP(w, r)
}
