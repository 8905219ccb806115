package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

type peerCmd struct {
	Add    peerAddCmd    `cmd:"" help:"Know another party's node, once its fingerprint was compared."`
	List   peerListCmd   `cmd:"" help:"List the nodes that this one knows."`
	Show   peerShowCmd   `cmd:"" help:"Show one of them."`
	Remove peerRemoveCmd `cmd:"" help:"Forget one of them."`
	Card   peerCardCmd   `cmd:"" help:"Print how this node introduces itself, for another node's 'peer add'."`
}

type peerAddCmd struct {
	dirFlag
	langFlag
	Node        string `arg:"" help:"The node's address, or the file with its card."`
	Fingerprint string `help:"The eight words that the party read out; another fingerprint is refused." placeholder:"WORDS" xor:"compared"`
	Yes         bool   `help:"The fingerprint was compared already: do not ask." xor:"compared"`
	Mirror      string `help:"Fetch its logs from this host instead." placeholder:"URL"`
	Witness     bool   `help:"It is an outsider that only co-signs: it is not followed, and not told who asks."`
	JSON        bool   `help:"Print the peer as JSON."`
}

func (peerAddCmd) Help() string {
	return `Example: mithaq peer add https://cert.sahlan.example

Shows the party's names and the fingerprint of its key in eight words. Compare them by telephone with somebody whose voice you
know: everything else follows from this one comparison. The depositary's node is enough; its roll introduces the others.`
}

func (c *peerAddCmd) Run(ctx context.Context, a *app) error {
	q := node.PeerRequest{URL: c.Node, Mirror: c.Mirror, Cosigns: c.Witness}
	if !isURL(c.Node) {
		data, err := readFile(c.Node)
		if err != nil {
			return err
		}
		card, err := node.ReadCard(data)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Node, err)
		}
		q.URL, q.Card = "", &card
	}
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		p, err := client.LookAtPeer(ctx, q)
		if err != nil {
			return err
		}
		if err := c.compare(a, p); err != nil {
			return err
		}
		q.Party = p.ID
		if p, err = client.AddPeer(ctx, q); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(a, p)
		}
		fmt.Fprintf(a.stdout, "added %s\n", nameOf(p.Names, c.languages(a)))
		return nil
	})
}

// nameOf is a party's name in the first of the languages that there is.
func nameOf(names map[string]string, languages []string) string {
	name, _ := agreement.Text(names).In(languages...)
	return name
}

// compare has a person compare the fingerprint, unless they did so before.
func (c *peerAddCmd) compare(a *app, p node.PeerView) error {
	if c.Fingerprint != "" {
		if !strings.EqualFold(strings.Join(strings.Fields(c.Fingerprint), " "), p.Fingerprint) {
			return &fault.Fault{Code: fault.Forbidden, What: fmt.Sprintf("adding a peer: its fingerprint is %q, not what was read out", p.Fingerprint),
				Remedy: "ask the party again, by another way than this network"}
		}
		return nil
	}
	if !c.JSON {
		printPeer(a, p, c.languages(a))
	}
	if c.Yes {
		return nil
	}
	fmt.Fprint(a.stderr, "Does the party read out the same eight words? [y/N] ")
	answer, err := bufio.NewReader(io.LimitReader(a.stdin, 100)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if word := strings.ToLower(strings.TrimSpace(answer)); word != "y" && word != "yes" {
		return &fault.Fault{Code: fault.Forbidden, What: "adding a peer: nothing was added", Remedy: "compare the fingerprint, then answer y, or give it with --fingerprint"}
	}
	return nil
}

func printPeer(a *app, p node.PeerView, languages []string) {
	fmt.Fprintf(a.stdout, "%s%s\n", nameOf(p.Names, languages), tagged(a, p.Mark))
	line := linePrinter(a)
	line("party", p.ID)
	line("fingerprint", p.Fingerprint)
	line("address", p.URL)
	line("mirror", p.Mirror)
	if p.Cosigns {
		line("use", "an outsider that only co-signs: not followed, and not told who asks")
	}
	switch {
	case p.Changed:
		line("trust", "known here with other keys or another address")
	case p.Introduced != "":
		line("trust", "introduced by "+p.Introduced)
	case p.Pinned:
		line("trust", "its fingerprint was compared")
	}
	if p.Reached != nil {
		line("reached", p.Reached.UTC().Format(time.RFC3339))
	}
	if p.Failures > 0 && p.Again != nil {
		line("trouble", fmt.Sprintf("%d times in a row, again at %s: %s", p.Failures, p.Again.UTC().Format(time.RFC3339), p.Trouble))
	}
	for _, h := range p.Held {
		line("waits here", heldLine(h))
	}
	for _, h := range p.HeldAt {
		line("holds back", fmt.Sprintf("our log %s: %s", h.Log, heldLine(h)))
	}
	if r := p.Refused; r != nil {
		line("refused", fmt.Sprintf("%s; last at %s: %s", kindCounts(r.Kinds), r.At.UTC().Format(time.RFC3339), r.Last))
	}
}

func heldLine(h node.HeldView) string {
	return fmt.Sprintf("quota of %d %s since %s, the rest at %s", h.Limit, h.What, h.Since.UTC().Format(time.RFC3339), h.Until.UTC().Format(time.RFC3339))
}

// kindCounts writes how often each kind was counted, in the order of their names.
func kindCounts(kinds map[string]int64) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, kinds[k]))
	}
	return strings.Join(parts, ", ")
}

type peerListCmd struct {
	dirFlag
	langFlag
	JSON bool `help:"Print as JSON."`
}

func (peerListCmd) Help() string { return "Example: mithaq peer list" }

func (c *peerListCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		all, err := client.Peers(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(a, all)
		}
		for i, p := range all {
			if i > 0 {
				fmt.Fprintln(a.stdout)
			}
			printPeer(a, p, c.languages(a))
		}
		if len(all) == 0 {
			fmt.Fprintln(a.stdout, "no peers: add the depositary's node with 'mithaq peer add URL'")
		}
		return nil
	})
}

type peerShowCmd struct {
	dirFlag
	langFlag
	Peer string `arg:"" help:"Party id, the beginning of it, a name, or its address."`
	JSON bool   `help:"Print as JSON."`
}

func (peerShowCmd) Help() string { return "Example: mithaq peer show p-zl3b" }

func (c *peerShowCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		all, err := client.Peers(ctx)
		if err != nil {
			return err
		}
		p, err := node.PickPeer(all, c.Peer)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(a, p)
		}
		printPeer(a, p, c.languages(a))
		return nil
	})
}

type peerRemoveCmd struct {
	dirFlag
	langFlag
	Peer string `arg:"" help:"Party id, the beginning of it, or a name."`
}

func (peerRemoveCmd) Help() string {
	return "Example: mithaq peer remove p-zl3b\n\nWhat was fetched from it stays. A party of an agreement's roll is introduced again."
}

func (c *peerRemoveCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		p, err := client.RemovePeer(ctx, c.Peer)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "removed %s\n", nameOf(p.Names, c.languages(a)))
		return nil
	})
}

type peerCardCmd struct {
	dirFlag
	Out string `short:"o" help:"File to write it to (default: standard output)." placeholder:"FILE"`
}

func (peerCardCmd) Help() string {
	return "Example: mithaq peer card -o darb.json\n\nFor a node that cannot be reached: somebody carries the card to the depositary, for 'mithaq peer add darb.json'."
}

func (c *peerCardCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		card, err := client.Card(ctx)
		if err != nil {
			return err
		}
		if c.Out == "" {
			return printJSON(a, card)
		}
		return writeJSON(c.Out, card)
	})
}
