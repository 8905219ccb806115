package node

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

// askedBy serves a node's logs to one viewer and gets a path.
func askedBy(n *Node, v Viewer, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	n.LogHandler(func(*http.Request) Viewer { return v }).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// Who gets the bytes of what: by marking, audience, recall, expiry and membership. The author has back all but what it erased.
func TestWhoGetsWhichObject(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	third := newTestNode(t)
	must(carry(third, must(keeper.RollFileOf(ctx, id))(t)))(t)
	must(carry(keeper, must(perform(t, third, id, ActRequest{Act: "join"}))(t).File))(t)
	publish := func(tlp string, change func(*Draft)) Receipt {
		d := reportDraft(tlp)
		d.TLP, d.Serves = tlp, []string{"1"}
		if change != nil {
			change(&d)
		}
		return must(keeper.Publish(ctx, "memo", d))(t)
	}
	soon := keeper.now().Add(time.Hour)
	records := map[string]Receipt{
		"clear": publish("CLEAR", nil), "green": publish("GREEN", nil), "amber": publish("AMBER", nil),
		"to other":   publish("AMBER", func(d *Draft) { d.Parties = []string{other.Party().ID} }),
		"red":        publish("RED", func(d *Draft) { d.Persons = []string{keeper.Owner().Person} }),
		"withdrawn":  publish("AMBER", nil),
		"taken back": publish("CLEAR", nil),
		"expired":    publish("GREEN", func(d *Draft) { d.Expires = soon.Format(time.RFC3339) }),
		"erased":     publish("GREEN", nil),
	}
	for _, name := range []string{"withdrawn", "taken back"} {
		must(keeper.ChangeRecord(ctx, id, records[name].Index, Change{Action: "withdraw", Reason: "error"}))(t)
	}
	must(keeper.Erase(ctx, id, records["erased"].Index, Erasure{Reason: "legal"}))(t)
	keeper.now = func() time.Time { return soon.Add(time.Minute) }

	viewers := map[string]Viewer{
		"author": {Own: true}, "restoring": {Party: keeper.Party().ID}, "other": {Party: other.Party().ID}, "third": {Party: third.Party().ID},
		"outsider": {Party: newTestNode(t).Party().ID}, "stranger": {},
	}
	// The log is not public: whoever is no member is not even told that there is such an object.
	codes := func(author, other, third int) map[string]int {
		return map[string]int{"author": author, "restoring": author, "other": other, "third": third, "outsider": 404, "stranger": 404}
	}
	want := map[string]map[string]int{
		"clear": codes(200, 200, 200), "green": codes(200, 200, 200), "amber": codes(200, 200, 200), "to other": codes(200, 200, 403),
		"red": codes(200, 403, 403), "withdrawn": codes(200, 403, 403), "taken back": codes(200, 403, 403), "expired": codes(200, 403, 403),
		"erased": codes(410, 410, 410),
	}
	check := func(when string) {
		t.Helper()
		for what, codes := range want {
			l, err := keeper.resolveLog(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			hash, err := keeper.objectHash(ctx, keeper.book(l.ID).no, records[what].Index)
			if err != nil {
				t.Fatal(err)
			}
			for who, code := range codes {
				if w := askedBy(keeper, viewers[who], "/object/"+hex.EncodeToString(hash[:])); w.Code != code {
					t.Errorf("%s, %s to the %s: %d, want %d (%s)", when, what, who, w.Code, code, strings.TrimSpace(w.Body.String()))
				}
			}
		}
	}
	check("indexed")
	if err := keeper.store.Index().Drop(ctx); err != nil {
		t.Fatal(err)
	}
	// The index is gone: what a record is, is asked of the record; what may have been recalled waits.
	l := must(keeper.resolveLog(ctx, id))(t)
	hash := must(keeper.objectHash(ctx, keeper.book(l.ID).no, records["amber"].Index))(t)
	if w := askedBy(keeper, viewers["author"], "/object/"+hex.EncodeToString(hash[:])); w.Code != 200 {
		t.Errorf("without an index, to the author: %d", w.Code)
	}
	if w := askedBy(keeper, viewers["stranger"], "/object/"+hex.EncodeToString(hash[:])); w.Code == 200 {
		t.Errorf("without an index, to a stranger: %d", w.Code)
	}
	must(keeper.Reindex(ctx))(t)
	if err := keeper.WaitIndexed(ctx, l.ID, l.Size); err != nil {
		t.Fatal(err)
	}
	check("indexed again")
}

// A log that is not public is followed by members and by its own auditor. To others it does not exist, in any list.
func TestWhoMayFollowALog(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	l := must(keeper.resolveLog(ctx, id))(t)
	own := must(keeper.resolveLog(ctx, "own"))(t)
	for _, c := range []struct {
		who   string
		v     Viewer
		codes [2]int // of the agreement's log, which is not public, and of the own one, which is
	}{
		{"author", Viewer{Own: true}, [2]int{200, 200}}, {"member", Viewer{Party: other.Party().ID}, [2]int{200, 200}},
		{"outsider", Viewer{Party: newTestNode(t).Party().ID}, [2]int{404, 200}}, {"stranger", Viewer{}, [2]int{404, 200}},
	} {
		listed := must(keeper.LogsFor(ctx, c.v))(t)
		if want := map[int]int{200: 2, 404: 1}[c.codes[0]]; len(listed) != want {
			t.Errorf("the %s is told of %d logs, want %d", c.who, len(listed), want)
		}
		for i, id := range []string{l.ID, own.ID} {
			for _, path := range []string{"/checkpoint", "/keyrings", "/tile/0/000.p/1", "/tile/entries/000.p/1"} {
				if w := askedBy(keeper, c.v, "/log/"+id+path); w.Code != c.codes[i] {
					t.Errorf("%s of log %d to the %s: %d, want %d", path, i, c.who, w.Code, c.codes[i])
				}
			}
		}
	}
}

// A page of requests costs as many evaluations as it has classes, and the roll is not searched for again.
func TestManyRequestsCostFewDecisions(t *testing.T) {
	ctx := context.Background()
	keeper, other, id := founded(t)
	l := must(keeper.resolveLog(ctx, id))(t)
	for range 50 {
		for _, v := range []Viewer{{Own: true}, {Party: other.Party().ID}, {}} {
			if _, _, err := keeper.mayFollow(ctx, v, l); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := keeper.exits.rules[id].decider.Evaluations(); n != 3 {
		t.Errorf("150 requests of 3 classes cost %d evaluations", n)
	}
}

// TestWhatHandsOutContentsAsks walks the node's exported methods: what gives out records, bodies or bytes of a log takes the
// Viewer for whom the decision is asked, or stands here with the reason why it need not.
func TestWhatHandsOutContentsAsks(t *testing.T) {
	excused := map[string]string{
		"Proof":    "hashes of one path, no contents; behind scope audit, which is the party's own",
		"Keyring":  "the party's own public keys, which every log shows at leaf 0",
		"CaseFile": "two acts with proofs, which wait for the person who reads this, behind scope read", "EvidenceFile": "checkpoints that contradict each other, behind scope read",
		"Indicators": "exit detect: asks for the node's own party and its sensor's use", "ShowRoll": "to a party that the roll names, known by the card it sends",
		"ReceiveCard": "cards of members, to one whom a roll or a person here knows", "Session": "a session's own secret, back to who holds it",
		"Passkeys": "public keys that a person signs in with, for the screens' own sign-in", "PasskeyByID": "the same",
		"AddCheckpoint":  "a witness's cosignature, or a signed checkpoint: hashes",
		"TAXIICursorKey": "for the TAXII server inside the program",
		"Card":           "who this party is and how to reach it, for anybody",
		"Search":         "asks for the node's own party; behind scope read",
		// An officer's own papers on their way by hand: acts cannot be recalled, and who gets the file is who is given it.
		"Act": "the act that the caller just made", "DraftAct": "the same, before it is signed", "SignDraft": "the same", "SubmitDraft": "the same",
		"PendingActs": "this party's acts that the depositary has not entered", "RollFileOf": "what the parties said to one another about their agreement",
		"ProposeKeyrings": "public keys for the root key to sign",
		// Drafts that are kept: the party's own papers, which have not been said to anybody; behind scope publish.
		"Draft": "a draft of this party's own", "Drafts": "the same", "KeepDraft": "what the caller just wrote", "SaveDraft": "the same", "TakeDraft": "the same",
		"FixDraft": "the draft, for its officers to sign", "ReopenDraft": "the same", "SignKept": "the same, signed", "SubmitKept": "the act that the caller just made",
	}
	contents := map[reflect.Type]bool{
		reflect.TypeFor[RecordView](): true, reflect.TypeFor[SearchResult](): true, reflect.TypeFor[[]byte](): true, reflect.TypeFor[json.RawMessage](): true,
	}
	viewer := reflect.TypeFor[Viewer]()
	seen := map[string]bool{}
	for m := range reflect.TypeFor[*Node]().Methods() {
		asks := false
		for in := range m.Type.Ins() {
			asks = asks || in == viewer
		}
		gives := false
		for out := range m.Type.Outs() {
			gives = gives || holds(out, contents, map[reflect.Type]bool{})
		}
		if !gives || asks {
			continue
		}
		seen[m.Name] = true
		if excused[m.Name] == "" {
			t.Errorf("Node.%s hands out contents and does not know to whom: give it a Viewer and ask policy, or say here why it need not", m.Name)
		}
	}
	for name := range excused {
		if !seen[name] {
			t.Errorf("%s is excused and needs no excuse", name)
		}
	}
}

// holds says whether a value of type x can carry one of the wanted types to a caller.
func holds(x reflect.Type, wanted, seen map[reflect.Type]bool) bool {
	if wanted[x] {
		return true
	}
	if seen[x] {
		return false
	}
	seen[x] = true
	switch x.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return holds(x.Elem(), wanted, seen)
	case reflect.Struct:
		for f := range x.Fields() {
			if f.IsExported() && holds(f.Type, wanted, seen) {
				return true
			}
		}
	}
	return false
}
