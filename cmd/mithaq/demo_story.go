package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

//go:embed demo/memorandum.toml
var demoMemorandum string

//go:embed demo/demo-call.toml
var demoCall []byte

// demoLabel is what the memorandum of the story calls itself.
const demoLabel = "sahlan-norvia"

// story plays the memorandum between CERT-Sahlan and the foreign ministry of Norvia, with Darb Energy shut out of it, and a
// circle of all three in which Darb Energy rewrites its own history. A second run in the same directory goes on from there.
func (d *demo) story(ctx context.Context) error {
	if err := d.shelf(ctx); err != nil {
		return err
	}
	for _, c := range []*counterpart{d.norvia, d.darb} {
		if err := c.meet(ctx, d); err != nil {
			return err
		}
	}
	d.say("met", "three nodes, %s, %s, %s: the others compare CERT-Sahlan's eight words, its rolls introduce the rest", d.daemon.URL, d.norvia.daemon.URL, d.darb.daemon.URL)
	if err := d.found(ctx); err != nil {
		return err
	}
	if err := d.amend(ctx); err != nil {
		return err
	}
	memorandum, err := d.client.Agreement(ctx, demoLabel)
	if err != nil {
		return err
	}
	for _, scene := range []func(context.Context) error{
		d.share,
		func(ctx context.Context) error { return d.unseen(ctx, memorandum.ID) },
		d.watch,
		d.circle,
		d.caught,
	} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	return d.promises(ctx)
}

// shelf shows what is known of an agreement that does not run here.
func (d *demo) shelf(ctx context.Context) error {
	if _, err := d.client.Import(ctx, "demo-call.toml", demoCall); err != nil {
		return err
	}
	v, err := d.client.Agreement(ctx, "demo-call")
	if err != nil {
		return err
	}
	d.say("shelf", "%s (unofficial copy), its %d principles crosswalked to the Paris Call's nine", v.Names["en"], len(v.Commitments))
	for _, s := range v.Shelf.Standings {
		var acts []string
		for _, h := range s.History {
			acts = append(acts, fmt.Sprintf("%s %s (%s, %s)", h.Act, h.Date, h.Status, sourceLine(h.Source, []string{"en"})))
		}
		d.say("standing", "%s: %s", s.Names["en"], strings.Join(acts, ", then "))
	}
	var counts []string
	for _, c := range v.Shelf.Counts {
		counts = append(counts, fmt.Sprintf("%s %d (%s, %s)", c.Bound, c.Number, c.Status, sourceLine(c.Source, []string{"en"})))
	}
	d.say("counts", "states: %s; both stand", strings.Join(counts, " beside "))
	return nil
}

// found proposes the memorandum; Norvia finds it at CERT-Sahlan's node and approves it from its own.
func (d *demo) found(ctx context.Context) error {
	if v, err := d.client.Agreement(ctx, demoLabel); err == nil && v.Here.Phase == string(agreement.InForce) {
		d.say("founded", "%s is in force since an earlier run, version %s", v.Names["en"], v.Version)
		return nil
	}
	text := strings.NewReplacer("SAHLAN", d.node.Party().ID, "NORVIA", d.norvia.node.Party().ID).Replace(demoMemorandum)
	if err := d.propose(ctx, text, "2026-02-01"); err != nil {
		return fmt.Errorf("founding the memorandum: %w", err)
	}
	v, err := d.client.Agreement(ctx, demoLabel)
	if err != nil {
		return err
	}
	d.say("founded", "a memorandum with four aims: %s, %s", v.ID, v.Here.Phase)
	if _, err := d.norvia.node.FetchRoll(ctx, demoLabel); err != nil {
		return fmt.Errorf("asking Norvia: %w", err)
	}
	if _, err := d.norvia.act(ctx, demoLabel, node.ActRequest{Act: "approve"}); err != nil {
		return fmt.Errorf("asking Norvia: %w", err)
	}
	if v, err = d.client.Agreement(ctx, demoLabel); err != nil {
		return err
	}
	d.say("joined", "Norvia's node read the roll, approved the text and sent its act: %s, %d connected", v.Here.Phase, v.Here.Joined)
	return nil
}

// propose founds an agreement with a restricted log of this party.
func (d *demo) propose(ctx context.Context, text, date string) error {
	id := agreement.ID([]byte(text))
	q := node.ActRequest{Act: "propose", Definition: text, Date: date}
	_, err := d.client.Act(ctx, id, q)
	if fault.CodeOf(err) == fault.NoLog {
		if err = openLog(ctx, d.app, dirFlag{Dir: d.dir}, d.client, node.KeyChange{Agreement: id}, "", true); err == nil {
			_, err = d.client.Act(ctx, id, q)
		}
	}
	return err
}

// amend puts a second version before both, with its difference; Norvia's node sees it and approves.
func (d *demo) amend(ctx context.Context) error {
	v, err := d.client.Agreement(ctx, demoLabel)
	if err != nil || v.Version != "1" {
		return err
	}
	text := strings.NewReplacer("version = \"1\"", "version = \"2\"", "hospitals and ports", "hospitals, ports and schools",
		"والموانئ", "والموانئ والمدارس", "d'hôpitaux et de ports", "d'hôpitaux, de ports et d'écoles").Replace(v.Text)
	if _, err := d.client.Act(ctx, demoLabel, node.ActRequest{Act: "amend", Definition: text}); err != nil {
		return fmt.Errorf("amending the memorandum: %w", err)
	}
	diff, err := d.client.Difference(ctx, demoLabel, "")
	if err != nil {
		return err
	}
	for _, c := range diff.Changes {
		for _, f := range c.Fields {
			d.say("amendment", "%s, %s: %s", strings.TrimSpace(c.Section+" "+c.Label), f.Field, words(f.Words))
		}
	}
	if _, err := d.client.Act(ctx, demoLabel, node.ActRequest{Act: "approve"}); err != nil {
		return err
	}
	took, err := waitUntil(ctx, "Norvia sees the amendment", func() (bool, error) {
		v, err := d.norvia.node.Agreement(ctx, demoLabel)
		return err == nil && len(v.Here.Proposals) > 0, err
	})
	if err != nil {
		return err
	}
	if _, err := d.norvia.act(ctx, demoLabel, node.ActRequest{Act: "approve"}); err != nil {
		return err
	}
	if v, err = d.client.Agreement(ctx, demoLabel); err != nil {
		return err
	}
	d.say("approved", "by both, Norvia's node saw it after %d ms: version %s is in force, the roll has %d entries", took.Milliseconds(), v.Version, v.Here.Entries)
	return nil
}

// share previews who gets indicators, recalls a record, shares another, and reports.
func (d *demo) share(ctx context.Context) error {
	keyring, err := d.darb.node.Keyring(ctx, "own")
	if err != nil {
		return err
	}
	if _, err := d.client.Pin(ctx, keyring); err != nil {
		return err
	}
	intel := node.Draft{Kind: "intel", TLP: "TLP:AMBER", Serves: []string{"1", "2"}, Body: demoBundle}
	p, err := d.client.Preview(ctx, demoLabel, intel)
	if err != nil {
		return err
	}
	for _, r := range p.Recipients {
		d.say("preview", "%s indicators: %s", p.TLP, recipientLine(r))
	}
	wrong, err := d.client.Publish(ctx, demoLabel, intel)
	if err != nil {
		return err
	}
	took, err := waitUntil(ctx, "the indicators reach Norvia", func() (bool, error) { return finds(ctx, d.norvia.node, wrong.Leaf) })
	if err != nil {
		return err
	}
	d.say("travelled", "the indicators, sealed to the members: verified, opened and searchable at Norvia after %d ms", took.Milliseconds())
	recall, err := d.client.ChangeRecord(ctx, wrong.Log, wrong.Index, node.Change{Action: "withdraw", Reason: "false-positive"})
	if err != nil {
		return err
	}
	took, err = waitUntil(ctx, "Norvia obeys the recall", func() (bool, error) {
		shown, err := finds(ctx, d.norvia.node, wrong.Leaf)
		return !shown, err
	})
	if err != nil {
		return err
	}
	d.say("recalled", "place %d, shared by mistake: the recall at place %d binds every holder; Norvia's node obeys after %d ms", wrong.Index, recall.Index, took.Milliseconds())
	if err := d.acknowledged(ctx, wrong); err != nil {
		return err
	}
	kept, err := d.client.Publish(ctx, demoLabel, intel)
	if err != nil {
		return err
	}
	d.say("shared", "the indicators as place %d of the memorandum's log, sealed to its members", kept.Index)
	if err := d.readAt(ctx, d.norvia, kept); err != nil {
		return err
	}
	today := time.Now().UTC().Format(time.DateOnly)
	report, err := json.Marshal(map[string]any{"period": map[string]string{"from": today, "to": today},
		"summary": map[string]string{"en": "What was shared under the memorandum (fictional).", "ar": "ما شورك بموجب المذكرة (خيالي).", "fr": "Ce qui a été partagé (fictif)."}})
	if err != nil {
		return err
	}
	_, err = d.client.Publish(ctx, demoLabel, node.Draft{Kind: "report", TLP: "TLP:GREEN", Serves: []string{"3"}, Refs: []string{"evidence:" + kept.Leaf}, Body: report})
	return err
}

// promises ends the story with what it was about.
func (d *demo) promises(ctx context.Context) error {
	v, err := d.client.AgreementStatus(ctx, demoLabel, "")
	if err != nil {
		return err
	}
	d.say("promises", "%s, version %s", v.Names["en"], v.Version)
	for _, p := range v.Promises {
		if len(p.Evidence) == 0 {
			d.say("", "%s %s: %s", p.Label, p.Names["en"], gapWords(p))
			continue
		}
		d.say("", "%s %s: kept, %s, evidence at place %d, leaf %.12s…", p.Label, p.Names["en"], plural(p.Count, "record"), p.Evidence[0].Index, p.Evidence[0].Leaf)
	}
	return nil
}
