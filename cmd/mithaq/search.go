package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

type searchCmd struct {
	dirFlag
	JSON      bool     `help:"Print the results as JSON."`
	Kind      string   `help:"Records of this kind only." placeholder:"KIND"`
	Agreement string   `help:"Records under this agreement only." placeholder:"ID"`
	Limit     int      `help:"How many results (1 to 100)." default:"20"`
	Before    int64    `help:"Go on after a page: its next." placeholder:"N"`
	Query     []string `arg:"" help:"Words in Arabic, English or French, an indicator, a record id, a leaf hash or a STIX id."`
}

func (searchCmd) Help() string {
	return `Examples:
  mithaq search ransomware energ
  mithaq search --kind intel 198.51.100.7
  mithaq search 'برمجيات الفدية'

Every word must be found; the last one may be a beginning, as one types. What is TLP:RED is found only by the persons it
names, and what was recalled or has expired not at all.`
}

func (c *searchCmd) Run(ctx context.Context, a *app) error {
	if c.Limit < 1 || c.Limit > node.MaxSearchLimit {
		return &fault.Fault{Code: fault.Invalid, What: fmt.Sprintf("searching for %d results", c.Limit), Remedy: "give --limit 1 to 100"}
	}
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		found, err := client.Search(ctx, node.SearchQuery{Text: strings.Join(c.Query, " "), Kind: c.Kind, Agreement: c.Agreement, Limit: c.Limit, Before: c.Before})
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(found)
		}
		for _, w := range found.Warnings {
			fmt.Fprintf(a.stdout, "on the warning list %q: %s\n", oneLine(w.List), oneLine(w.Value))
		}
		for _, r := range found.Results {
			a.printResult(r)
		}
		if found.Next > 0 {
			fmt.Fprintf(a.stdout, "more: --before %d\n", found.Next)
		}
		if found.Behind > 0 {
			fmt.Fprintf(a.stderr, "mithaq: %s not indexed yet: run 'mithaq serve' or 'mithaq reindex'\n", plural(int(found.Behind), "leaf is", "leaves are"))
		}
		if len(found.Results) == 0 {
			fmt.Fprintln(a.stderr, "mithaq: nothing found")
			return exitCode(exitNo)
		}
		return nil
	})
}

func (a *app) printResult(r node.SearchResult) {
	line := fmt.Sprintf("%s/%d  %s  %s  %s", r.Log, r.Index, r.Time.UTC().Format("2006-01-02"), r.Kind, r.TLP)
	if r.Standing != node.StandingValid {
		line += "  " + r.Standing
	}
	fmt.Fprintln(a.stdout, line+tagged(a, r.Mark))
	if len(r.Snippet) == 0 {
		return
	}
	// On a terminal what was found is bold, elsewhere between brackets.
	open, shut := "[", "]"
	if out, ok := a.stdout.(*os.File); ok && term.IsTerminal(int(out.Fd())) {
		open, shut = "\x1b[1m", "\x1b[0m"
	}
	var b strings.Builder
	for _, f := range r.Snippet {
		text := oneLine(f.Text)
		if f.Found {
			text = open + text + shut
		}
		b.WriteString(text)
	}
	fmt.Fprintf(a.stdout, "    %s\n", b.String())
}

// oneLine makes text safe to print in a line: other people's control and direction characters do not reach the terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < 0x20 || 0x7f <= r && r < 0xa0 || 0x200e <= r && r <= 0x200f || r == 0x61c || 0x2028 <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069:
			return -1
		}
		return r
	}, s)
}
