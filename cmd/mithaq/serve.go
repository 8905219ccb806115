package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/internal/web"
	"github.com/mithaq/mithaq/ui"
)

type serveCmd struct {
	dirFlag
	Listen string `help:"HOST:PORT to listen on instead of the configured one." placeholder:"HOST:PORT"`
}

func (serveCmd) Help() string {
	return `Example: mithaq serve --dir /var/lib/mithaq

Serves the screens (/), the logs (/log, /object), the JSON API (/api/v1, /openapi.json), /healthz, /readyz and /metrics until
it is interrupted. Add whoever is to sign in to the screens with 'mithaq user add'.`
}

func (c *serveCmd) Run(ctx context.Context, a *app) error {
	dir, err := c.path(a)
	if err != nil {
		return err
	}
	cfg, err := node.ReadConfig(dir)
	if err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		return fmt.Errorf("reading configuration: log_level: %w", err)
	}
	logger := a.logger(level, cfg.LogFormat)
	n, err := node.Open(ctx, dir, node.OpenOptions{Secret: a.secret(dir), Logger: logger, Listen: c.Listen, AskFollowers: true, Clock: a.clock})
	if err != nil {
		return err
	}
	screens, err := web.New(n, web.Options{Files: ui.Files(), Logger: logger})
	if err != nil {
		return errors.Join(err, n.Close(context.WithoutCancel(ctx)))
	}
	daemon, err := api.Start(ctx, n, version(), logger, screens)
	if err != nil {
		return errors.Join(err, n.Close(context.WithoutCancel(ctx)))
	}
	fmt.Fprintf(a.stdout, "serving %s at %s (interrupt to stop)\n", n.Party().ID, daemon.URL)
	err = daemon.Wait(ctx)
	return errors.Join(err, daemon.Stop(), n.Close(context.WithoutCancel(ctx)))
}
