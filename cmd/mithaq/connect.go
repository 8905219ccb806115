package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"golang.org/x/term"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

// access is what a command needs of a node.
type access int

const (
	accessRead  access = iota // list and show; needs no lease, opens sealed records if it gets the keys
	accessWrite               // sign and append
)

// connect gives a client of the node in dir: of the running daemon through its socket, else of the node opened in this
// process. The command line has one way to a node, the API.
func (a *app) connect(ctx context.Context, dir string, need access) (*api.Client, func() error, error) {
	if client, ok := api.OverSocket(ctx, dir); ok {
		return client, func() error { client.Close(); return nil }, nil
	}
	opts := node.OpenOptions{Secret: a.secret(dir), Logger: a.logger(defaultLevel, "text"), ReadOnly: need == accessRead, Clock: a.clock}
	n, err := node.Open(ctx, dir, opts)
	if err != nil {
		return nil, nil, err
	}
	client, stop := api.Local(api.New(n, api.Options{Version: version(), Owner: true, Logger: opts.Logger}))
	return client, func() error { return errors.Join(stop(), n.Close(context.WithoutCancel(ctx))) }, nil
}

// withNode runs do with a client of the node in dir and closes what connect opened.
func (a *app) withNode(ctx context.Context, d dirFlag, need access, do func(*api.Client) error) (err error) {
	dir, err := d.path(a)
	if err != nil {
		return err
	}
	client, done, err := a.connect(ctx, dir, need)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	defer a.markParty(ctx, client)
	return do(client)
}

func (a *app) logger(level slog.Level, format string) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(a.stderr, opts))
	}
	return slog.New(slog.NewTextHandler(a.stderr, opts))
}

// secret is where a command takes what opens the node's keys from: a file named by the environment, else the
// configured key file, else a question on the terminal.
func (a *app) secret(dir string) node.SecretSource {
	return node.SecretSource{
		KeyFile:        a.env("MITHAQ_KEY_FILE"),
		PassphraseFile: a.env("MITHAQ_PASSPHRASE_FILE"),
		Ask:            a.askPassphrase,
	}
}

func (a *app) askPassphrase(prompt string) ([]byte, error) {
	in, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, errors.New("no terminal to ask for the passphrase: set MITHAQ_KEY_FILE or MITHAQ_PASSPHRASE_FILE")
	}
	fmt.Fprint(a.stderr, prompt+": ")
	secret, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(a.stderr)
	if err != nil {
		return nil, fmt.Errorf("reading the passphrase: %w", err)
	}
	return secret, nil
}

// defaultLevel is what commands other than serve log: only what a person should know.
const defaultLevel = slog.LevelWarn
