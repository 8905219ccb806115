package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/node"
)

//go:embed demo/circle.toml
var demoCircle string

// circleLabel is what the agreement calls itself in which Darb Energy takes part.
const circleLabel = "sahlan-energy-circle"

// unseen has Darb Energy ask for the memorandum, of which it is no party, with its own signature.
func (d *demo) unseen(ctx context.Context, memorandum string) error {
	logs, err := d.client.Logs(ctx)
	if err != nil {
		return err
	}
	offered, err := d.darb.node.OfferedRolls(ctx)
	if err != nil {
		return err
	}
	for _, o := range offered {
		if o.Agreement == memorandum {
			return errors.New("the company is shown the memorandum")
		}
	}
	client := d.darb.node.SignedClient()
	defer client.CloseIdleConnections()
	for _, l := range logs {
		if l.Agreement != memorandum || l.Party != d.node.Party().ID {
			continue
		}
		there, err := answerTo(ctx, client, d.daemon.URL+"/log/"+l.ID+"/checkpoint")
		if err != nil {
			return err
		}
		nowhere, err := answerTo(ctx, client, d.daemon.URL+"/log/l-aaaaaaaaaaaaaaaaaaaaaaaaaa/checkpoint")
		if err != nil {
			return err
		}
		if there != nowhere || !strings.HasPrefix(there, "404") {
			return fmt.Errorf("the company learns of the memorandum: %q and %q", there, nowhere)
		}
	}
	d.say("unseen", "Darb Energy, no party of it, asks for the memorandum with its own signature: 404, as for a log that does not exist")
	return nil
}

// circle brings all three into one agreement, over the network.
func (d *demo) circle(ctx context.Context) error {
	if v, err := d.client.Agreement(ctx, circleLabel); err == nil && v.Here.Joined == 3 {
		return nil
	}
	text := strings.NewReplacer("SAHLAN", d.node.Party().ID).Replace(demoCircle)
	if err := d.propose(ctx, text, "2026-03-01"); err != nil {
		return err
	}
	for _, c := range []*counterpart{d.norvia, d.darb} {
		if _, err := d.client.Act(ctx, circleLabel, node.ActRequest{Act: "invite", Party: c.node.Party().ID}); err != nil {
			return err
		}
		if _, err := c.node.FetchRoll(ctx, circleLabel); err != nil {
			return err
		}
		join := node.ActRequest{Act: "join"}
		if c == d.darb {
			join.Reservations = []agreement.Reservation{{Commitment: "1", Text: agreement.Text{
				"en": "Only what concerns energy networks.", "ar": "فيما يخص شبكات الطاقة وحدها.", "fr": "Pour ce qui concerne les réseaux d'énergie seulement.",
			}}}
		}
		if _, err := c.act(ctx, circleLabel, join); err != nil {
			return err
		}
	}
	v, err := d.client.Agreement(ctx, circleLabel)
	if err != nil {
		return err
	}
	d.say("circle", "%s: both were invited and joined over the network, Darb Energy with a reservation: %d connected", v.Names["en"], v.Here.Joined)
	return nil
}

// caught has Darb Energy take back a record by putting an older copy of its node in place, and sign on from there.
func (d *demo) caught(ctx context.Context) error {
	known, err := d.norvia.node.Evidences(ctx)
	if err != nil {
		return err
	}
	if len(known) > 0 {
		d.say("caught", "Darb Energy in an earlier run: %s", known[0].Says)
		return d.prove(ctx, known[0].ID)
	}
	before := filepath.Join(d.dir, "darb-before")
	first, err := d.rewrite(ctx, before)
	if err != nil {
		return err
	}
	d.say("rewrote", "Darb Energy puts an older copy of its node back and signs another place %d than the one the others have", first.Index)
	for _, who := range []struct {
		name string
		n    *node.Node
	}{{"CERT-Sahlan", d.node}, {"Norvia", d.norvia.node}} {
		took, err := waitUntil(ctx, who.name+" notices", func() (bool, error) {
			known, err = who.n.Evidences(ctx)
			return len(known) > 0, err
		})
		if err != nil {
			return err
		}
		d.say("caught", "%s keeps both signed checkpoints (%d ms): %s", who.name, took.Milliseconds(), known[0].Says)
	}
	return d.prove(ctx, known[0].ID)
}

// rewrite publishes a record that the others take, and then another in its place.
func (d *demo) rewrite(ctx context.Context, before string) (first node.Receipt, err error) {
	publish := func(words string) (node.Receipt, error) {
		body := `{"period":{"from":"2026-03-01","to":"2026-03-31"},"summary":{"en":"` + words + ` (fictional)."}}`
		v, err := d.darb.node.Agreement(ctx, circleLabel)
		if err != nil {
			return node.Receipt{}, err
		}
		return d.darb.node.Publish(ctx, v.ID, node.Draft{Kind: "report", TLP: "TLP:GREEN", Serves: []string{"1"}, Body: []byte(body)})
	}
	// Every node that is away is away for good where its directory is another: so the copy is taken while it is.
	if err := d.darb.leave(ctx); err != nil {
		return first, err
	}
	if err := errors.Join(os.RemoveAll(before), os.CopyFS(before, os.DirFS(d.darb.dir))); err != nil {
		return first, fmt.Errorf("copying the company's node: %w", err)
	}
	if err := d.enter(ctx, d.darb); err != nil {
		return first, err
	}
	if first, err = publish("Darb Energy saw an attack and did nothing"); err != nil {
		return first, err
	}
	for _, n := range []*node.Node{d.node, d.norvia.node} {
		if _, err := waitUntil(ctx, "the others have the company's record", func() (bool, error) { return finds(ctx, n, first.Leaf) }); err != nil {
			return first, err
		}
	}
	if err := d.darb.leave(ctx); err != nil {
		return first, err
	}
	if err := errors.Join(os.RemoveAll(d.darb.dir), os.Rename(before, d.darb.dir)); err != nil {
		return first, fmt.Errorf("putting the older copy back: %w", err)
	}
	if err := d.enter(ctx, d.darb); err != nil {
		return first, err
	}
	_, err = publish("Darb Energy saw no attack")
	return first, err
}

// prove verifies the evidence with no network, and that a forged one does not hold.
func (d *demo) prove(ctx context.Context, id string) error {
	file, err := d.norvia.node.EvidenceFile(ctx, id)
	if err != nil {
		return err
	}
	path := filepath.Join(d.dir, "evidence.json")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		return err
	}
	if _, err := node.VerifyEvidence(file); err != nil {
		return fmt.Errorf("verifying the evidence: %w", err)
	}
	if _, err := node.VerifyEvidence(forge(file)); err == nil {
		return errors.New("a forged proof was accepted")
	}
	d.say("proof", "%s, %d bytes: holds for anybody, offline; with one digit changed it does not", path, len(file))
	return nil
}

// forge changes one letter of a signature in an evidence file.
func forge(file []byte) []byte {
	forged := []byte(string(file))
	i := strings.LastIndex(string(forged), "\\n") - 8
	if i < 0 {
		i = len(forged) / 2
	}
	if forged[i] == 'A' {
		forged[i] = 'B'
	} else {
		forged[i] = 'A'
	}
	return forged
}

// answerTo returns the status and the beginning of an answer.
func answerTo(ctx context.Context, client *http.Client, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1000))
	return resp.Status + " " + string(body), err
}
