package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

// shutdownGrace is how long requests under way may take once the node was told to stop.
const shutdownGrace = 10 * time.Second

// Daemon is a node that listens.
type Daemon struct {
	node    *node.Node
	logger  *slog.Logger
	servers []*http.Server
	serving sync.WaitGroup
	ended   chan error
	endJobs context.CancelFunc
	// URL is the address under which the node is reached.
	URL string
}

// Front stands before the API on the outside address: the screens.
type Front interface {
	// Over is the handler of everything; beneath is the handler of [New].
	Over(beneath http.Handler) http.Handler
	// Close ends the connections that would else stay open for good.
	Close()
}

// Start listens on the configured address and on the node's own socket and serves and follows the peers until [Daemon.Stop]. A nil front serves the
// API alone.
func Start(ctx context.Context, n *node.Node, version string, logger *slog.Logger, front Front) (*Daemon, error) {
	cfg := n.Config()
	outside, err := listen(ctx, cfg, n.Dir(), n.RefusedRequest)
	if err != nil {
		return nil, err
	}
	inside, err := listenSocket(ctx, n.Dir())
	if err != nil {
		return nil, errors.Join(err, outside.Close())
	}
	d := &Daemon{node: n, logger: logger, ended: make(chan error, 2), URL: n.SetAddress(outside.Addr())}
	metrics := NewMetrics(n)
	outer := New(n, Options{Version: version, Metrics: metrics, Logger: logger})
	if front != nil {
		outer = front.Over(outer)
	}
	d.serve(outside, outer)
	if front != nil {
		d.servers[0].RegisterOnShutdown(front.Close)
	}
	d.serve(inside, New(n, Options{Version: version, Metrics: metrics, Logger: logger, Owner: true}))
	jobs, endJobs := context.WithCancel(context.WithoutCancel(ctx))
	d.endJobs = endJobs
	d.serving.Go(func() { n.RunFeeds(jobs) })
	d.serving.Go(func() { n.Federate(jobs) })
	d.serving.Go(func() { n.SignReceipts(jobs) })
	d.serving.Go(func() { n.KeepAudit(jobs) })
	d.serving.Go(func() { n.KeepBackups(jobs) })
	d.serving.Go(func() { n.Notify(jobs) })
	logger.Info("serving", "url", d.URL, "party", n.Party().ID)
	return d, nil
}

func (d *Daemon) serve(l net.Listener, h http.Handler) {
	srv := NewServer(h, DefaultPatience(), d.logger)
	d.servers = append(d.servers, srv)
	d.serving.Go(func() { d.ended <- srv.Serve(l) })
}

// Wait returns when ctx is done or when the daemon cannot go on: a listener failed or the writer's lease was lost.
func (d *Daemon) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.node.Lost():
		return err
	case err := <-d.ended:
		return fmt.Errorf("serving: %w", err)
	}
}

// Stop lets requests under way finish within a bound and closes the listeners.
func (d *Daemon) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	d.node.EndWaiting()
	d.endJobs()
	var errs []error
	for _, srv := range d.servers {
		if err := srv.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stopping: %w", err), srv.Close())
		}
	}
	d.serving.Wait()
	d.logger.Info("stopped")
	return errors.Join(errs...)
}

func listen(ctx context.Context, cfg node.Config, dir string, refused func(kind string)) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, &fault.Fault{Code: fault.Unavailable, What: "listening on " + cfg.Listen, Err: err,
			Remedy: "change listen in " + node.ConfigName + " or give --listen HOST:PORT"}
	}
	l = newCrowd(l, maxConnections, maxConnectionsEach, refused)
	if cfg.TLSCert == "" {
		return l, nil
	}
	cert, err := tls.LoadX509KeyPair(node.Within(dir, cfg.TLSCert), node.Within(dir, cfg.TLSKey))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("loading tls_cert and tls_key: %w", err), l.Close())
	}
	t := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if len(cfg.TAXIICertificates) > 0 {
		t.ClientAuth = tls.RequestClientCert // each is compared with the ones in the configuration, whoever signed it
	}
	return tls.NewListener(l, t), nil
}
