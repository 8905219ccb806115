package main

import (
	"io"
	"math"
	"os"

	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/exchange/siem"
)

// alertLines writes matches as log lines for a SIEM.
type alertLines struct {
	w      io.Writer
	ecs    bool
	device siem.Device
}

func newAlertLines(w io.Writer, form string) *alertLines {
	host, err := os.Hostname()
	if err != nil {
		host = "" // the line then says that it does not know
	}
	return &alertLines{w: w, ecs: form == "ecs", device: siem.Device{Host: host, Version: version()}}
}

func (l *alertLines) write(m *engine.Match) error {
	e := alertOf(m)
	if !l.ecs {
		_, err := io.WriteString(l.w, e.CEF(l.device)+"\n")
		return err
	}
	line, err := e.ECS()
	if err == nil {
		_, err = l.w.Write(append(line, '\n'))
	}
	return err
}

// alertOf describes a match. An alert is as grave as it is sure; what is only context wakes nobody.
func alertOf(m *engine.Match) siem.Event {
	e := siem.Event{Kind: siem.Alert, ID: m.Indicator.ID, Indicator: m.Indicator.ID, Name: m.Indicator.Name, Value: seenTerm(m.Seen), Confidence: int(math.Round(100 * m.Sure)), Count: 1,
		Labels: []string{string(m.Level)}, Origin: exchange.Origin{Agreement: m.From.Agreement, Record: m.From.Record, Name: m.From.AuthorName, Author: m.From.Author, TLP: m.From.Marking, PAP: m.From.PAP}}
	if e.Name == "" {
		e.Name = m.Seen.Value
	}
	if m.Time != nil {
		e.Time, e.First, e.Last = *m.Time, *m.Time, *m.Time
	}
	if f := m.Flow; f != nil {
		e.Source, e.SourcePort, e.Destination, e.DestPort = f.Src, int(f.SrcPort), f.Dst, int(f.DstPort)
	}
	return e
}

// seenTerm is a value in traffic as STIX has it.
func seenTerm(s engine.Seen) exchange.Term {
	path := map[string]string{"address": "ipv4-addr:value", "domain": "domain-name:value", "url": "url:value", "email": "email-addr:value", "ja3": "network-traffic:x_ja3",
		"ja3s": "network-traffic:x_ja3s", "ja4": "network-traffic:x_ja4", "mutex": "mutex:name"}[s.Kind]
	if s.Kind == "file-hash" {
		path = exchange.HashPath("file", map[int]string{32: "MD5", 40: "SHA-1", 64: "SHA-256", 128: "SHA-512"}[len(s.Value)])
	}
	return exchange.Term{Path: path, Value: s.Value}
}
