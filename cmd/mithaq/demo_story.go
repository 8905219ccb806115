package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/node"
)

//go:embed demo/memorandum.toml
var demoMemorandum string

//go:embed demo/demo-call.toml
var demoCall []byte

// demoLabel is what the memorandum of the story calls itself.
const demoLabel = "sahlan-norvia"

// story plays the memorandum between CERT-Sahlan and the foreign ministry of Norvia, with Darb Energy looking on.
// A second run in the same directory finds it in force and goes on.
func (d *demo) story(ctx context.Context) (err error) {
	norvia, err := d.cast(ctx, "norvia", map[string]string{"en": "Foreign Ministry of Norvia", "ar": "وزارة خارجية نورفيا", "fr": "Ministère des Affaires étrangères de Norvia"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, norvia.leave(ctx)) }()
	darb, err := d.cast(ctx, "darb", map[string]string{"en": "Darb Energy", "ar": "درب للطاقة", "fr": "Darb Énergie"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, darb.leave(ctx)) }()
	if err := d.shelf(ctx); err != nil {
		return err
	}
	if err := d.found(ctx, norvia); err != nil {
		return err
	}
	if err := d.amend(ctx, norvia); err != nil {
		return err
	}
	if err := d.share(ctx, darb); err != nil {
		return err
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

// found proposes the memorandum and carries it to Norvia and back.
func (d *demo) found(ctx context.Context, norvia *counterpart) error {
	if v, err := d.client.Agreement(ctx, demoLabel); err == nil && v.Here.Phase == string(agreement.InForce) {
		d.say("founded", "%s is in force since an earlier run, version %s", v.Names["en"], v.Version)
		return nil
	}
	text := strings.NewReplacer("SAHLAN", d.node.Party().ID, "NORVIA", norvia.node.Party().ID).Replace(demoMemorandum)
	id := agreement.ID([]byte(text))
	q := node.ActRequest{Act: "propose", Definition: text, Date: "2026-02-01"}
	out, err := d.client.Act(ctx, id, q)
	if node.CodeOf(err) == node.CodeNoLog {
		// Its tiles are public, so that a stranger can audit that it only grows; what stands in it is sealed.
		if err = openLog(ctx, d.app, dirFlag{Dir: d.dir}, d.client, node.KeyChange{Agreement: id, Public: true}, "", true); err == nil {
			out, err = d.client.Act(ctx, id, q)
		}
	}
	if err != nil {
		return fmt.Errorf("founding the memorandum: %w", err)
	}
	d.say("founded", "a memorandum with four aims: %s, %s", id, out.Phase)
	v, err := d.carry(ctx, norvia)
	if err != nil {
		return err
	}
	d.say("joined", "Norvia read the roll, approved the text, its act came back by hand: %s, %d connected", v.Here.Phase, v.Here.Joined)
	return nil
}

// carry hands the roll to Norvia, and its approval back.
func (d *demo) carry(ctx context.Context, norvia *counterpart) (node.AgreementView, error) {
	roll, err := d.client.Roll(ctx, demoLabel)
	if err != nil {
		return node.AgreementView{}, err
	}
	act, err := norvia.approve(ctx, roll)
	if err != nil {
		return node.AgreementView{}, fmt.Errorf("asking Norvia: %w", err)
	}
	if _, err := d.client.Import(ctx, "Norvia's approval", act); err != nil {
		return node.AgreementView{}, err
	}
	return d.client.Agreement(ctx, demoLabel)
}

// amend puts a second version before both, with its difference.
func (d *demo) amend(ctx context.Context, norvia *counterpart) error {
	v, err := d.client.Agreement(ctx, demoLabel)
	if err != nil || v.Version != "1" {
		return err
	}
	text := strings.NewReplacer("version = \"1\"", "version = \"2\"", "hospitals and ports", "hospitals, ports and schools").Replace(v.Text)
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
	if v, err = d.carry(ctx, norvia); err != nil {
		return err
	}
	d.say("approved", "by both: version %s is in force, the roll has %d entries", v.Version, v.Here.Entries)
	return nil
}

// share previews who gets indicators, recalls a record, shares another, and reports.
func (d *demo) share(ctx context.Context, darb *counterpart) error {
	keyring, err := darb.node.Keyring(ctx, "own")
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
	recall, err := d.client.ChangeRecord(ctx, wrong.Log, wrong.Index, node.Change{Action: "withdraw", Reason: "false-positive"})
	if err != nil {
		return err
	}
	d.say("recalled", "place %d, shared by mistake: the recall at place %d binds every holder", wrong.Index, recall.Index)
	kept, err := d.client.Publish(ctx, demoLabel, intel)
	if err != nil {
		return err
	}
	d.say("shared", "the indicators as place %d of the memorandum's log, sealed to its members", kept.Index)
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
		d.say("", "%s %s: kept, %d records, evidence at place %d, leaf %.12s…", p.Label, p.Names["en"], p.Count, p.Evidence[0].Index, p.Evidence[0].Leaf)
	}
	return nil
}
