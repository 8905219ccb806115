package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mithaq/mithaq/internal/node"
)

// fleet is nodes that are killed and started again.
type fleet struct {
	ts   *testscript.TestScript
	dirs []string
	at   map[string]string // address by directory
	runs map[string]*exec.Cmd
}

// killing DIR=ADDRESS...: runs a node for each directory, kills one after the other with SIGKILL at random moments while others, and
// itself, publish, and starts it again. In the end each has what was acknowledged, once. MITHAQ_KILLS says how many are killed
// (default: 3, and 1 in a short run), MITHAQ_SEED when.
func killing(ts *testscript.TestScript, _ bool, args []string) {
	f := &fleet{ts: ts, at: map[string]string{}, runs: map[string]*exec.Cmd{}}
	for _, arg := range args {
		dir, address, _ := strings.Cut(arg, "=")
		f.dirs = append(f.dirs, dir)
		f.at[dir] = address
	}
	ts.Defer(func() {
		for _, p := range f.runs {
			f.kill(p)
		}
	})
	for _, dir := range f.dirs {
		f.start(dir)
	}
	for _, dir := range f.dirs {
		f.knowsAll(dir)
	}
	seed := number("MITHAQ_SEED", 1)
	dice := rand.New(rand.NewPCG(uint64(seed), 2)) // #nosec G115 -- any seed will do
	var names []string
	kills := 3
	if testing.Short() {
		kills = 1
	}
	for i := range number("MITHAQ_KILLS", kills) {
		victim := f.dirs[i%len(f.dirs)]
		moment := time.Duration(dice.IntN(250)) * time.Millisecond
		killed := make(chan struct{})
		time.AfterFunc(moment, func() {
			defer close(killed)
			f.kill(f.runs[victim])
		})
		for j := range len(f.dirs) + 1 {
			name := fmt.Sprintf("k%d-%d.example", i, j)
			if f.publish(f.dirs[j%len(f.dirs)], name) {
				names = append(names, name)
			}
		}
		<-killed
		ts.Logf("killed %s after %s", victim, moment)
		f.start(victim)
	}
	for _, name := range names {
		for _, dir := range f.dirs {
			f.has(dir, name)
		}
	}
	ts.Logf("%d records were acknowledged, and each node has each of them once", len(names))
}

func number(variable string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return otherwise
}

func (f *fleet) start(dir string) {
	path, _, _ := strings.Cut(f.ts.Getenv("PATH"), string(os.PathListSeparator))
	p := exec.Command(filepath.Join(path, "mithaq"), "serve", "--dir", f.ts.MkAbs(dir), "--listen", f.at[dir]) // #nosec G204 -- the program that is tried
	p.Env = append(os.Environ(), "PATH="+f.ts.Getenv("PATH"), "HOME="+f.ts.Getenv("HOME"))
	var said bytes.Buffer
	p.Stdout, p.Stderr = &said, &said
	f.ts.Check(p.Start())
	f.runs[dir] = p
	await(f.ts, false, []string{"http://" + f.at[dir] + "/readyz"})
}

func (f *fleet) kill(p *exec.Cmd) {
	_ = p.Process.Kill()
	_ = p.Wait()
}

// publish says whether a record was acknowledged.
func (f *fleet) publish(dir, name string) bool {
	id := fmt.Sprintf("%08x-5d0c-4a38-8e21-7a1f2b3c4d5e", rand.Uint32())
	bundle := fmt.Sprintf(`{"type":"bundle","id":"bundle--%s","objects":[{"type":"indicator","spec_version":"2.1","id":"indicator--%s","created":"2026-11-20T06:30:00.000Z",`+
		`"modified":"2026-11-20T06:30:00.000Z","pattern":"[domain-name:value = '%s']","pattern_type":"stix","valid_from":"2026-11-20T06:30:00Z"}]}`, id, id, name)
	file := f.ts.MkAbs(name + ".json")
	f.ts.Check(os.WriteFile(file, []byte(bundle), 0o600))
	return f.ts.Exec("mithaq", "publish", "--dir", dir, "--log", "sahlan-norvia", "--tlp", "AMBER", "--serves", "1", file) == nil
}

// knowsAll waits until a node knows that all run the agreement: what an author seals before it has heard of a newcomer is not for it.
func (f *fleet) knowsAll(dir string) {
	want := fmt.Sprintf("%d connected", len(f.dirs))
	for deadline := time.Now().Add(scriptPatience); ; time.Sleep(20 * time.Millisecond) {
		var out, errs bytes.Buffer
		run(context.Background(), []string{"agreement", "show", "sahlan-norvia", "--dir", f.ts.MkAbs(dir)}, f.ts.Getenv, strings.NewReader(""), &out, &errs)
		if strings.Contains(out.String(), want) {
			return
		}
		if time.Now().After(deadline) {
			f.ts.Fatalf("%s never heard of all: %s%s", dir, out.String(), errs.String())
		}
	}
}

// has waits until a node has a record, which it must have once.
func (f *fleet) has(dir, name string) {
	for deadline := time.Now().Add(scriptPatience); ; time.Sleep(20 * time.Millisecond) {
		var out, errs bytes.Buffer
		var found struct {
			Results []node.SearchResult `json:"results"`
		}
		code := run(context.Background(), []string{"search", name, "--json", "--dir", f.ts.MkAbs(dir)}, f.ts.Getenv, strings.NewReader(""), &out, &errs)
		if code == 0 {
			f.ts.Check(json.Unmarshal(out.Bytes(), &found))
		}
		switch {
		case len(found.Results) == 1:
			return
		case len(found.Results) > 1:
			f.ts.Fatalf("%s has %s %d times", dir, name, len(found.Results))
		case time.Now().After(deadline):
			f.ts.Fatalf("%s never got %s: exit code %d, %s", dir, name, code, errs.String())
		}
	}
}
