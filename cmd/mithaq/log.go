package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

type logCmd struct {
	List   logListCmd   `cmd:"" help:"List the node's logs."`
	Open   logOpenCmd   `cmd:"" help:"Open a log under an agreement; the root key signs its keyring."`
	Verify logVerifyCmd `cmd:"" help:"Audit a log: a node's directory, a URL, or an offline proof."`
	Proof  logProofCmd  `cmd:"" help:"Write the offline proof that a record is in the log."`
	Follow logFollowCmd `cmd:"" help:"Follow another party's log: fetch, verify, keep and index it."`
	Sync   logSyncCmd   `cmd:"" help:"Take what the hosts of followed logs show, now."`

	Evidence logEvidenceCmd `cmd:"" help:"Proofs that a party signed two histories: list, write, publish."`
}

type logListCmd struct {
	dirFlag
	JSON bool `help:"Print as a JSON list."`
}

func (logListCmd) Help() string { return "Example: mithaq log list --json" }

func (c *logListCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		logs, err := client.Logs(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(logs)
		}
		for _, l := range logs {
			who := "readers need a token"
			switch {
			case l.State == "followed":
				who = "of " + l.Party
			case l.Public:
				who = "public"
			}
			fmt.Fprintf(a.stdout, "%s  %d leaves, %s, %s, agreement %s%s\n  url   %s\n  vkey  %s\n", l.ID, l.Size, l.State, who, l.Agreement, tagged(a, l.Mark), l.URL, l.VKey)
		}
		return nil
	})
}

type logOpenCmd struct {
	dirFlag
	rootFlags
	Agreement string `help:"Agreement id (a-…)." required:"" placeholder:"ID"`
	Public    bool   `help:"Serve the log to everybody; without it readers need a token."`
	JSON      bool   `help:"Print the receipt of its keyring as JSON."`
}

func (logOpenCmd) Help() string {
	return "Example: mithaq log open --agreement a-… --root /media/stick/root.age"
}

func (c *logOpenCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		change := node.KeyChange{Action: "open", Agreement: c.Agreement, Public: c.Public}
		receipts, err := c.ceremony(ctx, a, c.dirFlag, client, change)
		if err != nil {
			return err
		}
		for _, r := range receipts {
			if err := a.print(c.JSON, r, "opened %s under %s\n", r.Log, c.Agreement); err != nil {
				return err
			}
		}
		return nil
	})
}

type logVerifyCmd struct {
	dirFlag
	Target  string `arg:"" optional:"" help:"URL of a log, or a node's directory (default: --dir)."`
	VKey    string `name:"vkey" help:"Verifier key to hold the checkpoint against (default: the one that the log's own keyring names)." placeholder:"VKEY"`
	Party   string `help:"Party id that the log must belong to." placeholder:"ID"`
	Token   string `help:"Bearer token for a restricted log." placeholder:"TOKEN" env:"MITHAQ_TOKEN"`
	Objects bool   `help:"Also fetch, open and check every record, as far as it is not sealed to others."`
	Proof   string `help:"Check this offline proof instead of a log; needs --vkey and --object." placeholder:"FILE"`
	Object  string `help:"The object that the proof is about." placeholder:"FILE"`

	Evidence string `help:"Check this proof of two histories instead of a log; needs nothing else." placeholder:"FILE"`
	JSON     bool   `help:"Print the report as JSON."`
}

func (logVerifyCmd) Help() string {
	return `Examples:
  mithaq log verify https://node.example/log/l-…/ --objects
  mithaq log verify --dir /var/lib/mithaq
  mithaq log verify --proof 3.tlog-proof --object 3.object --vkey 'mithaq/l-…+…'
  mithaq log verify --evidence fork.evidence

Exit code 0: everything holds; 1: something does not; 2: it could not be read.`
}

func (c *logVerifyCmd) Run(ctx context.Context, a *app) error {
	if c.Proof != "" {
		return c.verifyProof(a)
	}
	if c.Evidence != "" {
		return c.verifyEvidence(a)
	}
	opts := node.AuditOptions{VKey: c.VKey, Party: c.Party, Token: c.Token, Objects: c.Objects, Progress: a.progress("verifying")}
	reports, err := c.audit(ctx, a, opts)
	for _, r := range reports {
		if c.JSON {
			if err := json.NewEncoder(a.stdout).Encode(r); err != nil {
				return err
			}
			continue
		}
		printAudit(a, r)
	}
	if err != nil {
		return unreadable{err}
	}
	for _, r := range reports {
		if !r.OK() {
			return exitCode(exitNo)
		}
	}
	return nil
}

func (c *logVerifyCmd) audit(ctx context.Context, a *app, opts node.AuditOptions) ([]node.AuditReport, error) {
	if isURL(c.Target) {
		report, err := node.AuditURL(ctx, c.Target, opts)
		if err != nil {
			return nil, err
		}
		return []node.AuditReport{report}, nil
	}
	if c.Target != "" {
		c.Dir = c.Target
	}
	dir, err := c.path(a)
	if err != nil {
		return nil, err
	}
	return node.AuditDir(ctx, dir, a.secret(dir), opts)
}

func isURL(s string) bool { return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") }

func (c *logVerifyCmd) verifyProof(a *app) error {
	if c.VKey == "" || c.Object == "" {
		return &fault.Fault{Code: fault.Invalid, What: "verifying a proof", Remedy: "give --object FILE and --vkey VKEY with --proof"}
	}
	proof, err := readFile(c.Proof)
	if err != nil {
		return err
	}
	object, err := readFile(c.Object)
	if err != nil {
		return err
	}
	place, err := node.VerifyProof(proof, object, c.VKey)
	if err != nil {
		return fmt.Errorf("%s does not prove %s: %w", c.Proof, c.Object, err)
	}
	fmt.Fprintf(a.stdout, "proved: the object is leaf %d of %s, in a checkpoint of %d leaves signed by its key\n", place.Index, place.Log, place.Size)
	return nil
}

func printAudit(a *app, r node.AuditReport) {
	verdict := "holds"
	if !r.OK() {
		verdict = "DOES NOT HOLD"
	}
	fmt.Fprintf(a.stdout, "%s %s: %d leaves, root %s\n", r.Origin, verdict, r.Size, r.Root)
	if r.Party != "" {
		fmt.Fprintf(a.stdout, "  party %s (%s)\n", r.Party, r.Fingerprint)
	}
	if r.Objects {
		fmt.Fprintf(a.stdout, "  records: %s\n", r.Tally())
	}
	for _, f := range r.Findings {
		fmt.Fprintf(a.stdout, "  leaf %d: %s\n", f.Index, f.What)
	}
	if r.More > 0 {
		fmt.Fprintf(a.stdout, "  and %d more findings\n", r.More)
	}
	fmt.Fprintf(a.stdout, "  %.1f s, %.0f leaves/s\n", r.Seconds, r.Rate())
}

type logProofCmd struct {
	dirFlag
	Ref    string `arg:"" help:"Place, leaf hash or object hash."`
	Out    string `short:"o" help:"File for the proof (default: standard output)." placeholder:"FILE"`
	Object string `help:"Also write the object that the proof is about." placeholder:"FILE"`
}

func (logProofCmd) Help() string {
	return "Example: mithaq log proof 3 -o 3.tlog-proof --object 3.object"
}

func (c *logProofCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		place, err := resolve(ctx, client, c.Ref)
		if err != nil {
			return err
		}
		proof, err := client.Proof(ctx, place.Log, place.Index)
		if err != nil {
			return err
		}
		if c.Object != "" {
			object, err := client.Object(ctx, place.Log, place.Index)
			if err != nil {
				return err
			}
			if err := os.WriteFile(c.Object, object, 0o600); err != nil {
				return err
			}
		}
		if c.Out == "" {
			_, err = a.stdout.Write(proof)
			return err
		}
		return os.WriteFile(c.Out, proof, 0o600)
	})
}
