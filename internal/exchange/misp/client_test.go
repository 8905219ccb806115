package misp

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mithaq/mithaq/stix"
)

// client runs PyMISP, where tools/misp_client.sh put it.
func client(t *testing.T, args ...string) []byte {
	t.Helper()
	python := os.Getenv("MITHAQ_MISP_PYTHON")
	if python == "" {
		t.Skip("PyMISP is not at hand: run tools/misp_client.sh go test ./internal/exchange/misp -run PyMISP")
	}
	command := exec.CommandContext(t.Context(), python, append([]string{"testdata/client.py"}, args...)...)
	var problems strings.Builder
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("PyMISP: %v\n%s", err, problems.String())
	}
	return out
}

// TestPyMISPWrites reads what PyMISP writes, and gives it back to PyMISP.
func TestPyMISPWrites(t *testing.T) {
	events, err := Read(client(t, "write"))
	if err != nil {
		t.Fatal(err)
	}
	c, back := thereAndBack(t, events[0])
	if !Equal(events[0], back) {
		want, _ := events[0].JSON()
		got, _ := back.JSON()
		t.Errorf("the event came back changed\nwant %s\ngot  %s", want, got)
	}
	for _, l := range c.Report.Losses {
		if !strings.Contains(l.Why, "carried as a note") {
			t.Errorf("lost: %+v", l)
		}
	}
	document, err := Document([]Event{back})
	if err != nil {
		t.Fatal(err)
	}
	again := pyRead(t, document)
	if len(again) != 1 || again[0].UUID() != events[0].UUID() || again[0].attributes() != events[0].attributes() {
		t.Errorf("PyMISP reads %d events, the first with %d attributes", len(again), again[0].attributes())
	}
}

// TestPyMISPReads has PyMISP load events made of STIX that never was in MISP.
func TestPyMISPReads(t *testing.T) {
	bundle, err := stix.Parse([]byte(foreignBundle))
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := FromSTIX(bundle.Objects, FromOptions{Info: "record", Seed: "r-1", Author: "CERT-Sahlan", Tags: []string{"tlp:green"}, Time: time.Unix(1700000000, 0)})
	if err != nil {
		t.Fatal(err)
	}
	document, err := Document([]Event{e})
	if err != nil {
		t.Fatal(err)
	}
	again := pyRead(t, document)
	if len(again) != 1 || again[0].attributes() != e.attributes() || again[0].Info() != "record" {
		t.Errorf("PyMISP reads %d events, %d attributes of %d", len(again), again[0].attributes(), e.attributes())
	}
}

func pyRead(t *testing.T, document []byte) []Event {
	t.Helper()
	name := filepath.Join(t.TempDir(), "document.json")
	if err := os.WriteFile(name, document, 0o600); err != nil {
		t.Fatal(err)
	}
	events, err := Read(client(t, "read", name))
	if err != nil {
		t.Fatal(err)
	}
	return events
}
