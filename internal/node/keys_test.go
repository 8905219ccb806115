package node

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// roleKey is the key in force of a role in the node's own log.
func roleKey(t *testing.T, n *Node, role record.Role) record.Key {
	t.Helper()
	l, err := n.resolveLog(context.Background(), record.OwnAgreement)
	if err != nil {
		t.Fatal(err)
	}
	k, err := n.keyring(l.ID)
	if err != nil {
		t.Fatal(err)
	}
	return k.WithRole(role)[0]
}

func TestEveryRoleRotates(t *testing.T) {
	n := newTestNode(t)
	sealed := reportDraft("sealed before")
	sealed.TLP = "AMBER"
	before := mustPublish(t, n, sealed)
	for _, role := range []record.Role{record.RoleLog, record.RoleNode, record.RoleHTTP, record.RoleWitness, record.RoleSeal, record.RoleOfficer} {
		old := roleKey(t, n, role)
		mustChange(t, n, KeyChange{Action: "rotate", Role: string(role)})
		if roleKey(t, n, role).ID == old.ID {
			t.Errorf("%s was not rotated", role)
		}
		mustPublish(t, n, sealed)
	}
	root, err := n.Keyring(context.Background(), "own")
	if err != nil {
		t.Fatal(err)
	}
	mustChange(t, n, KeyChange{Action: "root"})
	k, err := record.ParseKeyring(mustKeyring(t, n))
	if err != nil || len(k.Roots) != 2 {
		t.Fatalf("%d roots, %v", len(k.Roots), err)
	}
	if old, err := record.ParseKeyring(root); err != nil || old.Party != k.Party {
		t.Errorf("the party changed with its root: %v", err)
	}
	mustChange(t, n, KeyChange{Action: "rotate", Role: "officer"}) // signed by the new root
	if got, err := n.Record(context.Background(), n.Owner(), "own", before.Index); err != nil || got.Standing != StandingValid {
		t.Errorf("what was sealed to the seal key before: %+v, %v", got, err)
	}
	shut(t, n)
	if got := audited(t, n.dir); got[StandingValid] != 16 || len(got) != 1 {
		t.Errorf("records: %v", got)
	}
	n = again(t, n.dir, OpenOptions{})
	mustPublish(t, n, sealed)
}

func mustKeyring(t *testing.T, n *Node) []byte {
	t.Helper()
	k, err := n.Keyring(context.Background(), "own")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestRevocation(t *testing.T) {
	n := newTestNode(t)
	for range 3 {
		mustPublish(t, n, reportDraft("signed by the thief?"))
	}
	thief := roleKey(t, n, record.RoleOfficer)
	size := int64(2)
	mustChange(t, n, KeyChange{Action: "revoke", Key: thief.ID, Size: &size, Reason: "compromised"})
	if got := roleKey(t, n, record.RoleOfficer); got.ID == thief.ID {
		t.Error("the only officer was not replaced")
	}
	for index, want := range []string{StandingValid, StandingValid, StandingNotVouched, StandingNotVouched, StandingValid} {
		if got, err := n.Record(context.Background(), n.Owner(), "own", int64(index)); err != nil || got.Standing != want {
			t.Errorf("place %d: %s (%s), %v; want %s", index, got.Standing, got.Why, err, want)
		}
	}
	mustPublish(t, n, reportDraft("after"))
	size = 3 // raised: refused, and nothing changes
	if _, err := ceremony(n, KeyChange{Action: "revoke", Key: thief.ID, Size: &size, Reason: "compromised"}); err == nil {
		t.Error("a revocation was softened")
	}
	size = 1
	mustChange(t, n, KeyChange{Action: "revoke", Key: thief.ID, Size: &size, Reason: "compromised"})
	keys, err := n.Keys(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, k := range keys {
		found = found || k.ID == thief.ID && k.Revoked != nil && *k.Revoked == 1
	}
	if !found {
		t.Errorf("the list does not show it: %+v", keys)
	}
}

func TestKeyChangesThatAreRefused(t *testing.T) {
	n := newTestNode(t)
	officer := roleKey(t, n, record.RoleOfficer)
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprint(i))
	}
	for what, c := range map[string]KeyChange{
		"unknown action":    {Action: "burn"},
		"unknown role":      {Action: "rotate", Role: "king"},
		"no role":           {Action: "rotate"},
		"unknown key":       {Action: "rotate", Key: "k-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
		"another role":      {Action: "rotate", Role: "node", Key: officer.ID},
		"revoke unknown":    {Action: "revoke", Key: "k-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Reason: "lost"},
		"revoke, no reason": {Action: "revoke", Key: officer.ID, Reason: "mood"},
		"not an agreement":  {Action: "open", Agreement: "own"},
		"no public key":     {Action: "rotate", Role: "officer", Command: []string{"true"}},
		"short public key":  {Action: "rotate", Role: "officer", Command: []string{"true"}, PublicKey: "AAAA"},
		"command unseals":   {Action: "rotate", Role: "seal", Command: []string{"true"}, PublicKey: base64.StdEncoding.EncodeToString(make([]byte, 32))},
		"too many words":    {Action: "rotate", Role: "officer", Command: many, PublicKey: base64.StdEncoding.EncodeToString(make([]byte, 32))},
	} {
		if _, err := ceremony(n, c); err == nil {
			t.Errorf("%s was not refused", what)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %v", what, err)
		}
	}
	if got := mustKeyring(t, n); string(got) == "" || roleKey(t, n, record.RoleOfficer).ID != officer.ID {
		t.Error("something changed")
	}
	// Drafts that are not this party's, stale, or not signed by the root key.
	p, err := n.ProposeKeyrings(context.Background(), KeyChange{Action: "rotate", Role: "officer"})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := SignKeyrings(context.Background(), p, RootPath(n.dir), SecretSource{})
	if err != nil {
		t.Fatal(err)
	}
	other, _ := otherParty(t, 1)
	forged := json.RawMessage(strings.Replace(string(signed.Keyrings[0]), `"sig":"`, `"sig":"AA`, 1))
	for what, s := range map[string]SignedKeyrings{
		"none":          {},
		"another party": {Keyrings: []json.RawMessage{other.Envelope()}},
		"forged":        {Keyrings: []json.RawMessage{forged}},
		"not JSON":      {Keyrings: []json.RawMessage{json.RawMessage("{")}},
	} {
		if _, err := n.ApplyKeyrings(context.Background(), s); err == nil {
			t.Errorf("%s was applied", what)
		}
	}
	if _, err := n.ApplyKeyrings(context.Background(), signed); err != nil {
		t.Fatal(err)
	}
	_, err = n.ApplyKeyrings(context.Background(), signed)
	wantCode(t, err, fault.Conflict)
	if _, err := SignKeyrings(context.Background(), p, filepath.Join(n.dir, keysName), SecretSource{}); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("signed with a file that has no root key: %v", err)
	}
}

// signerScript is an external signer: this test binary itself, told by its environment to sign.
func signerScript(t *testing.T, answer string) (command []string, public string) {
	t.Helper()
	pub, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "sign")
	text := fmt.Sprintf("#!/bin/sh\nexec env MITHAQ_TEST_SIGN=%x MITHAQ_TEST_ANSWER=%s %s -test.run='^TestSignerChild$'\n", private.Seed(), answer, os.Args[0])
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return []string{script}, base64.StdEncoding.EncodeToString(pub)
}

// TestSignerChild is not a test: it is the external signer.
func TestSignerChild(t *testing.T) {
	var seed []byte
	if _, err := fmt.Sscanf(os.Getenv("MITHAQ_TEST_SIGN"), "%x", &seed); err != nil {
		t.Skip("only run by the tests of external signers")
	}
	var msg []byte
	buf := make([]byte, 4096)
	for {
		got, err := os.Stdin.Read(buf)
		msg = append(msg, buf[:got]...)
		if err != nil {
			break
		}
	}
	switch os.Getenv("MITHAQ_TEST_ANSWER") {
	case "fail":
		fmt.Fprintln(os.Stderr, "the token is not plugged in")
		os.Exit(3)
	case "wrong":
		msg = append(msg, '!')
	case "noise":
		fmt.Println(strings.Repeat("x", 1<<20))
		os.Exit(0)
	}
	fmt.Println(base64.StdEncoding.EncodeToString(ed25519.Sign(ed25519.NewKeyFromSeed(seed), msg)))
	os.Exit(0)
}

func TestExternalSigner(t *testing.T) {
	n := newTestNode(t)
	for _, answer := range []string{"fail", "wrong", "noise"} {
		command, public := signerScript(t, answer)
		_, err := ceremony(n, KeyChange{Action: "rotate", Role: "officer", Command: command, PublicKey: public})
		wantCode(t, err, fault.Unavailable)
		if answer == "fail" && !strings.Contains(err.Error(), "not plugged in") {
			t.Errorf("it does not pass on what the command said: %v", err)
		}
	}
	_, err := ceremony(n, KeyChange{Action: "rotate", Role: "officer", Command: []string{"/no/such/command"}, PublicKey: base64.StdEncoding.EncodeToString(make([]byte, 32))})
	wantCode(t, err, fault.Unavailable)
	for _, role := range []string{"officer", "node", "log"} {
		command, public := signerScript(t, "good")
		change := KeyChange{Action: "rotate", Role: role, Command: command, PublicKey: public}
		if _, err := n.ProposeKeyrings(context.Background(), change); err != nil { // proposed twice, applied once
			t.Fatalf("%s: %v", role, err)
		}
		mustChange(t, n, change)
		mustPublish(t, n, reportDraft("signed by a command"))
	}
	n = reopened(t, n)
	mustPublish(t, n, reportDraft("after a restart"))
	// A command that goes bad signs nothing: the log stays as it is.
	command, public := signerScript(t, "good")
	mustChange(t, n, KeyChange{Action: "rotate", Role: "officer", Command: command, PublicKey: public})
	script, err := os.ReadFile(command[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(command[0], []byte(strings.Replace(string(script), "ANSWER=good", "ANSWER=wrong", 1)), 0o700); err != nil { // #nosec G306 -- a script
		t.Fatal(err)
	}
	_, err = n.Publish(context.Background(), "own", reportDraft("not signed"))
	wantCode(t, err, fault.Unavailable)
	shut(t, n)
	if got := audited(t, n.dir); got[StandingValid] != 9 || len(got) != 1 {
		t.Errorf("records: %v", got)
	}
}

func reopened(t *testing.T, n *Node) *Node {
	t.Helper()
	shut(t, n)
	return again(t, n.dir, OpenOptions{})
}

func TestPublishingWhileKeysRotate(t *testing.T) {
	n := newTestNode(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	acked := map[int64]string{}
	for g := range 4 {
		wg.Go(func() {
			for i := range 15 {
				r, err := n.Publish(context.Background(), "own", reportDraft(fmt.Sprintf("%d/%d", g, i)))
				if err != nil {
					t.Errorf("publishing: %v", err)
					return
				}
				mu.Lock()
				if was, twice := acked[r.Index]; twice {
					t.Errorf("%s and %s are both at %d", was, r.Record, r.Index)
				}
				acked[r.Index] = r.Record
				mu.Unlock()
			}
		})
	}
	for _, role := range []string{"officer", "log", "node", "seal", "officer", "log"} {
		mustChange(t, n, KeyChange{Action: "rotate", Role: role})
	}
	wg.Wait()
	for index, id := range acked {
		if got, err := n.Record(context.Background(), n.Owner(), "own", index); err != nil || got.ID != id || got.Standing != StandingValid {
			t.Errorf("place %d: %+v %v", index, got, err)
		}
	}
	shut(t, n)
	if got := audited(t, n.dir); got[StandingValid] != 67 || len(got) != 1 {
		t.Errorf("records: %v", got)
	}
}

// A log whose first keyring was never appended, because the node was killed in between, is in nobody's way.
func TestALogThatWasHalfOpened(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	agreement := "a-" + strings.Repeat("a", 32)
	p, err := n.ProposeKeyrings(ctx, KeyChange{Action: "open", Agreement: agreement, Public: true})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := SignKeyrings(ctx, p, RootPath(n.dir), SecretSource{})
	if err != nil {
		t.Fatal(err)
	}
	k, err := record.ParseKeyring(signed.Keyrings[0])
	if err != nil {
		t.Fatal(err)
	}
	n.pending[k.Log.ID] = k
	if err := n.ledger.Create(ctx, ledger.LogSpec{ID: k.Log.ID, Origin: k.Log.Origin, Agreement: agreement, Public: true}); err != nil {
		t.Fatal(err)
	}
	n = reopened(t, n)
	if logs, err := n.Logs(ctx); err != nil || len(logs) != 1 {
		t.Errorf("%+v, %v", logs, err)
	}
	mustChange(t, n, KeyChange{Action: "rotate", Role: "officer"})
	_, err = n.Publish(ctx, agreement, reportDraft("nowhere"))
	wantCode(t, err, fault.NotFound)
	shut(t, n)
	audited(t, n.dir)
	n = again(t, n.dir, OpenOptions{})
	if _, err := n.ApplyKeyrings(ctx, signed); err != nil { // what was signed then can still be applied
		t.Fatal(err)
	}
	if r, err := n.Publish(ctx, agreement, reportDraft("here")); err != nil || r.Log != k.Log.ID {
		t.Errorf("%+v, %v", r, err)
	}
	_, err = ceremony(n, KeyChange{Action: "open", Agreement: agreement})
	wantCode(t, err, fault.Conflict)
}
