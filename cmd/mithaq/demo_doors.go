package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/internal/web"
	"github.com/mithaq/mithaq/ui"
)

// doors are the ways into the screens of the demonstration's parties: one click for each, with a key that is made anew at
// every start and told nowhere but on the screens of this machine.
type doors struct {
	key  string
	open *[]web.Door
}

func newDoors() doors {
	return doors{key: rand.Text(), open: &[]web.Door{}}
}

// start serves a party's node with its screens and adds its door.
func (d doors) start(ctx context.Context, n *node.Node, logger *slog.Logger) (*api.Daemon, error) {
	screens, err := web.New(n, web.Options{Files: ui.Files(), Logger: logger, Key: d.key, Doors: func() []web.Door { return *d.open }})
	if err != nil {
		return nil, err
	}
	daemon, err := api.Start(ctx, n, version(), logger, screens)
	if err != nil {
		return nil, err
	}
	party := n.Party()
	*d.open = append(slices.DeleteFunc(slices.Clone(*d.open), func(o web.Door) bool { return o.Party == party.ID }), web.Door{Party: party.ID, Names: party.Names, URL: daemon.URL + "/enter/" + d.key})
	return daemon, nil
}

// receive keeps the nodes and screens of all parties until the person at the terminal interrupts.
func (d *demo) receive(ctx context.Context) error {
	if err := d.leaveOpen(ctx); err != nil {
		d.say("note", "no amendment waits for approval: %v", err) // the rest of the story stands
	}
	d.say("open", "%s/ (until you interrupt: Ctrl-C)", d.daemon.URL)
	if out, ok := d.app.stdout.(*os.File); ok && term.IsTerminal(int(out.Fd())) {
		browse(ctx, d.daemon.URL+"/")
	}
	return d.daemon.Wait(ctx)
}

// leaveOpen has Norvia propose and approve another version of the memorandum, so that whoever looks in at Sahlan finds something to
// approve. An earlier run may have done so.
func (d *demo) leaveOpen(ctx context.Context) error {
	v, err := d.client.Agreement(ctx, demoLabel)
	if err != nil || v.Version != "2" || len(v.Here.Proposals) > 0 {
		return err
	}
	text := strings.NewReplacer("version = \"2\"", "version = \"3\"", "without delay", "within one day",
		"دون تأخير", "خلال يوم واحد", "sans délai", "sous un jour").Replace(v.Text)
	if _, err := d.norvia.act(ctx, demoLabel, node.ActRequest{Act: "amend", Definition: text}); err != nil {
		return err
	}
	if _, err := waitUntil(ctx, "both see the amendment", func() (bool, error) {
		here, err := d.client.Agreement(ctx, demoLabel)
		if err != nil || len(here.Here.Proposals) == 0 {
			return false, err
		}
		there, err := d.norvia.node.Agreement(ctx, demoLabel)
		return err == nil && len(there.Here.Proposals) > 0, err
	}); err != nil {
		return err
	}
	_, err = d.norvia.act(ctx, demoLabel, node.ActRequest{Act: "approve"})
	return err
}

// browse opens an address in the browser of whoever sits at this machine, when the system knows one. Nothing is lost when it
// does not: the address was printed.
func browse(ctx context.Context, url string) {
	program := map[string]string{"linux": "xdg-open", "darwin": "open"}[runtime.GOOS]
	if path, err := exec.LookPath(program); err == nil {
		_ = exec.CommandContext(ctx, path, url).Start() // #nosec G204 -- a fixed program and an address of our own
	}
}
