package node

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/store"
)

// receiver takes what notifiers post.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int              // what it answers
	got    []map[string]any // bodies it answered 200 to
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		var body map[string]any
		if err := json.NewDecoder(q.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		body["signed"] = q.Header.Get("Webhook-Signature") != ""
		if w.WriteHeader(r.status); r.status == http.StatusOK {
			r.got = append(r.got, body)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// took returns what came since it was last asked, as "occasion count path".
func (r *receiver) took() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, b := range r.got {
		link, ok := b["link"].(string)
		i := strings.Index(link, "//")
		if !ok || i < 0 || b["signed"] != true {
			return "not as it should be"
		}
		text, err := json.Marshal(b["count"])
		if err != nil {
			return err.Error()
		}
		out = append(out, b["occasion"].(string)+" "+string(text)+" "+link[i+2+strings.Index(link[i+2:], "/"):])
	}
	r.got = nil
	return strings.Join(out, ", ")
}

// round is one round of the job.
func round(t *testing.T, n *Node) {
	t.Helper()
	ctx := context.Background()
	if err := n.allIndexed(ctx); err != nil {
		t.Fatal(err)
	}
	who := must(n.store.Notifiers(ctx))(t)
	if err := errors.Join(n.gatherNotices(ctx, who), n.sendNotices(ctx, who)); err != nil {
		t.Fatal(err)
	}
}

// Somebody is told once of what is new, of much at once in one message, again when a message did not arrive, and after a
// restart of what was not told before it.
func TestNotifiersAreTold(t *testing.T) {
	ctx, n, chat := context.Background(), newTestNode(t), newReceiver(t)
	now := time.Now()
	n.now = func() time.Time { return now }
	for _, name := range []string{"north", "south"} {
		if err := n.ReportSensor(ctx, SensorReport{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.ReportSensor(ctx, SensorReport{Name: "detect", Once: true}); err != nil {
		t.Fatal(err)
	}
	made := must(n.AddNotifier(ctx, NotifierRequest{Name: "chat", Kind: NotifierWebhook, To: chat.URL, Language: "en", Occasions: []string{"sensor", "approval"}}))(t)
	if !strings.HasPrefix(made.Secret, "whsec_") {
		t.Errorf("%+v", made)
	}
	told := func(what, want string) {
		t.Helper()
		round(t, n)
		if got := chat.took(); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	told("nothing is wrong", "")
	now = now.Add(time.Hour)
	told("two sensors are silent", "sensor 2 /watch")
	told("it is known", "")
	if err := n.ReportSensor(ctx, SensorReport{Name: "north"}); err != nil {
		t.Fatal(err)
	}
	told("one is back", "")
	now = now.Add(31 * time.Minute)
	chat.answers(http.StatusInternalServerError)
	told("it is silent again, and so is the receiver", "")
	view := must(n.Notifiers(ctx))(t).Notifiers[0]
	if view.Last == nil || !strings.Contains(view.Last.Error, "500") || view.Waiting != 1 || !view.Next.Equal(now.Add(notifyAgain).Truncate(time.Microsecond)) {
		t.Errorf("%+v %+v", view, view.Last)
	}
	if err := n.store.AddDraft(ctx, store.Draft{ID: "d-aaaaaaaaaaaaaaaa", Act: "propose", State: store.DraftSigning, Revision: 1, Begun: now, Changed: now, Request: []byte(`{"act":"propose"}`)}); err != nil {
		t.Fatal(err)
	}
	chat.answers(http.StatusOK)
	told("not yet time for the one, and news of another kind", "approval 1 /desk/d-aaaaaaaaaaaaaaaa")
	dir := n.dir
	shut(t, n)
	n = again(t, dir, OpenOptions{})
	now = now.Add(notifyAgain)
	n.now = func() time.Time { return now }
	told("after a restart", "sensor 1 /watch")
	if run := must(n.TestNotifier(ctx, "chat"))(t); run.Error != "" || chat.took() != "test 1 /" {
		t.Errorf("%+v", run)
	}
	if err := n.RemoveNotifier(ctx, "chat"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(retiredAfter)
	told("nobody is told", "")
	if matters := must(n.Matters(ctx))(t); len(matters) != 1 || matters[0].Path != "/desk/d-aaaaaaaaaaaaaaaa" {
		t.Errorf("%+v", matters)
	}
}

// What is for named persons alone is not told to a mail address, and what came before somebody wanted to know is no news.
func TestNotifiersAreToldWhatTheyMay(t *testing.T) {
	ctx, n, chat := context.Background(), newTestNode(t), newReceiver(t)
	amber := mustPublish(t, n, Draft{Kind: "intel", TLP: "TLP:AMBER", Body: indicators("2026-01-02T00:00:00.000Z", "1", "2")})
	red := mustPublish(t, n, Draft{Kind: "intel", TLP: "TLP:RED", Persons: []string{n.Owner().Person}, Body: indicators("2026-01-02T00:00:00.000Z", "3")})
	saw := func(r Receipt, which string) {
		t.Helper()
		if _, err := n.AddSightings(ctx, []FoundSighting{{Indicator: indicatorID(which), Record: r.Leaf, Count: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	saw(amber, "2")
	if _, err := n.AddNotifier(ctx, NotifierRequest{Name: "chat", Kind: NotifierWebhook, To: chat.URL}); err != nil {
		t.Fatal(err)
	}
	round(t, n)
	saw(red, "3")
	round(t, n)
	if got := chat.took(); got != "" {
		t.Errorf("told of what is old, or of a RED record: %q", got)
	}
	saw(amber, "1")
	round(t, n)
	if got := chat.took(); got != "alert 1 /watch" {
		t.Errorf("%q", got)
	}
	rows := n.audited.take(time.Time{})
	denied, allowed := int64(0), int64(0)
	for _, r := range rows {
		if r.Exit == "mail" && r.Allowed {
			allowed += r.Count
		} else if r.Exit == "mail" {
			denied += r.Count
		}
	}
	if denied != 1 || allowed != 1 {
		t.Errorf("%d refused and %d allowed at the exit", denied, allowed)
	}
}

// Addresses to which nothing goes are refused when they are given, with what would be right.
func TestNotifiersThatAreRefused(t *testing.T) {
	ctx, n := context.Background(), newTestNode(t)
	for _, c := range []struct {
		q    NotifierRequest
		want string
	}{
		{NotifierRequest{Name: "a b", Kind: "webhook", To: "https://chat.example"}, "letters, digits"},
		{NotifierRequest{Name: "a", Kind: "fax", To: "x"}, "mail or webhook"},
		{NotifierRequest{Name: "a", Kind: "mail", To: "duty@cert.example"}, "set mail in"},
		{NotifierRequest{Name: "a", Kind: "webhook", To: "chat.example"}, "https address"},
		{NotifierRequest{Name: "a", Kind: "webhook", To: "https://me:secret@chat.example"}, "https address"},
		{NotifierRequest{Name: "a", Kind: "webhook", To: "http://chat.example/x"}, "in the clear"},
		{NotifierRequest{Name: "a", Kind: "webhook", To: "http://169.254.169.254/latest"}, "never another party's"},
		{NotifierRequest{Name: "a", Kind: "webhook", To: "https://chat.example", Occasions: []string{"weather"}}, "nobody is told"},
		{NotifierRequest{Name: "a", Kind: "webhook", To: "https://chat.example", Language: "de"}, "ar, en or fr"},
	} {
		if _, err := n.AddNotifier(ctx, c.q); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.q, err, c.want)
		}
	}
	must(n.AddNotifier(ctx, NotifierRequest{Name: "a", Kind: "webhook", To: "https://chat.example/x?y=z"}))(t)
	_, err := n.AddNotifier(ctx, NotifierRequest{Name: "a", Kind: "webhook", To: "https://chat.example/x"})
	wantCode(t, err, fault.Conflict)
}

// A schedule makes backups by itself, keeps as many as it says of this node's own, and says so when one fails.
func TestBackupsAreMadeOnASchedule(t *testing.T) {
	ctx, n := context.Background(), newTestNode(t)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	n.now = func() time.Time { return now }
	n.cfg.BackupEvery, n.cfg.BackupKeep = "24h", 2
	if next := n.nextBackup(nil); !next.Equal(now) {
		t.Errorf("the first one is due at %s", next)
	}
	for range 3 {
		now = now.Add(24 * time.Hour)
		n.saveOnce(ctx)
	}
	others := filepath.Join(n.backupFolder(), "mithaq-aaaaaaaa-20260101T000000Z.mithaq")
	if err := os.WriteFile(others, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(24 * time.Hour)
	n.saveOnce(ctx)
	v := must(n.Backups(ctx))(t)
	if len(v.Files) != 3 || v.Last.Error != "" || v.Overdue || !v.Next.Equal(now.Add(24*time.Hour)) {
		t.Errorf("%+v %+v", v, v.Last)
	}
	if got := must(n.Matters(ctx))(t); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	now = now.Add(49 * time.Hour)
	if got := must(n.Matters(ctx))(t); len(got) != 1 || got[0].Occasion != "backup" || !must(n.Backups(ctx))(t).Overdue {
		t.Errorf("an overdue one: %+v", got)
	}
	n.cfg.BackupFolder = filepath.Join(others, "no folder")
	n.saveOnce(ctx)
	if got := must(n.Matters(ctx))(t); len(got) != 1 || !n.nextBackup(must(n.lastBackup(ctx))(t)).Equal(now.Add(time.Hour)) {
		t.Errorf("a failed one: %+v", got)
	}
}
