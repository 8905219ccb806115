package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/stix"
	"github.com/mithaq/mithaq/taxii"
)

// taxiiSide is a served node and a client with a token.
type taxiiSide struct {
	node       *node.Node
	server     *httptest.Server
	client     *taxii.Client
	collection string // URL of the one of the own house
}

func serveTAXII(t *testing.T, n *node.Node, secret string) taxiiSide {
	t.Helper()
	s := httptest.NewServer(New(n, Options{}))
	t.Cleanup(s.Close)
	client, err := taxii.NewClient(s.URL+"/taxii2/", taxii.ClientOptions{HTTP: s.Client(), Authorize: taxii.BearerCredentials(secret)})
	if err != nil {
		t.Fatal(err)
	}
	return taxiiSide{node: n, server: s, client: client, collection: s.URL + "/taxii2/" + node.TAXIIRoot + "/collections/own/"}
}

// drain pulls a collection from its beginning.
func (s taxiiSide) drain(t *testing.T, o taxii.PullOptions) []taxii.Object {
	t.Helper()
	var out []taxii.Object
	for b, err := range s.client.Pull(context.Background(), s.collection, o) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b.Objects...)
	}
	return out
}

func (s taxiiSide) push(t *testing.T, objects ...[]byte) taxii.PushReport {
	t.Helper()
	r, err := s.client.Push(context.Background(), s.collection, slices.Values(objects), taxii.PushOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func domain(n int) []byte {
	return fmt.Appendf(nil, `{"type":"domain-name","spec_version":"2.1","id":"domain-name--00000000-0000-5000-8000-%012d","value":"%d.example"}`, n, n)
}

func indicator(n int, modified string, more string) []byte {
	return fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00.000Z","modified":%q,"pattern":"[domain-name:value = '%d.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"%s}`, n, modified, n, more)
}

// sharedObjects are the objects of all shared bundles, each version once; a made-up handful when they are not there.
func sharedObjects(t *testing.T) (objects [][]byte, total int) {
	t.Helper()
	files, _ := filepath.Glob("../../../shared/data/stix/*.json.gz")
	if len(files) == 0 {
		for i := range 2500 {
			objects = append(objects, domain(i))
		}
		return objects, len(objects)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		bundle, err := stix.Parse(b)
		if err != nil {
			t.Fatal(name, err)
		}
		total += len(bundle.Objects)
		for _, o := range bundle.Objects {
			objects = append(objects, o.Raw)
		}
	}
	return objects, total
}

// TestTAXIIGivesBackEveryByte pushes all shared objects into the node's log and pulls them out again.
func TestTAXIIGivesBackEveryByte(t *testing.T) {
	n := testNode(t)
	s := serveTAXII(t, n, token(t, n, ScopeRead, ScopePublish))
	objects, total := sharedObjects(t)
	report := s.push(t, objects...)
	t.Logf("%d objects pushed: %d taken, %d refused, %d requests", total, report.Succeeded, report.Failed, len(report.Statuses))
	for _, f := range report.Failures[:min(len(report.Failures), 5)] {
		t.Logf("%s %s: %s", f.ID, f.Version, f.Message)
	}
	want := map[string]int{}
	for _, raw := range objects {
		want[string(raw)]++
	}
	got := map[string]int{}
	for _, o := range s.drain(t, taxii.PullOptions{Filter: taxii.Filter{Versions: taxii.Versions{All: true}, SpecVersions: []string{"2.0", "2.1"}}}) {
		got[string(o.Raw)]++
	}
	missing := 0
	for raw := range want {
		if got[raw] != 1 {
			if missing++; missing < 5 {
				t.Errorf("%d times: %.300s", got[raw], raw)
			}
		}
	}
	for raw := range got {
		if want[raw] == 0 {
			t.Errorf("not sent: %.300s", raw)
		}
	}
	t.Logf("%d different objects came back, %d did not", len(got), missing)
}

func dump(t *testing.T, n *node.Node) (list []string) {
	t.Helper()
	s := serveTAXII(t, n, token(t, n, ScopeRead))
	for _, r := range s.manifest(t) {
		list = append(list, r.ID+" "+r.Version+" "+r.DateAdded)
	}
	return list
}

func (s taxiiSide) manifest(t *testing.T) (out []taxii.ManifestRecord) {
	t.Helper()
	for next, more := "", true; more; more = next != "" {
		page, after, err := s.client.Manifest(context.Background(), s.collection, taxii.Filter{Versions: taxii.Versions{All: true}}, 7, next)
		if err != nil {
			t.Fatal(err)
		}
		out, next = append(out, page...), after
	}
	return out
}

// TestTAXIIKeepsItsOrder compares the manifest before and after the index is thrown away.
func TestTAXIIKeepsItsOrder(t *testing.T) {
	n := testNode(t)
	s := serveTAXII(t, n, token(t, n, ScopeRead, ScopePublish))
	for i := range 5 {
		s.push(t, domain(i), domain(100+i), indicator(1, fmt.Sprintf("2026-01-0%dT00:00:00.000Z", i+1), ""))
	}
	s.drain(t, taxii.PullOptions{})
	before := dump(t, n)
	if len(before) != 15 {
		t.Fatalf("%d objects", len(before))
	}
	if _, err := n.Reindex(context.Background()); err != nil {
		t.Fatal(err)
	}
	wait(t, n)
	if after := dump(t, n); !slices.Equal(before, after) {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	if got := s.drain(t, taxii.PullOptions{}); len(got) != 11 {
		t.Errorf("%d latest versions, want 11", len(got))
	}
}

// TestTAXIIStatusNamesEachFailure posts what cannot be taken beside what can.
func TestTAXIIStatusNamesEachFailure(t *testing.T) {
	n := testNode(t)
	s := serveTAXII(t, n, token(t, n, ScopeRead, ScopePublish))
	const red = `,"object_marking_refs":["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]`
	const green = `,"object_marking_refs":["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]`
	bad := bytes.Replace(indicator(3, "2026-01-01T00:00:00.000Z", ""), []byte(`"pattern_type":"stix",`), nil, 1)
	report := s.push(t, domain(1), bad, indicator(4, "2026-01-01T00:00:00.000Z", red), indicator(5, "2026-01-01T00:00:00.000Z", green), domain(1), []byte(`{"type":"x"}`))
	if report.Succeeded != 3 || report.Failed != 3 {
		t.Fatalf("%+v", report)
	}
	status, err := s.client.Status(context.Background(), s.server.URL+"/taxii2/"+node.TAXIIRoot+"/", report.Statuses[0])
	if err != nil || status.FailureCount != 3 || status.SuccessCount != 3 {
		t.Fatalf("%+v, %v", status, err)
	}
	places := map[int]string{}
	for _, f := range status.Failures {
		places[*f.Index] = f.Pointer + " " + f.Message
	}
	for index, want := range map[int]string{1: "MUST §4.7: pattern_type is required", 2: "TLP:RED", 5: "/id"} {
		if !bytes.Contains([]byte(places[index]), []byte(want)) {
			t.Errorf("object %d: %q, want %q", index, places[index], want)
		}
	}
	beyond := s.push(t, indicator(7, "2026-01-01T00:00:00.000Z", green[:len(green)-2]+`"],"labels":["tlp:amber"]`))
	if beyond.Failed != 1 {
		t.Errorf("a tag stricter than the marking: %+v", beyond)
	}
	// One record for each effective marking.
	records, err := n.Records(context.Background(), n.Owner(), "own", 2, 10)
	if err != nil || len(records) != 2 || records[0].TLP == records[1].TLP {
		t.Errorf("%+v, %v", records, err)
	}
	// Again: nothing is stored twice, and another object under the same version is refused.
	other := bytes.Replace(indicator(5, "2026-01-01T00:00:00.000Z", green), []byte("5.example"), []byte("6.example"), 1)
	if report := s.push(t, domain(1), indicator(5, "2026-01-01T00:00:00.000Z", green), other); report.Succeeded != 2 || report.Failed != 1 {
		t.Errorf("again: %+v", report)
	}
	if records, err := n.Records(context.Background(), n.Owner(), "own", 2, 10); err != nil || len(records) != 2 {
		t.Errorf("after posting again: %d records, %v", len(records), err)
	}
	// A status is for who made the request.
	stranger := serveTAXII(t, n, token(t, n, ScopeRead))
	if _, err := stranger.client.Status(context.Background(), s.server.URL+"/taxii2/"+node.TAXIIRoot+"/", report.Statuses[0]); err == nil {
		t.Error("a status was shown to another token")
	}
}

// TestTAXIIShowsWhatMayBeSeen follows one object through recall, release, expiry and erasure, for two parties and tokens of
// several scopes.
func TestTAXIIShowsWhatMayBeSeen(t *testing.T) {
	n := testNode(t)
	ctx := context.Background()
	own := serveTAXII(t, n, token(t, n, ScopeRead, ScopePublish))
	made, err := n.CreateToken(ctx, account.TokenRequest{Name: "other", Scopes: []string{ScopeRead + ":own"}, Party: "p-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
	if err != nil {
		t.Fatal(err)
	}
	other := serveTAXII(t, n, made.Secret)
	publish := func(tlp string, objects ...[]byte) node.Receipt {
		t.Helper()
		bundle := append([]byte(`{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000001","objects":[`), bytes.Join(objects, []byte(","))...)
		r, err := n.Publish(ctx, "own", node.Draft{Kind: "intel", TLP: tlp, Body: append(bundle, "]}"...)})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.WaitIndexed(ctx, r.Log, r.Index+1); err != nil {
			t.Fatal(err)
		}
		return r
	}
	see := func(what string, s taxiiSide, want ...int) {
		t.Helper()
		var got []int
		for _, o := range s.drain(t, taxii.PullOptions{}) {
			var id int
			if _, err := fmt.Sscanf(o.ID[len(o.ID)-12:], "%d", &id); err != nil {
				t.Fatal(err)
			}
			got = append(got, id)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	clear := publish("CLEAR", domain(1), domain(2))
	// What is posted goes into records by its marking.
	own.push(t, indicator(3, "2026-01-01T00:00:00.000Z", `,"object_marking_refs":["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"],"granular_markings":[{"marking_ref":"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421","selectors":["pattern"]}]`))
	wait(t, n)
	amber := publish("AMBER", domain(4), domain(5))
	publish("CLEAR", domain(6))
	see("own party", own, 1, 2, 3, 4, 5, 6)
	see("another party: what is clear, and not whose part is amber", other, 1, 2, 6)
	// Hidden objects leave no trace.
	root := own.server.URL + "/taxii2/" + node.TAXIIRoot + "/"
	if _, err := other.client.Object(ctx, root+"collections/own/", "domain-name--00000000-0000-5000-8000-000000000004", taxii.Filter{}); err == nil {
		t.Error("a hidden object answers by its id")
	}
	if list := other.manifest(t); len(list) != 3 {
		t.Errorf("the manifest has %d entries", len(list))
	}
	change := func(index int64, c node.Change) {
		t.Helper()
		if _, err := n.ChangeRecord(ctx, "own", index, c); err != nil {
			t.Fatal(err)
		}
	}
	change(clear.Index, node.Change{Action: "narrow", Reason: "source", TLP: "AMBER", Objects: []string{"domain-name--00000000-0000-5000-8000-000000000002"}})
	see("a part was narrowed", other, 1, 6)
	wait(t, n)
	see("a part was narrowed, own party", own, 1, 2, 3, 4, 5, 6)
	change(amber.Index, node.Change{Action: "release", Reason: "agreed", TLP: "CLEAR"})
	wait(t, n)
	see("what was released comes last", other, 1, 6, 4, 5)
	see("what was released comes last, own party", own, 1, 2, 3, 6, 4, 5)
	before := dump(t, n)
	if _, err := n.Reindex(ctx); err != nil {
		t.Fatal(err)
	}
	wait(t, n)
	if after := dump(t, n); !slices.Equal(before, after) {
		t.Errorf("after reindex: %s, before %s", after, before)
	}
	change(amber.Index, node.Change{Action: "withdraw", Reason: "error"})
	see("withdrawn", other, 1, 6)
	if _, err := n.Erase(ctx, "own", clear.Index, node.Erasure{Reason: "legal"}); err != nil {
		t.Fatal(err)
	}
	see("erased", own, 3, 6)
	// Delete takes back one's own.
	s := own
	if err := s.client.Delete(ctx, root+"collections/own/", "domain-name--00000000-0000-5000-8000-000000000006", taxii.Filter{}); err != nil {
		t.Fatal(err)
	}
	see("deleted", own, 3)
	records, err := n.Records(ctx, n.Owner(), "own", 0, 100)
	if err != nil || records[len(records)-1].Kind != string(record.KindRecall) {
		t.Errorf("deleting published no recall: %v", err)
	}
	// Tokens without the right.
	for _, scopes := range [][]string{{ScopeAudit}, {"read:a-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}} {
		blind := serveTAXII(t, n, token(t, n, scopes...))
		d, err := blind.client.Discover(ctx)
		if err != nil || len(d.APIRoots) > 0 {
			t.Errorf("scopes %v: %+v, %v", scopes, d, err)
		}
	}
	if _, err := serveTAXII(t, n, "mithaq_wrong").client.Discover(ctx); err == nil {
		t.Error("a wrong token was let in")
	}
	if _, err := n.TokenScopes(ctx, made.Secret); err == nil {
		t.Error("another party's token is one for the API")
	}
}

func wait(t *testing.T, n *node.Node) {
	t.Helper()
	until(t, "the index is not built", func() bool {
		v, err := n.IndexState(context.Background())
		return err == nil && v.Ready
	})
}

// TestTAXIIReadersBesideAWriter has eight readers page while one writer posts: each sees every object once.
func TestTAXIIReadersBesideAWriter(t *testing.T) {
	n := testNode(t)
	s := serveTAXII(t, n, token(t, n, ScopeRead, ScopePublish))
	const batches, each = 25, 40
	var done sync.WaitGroup
	stop := make(chan struct{})
	readers := make([]map[string]int, 8)
	for i := range readers {
		seen := map[string]int{}
		readers[i] = seen
		done.Go(func() {
			cursor := &keptCursor{}
			for last := false; ; {
				for b, err := range s.client.Pull(context.Background(), s.collection, taxii.PullOptions{Limit: 7 + i, Cursors: cursor, Overlap: -1}) {
					if err != nil {
						t.Error(err)
						return
					}
					for _, o := range b.Objects {
						seen[o.ID]++
					}
				}
				if last {
					return
				}
				select {
				case <-stop:
					last = true
				default:
				}
			}
		})
	}
	for b := range batches {
		var objects [][]byte
		for i := range each {
			objects = append(objects, domain(b*each+i))
		}
		if r := s.push(t, objects...); r.Succeeded != each {
			t.Fatalf("%+v", r)
		}
	}
	wait(t, n)
	close(stop)
	done.Wait()
	for i, seen := range readers {
		if len(seen) != batches*each {
			t.Errorf("reader %d saw %d objects, want %d", i, len(seen), batches*each)
		}
		for id, times := range seen {
			if times != 1 {
				t.Errorf("reader %d saw %s %d times", i, id, times)
			}
		}
	}
}

// keptCursor is a CursorStore in memory.
type keptCursor struct{ b []byte }

func (k *keptCursor) Load(context.Context) ([]byte, error)        { return k.b, nil }
func (k *keptCursor) Save(_ context.Context, cursor []byte) error { k.b = cursor; return nil }

// TestTAXIIPullTakesEachObjectOnce reads a foreign collection that grows, under one name and again under another.
func TestTAXIIPullTakesEachObjectOnce(t *testing.T) {
	ctx := context.Background()
	far := taxii.NewMemory(taxii.MemoryOptions{})
	const id = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
	far.Put(taxii.Root{Name: "r", Title: "R"}, taxii.Collection{ID: id, Title: "Far", CanRead: true, CanWrite: true})
	server, err := taxii.NewServer(taxii.Options{Backend: far, MaxPage: 7})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(server)
	defer s.Close()
	add := func(from, to int) {
		t.Helper()
		sub := taxii.Submission{}
		for i := from; i < to; i++ {
			o, err := taxii.ReadObject(domain(i))
			if err != nil {
				t.Fatal(err)
			}
			sub.Objects = append(sub.Objects, o)
		}
		if _, err := far.Add(ctx, nil, taxii.Place{Root: "r", Collection: id}, sub); err != nil {
			t.Fatal(err)
		}
	}
	n := testNode(t)
	pull := func(name string, received int) {
		t.Helper()
		r, err := n.Pull(ctx, node.PullRequest{Name: name, URL: s.URL + "/taxii2/", TLP: "GREEN"})
		if err != nil || !r.Done || r.Received != received || r.Taken != received || r.Refused != 0 {
			t.Errorf("%+v, %v, want %d", r, err, received)
		}
	}
	add(0, 40)
	pull("a", 40)
	pull("a", 0)
	add(40, 45)
	pull("a", 5)
	own := serveTAXII(t, n, token(t, n, ScopeRead))
	wait(t, n)
	size := func() int64 {
		t.Helper()
		logs, err := n.Logs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return logs[0].Size
	}
	before := size()
	pull("b", 45) // as after a crash before the cursor was kept
	if got := size(); got != before {
		t.Errorf("the log grew from %d to %d", before, got)
	}
	if got := own.drain(t, taxii.PullOptions{}); len(got) != 45 {
		t.Errorf("%d objects, want 45", len(got))
	}
	if _, err := n.Pull(ctx, node.PullRequest{URL: s.URL + "/taxii2/", Collection: "none"}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a collection that is not there: %v", err)
	}
}
