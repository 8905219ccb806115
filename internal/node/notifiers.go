package node

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/notify"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// The kinds of notifiers.
const (
	NotifierMail    = "mail"
	NotifierWebhook = "webhook"
)

// NotifierRequest asks that somebody be told when something waits.
type NotifierRequest struct {
	Name      string   `json:"name" minLength:"1" maxLength:"64" doc:"Letters, digits, - and _"`
	Kind      string   `json:"kind" enum:"mail,webhook"`
	To        string   `json:"to" minLength:"1" maxLength:"2000" doc:"A mail address, or the address that JSON is posted to"`
	Language  string   `json:"language,omitempty" enum:"ar,en,fr" doc:"Of the messages; absent: Arabic"`
	Occasions []string `json:"occasions,omitempty" doc:"approval, recall, alert, mismatch, stale, quota, sensor, feed, backup; absent: all"`
}

// NotifierView is a notifier without its secret.
type NotifierView struct {
	Name      string     `json:"name"`
	Kind      string     `json:"kind" enum:"mail,webhook"`
	To        string     `json:"to"`
	Language  string     `json:"language" enum:"ar,en,fr"`
	Occasions []string   `json:"occasions"`
	Created   time.Time  `json:"created"`
	Last      *NoticeRun `json:"last,omitempty" doc:"What became of the last message; absent: none was sent yet"`
	Waiting   int64      `json:"waiting,omitempty" doc:"Matters that it will be told of"`
	Next      *time.Time `json:"next,omitempty" doc:"When it is told of them, or when that is tried again"`
}

// NoticeRun is what became of a message.
type NoticeRun struct {
	At       time.Time `json:"at"`
	Occasion string    `json:"occasion"`
	Error    string    `json:"error,omitempty" doc:"Why it did not arrive"`
	GivenUp  bool      `json:"given_up,omitempty" doc:"It was tried for three days and is not tried again"`
}

// NewNotifier is a notifier with the secret of its webhook, which is told once.
type NewNotifier struct {
	NotifierView
	Secret string `json:"secret,omitempty" doc:"What the receiver verifies signatures with, as Standard Webhooks say: whsec_ and base64"`
}

// NotifiersView says who is told, and by which mail server.
type NotifiersView struct {
	MailServer string         `json:"mail_server,omitempty" doc:"As the configuration says; absent: none, and nothing leaves by mail"`
	MailFrom   string         `json:"mail_from,omitempty"`
	Link       string         `json:"link" doc:"The address of the screens that messages give: public_url in the configuration"`
	Notifiers  []NotifierView `json:"notifiers"`
}

// maxNotifiers bounds who is told.
const maxNotifiers = 50

// notifierState is what is kept of a notifier besides what people said.
type notifierState struct {
	Last *NoticeRun           `json:"last,omitempty"`
	Told map[string]time.Time `json:"told,omitempty"` // by occasion, when it was last told of it
}

func stateOf(n store.Notifier) (s notifierState) {
	if json.Unmarshal(n.State, &s) != nil || s.Told == nil {
		s.Told = map[string]time.Time{} // a new one; what is not readable says nothing
	}
	return s
}

// AddNotifier keeps whom to tell. It is told of what comes from now on.
func (n *Node) AddNotifier(ctx context.Context, q NotifierRequest) (NewNotifier, error) {
	if n.ledger == nil {
		return NewNotifier{}, errReadOnly()
	}
	if q.Language == "" {
		q.Language = "ar"
	}
	if len(q.Occasions) == 0 {
		for _, o := range notify.Occasions() {
			q.Occasions = append(q.Occasions, string(o))
		}
	}
	if err := n.checkNotifier(q); err != nil {
		return NewNotifier{}, err
	}
	all, err := n.store.Notifiers(ctx)
	if err != nil {
		return NewNotifier{}, fault.OfStore(err)
	}
	if slices.ContainsFunc(all, func(o store.Notifier) bool { return o.Name == q.Name }) {
		return NewNotifier{}, fault.New(fault.Conflict, "remove it first, or choose another name", "adding a notifier: there is one called %s", q.Name)
	}
	if len(all) >= maxNotifiers {
		return NewNotifier{}, fault.New(fault.Busy, "remove some", "adding a notifier: there are %d already", maxNotifiers)
	}
	if len(all) == 0 { // nobody was told so far: what waits by now is no news
		if err := n.gatherNotices(ctx, nil); err != nil {
			return NewNotifier{}, fault.OfStore(err)
		}
	}
	slices.Sort(q.Occasions)
	row := store.Notifier{Name: q.Name, Kind: q.Kind, Target: q.To, Language: q.Language, Occasions: slices.Compact(q.Occasions), Created: n.now()}
	out := NewNotifier{}
	if q.Kind == NotifierWebhook {
		row.Secret = make([]byte, notify.SecretBytes)
		if _, err := io.ReadFull(n.rand, row.Secret); err != nil {
			return NewNotifier{}, fmt.Errorf("adding a notifier: %w", err)
		}
		out.Secret = notify.SecretPrefix + base64.StdEncoding.EncodeToString(row.Secret)
	}
	if err := n.store.PutNotifier(ctx, row); err != nil {
		return NewNotifier{}, fault.OfStore(err)
	}
	out.NotifierView = viewNotifier(row, nil)
	return out, nil
}

func (n *Node) checkNotifier(q NotifierRequest) error {
	if !validName(q.Name) {
		return fault.New(fault.Invalid, "use up to 64 letters, digits, - and _", "adding a notifier: %s is no name for one", fault.Clip(q.Name))
	}
	if !slices.Contains(notify.Languages(), q.Language) {
		return fault.New(fault.Invalid, "give ar, en or fr", "adding a notifier: there are no messages in %s", fault.Clip(q.Language))
	}
	for _, o := range q.Occasions {
		if !notify.IsOccasion(o) {
			return fault.New(fault.Invalid, "see 'mithaq notifier add --help'", "adding a notifier: nobody is told of %s", fault.Clip(o))
		}
	}
	switch q.Kind {
	case NotifierMail:
		if n.cfg.Mail.Server == "" {
			return fault.New(fault.Invalid, "set mail in "+ConfigName+" and start the node again", "adding a notifier: no mail server is configured")
		}
		if err := notify.CheckAddress(q.To); err != nil {
			return &fault.Fault{Code: fault.Invalid, What: "adding a notifier", Err: err}
		}
	case NotifierWebhook:
		return checkHook(q.To)
	default:
		return fault.New(fault.Invalid, "give mail or webhook", "adding a notifier: there is no kind %s", fault.Clip(q.Kind))
	}
	return nil
}

// checkHook refuses addresses that a webhook is not posted to: in the clear only within this network.
func checkHook(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return fault.New(fault.Invalid, "write for example \"https://chat.example/hooks/mithaq\"", "adding a notifier: %s is not an https address", fault.Clip(address))
	}
	if err := fetch.CheckURL(address, true); err != nil {
		return &fault.Fault{Code: fault.Invalid, What: "adding a notifier", Err: err}
	}
	if u.Scheme == "http" && fetch.CheckURL(address, false) == nil {
		return fault.New(fault.Invalid, "use https", "adding a notifier: %s would be told in the clear", fault.Clip(u.Host))
	}
	return nil
}

func viewNotifier(r store.Notifier, waiting []store.Notice) NotifierView {
	v := NotifierView{Name: r.Name, Kind: r.Kind, To: r.Target, Language: r.Language, Occasions: r.Occasions, Created: r.Created, Last: stateOf(r).Last}
	for _, w := range waiting {
		if w.Notifier == r.Name {
			v.Waiting += w.Count
			if v.Next == nil || w.Due.Before(*v.Next) {
				v.Next = &w.Due
			}
		}
	}
	return v
}

// Notifiers lists who is told.
func (n *Node) Notifiers(ctx context.Context) (NotifiersView, error) {
	v := NotifiersView{MailServer: n.cfg.Mail.Server, MailFrom: n.cfg.Mail.From, Link: n.screens(), Notifiers: []NotifierView{}}
	rows, err := n.store.Notifiers(ctx)
	if err != nil {
		return v, fault.OfStore(err)
	}
	waiting, err := n.store.Notices(ctx)
	for _, r := range rows {
		v.Notifiers = append(v.Notifiers, viewNotifier(r, waiting))
	}
	return v, fault.OfStore(err)
}

// RemoveNotifier forgets whom to tell, and what it was to be told.
func (n *Node) RemoveNotifier(ctx context.Context, name string) error {
	if n.ledger == nil {
		return errReadOnly()
	}
	err := n.store.RemoveNotifier(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return noNotifier("removing a notifier", name)
	}
	return fault.OfStore(err)
}

func noNotifier(doing, name string) error {
	return fault.New(fault.NotFound, "see 'mithaq notifier list'", "%s: there is none called %s", doing, fault.Clip(name))
}

// TestNotifier sends a message that says that it is a test, at once, and tells what became of it.
func (n *Node) TestNotifier(ctx context.Context, name string) (NoticeRun, error) {
	if n.ledger == nil {
		return NoticeRun{}, errReadOnly()
	}
	rows, err := n.store.Notifiers(ctx)
	if err != nil {
		return NoticeRun{}, fault.OfStore(err)
	}
	i := slices.IndexFunc(rows, func(r store.Notifier) bool { return r.Name == name })
	if i < 0 {
		return NoticeRun{}, noNotifier("testing a notifier", name)
	}
	id, err := n.noticeID()
	if err != nil {
		return NoticeRun{}, err
	}
	failed := n.sendNotice(ctx, rows[i], store.Notice{Notifier: name, Occasion: string(notify.Test), ID: id, Count: 1, Path: "/", Since: n.now()})
	run := n.ran(string(notify.Test), failed)
	err = n.noteRun(context.WithoutCancel(ctx), name, run, func(ctx context.Context, state []byte) error {
		return n.store.NoteNotifier(ctx, name, state)
	})
	return run, fault.OfStore(err)
}

// ran is what became of a message.
func (n *Node) ran(occasion string, failed error) NoticeRun {
	run := NoticeRun{At: n.now().UTC(), Occasion: occasion}
	if failed != nil {
		run.Error = oneLine(failed.Error())
	}
	return run
}

// noticeID names a message.
func (n *Node) noticeID() (string, error) {
	var raw [15]byte
	if _, err := io.ReadFull(n.rand, raw[:]); err != nil {
		return "", fmt.Errorf("naming a message: %w", err)
	}
	return "m-" + record.Base32.EncodeToString(raw[:]), nil
}

// screens is the address under which people reach the screens.
func (n *Node) screens() string {
	if n.cfg.PublicURL == "" {
		n.mu.RLock()
		defer n.mu.RUnlock()
		if n.address != "" {
			return n.address
		}
	}
	return strings.TrimRight(n.cfg.BaseURL(), "/")
}
