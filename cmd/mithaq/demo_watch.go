package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// watch has Norvia and CERT-Sahlan each match the shared indicators against a day of traffic of their own, which is invented.
// What is found waits for a person on the screen; nothing is sent.
func (d *demo) watch(ctx context.Context) error {
	if told, err := d.norvia.node.Sensors(ctx); err != nil || len(told) > 0 {
		d.say("watched", "a day of Norvia's own traffic, in an earlier run")
		return err
	}
	traffic := filepath.Join(d.dir, "demo-traffic.json")
	if err := os.WriteFile(traffic, demoTraffic(time.Now().UTC().Truncate(time.Hour)), 0o600); err != nil {
		return fmt.Errorf("writing the traffic of the story: %w", err)
	}
	for _, dir := range []string{d.norvia.dir, d.dir} {
		if err := d.detectAt(ctx, dir, traffic); err != nil {
			return err
		}
	}
	list, err := d.norvia.node.Sightings(ctx, "waiting")
	if err != nil {
		return err
	}
	d.say("watched", "a day of Norvia's own traffic: %s for a person's approval, each with its evidence", plural(len(list), "sighting")+" wait")
	return nil
}

// detectAt runs detection as the command line would, with a node's indicators, and says nothing of each match.
func (d *demo) detectAt(ctx context.Context, dir, traffic string) error {
	quiet := *d.app
	quiet.stdout, quiet.stderr = io.Discard, io.Discard
	c := detectCmd{dirFlag: dirFlag{Dir: dir}, Indicators: []string{"node"}, Publish: true, Validity: "any", As: "json", Inputs: []string{traffic}}
	if err := c.Run(ctx, &quiet); err != nil {
		return fmt.Errorf("watching traffic for %s: %w", dir, err)
	}
	return nil
}

// demoTraffic is a day at an office of two dozen machines, as Zeek writes it: names looked up and hellos, most of them
// ordinary, and one machine whose loader calls home a little after every full hour.
func demoTraffic(end time.Time) []byte {
	const ordinary, odd = "t13d1516h2_8daaf6152771_02713d6af862", "t12d190800_d83cc789557e_7af1ed941c26"
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	n := 0
	row := func(log string, at time.Time, from int, to string, port int, more map[string]any) {
		n++
		line := map[string]any{"_path": log, "ts": at.Format(time.RFC3339Nano), "uid": fmt.Sprintf("C%05d", n), "id.orig_h": fmt.Sprintf("10.20.0.%d", from), "id.orig_p": 40000 + n%20000, "id.resp_h": to, "id.resp_p": port}
		for k, v := range more {
			line[k] = v
		}
		_ = enc.Encode(line) // to memory, of values that have a form
	}
	for hour := range 30 {
		begin := end.Add(time.Duration(hour-30) * time.Hour)
		call := begin.Add(time.Duration(20+hour*37%45) * time.Second)
		row("dns", call, 7, "10.20.0.53", 53, map[string]any{"query": "updates.sandglass.example", "qtype_name": "A", "answers": []string{"192.0.2.45"}})
		row("ssl", call.Add(time.Second), 7, "192.0.2.45", 443, map[string]any{"server_name": "updates.sandglass.example", "ja4": odd})
		for machine := range 24 {
			at := begin.Add(time.Duration((machine*211+hour*977)%3500) * time.Second)
			site := (machine*7 + hour*3) % 9
			row("ssl", at, 10+machine, fmt.Sprintf("203.0.113.%d", 10+site), 443, map[string]any{"server_name": fmt.Sprintf("www%d.office.example", site), "ja4": ordinary})
		}
	}
	return out.Bytes()
}
