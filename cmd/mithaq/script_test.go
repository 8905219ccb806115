package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/node"
)

func TestMain(m *testing.M) {
	if os.Getenv(asMithaq) != "" {
		main()
	}
	testscript.Main(m, map[string]func(){"mithaq": main, "later": later})
}

// later is mithaq on a day that is $LATER away, as in LATER=720h.
func later() {
	ahead, err := time.ParseDuration(os.Getenv("LATER"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitUnread)
	}
	a := &app{env: os.Getenv, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, clock: func() time.Time { return time.Now().Add(ahead) }}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) // also where who started the tests ignores them
	code := a.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// TestScripts runs testdata/*.txtar: what a user types, and what must come of it.
func TestScripts(t *testing.T) {
	testscript.Run(t, scriptParams("testdata"))
}

func scriptParams(dir string) testscript.Params {
	ports := new(sync.Map)
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Values[linesKey{}], env.Values[portsKey{}] = new(sync.Map), ports
			return setTAXIIClients(env)
		},
		Condition: scriptCondition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"freeport":  freePort,
			"await":     await,
			"until":     until,
			"fsck":      runFsck,
			"flipbyte":  flipByte,
			"capture":   capture,
			"get":       get,
			"vkey":      listed(func(l node.LogView) string { return l.VKey }),
			"officer":   officer,
			"officers":  officers,
			"objecturl": objectURL,
			"party":     partyOf,
			"expand":    expand,
			"replace":   replaceIn,
			"actleaf":   actLeaf,
			"proposals": proposals,
			"samestate": sameState,
			"code":      exitsWith,
			"feedread":  feedRead,
			"killing":   killing,
			"link":      link,
			"linkdown":  linkDown(true),
			"linkup":    linkDown(false),
			"files":     serveFiles,
			"newcert":   newCert,
			"getcert":   getCert,
			"mailbox":   mailbox,
			"hooks":     hooks,

			"manyobjects": manyObjects,
		},
	}
}

// freePort VAR...: sets each VAR to a loopback address nobody listens on, and that no other script is given. It is below the
// ports that the system hands out by itself, or a connection of another script could take it before it is used.
func freePort(ts *testscript.TestScript, _ bool, args []string) {
	given := ts.Value(portsKey{}).(*sync.Map)
	for _, name := range args {
		for {
			addr := fmt.Sprintf("127.0.0.1:%d", 12000+rand.IntN(20000))
			if _, taken := given.LoadOrStore(addr, true); taken {
				continue
			}
			l, err := net.Listen("tcp", addr)
			if err != nil {
				continue // somebody else's; there are 20000
			}
			ts.Check(l.Close())
			ts.Setenv(name, addr)
			break
		}
	}
}

// portsKey finds the addresses that scripts, which run beside each other, were given.
type portsKey struct{}

// scriptPatience is how long a script waits for something that has to come: longer than any machine takes that is at work.
const scriptPatience = 2 * time.Minute

// await URL: waits until URL answers 200.
func await(ts *testscript.TestScript, _ bool, args []string) {
	deadline := time.Now().Add(scriptPatience)
	for {
		resp, err := http.Get(args[0])
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s did not answer: %v", args[0], err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// until PATTERN COMMAND...: runs a command again and again until its output matches.
func until(ts *testscript.TestScript, neg bool, args []string) {
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	deadline := time.Now().Add(scriptPatience)
	for {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		if err == nil && pattern.MatchString(out) != neg {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%v: %v: %q did not come (or go) in\n%s%s", args[1:], err, args[0], out, ts.ReadFile("stderr"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// fsck URL VKEY [TOKEN]: tessera's own auditor over HTTP.
func runFsck(ts *testscript.TestScript, neg bool, args []string) {
	verifier, err := note.NewVerifier(args[1])
	ts.Check(err)
	root, err := url.Parse(args[0])
	ts.Check(err)
	fetcher, err := client.NewHTTPFetcher(root, nil)
	ts.Check(err)
	if len(args) > 2 {
		fetcher.SetAuthorizationHeader("Bearer " + args[2])
	}
	err = fsck.New(verifier.Name(), verifier, fetcher, bundleLeafHashes, fsck.Opts{N: 2}).Check(context.Background())
	if neg != (err != nil) {
		ts.Fatalf("fsck of %s: %v", args[0], err)
	}
}

func bundleLeafHashes(bundle []byte) ([][]byte, error) {
	var b api.EntryBundle
	if err := b.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	out := make([][]byte, 0, len(b.Entries))
	for _, e := range b.Entries {
		out = append(out, rfc6962.DefaultHasher.HashLeaf(e))
	}
	return out, nil
}

// flipbyte FILE: changes one bit in the middle of FILE.
func flipByte(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	data[len(data)/2] ^= 1
	ts.Check(os.WriteFile(path, data, 0o600))
}

// capture VAR PATTERN-PREFIX: sets VAR to the first word of the last command's output that begins with the prefix.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	words := strings.FieldsFunc(ts.ReadFile("stdout"), func(r rune) bool { return strings.ContainsRune(" \t\r\n\",", r) })
	for _, w := range words {
		if strings.HasPrefix(w, args[1]) {
			ts.Setenv(args[0], w)
			return
		}
	}
	ts.Fatalf("no word beginning with %q in the output", args[1])
}

// get STATUS URL [TOKEN] [FILE]: fetches URL, wants STATUS, and writes the body to FILE. It asks again when it is told to.
func get(ts *testscript.TestScript, _ bool, args []string) {
	var resp *http.Response
	for deadline := time.Now().Add(scriptPatience); ; time.Sleep(50 * time.Millisecond) {
		req, err := http.NewRequest(http.MethodGet, args[1], nil)
		ts.Check(err)
		if len(args) > 2 && args[2] != "" {
			req.Header.Set("Authorization", "Bearer "+args[2])
		}
		resp, err = http.DefaultClient.Do(req)
		ts.Check(err)
		again := resp.StatusCode == http.StatusServiceUnavailable && args[0] != "503" && resp.Header.Get("Retry-After") != ""
		if !again || time.Now().After(deadline) {
			break
		}
		_ = resp.Body.Close()
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	_, err := io.Copy(&body, resp.Body)
	ts.Check(err)
	if fmt.Sprint(resp.StatusCode) != args[0] {
		ts.Fatalf("GET %s: %s: %s", args[1], resp.Status, body.String())
	}
	if len(args) > 3 {
		ts.Check(os.WriteFile(ts.MkAbs(args[3]), body.Bytes(), 0o600))
	}
}

// ask runs mithaq in this process and decodes what it prints.
func ask(ts *testscript.TestScript, into any, args ...string) {
	var out, errs bytes.Buffer
	if code := run(context.Background(), args, ts.Getenv, strings.NewReader(""), &out, &errs); code != 0 {
		ts.Fatalf("mithaq %s: exit code %d: %s", strings.Join(args, " "), code, errs.String())
	}
	ts.Check(json.Unmarshal(out.Bytes(), into))
}

// code N mithaq ARG...: runs mithaq in this process; it exits with N and says why in one line.
func exitsWith(ts *testscript.TestScript, _ bool, args []string) {
	var errs bytes.Buffer
	words := args[2:]
	for i, w := range words {
		if _, err := os.Stat(ts.MkAbs(w)); err == nil || i > 0 && words[i-1] == "--dir" {
			words[i] = ts.MkAbs(w)
		}
	}
	code := run(context.Background(), words, ts.Getenv, strings.NewReader(""), io.Discard, &errs)
	if fmt.Sprint(code) != args[0] || strings.Count(errs.String(), "\n") != 1 || !strings.HasPrefix(errs.String(), "mithaq: ") {
		ts.Fatalf("%s: exit code %d: %s", strings.Join(args[1:], " "), code, errs.String())
	}
}

// vkey VAR DIR: sets VAR to a property of the newest log that the node in DIR lists.
func listed(property func(node.LogView) string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		var logs []node.LogView
		ask(ts, &logs, "log", "list", "--json", "--dir", ts.MkAbs(args[1]))
		logs = slices.DeleteFunc(logs, func(l node.LogView) bool { return l.State == "followed" })
		slices.SortStableFunc(logs, func(a, b node.LogView) int { // the house first, then those under agreements
			return strings.Compare(b.Agreement, a.Agreement)
		})
		ts.Setenv(args[0], property(logs[len(logs)-1]))
	}
}

// officer VAR DIR: sets VAR to the officer's key id in force.
func officer(ts *testscript.TestScript, _ bool, args []string) {
	var keys []node.KeyView
	ask(ts, &keys, "key", "list", "--json", "--dir", ts.MkAbs(args[1]))
	for _, k := range keys {
		if k.Role == "officer" && k.Revoked == nil {
			ts.Setenv(args[0], k.ID)
			return
		}
	}
	ts.Fatalf("no officer in force")
}

// officers VAR VAR DIR: sets both variables to the key ids of the officers of the newest log.
func officers(ts *testscript.TestScript, _ bool, args []string) {
	var keys []node.KeyView
	ask(ts, &keys, "key", "list", "--json", "--dir", ts.MkAbs(args[2]))
	var found []string
	for _, k := range keys {
		if k.Role == "officer" && k.Revoked == nil && !slices.Contains(found, k.ID) {
			found = append(found, k.ID)
		}
	}
	if len(found) != 2 {
		ts.Fatalf("%d officers are in force", len(found))
	}
	ts.Setenv(args[0], found[0])
	ts.Setenv(args[1], found[1])
}

// objecturl VAR DIR INDEX: sets VAR to the address of a record's object.
func objectURL(ts *testscript.TestScript, _ bool, args []string) {
	var rec node.RecordView
	ask(ts, &rec, "show", args[2], "--json", "--dir", ts.MkAbs(args[1]))
	var logs []node.LogView
	ask(ts, &logs, "log", "list", "--json", "--dir", ts.MkAbs(args[1]))
	base, _, _ := strings.Cut(logs[0].URL, "/log/")
	ts.Setenv(args[0], base+"/object/"+rec.Object)
}

// party VAR DIR: sets VAR to the id of the party whose node is in DIR.
func partyOf(ts *testscript.TestScript, _ bool, args []string) {
	var p node.PartyPage
	ask(ts, &p, "party", "--json", "--dir", ts.MkAbs(args[1]))
	ts.Setenv(args[0], p.ID)
}

// expand FILE...: replaces $VAR in each file by the variable.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		path := ts.MkAbs(name)
		ts.Check(os.WriteFile(path, []byte(os.Expand(ts.ReadFile(name), ts.Getenv)), 0o600))
	}
}

// replace FILE OLD NEW: replaces a text in a file, which must hold it.
func replaceIn(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
}

// show asks the node in DIR for the one agreement that runs there.
func show(ts *testscript.TestScript, dir string) node.AgreementView {
	var v node.AgreementView
	ask(ts, &v, "agreement", "show", "sahlan-norvia", "--json", "--dir", ts.MkAbs(dir))
	return v
}

// actleaf VAR DIR ACT: sets VAR to the leaf of the last act of a kind in the roll.
func actLeaf(ts *testscript.TestScript, _ bool, args []string) {
	for _, act := range show(ts, args[1]).Here.Acts {
		if act.Act == args[2] {
			ts.Setenv(args[0], act.Leaf)
		}
	}
}

// proposals VAR VAR DIR: sets both variables to the leaves of the open proposals.
func proposals(ts *testscript.TestScript, _ bool, args []string) {
	open := show(ts, args[2]).Here.Proposals
	if len(open) != 2 {
		ts.Fatalf("%d proposals are open", len(open))
	}
	slices.SortStableFunc(open, func(a, b node.ProposalView) int { return strings.Compare(a.Version, b.Version) })
	ts.Setenv(args[0], open[0].Leaf)
	ts.Setenv(args[1], open[1].Leaf)
}

// samestate DIR...: all nodes have folded the same state, or do as soon as what is on its way has arrived.
func sameState(ts *testscript.TestScript, _ bool, args []string) {
	deadline := time.Now().Add(scriptPatience)
	for _, dir := range args[1:] {
		for {
			a, b := show(ts, args[0]).Here.State, show(ts, dir).Here.State
			if a == b {
				break
			}
			if time.Now().After(deadline) {
				ts.Fatalf("%s has state %s, %s has %s", args[0], a, dir, b)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}
