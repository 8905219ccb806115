package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mithaq/mithaq/internal/api"
)

type agreementWhyCmd struct {
	dirFlag
	langFlag
	Party  string `help:"Party id." required:"" placeholder:"ID"`
	Person string `help:"Key id of one of its officers." placeholder:"ID"`
	Exit   string `help:"Through which exit: log, object, taxii, api, ui, search, export, detect or mail." default:"api" placeholder:"EXIT"`
	JSON   bool   `help:"Print as JSON."`
	Ref    string `arg:"" help:"The record: place (12, or LOG/12), record id, leaf hash or object hash."`
}

func (agreementWhyCmd) Help() string {
	return `Example: mithaq agreement why 12 --party p-…

Exit code 0: it may; 1: it may not; 2: the question cannot be read.`
}

func (c *agreementWhyCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		place, err := resolve(ctx, client, c.Ref)
		if err != nil {
			return err
		}
		v, err := client.Why(ctx, place.Log, place.Index, c.Party, c.Person, c.Exit)
		if err != nil {
			return err
		}
		if c.JSON {
			err = json.NewEncoder(a.stdout).Encode(v)
		} else {
			language := "en"
			for _, l := range c.languages(a) {
				if len(v.Why[l]) > 0 {
					language = l
					break
				}
			}
			for _, line := range v.Why[language] {
				fmt.Fprintln(a.stdout, line)
			}
		}
		if err == nil && !v.Allow {
			return exitCode(exitNo)
		}
		return err
	})
}
