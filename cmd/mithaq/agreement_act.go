package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

// actFlags are shared by the commands that make an act.
type actFlags struct {
	dirFlag
	Date         string   `help:"Date of the act (default: today)." placeholder:"YYYY-MM-DD"`
	Note         []string `help:"A note, by language." placeholder:"LANG=TEXT" sep:"none"`
	MandateBy    []string `help:"Who empowered the officers, by language." placeholder:"LANG=NAME" sep:"none"`
	MandateBasis []string `help:"On what basis, by language." placeholder:"LANG=TEXT" sep:"none"`
	MandateDate  string   `help:"When." placeholder:"YYYY-MM-DD"`
	TLP          string   `help:"TLP 2.0 label (default: GREEN)." placeholder:"LABEL"`
	Officer      string   `help:"Which officer signs (default: the first whose key is here)." placeholder:"KEY"`
	Draft        string   `help:"Do not act: write a draft for several officers to sign." placeholder:"FILE"`
	Keep         bool     `help:"Do not act: keep a draft on the node, for the officers to write on, approve and sign, here or on the screens."`
	Out          string   `help:"Where this node does not keep the roll: write the signed act to this file, to be carried to the depositary." placeholder:"FILE"`
	Root         string   `help:"The root key's file, to open this party's log under the agreement (default: root.age in DIR)." placeholder:"FILE"`
	JSON         bool     `help:"Print as JSON."`
}

// act fills in what the flags say, and acts or drafts. id is resolved by the node; of a founding proposal it is the id itself.
func (f *actFlags) act(ctx context.Context, a *app, client *api.Client, id string, q node.ActRequest) error {
	if err := f.fill(&q); err != nil {
		return err
	}
	if f.Draft != "" {
		return f.draft(ctx, a, client, id, q)
	}
	if f.Keep {
		return f.keep(ctx, a, client, id, q)
	}
	out, err := client.Act(ctx, id, q)
	if fault.CodeOf(err) == fault.NoLog {
		if err = openLog(ctx, a, f.dirFlag, client, node.KeyChange{Agreement: id}, f.Root, f.JSON); err == nil {
			out, err = client.Act(ctx, id, q)
		}
	}
	if err != nil {
		return err
	}
	return f.report(a, q.Act, out)
}

func (f *actFlags) draft(ctx context.Context, a *app, client *api.Client, id string, q node.ActRequest) error {
	d, err := client.DraftAct(ctx, id, q)
	if fault.CodeOf(err) == fault.NoLog {
		if err = openLog(ctx, a, f.dirFlag, client, node.KeyChange{Agreement: id}, f.Root, f.JSON); err == nil {
			d, err = client.DraftAct(ctx, id, q)
		}
	}
	if err != nil {
		return err
	}
	if err := writeJSON(f.Draft, d); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "draft of %s written to %s: %s must approve and sign it\ndigest %s\nnext: mithaq agreement sign %s --officer KEY\n", q.Act, f.Draft, plural(d.Needed, "officer"), d.Digest, f.Draft)
	return nil
}

func (f *actFlags) report(a *app, act string, out node.ActOutcome) error {
	if out.File != nil && f.Out != "" {
		var file any = out.File
		if out.Both != nil {
			file = out.Both
		}
		if err := writeJSON(f.Out, file); err != nil {
			return err
		}
	}
	if f.JSON {
		return printJSON(a, out)
	}
	mark(a, out.Mark)
	if act == string(agreement.ActPropose) {
		fmt.Fprintf(a.stdout, "agreement %s\n", out.Agreement)
	}
	fmt.Fprintf(a.stdout, "%s: place %d of %s, leaf %s\n", act, out.Receipt.Index, out.Receipt.Log, out.Receipt.Leaf)
	if out.Partner != "" {
		return f.reportPair(a, out)
	}
	switch {
	case out.Entered && out.Sent != "":
		fmt.Fprintf(a.stdout, "entered by the depositary's node: the agreement is %s, state %.16s…\n", out.Phase, out.State)
	case out.Entered:
		fmt.Fprintf(a.stdout, "entered: the agreement is %s, state %.16s…\n", out.Phase, out.State)
	case out.Sent == node.SentRefused:
		return &fault.Fault{Code: fault.Conflict, What: "the act stands in this party's log, and the depositary does not enter it: " + out.Trouble}
	case out.Sent == node.SentWaits:
		fmt.Fprintf(a.stdout, "not in the roll yet: the depositary's node cannot be reached (%s); a running node sends it as soon as it can be\n", out.Trouble)
	case f.Out != "":
		fmt.Fprintf(a.stdout, "not in the roll yet: take %s to the depositary, for 'mithaq agreement import %s'\n", f.Out, f.Out)
	default:
		fmt.Fprintf(a.stdout, "not in the roll yet: write the file for the depositary with 'mithaq agreement export %s --acts --out FILE'\n", out.Agreement)
	}
	if out.Crossed {
		fmt.Fprintln(a.stdout, "others approved another text, and none can have enough any more: all of them lapsed; agree on one and propose it again")
	}
	return nil
}

// reportPair says what became of an act between two parties who have no depositary.
func (f *actFlags) reportPair(a *app, out node.ActOutcome) error {
	switch {
	case out.Sent == node.SentRefused:
		return &fault.Fault{Code: fault.Conflict, What: "the act stands in this party's log, and the other party does not take it in: " + out.Trouble}
	case out.Sent == node.SentWaits:
		fmt.Fprintf(a.stdout, "not in the other log yet: the other party's node cannot be reached (%s); a running node sends it as soon as it can be\n", out.Trouble)
	case out.Sent != "":
		fmt.Fprintf(a.stdout, "taken in by the other party's node: the agreement is %s, state %.16s…\n", out.Phase, out.State)
	case f.Out != "":
		fmt.Fprintf(a.stdout, "not in the other log yet: take %s to the other party, for 'mithaq agreement import %s'\n", f.Out, f.Out)
	default:
		fmt.Fprintf(a.stdout, "not in the other log yet: write the file for the other party with 'mithaq agreement export %s --out FILE'\n", out.Agreement)
	}
	return nil
}

func (f *actFlags) fill(q *node.ActRequest) (err error) {
	q.Date, q.TLP, q.Officer = f.Date, f.TLP, f.Officer
	if q.Note, err = textOf("--note", f.Note); err != nil {
		return err
	}
	if len(f.MandateBy)+len(f.MandateBasis) == 0 {
		return nil
	}
	m := agreement.Mandate{Date: f.MandateDate}
	if m.By, err = textOf("--mandate-by", f.MandateBy); err != nil {
		return err
	}
	if m.Basis, err = textOf("--mandate-basis", f.MandateBasis); err != nil {
		return err
	}
	q.Mandate = &m
	return nil
}

// openLog opens this party's log under the agreement that open names, public or not: the root key signs its first keyring.
func openLog(ctx context.Context, a *app, d dirFlag, client *api.Client, open node.KeyChange, root string, quiet bool) error {
	open.Action = "open"
	receipts, err := rootFlags{Root: root}.ceremony(ctx, a, d, client, open)
	if err != nil {
		return fmt.Errorf("opening this party's log under %s: %w", open.Agreement, err)
	}
	for _, r := range receipts {
		if !quiet {
			fmt.Fprintf(a.stdout, "opened %s under %s\n", r.Log, open.Agreement)
		}
	}
	return nil
}

// run resolves what the person called the agreement and acts.
func (f *actFlags) run(ctx context.Context, a *app, ref string, q node.ActRequest) error {
	return a.withNode(ctx, f.dirFlag, accessWrite, func(client *api.Client) error {
		v, err := running(ctx, client, ref)
		if err != nil {
			return err
		}
		return f.act(ctx, a, client, v.ID, q)
	})
}

// running finds an agreement of which this node knows the roll.
func running(ctx context.Context, client *api.Client, ref string) (node.AgreementView, error) {
	v, err := client.Agreement(ctx, ref)
	if err == nil && v.Here == nil {
		err = &fault.Fault{Code: fault.Conflict, What: v.Label + " is on the shelf and does not run here", Remedy: "see 'mithaq agreement show " + v.Label + "'"}
	}
	return v, err
}

// textOf reads LANG=TEXT flags as one text in several languages.
func textOf(flag string, values []string) (agreement.Text, error) {
	if len(values) == 0 {
		return nil, nil
	}
	t := agreement.Text{}
	for _, v := range values {
		language, words, ok := strings.Cut(v, "=")
		if !ok || t[language] != "" {
			return nil, &fault.Fault{Code: fault.Invalid, What: fmt.Sprintf("%s %.60q", flag, v), Remedy: "write LANG=TEXT, as en=\"…\", each language once"}
		}
		t[language] = words
	}
	return t, nil
}

// textsOf reads LANG=TEXT flags as several texts: a language that comes again begins the next one.
func textsOf(flag string, values []string) (out []agreement.Text, err error) {
	for start := 0; start < len(values); {
		end, seen := start, map[string]bool{}
		for end < len(values) {
			language, _, _ := strings.Cut(values[end], "=")
			if seen[language] {
				break
			}
			seen[language] = true
			end++
		}
		t, err := textOf(flag, values[start:end])
		if err != nil {
			return nil, err
		}
		out, start = append(out, t), end
	}
	return out, nil
}

type proposeCmd struct {
	actFlags
	File string `arg:"" help:"Agreement file (docs/agreement-file.md)."`
}

func (proposeCmd) Help() string {
	return `Example: mithaq agreement propose memorandum.toml --root /media/stick/root.age

Opens this party's log under the agreement and states the founding text in it. Alone, the agreement is in force at once.`
}

func (c *proposeCmd) Run(ctx context.Context, a *app) error {
	text, err := readDefinition(c.File)
	if err != nil {
		return err
	}
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		return c.act(ctx, a, client, agreement.ID(text), node.ActRequest{Act: "propose", Definition: string(text)})
	})
}

func readDefinition(file string) ([]byte, error) {
	text, err := os.ReadFile(file) // #nosec G304 -- the user names the file
	if err != nil {
		return nil, err
	}
	// What is wrong is told with its place in the file before anything is done.
	return text, node.CheckDefinition(file, text)
}

type amendCmd struct {
	actFlags
	ID   string `arg:"" help:"Agreement id, the beginning of it, or label."`
	File string `arg:"" help:"The whole new text, with the next version."`
}

func (amendCmd) Help() string { return "Example: mithaq agreement amend sahlan-norvia version-2.toml" }

func (c *amendCmd) Run(ctx context.Context, a *app) error {
	text, err := readDefinition(c.File)
	if err != nil {
		return err
	}
	return c.run(ctx, a, c.ID, node.ActRequest{Act: "amend", Definition: string(text)})
}

type approveCmd struct {
	actFlags
	Reserve  []string `help:"A reservation to a commitment." placeholder:"LABEL:LANG=TEXT" sep:"none"`
	ID       string   `arg:"" help:"Agreement id, the beginning of it, or label."`
	Proposal string   `arg:"" optional:"" help:"Leaf of the proposal, or the beginning of it (default: the only open one)."`
}

func (approveCmd) Help() string {
	return "Example: mithaq agreement approve sahlan-norvia 5b2c\n\nPrints what the proposal changes. Approving two proposals on one basis is provable misconduct; the second is refused."
}

func (c *approveCmd) Run(ctx context.Context, a *app) error {
	reservations, err := reservationsOf(c.Reserve)
	if err != nil {
		return err
	}
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		v, err := running(ctx, client, c.ID)
		if err != nil {
			return err
		}
		d, err := client.Difference(ctx, v.ID, c.Proposal)
		if err != nil {
			return err
		}
		if !c.JSON {
			mark(a, d.Mark)
			printDifference(a, d)
		}
		return c.act(ctx, a, client, v.ID, node.ActRequest{Act: "approve", Proposal: d.Proposal, Reservations: reservations})
	})
}

type joinCmd struct {
	actFlags
	Reserve []string `help:"A reservation to a commitment." placeholder:"LABEL:LANG=TEXT" sep:"none"`
	Declare []string `help:"A declaration, by language." placeholder:"LANG=TEXT" sep:"none"`
	ID      string   `arg:"" help:"Agreement id or label; or the file of its roll, which is imported first. A roll that is not here is fetched from the peers."`
}

func (joinCmd) Help() string {
	return `Example: mithaq agreement join roll.json --reserve '2:en=Only for public networks.' --out join.json`
}

func (c *joinCmd) Run(ctx context.Context, a *app) error {
	q := node.ActRequest{Act: "join"}
	fetch := false
	var err error
	if q.Declarations, err = textsOf("--declare", c.Declare); err != nil {
		return err
	}
	if q.Reservations, err = reservationsOf(c.Reserve); err != nil {
		return err
	}
	if _, missing := os.Stat(c.ID); missing == nil {
		err := a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
			got, err := importFile(ctx, a, client, c.ID)
			if err == nil && got.What != "roll" {
				err = &fault.Fault{Code: fault.Invalid, What: "joining: " + c.ID + " is no roll", Remedy: "ask the depositary for it: mithaq agreement export"}
			}
			c.ID = got.Agreement
			return err
		})
		if err != nil {
			return err
		}
	} else {
		fetch = true
	}
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		v, err := running(ctx, client, c.ID)
		if fetch && (fault.CodeOf(err) == fault.NotFound || fault.CodeOf(err) == fault.Conflict) {
			if v, err = fetchRunning(ctx, client, c.ID, err); err == nil && !c.JSON {
				fmt.Fprintf(a.stdout, "fetched the roll of %s: %d entries\n", v.Label, v.Here.Entries)
			}
		}
		if err != nil {
			return err
		}
		return c.act(ctx, a, client, v.ID, q)
	})
}

// fetchRunning takes the roll over from a peer that shows it. Where none does, what was wrong before is what is said.
func fetchRunning(ctx context.Context, client *api.Client, ref string, before error) (node.AgreementView, error) {
	peers, err := client.Peers(ctx)
	if err != nil || len(peers) == 0 {
		return node.AgreementView{}, before
	}
	got, err := client.FetchRoll(ctx, ref)
	if err != nil {
		return node.AgreementView{}, err
	}
	return running(ctx, client, got.Agreement)
}

// reservationsOf reads LABEL:LANG=TEXT flags; several languages of one commitment make one reservation.
func reservationsOf(values []string) ([]agreement.Reservation, error) {
	var out []agreement.Reservation
	for _, v := range values {
		label, rest, ok := strings.Cut(v, ":")
		language, words, ok2 := strings.Cut(rest, "=")
		if !ok || !ok2 {
			return nil, &fault.Fault{Code: fault.Invalid, What: fmt.Sprintf("--reserve %.60q", v), Remedy: "write LABEL:LANG=TEXT, as 2:en=\"…\""}
		}
		i := len(out) - 1
		if i < 0 || out[i].Commitment != label {
			out = append(out, agreement.Reservation{Commitment: label, Text: agreement.Text{}})
			i++
		}
		out[i].Text[language] = words
	}
	return out, nil
}
