package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/sensor"
	"github.com/mithaq/mithaq/internal/detect/warning"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

type sensorCmd struct {
	Node        string        `help:"The node's address; the token (scope sense) is in MITHAQ_TOKEN." required:"" placeholder:"URL"`
	Interface   string        `help:"Read the packets of this interface (Linux, needs CAP_NET_RAW)." placeholder:"NAME" xor:"source"`
	Spool       string        `help:"Read the captures and logs of this folder as they come." placeholder:"DIR" xor:"source"`
	NATS        string        `help:"Read Zeek's JSON or EVE lines from this NATS server." name:"nats" placeholder:"URL" xor:"source"`
	Stream      string        `help:"The JetStream stream, with --nats." placeholder:"NAME"`
	Consumer    string        `help:"What the sensor calls itself there; sensors of one name share the work." default:"mithaq" placeholder:"NAME"`
	Name        string        `help:"What people at the node call this sensor (default: this machine's name)." placeholder:"NAME"`
	State       string        `help:"A folder for what has to last: indicators, sightings that wait, how far was read." required:"" placeholder:"DIR"`
	Output      string        `help:"Append matches to this file instead of standard output." placeholder:"FILE"`
	Shadow      []string      `help:"Parties on trial: their indicators alert nobody and make no sighting." placeholder:"PARTY"`
	Warninglist []string      `help:"Lists of well-known harmless values (MISP's format) that lower a match." placeholder:"FILE"`
	Every       time.Duration `help:"How often the node is asked for changes, and sightings are written and sent." default:"5s"`
	Keep        int64         `help:"MiB of sightings that wait on disk while the node is away." default:"64"`
	Metrics     string        `help:"Serve /metrics on this address, for example 127.0.0.1:9471." placeholder:"ADDR"`
	Once        bool          `help:"With --spool: end when all that is there was read."`
	LogFormat   string        `help:"text or json." enum:"text,json" default:"text"`
}

func (sensorCmd) Help() string {
	return `Examples:
  MITHAQ_TOKEN=mithaq_… mithaq sensor --node https://node.example --interface eth0 --state /var/lib/mithaq-sensor
  mithaq sensor --node https://node.example --spool /var/log/zeek --state /var/lib/mithaq-sensor
  mithaq sensor --node https://node.example --nats nats://127.0.0.1:4222 --stream ZEEK --state /var/lib/mithaq-sensor

Matches are JSON lines, as with 'mithaq detect'. What was found of partners' indicators goes to the node and waits there for a person: see 'mithaq sighting'.`
}

func (c *sensorCmd) Run(ctx context.Context, a *app) (err error) {
	log := a.logger(slog.LevelInfo, c.LogFormat)
	if err := os.MkdirAll(c.State, 0o700); err != nil {
		return err
	}
	random, err := seed()
	if err != nil {
		return err
	}
	lists, err := warningLists(c.Warninglist)
	if err != nil {
		return err
	}
	out, err := c.output(a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.close()) }()
	source, err := c.source(ctx, log, random)
	if err != nil {
		return err
	}
	client := api.Over(c.Node, a.env("MITHAQ_TOKEN"))
	defer client.Close()
	var s *sensor.Sensor
	started := time.Now()
	s, err = sensor.New(sensor.Options{State: c.State, Source: source, Fetch: client.Indicators, Match: out.match, Warnings: lists, Shadow: c.Shadow,
		Every: c.Every, MostKept: c.Keep << 20, Seed: random, Now: time.Now, Logger: log,
		Report: func(ctx context.Context, p sensor.Picture) error {
			return client.ReportSensor(ctx, c.report(s.Counts(), p, started))
		},
		Send: func(ctx context.Context, found []sensor.Found) error {
			list := make([]node.FoundSighting, 0, len(found))
			for _, f := range found {
				list = append(list, node.FoundSighting(f))
			}
			_, err := client.AddSightings(ctx, list)
			if fault.CodeOf(err) == fault.NotFound {
				log.Warn("the node does not know what some sightings are about: they are dropped", "error", err)
				return nil
			}
			return err
		}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	stop, err := c.serveMetrics(s)
	if err != nil {
		return err
	}
	defer stop()
	log.Info("sensor runs", "node", c.Node, "indicators", s.Counts().Indicators)
	err = s.Run(ctx)
	end := s.Counts()
	log.Info("sensor ends", "events", end.Events, "alerts", end.Matches[engine.Alert], "context", end.Matches[engine.Context], "shadow", end.Matches[engine.Shadow],
		"indicators", end.Indicators, "sent", end.Sent, "waiting", end.Waiting, "dropped", end.Dropped)
	return err
}

// report is what the node is told of this sensor.
func (c *sensorCmd) report(counts sensor.Counts, p sensor.Picture, started time.Time) node.SensorReport {
	name := c.Name
	if name == "" {
		name, _ = os.Hostname() // without one it has the name below
	}
	if name == "" {
		name = "sensor"
	}
	r := sensorReport(name, p)
	r.Source = clipText(strings.TrimSpace(c.Interface+" "+c.Spool+" "+c.Stream), 400)
	r.Started, r.Events, r.Alerts, r.Context = started, counts.Events, counts.Matches[engine.Alert], counts.Matches[engine.Context]
	r.Indicators, r.Waiting, r.Dropped = counts.Indicators, counts.Waiting, counts.Dropped
	return r
}

func (c *sensorCmd) source(ctx context.Context, log *slog.Logger, random uint64) (sensor.Source, error) {
	switch {
	case c.Interface != "":
		return sensor.OpenLive(c.Interface, random)
	case c.Spool != "":
		return sensor.NewSpool(c.Spool, filepath.Join(c.State, "spool.json"), time.Second, c.Once, random, time.Now, log)
	case c.NATS != "" && c.Stream != "":
		return sensor.OpenStream(ctx, c.NATS, c.Stream, c.Consumer, log)
	}
	return nil, unreadable{errors.New("nothing to read: give --interface, --spool, or --nats with --stream")}
}

// matchOutput writes matches as JSON lines, each at once: somebody may be waiting for it.
type matchOutput struct {
	mu     sync.Mutex
	w      *bufio.Writer
	enc    *json.Encoder
	file   *os.File // nil for standard output
	failed error
}

func (c *sensorCmd) output(a *app) (*matchOutput, error) {
	o := &matchOutput{w: bufio.NewWriter(a.stdout)}
	if c.Output != "" {
		f, err := os.OpenFile(c.Output, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		o.file, o.w = f, bufio.NewWriter(f)
	}
	o.enc = json.NewEncoder(o.w)
	o.enc.SetEscapeHTML(false)
	return o, nil
}

func (o *matchOutput) match(m *engine.Match) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failed == nil {
		o.failed = errors.Join(o.enc.Encode(m), o.w.Flush())
	}
}

func (o *matchOutput) close() error {
	err := o.failed
	if o.file != nil {
		err = errors.Join(err, o.file.Close())
	}
	return err
}

// warningLists reads lists in MISP's format; nil when there are none.
func warningLists(names []string) (*warning.Lists, error) {
	var lists *warning.Lists
	for _, name := range names {
		text, err := os.ReadFile(name) // #nosec G304 -- the user names the file
		if err != nil {
			return nil, err
		}
		if lists == nil {
			lists = &warning.Lists{}
		}
		if err := lists.Add(text); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return lists, nil
}

// serveMetrics serves what the sensor counts, where an address was given.
func (c *sensorCmd) serveMetrics(s *sensor.Sensor) (stop func(), err error) {
	if c.Metrics == "" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", c.Metrics)
	if err != nil {
		return nil, fmt.Errorf("serving metrics: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(sensorMetrics{s})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // it ends when it is closed
	}()
	return func() {
		_ = server.Close() // nothing is written
		<-ended
	}, nil
}

// sensorMetrics gives the counts as Prometheus reads them.
type sensorMetrics struct{ sensor *sensor.Sensor }

// Describe implements prometheus.Collector: what there is depends on what was counted.
func (sensorMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m sensorMetrics) Collect(out chan<- prometheus.Metric) {
	c := m.sensor.Counts()
	put := func(kind prometheus.ValueType, name, help string, value float64, labels ...string) {
		var names, values []string
		for _, l := range labels {
			k, v, _ := strings.Cut(l, "=")
			names, values = append(names, k), append(values, v)
		}
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc("mithaq_sensor_"+name, help, names, nil), kind, value, values...)
	}
	put(prometheus.CounterValue, "events_total", "Events that were matched.", float64(c.Events))
	for level, n := range c.Matches {
		put(prometheus.CounterValue, "matches_total", "Matches by level.", float64(n), "level="+string(level))
	}
	for kind, n := range c.Dropped {
		put(prometheus.CounterValue, "dropped_total", "What was given up or could not be read, by kind.", float64(n), "kind="+kind)
	}
	put(prometheus.GaugeValue, "indicators", "Indicators in use.", float64(c.Indicators))
	put(prometheus.GaugeValue, "sightings_waiting", "Sightings on disk that the node does not have yet.", float64(c.Waiting))
	put(prometheus.CounterValue, "sightings_sent_total", "Sightings that the node has.", float64(c.Sent))
	if !c.Pulled.IsZero() {
		put(prometheus.GaugeValue, "node_answered_timestamp_seconds", "When the node last answered.", float64(c.Pulled.Unix()))
	}
}
