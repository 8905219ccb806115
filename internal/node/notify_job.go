package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/notify"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

const (
	// notifyLook is how often the job asks whether anything has changed, and sends what is due.
	notifyLook = 2 * time.Second
	// notifyEvery is how often it looks at everything, whether something is known to have changed or not.
	notifyEvery = 30 * time.Second
	// notifyGather is how long after a message of one occasion the next one goes out: what comes meanwhile is one message.
	notifyGather = 5 * time.Minute
	// notifyAgain is after how long a message that did not arrive is tried again at first; notifyAtMost after how long later on.
	notifyAgain  = time.Minute
	notifyAtMost = time.Hour
	// notifyTries is after how many tries, about three days, a message is given up.
	notifyTries = 80
	// maxNews bounds what is looked at in one go; the rest is looked at in the next.
	maxNews = 10_000
)

// notifySetting is where it stands what people were told of.
const notifySetting = "notify"

// toldOf is what people were told of.
type toldOf struct {
	Arrival  int64     `json:"arrival"`  // recalls up to this number
	Sighting time.Time `json:"sighting"` // sightings up to this time
	Known    []string  `json:"known"`    // keys of the matters that there were
}

// Notify tells the notifiers of what is new until ctx is done.
func (n *Node) Notify(ctx context.Context) {
	if n.ledger == nil {
		return
	}
	tick := time.NewTicker(notifyLook)
	defer tick.Stop()
	var seen [2]int64
	var looked time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := func() error {
			who, err := n.store.Notifiers(ctx)
			if err != nil || len(who) == 0 {
				return err
			}
			now, err := n.newsHere(ctx)
			if err != nil {
				return err
			}
			if now != seen || n.now().Sub(looked) >= notifyEvery {
				if err := n.gatherNotices(ctx, who); err != nil {
					return err
				}
				seen, looked = now, n.now()
			}
			return n.sendNotices(ctx, who)
		}()
		if err != nil && ctx.Err() == nil {
			n.logger.Warn("people could not be told of what waits: it is tried again", "error", err)
		}
	}
}

// newsHere are numbers that differ when something has arrived, or people and sensors here did something.
func (n *Node) newsHere(ctx context.Context) (now [2]int64, err error) {
	if now[0], err = n.NewestArrival(ctx); err == nil {
		now[1], err = n.LocalNews(ctx)
	}
	return now, err
}

// gatherNotices finds what is new and puts it up for those who want to be told of it. Where nobody does, it is known all the
// same from then on.
func (n *Node) gatherNotices(ctx context.Context, who []store.Notifier) error {
	told, err := n.toldOf(ctx)
	if err != nil {
		return err
	}
	matters, err := n.Matters(ctx)
	if err != nil {
		return err
	}
	var news []Matter
	known := map[string]bool{}
	for _, k := range told.Known {
		known[k] = true
	}
	told.Known = told.Known[:0]
	for _, m := range matters {
		if told.Known = append(told.Known, m.Key); !known[m.Key] {
			news = append(news, m)
		}
	}
	came, err := n.newRecallsAndSightings(ctx, &told, len(who) == 0)
	if err != nil {
		return err
	}
	value, err := json.Marshal(told)
	if err != nil {
		return fmt.Errorf("noting what people were told of: %w", err)
	}
	messages, err := n.messagesOf(append(news, came...), who)
	if err != nil {
		return err
	}
	return n.store.GatherNotices(ctx, notifySetting, value, messages)
}

func (n *Node) toldOf(ctx context.Context) (told toldOf, err error) {
	value, err := n.store.Setting(ctx, notifySetting)
	if errors.Is(err, store.ErrNotFound) {
		return told, nil
	}
	if err == nil {
		err = json.Unmarshal(value, &told)
	}
	return told, err
}

// newRecallsAndSightings finds what of both came since people were told last, as far as it may be told by mail; or only
// notes up to where there is any. What an index that is built again has not read yet is no news.
func (n *Node) newRecallsAndSightings(ctx context.Context, told *toldOf, only bool) (news []Matter, err error) {
	if only {
		told.Sighting = n.now()
		told.Arrival, err = n.NewestArrival(ctx)
		return nil, err
	}
	d, err := n.decideFor(ctx, Viewer{Own: true})
	if err != nil {
		return nil, err
	}
	index := n.store.Index()
	if state, err := n.IndexState(ctx); err == nil && state.Ready {
		newest, err := index.Newest(ctx)
		if err != nil {
			return nil, err
		}
		told.Arrival = min(told.Arrival, newest)
		recalls, err := index.ArrivedKind(ctx, string(record.KindRecall), told.Arrival, maxNews)
		if err != nil {
			return nil, err
		}
		for _, e := range recalls {
			if may, err := d.mayBeTold(ctx, e); err != nil {
				return nil, err
			} else if may && e.Author != n.party.ID {
				news = append(news, Matter{Occasion: string(notify.Recall), Path: "/today"})
			}
			told.Arrival = e.No
		}
		if len(recalls) < maxNews {
			told.Arrival = newest
		}
	}
	found, err := n.store.SightingsSince(ctx, told.Sighting, maxNews)
	if err != nil {
		return nil, err
	}
	for _, s := range found {
		told.Sighting = s.Created
		about, err := index.ByLeaf(ctx, s.Target)
		if err != nil {
			return nil, err
		}
		if s.State != store.SightingWaiting || len(about) == 0 {
			continue
		}
		if may, err := d.mayBeTold(ctx, about[0]); err != nil {
			return nil, err
		} else if may {
			news = append(news, Matter{Occasion: string(notify.Alert), Since: s.Created, Path: "/watch"})
		}
	}
	return news, nil
}

// mayBeTold asks whether a message may tell that there is a record. Nobody in particular gets a message, so that what is for
// named persons alone is not told.
func (d decision) mayBeTold(ctx context.Context, e store.Indexed) (bool, error) {
	if e.Standing != StandingValid {
		return false, nil
	}
	item, err := d.withChanges(ctx, e.Leaf, itemOfIndexed(e))
	if err != nil {
		return false, err
	}
	_, answer := ask(d, d.request(policy.ToMail(), item), policy.Guard(item, struct{}{}))
	return answer.Allow, nil
}

// messagesOf makes one message for each notifier and occasion. It goes out at once, unless it follows another one closely.
func (n *Node) messagesOf(news []Matter, who []store.Notifier) (out []store.Notice, err error) {
	now := n.now()
	for _, w := range who {
		told := stateOf(w).Told
		for _, occasion := range w.Occasions {
			m := store.Notice{Notifier: w.Name, Occasion: occasion, Due: now, Since: now}
			for _, x := range news {
				if x.Occasion != occasion {
					continue
				}
				if m.Count++; m.Count == 1 {
					m.Path = x.Path
				} else if m.Path != x.Path {
					m.Path = ""
				}
				if !x.Since.IsZero() && x.Since.Before(m.Since) {
					m.Since = x.Since
				}
			}
			if m.Count == 0 {
				continue
			}
			if next := told[occasion].Add(notifyGather); next.After(now) {
				m.Due = next
			}
			if m.ID, err = n.noticeID(); err != nil {
				return nil, err
			}
			out = append(out, m)
		}
	}
	return out, nil
}

// sendNotices sends what is due, to each notifier beside the others: one that does not answer holds up nobody.
func (n *Node) sendNotices(ctx context.Context, who []store.Notifier) error {
	waiting, err := n.store.Notices(ctx)
	if err != nil {
		return err
	}
	now := n.now()
	var all sync.WaitGroup
	for _, w := range who {
		due := slices.DeleteFunc(slices.Clone(waiting), func(m store.Notice) bool { return m.Notifier != w.Name || m.Due.After(now) })
		if len(due) == 0 {
			continue
		}
		all.Go(func() {
			for _, m := range due {
				if err := n.tryNotice(ctx, w, m); err != nil && ctx.Err() == nil {
					n.logger.Warn("what became of a message could not be noted", "notifier", w.Name, "error", err)
				}
			}
		})
	}
	all.Wait()
	return nil
}

// tryNotice sends one message and notes what became of it.
func (n *Node) tryNotice(ctx context.Context, w store.Notifier, m store.Notice) error {
	failed := n.sendNotice(ctx, w, m)
	if failed != nil && ctx.Err() != nil {
		return nil //nolint:nilerr // the node stops: it is sent when it runs again
	}
	run := n.ran(m.Occasion, failed)
	if failed == nil {
		n.logger.Info("somebody was told that something waits", "notifier", w.Name, "occasion", m.Occasion, "count", m.Count)
	} else {
		n.logger.Warn("a message did not arrive", "notifier", w.Name, "occasion", m.Occasion, "tries", m.Tries+1, "error", failed)
	}
	if m.Tries++; failed != nil && m.Tries >= notifyTries {
		run.GivenUp = true
	}
	return n.noteRun(context.WithoutCancel(ctx), w.Name, run, func(ctx context.Context, state []byte) error {
		if failed == nil || run.GivenUp {
			return n.store.SettleNotice(ctx, m, state)
		}
		m.Due = n.now().Add(againAfter(m.Tries))
		return n.store.DelayNotice(ctx, m, state)
	})
}

// againAfter is how long to wait after so many tries.
func againAfter(tries int64) time.Duration {
	return min(notifyAtMost, notifyAgain<<min(tries-1, 10))
}

// noteRun brings a notifier's state up to date and has it written.
func (n *Node) noteRun(ctx context.Context, name string, run NoticeRun, write func(context.Context, []byte) error) error {
	n.telling.Lock()
	defer n.telling.Unlock()
	rows, err := n.store.Notifiers(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rows, func(r store.Notifier) bool { return r.Name == name })
	if i < 0 {
		return nil // it was removed meanwhile
	}
	state := stateOf(rows[i])
	state.Last = &run
	if run.Error == "" {
		state.Told[run.Occasion] = run.At
	}
	text, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("noting what became of a message: %w", err)
	}
	return write(ctx, text)
}

// sendNotice puts a message into words and sends it.
func (n *Node) sendNotice(ctx context.Context, w store.Notifier, m store.Notice) error {
	path := m.Path
	if path == "" {
		path = "/today"
	}
	out := notify.Notice{ID: m.ID, Occasion: notify.Occasion(m.Occasion), Count: m.Count, Since: m.Since, Link: n.screens() + path,
		Party: nameIn(n.party, w.Language), Mark: n.party.Mark, Language: w.Language}
	if w.Kind == NotifierWebhook {
		return n.hook.Post(ctx, w.Target, w.Secret, out, n.now())
	}
	mailer, err := n.mailer()
	if err != nil {
		return err
	}
	return mailer.Send(ctx, w.Target, out, n.now())
}

// nameIn is what a party is called in a language, else in another one.
func nameIn(p PartyView, language string) string {
	for _, l := range []string{language, "en", "ar", "fr"} {
		if name := p.Names[l]; name != "" {
			return oneLine(name)
		}
	}
	return p.ID
}
