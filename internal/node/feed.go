package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/foreign"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/taxii"
)

// PullRequest asks to bring in what is new in a foreign TAXII collection. How far it was read is kept under its name.
type PullRequest struct {
	Name       string   `json:"name,omitempty" maxLength:"64" doc:"Under which how far it was read is kept; absent: one that follows from url, collection and agreement"`
	URL        string   `json:"url" doc:"Of discovery, of an API root or of a collection"`
	Collection string   `json:"collection,omitempty" doc:"Id, alias or title; absent where the URL is a collection's, or where there is only one"`
	Agreement  string   `json:"agreement,omitempty" doc:"Under which its objects are published; absent: own"`
	TLP        string   `json:"tlp,omitempty" doc:"Of objects that bear no marking; absent: TLP:AMBER"`
	User       string   `json:"user,omitempty" doc:"For Basic; absent: the secret is a bearer token"`
	Secret     string   `json:"secret,omitempty" doc:"Password or token"`
	Types      []string `json:"types,omitempty" doc:"STIX types; absent: all"`
	Since      string   `json:"since,omitempty" doc:"From when on, RFC 3339"`
}

// PullReport says what reading a feed brought. It adds up over the calls that one pull takes.
type PullReport struct {
	Name       string               `json:"name"`
	Collection string               `json:"collection" doc:"The URL that was read"`
	Received   int                  `json:"received" doc:"Objects that were new to this feed"`
	Taken      int                  `json:"taken" doc:"Of these: published, or here already"`
	Refused    int                  `json:"refused"`
	Failures   []taxii.StatusDetail `json:"failures,omitempty" doc:"The first of what was refused"`
	Gaps       []string             `json:"gaps,omitempty" doc:"Where the server gave no way to read on without perhaps missing objects"`
	Lost       int                  `json:"lost,omitempty" doc:"What a conversion could not carry; the log names it"`
	Done       bool                 `json:"done" doc:"Whether the present end of the collection was reached; if not, ask again"`
}

// pullTime is how long one call reads before it returns what it has: an HTTP request must not take for ever.
const pullTime = 45 * time.Second

// mostFailures bounds how many refused objects a report names.
const mostFailures = 100

// feeds is what is under way: a name is read by one goroutine at a time.
type feeds struct {
	mu   sync.Mutex
	busy map[string]bool
}

func (f *feeds) take(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy[name] {
		return false
	}
	if f.busy == nil {
		f.busy = map[string]bool{}
	}
	f.busy[name] = true
	return true
}

func (f *feeds) give(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.busy, name)
}

// Pull reads a foreign collection for up to pullTime and publishes what is new. Each object is published once, however often
// the call is repeated, and over crashes: a batch that was published and not noted is known by its objects.
func (n *Node) Pull(ctx context.Context, r PullRequest) (PullReport, error) {
	if n.ledger == nil {
		return PullReport{}, errReadOnly()
	}
	f := Feed{Name: r.Name, URL: r.URL, Collection: r.Collection, Agreement: r.Agreement, TLP: r.TLP, User: r.User, Types: r.Types, Since: r.Since}
	if f.Agreement == "" {
		f.Agreement = record.OwnAgreement
	} else if f.Agreement != record.OwnAgreement {
		id, err := n.rollID(ctx, f.Agreement)
		if err != nil {
			return PullReport{}, err
		}
		f.Agreement = id
	}
	if f.Name == "" {
		sum := sha256.Sum256([]byte(f.URL + "\n" + f.Collection + "\n" + f.Agreement + "\n" + strings.Join(f.Types, ",")))
		f.Name = "pull-" + hex.EncodeToString(sum[:8])
	}
	if err := f.check(); err != nil {
		return PullReport{}, &fault.Fault{Code: fault.Invalid, What: "pulling", Err: err}
	}
	return n.read(ctx, f, r.Secret)
}

// pull reads a collection of a TAXII server.
func (n *Node) pull(ctx context.Context, f Feed, secret string) (PullReport, error) {
	report := PullReport{Name: f.Name}
	to, err := n.feedTarget(ctx, f.Agreement)
	if err != nil {
		return report, err
	}
	client, err := f.client(secret)
	if err != nil {
		return report, &fault.Fault{Code: fault.Invalid, What: "pulling", Err: err}
	}
	if report.Collection, err = foreign.FindCollection(ctx, client, f.URL, f.Collection, foreign.ToRead); err != nil {
		return report, foreign.Fault(err)
	}
	if err := n.awaitOwn(ctx, to.log); err != nil {
		return report, err
	}
	options := taxii.PullOptions{Filter: f.filter(), Cursors: feedCursor{n, f.Name}, Gap: func(err error) { report.Gaps = append(report.Gaps, err.Error()) }}
	until := time.Now().Add(pullTime)
	report.Done = true
	for batch, err := range client.Pull(ctx, report.Collection, options) {
		if err != nil {
			return report, foreign.Fault(err)
		}
		if time.Now().After(until) {
			report.Done = false // this batch is not noted: it comes again
			break
		}
		if err := n.takeBatch(ctx, f, to, batch, &report); err != nil {
			return report, err
		}
	}
	return report, nil
}

// awaitOwn waits until the index has all of a log: what a run before published is then known when it comes again.
func (n *Node) awaitOwn(ctx context.Context, log string) error {
	l, err := n.reader.Log(ctx, log)
	if err != nil {
		return nil //nolint:nilerr // a log that is not there yet holds nothing
	}
	return n.WaitIndexed(ctx, l.ID, l.Size)
}

// feedTarget is the collection in which a feed's objects are published.
func (n *Node) feedTarget(ctx context.Context, agreement string) (collection, error) {
	list, err := collections{n}.list(ctx, account.TAXIICaller{Owner: true})
	if err != nil {
		return collection{}, err
	}
	for _, c := range list {
		if c.agreement == agreement && c.write && c.view == nil {
			return c, nil
		}
	}
	return collection{}, fault.New(fault.NoLog, "open one with 'mithaq log open'", "publishing a feed: this party has no open log under %s", agreement)
}

// takeBatch publishes one page.
func (n *Node) takeBatch(ctx context.Context, f Feed, to collection, batch taxii.Batch, report *PullReport) error {
	p := posting{n: n, to: to, who: account.TAXIICaller{Owner: true, Token: "feed " + f.Name}, marking: defaultTLP, despite: f.Despite, received: n.now()}
	if f.TLP != "" {
		p.marking = record.TLP(prefixed("TLP:", f.TLP))
	}
	if err := p.take(ctx, batch.Objects); err != nil {
		return err
	}
	for _, r := range batch.Refused {
		p.status.Failures = append(p.status.Failures, taxii.StatusDetail{ID: r.ID, Version: r.Version, Message: r.Reason, Pointer: r.Pointer})
	}
	report.Received += len(batch.Objects) + len(batch.Refused)
	report.Taken += len(p.status.Successes)
	report.refuse(p.status.Failures...)
	return nil
}

// refuse counts what was refused and names the first of it.
func (r *PullReport) refuse(failures ...taxii.StatusDetail) {
	r.Refused += len(failures)
	if room := mostFailures - len(r.Failures); room > 0 {
		r.Failures = append(r.Failures, failures[:min(room, len(failures))]...)
	}
}

func (f Feed) filter() taxii.Filter {
	out := taxii.Filter{Types: f.Types, Versions: taxii.Versions{All: true}}
	if since, err := time.Parse(time.RFC3339, f.Since); err == nil {
		out.AddedAfter = since
	}
	return out
}

func (f Feed) client(secret string) (*taxii.Client, error) {
	o := taxii.ClientOptions{}
	switch {
	case f.User != "":
		o.Authorize = taxii.BasicCredentials(f.User, secret)
	case secret != "":
		o.Authorize = taxii.BearerCredentials(secret)
	}
	return taxii.NewClient(f.URL, o)
}

// feedCursor keeps in the local store how far a feed was read.
type feedCursor struct {
	n    *Node
	name string
}

// Load implements taxii.CursorStore.
func (c feedCursor) Load(ctx context.Context) ([]byte, error) {
	cursor, _, err := c.n.store.Feed(ctx, c.name)
	return cursor, err
}

// Save implements taxii.CursorStore.
func (c feedCursor) Save(ctx context.Context, cursor []byte) error {
	_, state, err := c.n.store.Feed(ctx, c.name)
	if err != nil {
		return err
	}
	return c.n.store.PutFeed(ctx, c.name, cursor, state)
}

// FeedView is a feed of the configuration and what became of it.
type FeedView struct {
	Name      string    `json:"name"`
	Kind      string    `json:"kind" enum:"taxii,misp,file"`
	URL       string    `json:"url"`
	Agreement string    `json:"agreement"`
	Every     string    `json:"every"`
	Last      FeedState `json:"last" doc:"The last run"`
	Next      time.Time `json:"next,omitzero" doc:"When its next turn is"`
}

// FeedState is what became of a feed's last run, and how much it has brought so far.
type FeedState struct {
	At      time.Time `json:"at,omitzero"`
	Error   string    `json:"error,omitempty"`
	Taken   int       `json:"taken" doc:"By all runs"`
	Refused int       `json:"refused" doc:"By all runs"`
	Gaps    int       `json:"gaps,omitempty" doc:"By all runs"`
	Lost    int       `json:"lost,omitempty" doc:"Values and properties that conversions could not carry, by all runs"`
}

// Feeds lists the feeds of the configuration.
func (n *Node) Feeds(ctx context.Context) ([]FeedView, error) {
	out := []FeedView{}
	for _, f := range n.cfg.Feeds {
		state, err := n.feedState(ctx, f.Name)
		if err != nil {
			return nil, err
		}
		next := state.At.Add(f.every())
		if now := n.now(); next.Before(now) {
			next = now
		}
		out = append(out, FeedView{Next: next.UTC(), Name: f.Name, Kind: f.kind(), URL: f.URL, Agreement: f.Agreement, Every: f.every().String(), Last: state})
	}
	return out, nil
}

func (n *Node) feedState(ctx context.Context, name string) (state FeedState, err error) {
	_, text, err := n.store.Feed(ctx, name)
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &state)
	}
	return state, err
}
