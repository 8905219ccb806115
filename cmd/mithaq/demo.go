package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/node"
)

// fictional stands on every output of the demonstration, in the three languages.
const fictional = "خيالي · Fictional · Fictif"

//go:embed demo/indicators.json
var demoBundle []byte

type demoCmd struct {
	Once  bool     `help:"End after the run instead of serving on."`
	Dir   string   `help:"Directory of the demonstration's node; used again when it is there." default:"mithaq-demo" placeholder:"DIR"`
	Files []string `arg:"" optional:"" name:"file" help:"STIX 2.1 bundles to publish instead of the built-in one."`
}

func (demoCmd) Help() string { return "Example: mithaq demo --once indicators.json" }

func (c *demoCmd) Run(ctx context.Context, a *app) (err error) {
	d := demo{app: a, dir: c.Dir, files: c.Files}
	if err := d.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close(ctx)) }()
	if err := d.tell(ctx); err != nil {
		return err
	}
	if c.Once {
		return nil
	}
	return d.receive(ctx)
}

// demo is one run of the demonstration.
type demo struct {
	app    *app
	dir    string
	files  []string
	node   *node.Node
	daemon *api.Daemon
	client *api.Client
	log    node.LogView
	doors  doors

	norvia, darb *counterpart
}

func (d *demo) say(what, format string, args ...any) {
	fmt.Fprintf(d.app.stdout, "%-10s %s\n", what, fmt.Sprintf(format, args...))
}

func (d *demo) open(ctx context.Context) error {
	logger := d.app.logger(slog.LevelError, "text")
	fmt.Fprintln(d.app.stdout, fictional)
	var err error
	if _, missing := os.Stat(filepath.Join(d.dir, node.ConfigName)); errors.Is(missing, os.ErrNotExist) {
		d.node, err = node.Init(ctx, d.dir, node.InitOptions{
			Names:     map[string]string{"en": "CERT-Sahlan", "ar": "مركز سهلان للاستجابة", "fr": "CERT de Sahlan"},
			Fictional: true, Public: true, Logger: logger,
		})
	} else {
		d.node, err = node.Open(ctx, d.dir, node.OpenOptions{Secret: d.app.secret(d.dir), Logger: logger})
	}
	if err != nil {
		return err
	}
	if portTaken(d.node.Config().Listen) {
		d.node.ListenOn("127.0.0.1:0")
	}
	d.doors = newDoors()
	if d.daemon, err = d.doors.start(ctx, d.node, logger); err != nil {
		return errors.Join(err, d.node.Close(context.WithoutCancel(ctx)))
	}
	client, ok := api.OverSocket(ctx, d.dir)
	if !ok {
		return errors.Join(errors.New("the node does not answer on its own socket"), d.close(ctx))
	}
	d.client = client
	if err := d.castAll(ctx); err != nil {
		return errors.Join(err, d.close(ctx))
	}
	return nil
}

// castAll brings the two other parties in.
func (d *demo) castAll(ctx context.Context) (err error) {
	d.norvia, err = d.cast(ctx, "norvia", map[string]string{"en": "Foreign Ministry of Norvia", "ar": "وزارة خارجية نورفيا", "fr": "Ministère des Affaires étrangères de Norvia"})
	if err == nil {
		d.darb, err = d.cast(ctx, "darb", map[string]string{"en": "Darb Energy", "ar": "درب للطاقة", "fr": "Darb Énergie"})
	}
	return err
}

// portTaken reports whether another program listens on addr: the demonstration then takes any free port.
func portTaken(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func (d *demo) close(ctx context.Context) error {
	if d.client != nil {
		d.client.Close()
	}
	var errs []error
	for _, c := range []*counterpart{d.darb, d.norvia} {
		if c != nil {
			errs = append(errs, c.leave(ctx))
		}
	}
	return errors.Join(append(errs, d.daemon.Stop(), d.node.Close(context.WithoutCancel(ctx)))...)
}

func (d *demo) tell(ctx context.Context) error {
	party := d.node.Party()
	d.say("party", "%s (%s), keys in %s", party.Names["en"], party.ID, d.dir)
	d.say("compare", "%s", party.Fingerprint)
	logs, err := d.client.Logs(ctx)
	if err != nil {
		return err
	}
	d.log = logs[0]
	last, err := d.publishAll(ctx)
	if err != nil {
		return err
	}
	if err := d.auditAsStranger(ctx, party); err != nil {
		return err
	}
	if err := d.auditForged(ctx); err != nil {
		return err
	}
	if err := d.proveOffline(ctx, last); err != nil {
		return err
	}
	if err := d.story(ctx); err != nil {
		return err
	}
	d.say("look at", "%scheckpoint", d.log.URL)
	d.say("type next", "mithaq log list --dir %s", d.dir)
	d.say("", "mithaq show %d --dir %s", last.Index, d.dir)
	d.say("", "mithaq agreement status %s --dir %s", demoLabel, d.dir)
	d.say("", "mithaq log verify --evidence %s", filepath.Join(d.dir, "evidence.json"))
	d.say("", "mithaq log verify --objects %s", d.log.URL)
	return nil
}

// publishAll publishes intel, an act and a report whose evidence the first two are.
func (d *demo) publishAll(ctx context.Context) (last node.Receipt, err error) {
	var evidence []string
	publish := func(what string, draft node.Draft) error {
		start := time.Now()
		if last, err = d.client.Publish(ctx, d.log.ID, draft); err != nil {
			return fmt.Errorf("publishing %s: %w", what, err)
		}
		evidence = append(evidence, "evidence:"+last.Leaf)
		d.say("published", "%s as place %d: %s (durable and signed in %d ms)", last.Kind, last.Index, what, time.Since(start).Milliseconds())
		return nil
	}
	bundles, err := d.bundles()
	if err != nil {
		return last, err
	}
	for _, b := range bundles {
		if err := publish(b.what, node.Draft{Kind: "intel", TLP: b.tlp, Body: b.body}); err != nil {
			return last, err
		}
	}
	today := time.Now().UTC().Format("2006-01-02")
	act := map[string]any{"act": "declare", "date": today, "declarations": []map[string]string{{
		"en": "CERT-Sahlan keeps its records in a verifiable log (fictional).",
		"ar": "يحفظ مركز سهلان قيوده في سجل قابل للتحقق (خيالي).",
		"fr": "Le CERT de Sahlan tient ses entrées dans un journal vérifiable (fictif).",
	}}}
	if err := publishJSON(publish, "a declaration in three languages", "act", act, nil); err != nil {
		return last, err
	}
	report := map[string]any{
		"period":   map[string]string{"from": today, "to": today},
		"summary":  map[string]string{"en": "Indicators were shared and a declaration made (fictional).", "ar": "شورِكت مؤشرات وصدر إعلان (خيالي).", "fr": "Des indicateurs ont été partagés et une déclaration faite (fictif)."},
		"measures": []map[string]any{{"text": map[string]string{"en": "Shared indicators of the campaign."}, "status": "done"}},
	}
	return last, publishJSON(publish, "a report whose evidence is the entries above", "report", report, evidence)
}

func publishJSON(publish func(string, node.Draft) error, what, kind string, body any, refs []string) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return publish(what, node.Draft{Kind: kind, TLP: "TLP:CLEAR", Refs: refs, Body: data})
}

type demoInput struct {
	what, tlp string
	body      []byte
}

func (d *demo) bundles() ([]demoInput, error) {
	if len(d.files) == 0 {
		return []demoInput{{what: "the built-in STIX bundle", tlp: "TLP:CLEAR", body: demoBundle}}, nil
	}
	var out []demoInput
	for _, file := range d.files {
		body, err := readInput(d.app, file)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		out = append(out, demoInput{what: filepath.Base(file), body: body})
	}
	return out, nil
}
