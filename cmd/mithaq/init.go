package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mithaq/mithaq/internal/node"
)

type initCmd struct {
	dirFlag
	Name           map[string]string `help:"The party's name by language: --name en=CERT-Sahlan --name ar=…" required:"" placeholder:"LANG=NAME"`
	Fictional      bool              `help:"The party is invented: everything of it is marked so, and no real agreement takes it."`
	Public         bool              `help:"Serve the first log to everybody; without it readers need a token."`
	KeyFile        string            `help:"Key file that opens the keys (made when it does not exist; default: unlock.key in DIR)." placeholder:"FILE" xor:"secret"`
	PassphraseFile string            `help:"File whose first line is the passphrase that opens the keys." placeholder:"FILE" xor:"secret"`
	Listen         string            `help:"HOST:PORT for the configuration." placeholder:"HOST:PORT"`
	Store          string            `help:"sqlite or a postgres:// address." placeholder:"STORE"`
	JSON           bool              `help:"Print the party as JSON."`
}

func (initCmd) Help() string {
	return `Example: mithaq init --name en=CERT-Sahlan --name ar="مركز سهلان" --dir /var/lib/mithaq`
}

func (c *initCmd) Run(ctx context.Context, a *app) (err error) {
	dir, err := c.path(a)
	if err != nil {
		return err
	}
	n, err := node.Init(ctx, dir, node.InitOptions{
		Names: c.Name, Fictional: c.Fictional, Public: c.Public, Listen: c.Listen, Store: c.Store,
		KeyFile: c.KeyFile, PassphraseFile: c.PassphraseFile, Logger: a.logger(defaultLevel, "text"),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(context.WithoutCancel(ctx))) }()
	party := n.Party()
	if c.JSON {
		return json.NewEncoder(a.stdout).Encode(party)
	}
	mark(a, party.Mark)
	fmt.Fprintf(a.stdout, `made %s
  party        %s
  fingerprint  %s
  root key     %s
               take it off this machine: only new and revoked keys need it
next: mithaq serve --dir %s
`, dir, party.ID, party.Fingerprint, node.RootPath(dir), dir)
	return nil
}
