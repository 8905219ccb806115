package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/node"
)

// auditAsStranger reads the log over HTTP with nothing but its address and the party id.
func (d *demo) auditAsStranger(ctx context.Context, party node.PartyView) error {
	report, err := node.AuditURL(ctx, d.log.URL, node.AuditOptions{Party: party.ID, Objects: true})
	if err != nil {
		return fmt.Errorf("auditing the log: %w", err)
	}
	if !report.OK() {
		return fmt.Errorf("auditing the log: it does not hold: %s", report.Tally())
	}
	d.say("audited", "over HTTP as a stranger: %d leaves hash to the signed root; records: %s", report.Size, report.Tally())
	return nil
}

// auditForged audits the same log through a host that changes one byte of what it passes on.
func (d *demo) auditForged(ctx context.Context) error {
	forger, stop, err := startForger(ctx, d.daemon.URL)
	if err != nil {
		return err
	}
	target := strings.Replace(d.log.URL, d.daemon.URL, forger, 1)
	report, err := node.AuditURL(ctx, target, node.AuditOptions{VKey: d.log.VKey})
	stopped := stop()
	if err == nil && report.OK() {
		return errors.Join(errors.New("a forged byte was not noticed"), stopped)
	}
	caught := "the audit refused it"
	switch {
	case err != nil:
		caught = err.Error()
	case len(report.Findings) > 0:
		caught = report.Findings[0].What
	}
	d.say("forged", "one byte changed on the way, and caught: %s", caught)
	return stopped
}

// startForger is a host that passes everything on but flips one bit in the last byte of each entry bundle.
func startForger(ctx context.Context, base string) (address string, stop func() error, err error) {
	target, err := url.Parse(base)
	if err != nil {
		return "", nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("starting the forger: %w", err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Set("Accept-Encoding", "identity")
		},
		ModifyResponse: func(r *http.Response) error {
			if !strings.Contains(r.Request.URL.Path, "/tile/entries/") || r.StatusCode != http.StatusOK {
				return nil
			}
			body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
			if err != nil {
				return err
			}
			body[len(body)-1] ^= 1
			r.Body = io.NopCloser(bytes.NewReader(body))
			return nil
		},
	}
	srv := &http.Server{Handler: proxy, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	stop = func() error {
		err := srv.Close()
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}
	return "http://" + l.Addr().String(), stop, nil
}

// proveOffline checks a record's proof with no network, and that the proof does not fit another object.
func (d *demo) proveOffline(ctx context.Context, r node.Receipt) error {
	proof, err := d.client.Proof(ctx, r.Log, r.Index)
	if err != nil {
		return err
	}
	object, err := d.client.Object(ctx, r.Log, r.Index)
	if err != nil {
		return err
	}
	if _, err := node.VerifyProof(proof, object, d.log.VKey); err != nil {
		return fmt.Errorf("verifying the offline proof: %w", err)
	}
	object[len(object)/2] ^= 1
	if _, err := node.VerifyProof(proof, object, d.log.VKey); err == nil {
		return errors.New("verifying the offline proof: it accepted a forged object")
	}
	d.say("proved", "place %d offline, from a file of %d bytes; the same proof refuses a forged object", r.Index, len(proof))
	return nil
}
