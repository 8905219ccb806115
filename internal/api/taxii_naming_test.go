package api

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/taxii"
)

// TestTAXIIReferencesNameNothingHidden: what refers to an object that a caller may not have is not shown to that caller, in no form of
// answer, whichever record either came with; what refers to objects that are nowhere is.
func TestTAXIIReferencesNameNothingHidden(t *testing.T) {
	n := testNode(t)
	ctx := context.Background()
	own := serveTAXII(t, n, token(t, n, ScopeRead, ScopePublish))
	made, err := n.CreateToken(ctx, account.TokenRequest{Name: "other", Scopes: []string{ScopeRead + ":own"}, Party: "p-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
	if err != nil {
		t.Fatal(err)
	}
	other := serveTAXII(t, n, made.Secret)
	last := node.Receipt{}
	publish := func(tlp string, objects ...[]byte) {
		t.Helper()
		bundle := append([]byte(`{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000001","objects":[`), bytes.Join(objects, []byte(","))...)
		if last, err = n.Publish(ctx, "own", node.Draft{Kind: "intel", TLP: tlp, Body: append(bundle, "]}"...)}); err != nil {
			t.Fatal(err)
		}
		if err := n.WaitIndexed(ctx, last.Log, last.Index+1); err != nil {
			t.Fatal(err)
		}
	}
	at := `"spec_version":"2.1","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z"`
	id := func(typ string, no int) string { return fmt.Sprintf("%s--00000000-0000-4000-8000-%012d", typ, no) }
	identity := fmt.Appendf(nil, `{"type":"identity",%s,"id":%q,"name":"A","identity_class":"group"}`, at, id("identity", 9))
	relationship := func(no int, from, to string) []byte {
		return fmt.Appendf(nil, `{"type":"relationship",%s,"id":%q,"relationship_type":"related-to","source_ref":%q,"target_ref":%q,"created_by_ref":%q}`,
			at, id("relationship", no), from, to, id("identity", 9))
	}
	hidden, shown := id("indicator", 1), id("indicator", 2)
	note := func(no int, about ...string) []byte {
		return fmt.Appendf(nil, `{"type":"note",%s,"id":%q,"content":"x","object_refs":["%s"]}`, at, id("note", no), strings.Join(about, `","`))
	}
	publish("AMBER", indicator(1, "2026-01-01T00:00:00.000Z", ""), identity)
	publish("CLEAR", indicator(2, "2026-01-01T00:00:00.000Z", ""), relationship(3, shown, hidden), relationship(4, shown, id("malware", 77)), note(5, shown, hidden), note(6, shown))
	publish("AMBER", domain(7))
	publish("CLEAR", relationship(8, "domain-name--00000000-0000-5000-8000-000000000007", shown),
		[]byte(strings.Replace(string(note(10, hidden)), "indicator--", `\u0069ndicator--`, 1)))
	see := func(who string, s taxiiSide, want ...string) {
		t.Helper()
		for what, o := range map[string]taxii.PullOptions{"pages": {}, "small pages": {Limit: 1}, "by type": {Filter: taxii.Filter{Types: []string{"relationship", "note", "indicator", "identity", "domain-name"}}},
			"all versions": {Filter: taxii.Filter{Versions: taxii.Versions{All: true}}}} {
			var got []string
			for _, o := range s.drain(t, o) {
				got = append(got, strings.TrimLeft(o.ID[len(o.ID)-12:], "0"))
			}
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("%s, %s: %v, want %v", who, what, got, want)
			}
		}
		if list := s.manifest(t); len(list) != len(want) {
			t.Errorf("%s: the manifest has %d entries, want %d", who, len(list), len(want))
		}
	}
	see("own party", own, "1", "9", "2", "3", "4", "5", "6", "7", "8", "10")
	see("another party", other, "2", "4", "6")
	root := other.server.URL + "/taxii2/" + node.TAXIIRoot + "/"
	if _, err := other.client.Object(ctx, root+"collections/own/", id("relationship", 3), taxii.Filter{}); err == nil {
		t.Error("what names a hidden object answers by its own id")
	}
	if _, err := n.ChangeRecord(ctx, "own", last.Index-1, node.Change{Action: "release", Reason: "agreed", TLP: "CLEAR"}); err != nil {
		t.Fatal(err)
	}
	wait(t, n)
	see("another party, when one was released", other, "2", "4", "6", "8", "7")
}
