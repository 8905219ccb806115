package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

// serveNode makes a node in dir unless it is there, writes a token's secret beside it and serves it as the daemon does: SQLite
// file, signed log, index, decisions, all on.
func serveNode(dir, address, profile string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	n, err := openNode(ctx, dir, address)
	if err != nil {
		return err
	}
	defer func() { _ = n.Close(context.Background()) }()
	t, err := n.CreateToken(ctx, account.TokenRequest{Name: "bench", Scopes: []string{account.ScopeRead, account.ScopePublish}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte(t.Secret), 0o600); err != nil {
		return err
	}
	server := http.Server{Addr: address, Handler: api.New(n, api.Options{}), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	return measure.Profile(profile, func() error {
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
}

func openNode(ctx context.Context, dir, address string) (*node.Node, error) {
	if _, err := os.Stat(filepath.Join(dir, node.ConfigName)); err == nil {
		return node.Open(ctx, dir, node.OpenOptions{Logger: slog.New(slog.DiscardHandler)})
	}
	n, err := node.Init(ctx, dir, node.InitOptions{Names: map[string]string{"en": "Bench"}, Listen: address})
	if err != nil {
		return nil, err
	}
	if err := n.Close(ctx); err != nil {
		return nil, err
	}
	config := filepath.Join(dir, node.ConfigName)
	text, err := os.ReadFile(config)
	if err != nil {
		return nil, err
	}
	unlimited := bytes.Replace(text, []byte("\ntaxii_rate = 500\n"), []byte("\ntaxii_rate = 0\n"), 1)
	if bytes.Equal(text, unlimited) {
		return nil, fmt.Errorf("%s has no taxii_rate = 500", config)
	}
	if err := os.WriteFile(config, unlimited, 0o600); err != nil {
		return nil, err
	}
	return node.Open(ctx, dir, node.OpenOptions{Logger: slog.New(slog.DiscardHandler)})
}
