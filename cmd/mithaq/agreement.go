package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

type agreementCmd struct {
	List   agreementListCmd   `cmd:"" help:"Agreements that run here, and those on the shelf."`
	Show   agreementShowCmd   `cmd:"" help:"One agreement: its text, its parties, its roll or its sources."`
	Status agreementStatusCmd `cmd:"" help:"Kept promises: mechanism, activity, evidence and gap of each commitment."`
	Fetch  agreementFetchCmd  `cmd:"" help:"Agreements that peers' nodes show to this party; take over a roll."`
	Import agreementImportCmd `cmd:"" help:"Take in an agreement file, a signed act or a roll."`
	Export agreementExportCmd `cmd:"" help:"Write the roll, or acts that are not in it yet, for another node."`
	Why    agreementWhyCmd    `cmd:"" help:"Whether a party may have a record, and because of which rule."`
	Diff   agreementDiffCmd   `cmd:"" help:"What a proposal changes, by article."`
	Case   agreementCaseCmd   `cmd:"" help:"Proofs that a party approved two children of one parent: list, verify, publish or leave be."`

	Propose  proposeCmd  `cmd:"" help:"Found an agreement with a text."`
	Amend    amendCmd    `cmd:"" help:"Propose another text for an agreement in force."`
	Approve  approveCmd  `cmd:"" help:"Approve a proposal, after showing what it changes."`
	Join     joinCmd     `cmd:"" help:"Join, perhaps with reservations."`
	Decline  declineCmd  `cmd:"" help:"Decline an invitation."`
	Withdraw withdrawCmd `cmd:"" help:"Leave; it binds at once."`
	Review   reviewCmd   `cmd:"" help:"Say that the text was reviewed."`
	Declare  declareCmd  `cmd:"" help:"Make a declaration."`
	Object   objectCmd   `cmd:"" help:"Object to another party's act."`
	Invite   inviteCmd   `cmd:"" help:"Invite a party."`
	Admit    admitCmd    `cmd:"" help:"Vote to let a party in."`
	Remove   removeCmd   `cmd:"" help:"Vote to remove a party."`
	Succeed  succeedCmd  `cmd:"" help:"Name a new depositary after the old one fell silent."`

	Drafts draftsCmd `cmd:"" help:"Drafts that are kept on the node."`
	Draft  draftCmd  `cmd:"" help:"Show a draft that passes through several officers, or change one that is kept on the node."`
	Sign   signCmd   `cmd:"" help:"Approve a draft, and sign it once enough officers have approved."`
	Submit submitCmd `cmd:"" help:"Publish a draft that enough officers have signed."`
}

// langFlag is the language of names in what a command prints.
type langFlag struct {
	Lang string `help:"Language of names: ar, en, fr (default: by the environment)." placeholder:"LANG"`
}

// languages lists the wanted languages, the first one first.
func (l langFlag) languages(a *app) []string {
	for _, s := range []string{l.Lang, a.env("LC_ALL"), a.env("LANG")} {
		s, _, _ = strings.Cut(s, "_")
		s, _, _ = strings.Cut(s, ".")
		if s != "" && s != "C" && s != "POSIX" {
			return []string{s}
		}
	}
	return []string{"en"}
}

// agreementFlags are shared by the commands that show agreements.
type agreementFlags struct {
	dirFlag
	langFlag
	JSON bool `help:"Print as JSON."`
}

// shelfAlone gives the shelf where there is no node to ask: nobody named a directory, and the usual one holds none.
func (d dirFlag) shelfAlone(a *app) (node.ShelfAlone, bool, error) {
	dir, err := d.path(a)
	if err != nil || d.Dir != "" {
		return node.ShelfAlone{}, false, err
	}
	if _, err := os.Stat(filepath.Join(dir, node.ConfigName)); !errors.Is(err, fs.ErrNotExist) {
		return node.ShelfAlone{}, false, nil
	}
	return node.NewShelfAlone(dir), true, nil
}

type agreementListCmd struct {
	agreementFlags
	All bool `help:"Lists, directories and surveys too."`
}

func (agreementListCmd) Help() string {
	return `Example: mithaq agreement list

Two lists that never mix. CONNECTED: agreements that run on this node, with the parties that joined their roll.
STANDING: the shelf of real agreements, unofficial copies; who stands where in the world, as sources say.
Without a node, and without --dir, the shelf alone is shown.`
}

func (c *agreementListCmd) Run(ctx context.Context, a *app) error {
	show := func(all []node.AgreementView) error {
		if c.JSON {
			return printJSON(a, all)
		}
		printAgreements(a, all, c.languages(a), c.All)
		return nil
	}
	if shelf, alone, err := c.shelfAlone(a); err != nil {
		return err
	} else if alone {
		all, err := shelf.Agreements()
		if err != nil {
			return err
		}
		return show(all)
	}
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		all, err := client.Agreements(ctx)
		if err != nil {
			return err
		}
		return show(all)
	})
}

type agreementShowCmd struct {
	agreementFlags
	Text bool   `help:"Print the agreement file in force, verbatim." xor:"form"`
	ID   string `arg:"" help:"Agreement id, the beginning of it, or label."`
}

func (agreementShowCmd) Help() string {
	return `Example: mithaq agreement show paris-call

Of an agreement that runs here its roll, of one on the shelf who stands where, since when and on whose word. Without a node, and
without --dir, the shelf is read.`
}

func (c *agreementShowCmd) Run(ctx context.Context, a *app) error {
	if shelf, alone, err := c.shelfAlone(a); err != nil {
		return err
	} else if alone {
		v, err := shelf.Agreement(c.ID)
		if err != nil {
			return err
		}
		return c.show(a, v)
	}
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		v, err := client.Agreement(ctx, c.ID)
		if err != nil {
			return err
		}
		return c.show(a, v)
	})
}

func (c *agreementShowCmd) show(a *app, v node.AgreementView) error {
	switch {
	case c.JSON:
		return printJSON(a, v)
	case c.Text && v.Text == "":
		return &fault.Fault{Code: fault.NotFound, What: "showing the text of " + v.Label, Remedy: "it is linked, not copied: see 'mithaq agreement show " + v.Label + "'"}
	case c.Text:
		_, err := fmt.Fprint(a.stdout, v.Text)
		return err
	}
	printAgreement(a, v, c.languages(a))
	return nil
}

type agreementImportCmd struct {
	dirFlag
	JSON bool   `help:"Print as JSON."`
	Root string `help:"The root key's file, to open this party's log under the agreement (default: root.age in DIR)." placeholder:"FILE"`
	File string `arg:"" help:"Agreement file (TOML), signed act or roll (JSON); - is standard input."`
}

func (agreementImportCmd) Help() string {
	return `Examples:
  mithaq agreement import memorandum.toml     onto the shelf; runs nothing
  mithaq agreement import norvia-joins.json   an act, entered into the roll that this node keeps
  mithaq agreement import roll.json           the roll as its depositary wrote it

Whatever the file is, nothing in it is believed that its signatures and proofs do not show.`
}

func (c *agreementImportCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		data, err := readInput(a, c.File)
		if err != nil {
			return err
		}
		got, err := client.Import(ctx, filepath.Base(c.File), data)
		if fault.CodeOf(err) == fault.NoLog {
			// The first act of an agreement whose roll this node is to keep.
			var act node.SignedAct
			if err = json.Unmarshal(data, &act); err == nil {
				err = openLog(ctx, a, c.dirFlag, client, node.KeyChange{Agreement: act.Agreement}, c.Root, c.JSON)
			}
			if err == nil {
				got, err = client.Import(ctx, filepath.Base(c.File), data)
			}
		}
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(a, got)
		}
		printImported(a, got)
		return nil
	})
}

func importFile(ctx context.Context, a *app, client *api.Client, file string) (node.Imported, error) {
	data, err := readInput(a, file)
	if err != nil {
		return node.Imported{}, err
	}
	return client.Import(ctx, filepath.Base(file), data)
}

func printImported(a *app, got node.Imported) {
	mark(a, got.Mark)
	switch got.What {
	case "definition":
		fmt.Fprintf(a.stdout, "on the shelf: %s (founding it would make %s)\n", got.Label, got.Agreement)
	case "act":
		fmt.Fprintf(a.stdout, "entered: %s by %s into %s, now %d entries, %s, state %.16s…\n", got.Act, got.Party, got.Label, got.Entries, got.Phase, got.State)
	default:
		fmt.Fprintf(a.stdout, "roll of %s (%s): %d entries, %d of them new, %s, state %.16s…\n", got.Label, got.Agreement, got.Entries, got.Fresh, got.Phase, got.State)
	}
}

type agreementExportCmd struct {
	dirFlag
	Acts bool   `help:"Write this party's acts that are not in the roll yet instead of the roll."`
	Out  string `help:"File to write (several acts: FILE, FILE.2, …)." required:"" placeholder:"FILE"`
	ID   string `arg:"" help:"Agreement id, the beginning of it, or label."`
}

func (agreementExportCmd) Help() string {
	return "Example: mithaq agreement export sahlan-norvia --out roll.json"
}

func (c *agreementExportCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		if !c.Acts {
			roll, err := client.Roll(ctx, c.ID)
			if err != nil {
				return err
			}
			mark(a, roll.Mark)
			fmt.Fprintf(a.stdout, "%s: %d entries of %s\n", c.Out, len(roll.Entries), roll.Agreement)
			return writeJSON(c.Out, roll)
		}
		acts, err := client.PendingActs(ctx, c.ID)
		if err != nil {
			return err
		}
		if len(acts) == 0 {
			fmt.Fprintln(a.stdout, "the roll, as it is known here, has every act of this party")
		}
		for i, act := range acts {
			out := c.Out
			if i > 0 {
				out = fmt.Sprintf("%s.%d", c.Out, i+1)
			}
			if err := writeJSON(out, act); err != nil {
				return err
			}
			mark(a, act.Mark)
			fmt.Fprintf(a.stdout, "%s: take it to the depositary, in this order\n", out)
		}
		return nil
	})
}

type agreementDiffCmd struct {
	agreementFlags
	ID       string `arg:"" help:"Agreement id, the beginning of it, or label."`
	Proposal string `arg:"" optional:"" help:"Leaf of the proposal, or the beginning of it (default: the only open one)."`
}

func (agreementDiffCmd) Help() string { return "Example: mithaq agreement diff sahlan-norvia" }

func (c *agreementDiffCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		d, err := client.Difference(ctx, c.ID, c.Proposal)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(a, d)
		}
		mark(a, d.Mark)
		printDifference(a, d)
		return nil
	})
}

func printJSON(a *app, v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o600)
}
