package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
	"github.com/mithaq/mithaq/internal/record"
)

const (
	parties   = 11
	witnesses = 7 // the first ones after the depositary
	enough    = 5
	// patience bounds each wait for what the nodes do by themselves.
	patience = 4 * time.Minute
)

// member is a party's node, served on loopback.
type member struct {
	node   *node.Node
	daemon *api.Daemon
}

// publishAround measures from publish on one node to searchable on all the others, while others publish too.
func publishAround(ctx context.Context, out io.Writer, samples int, every, pause time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "mithaq-bench-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var all []*member
	defer func() {
		for _, m := range all {
			err = errors.Join(err, m.daemon.Stop(), m.node.Close(context.WithoutCancel(ctx)))
		}
	}()
	for i := range parties {
		m, err := startMember(ctx, filepath.Join(dir, fmt.Sprint(i)), i)
		if err != nil {
			return err
		}
		all = append(all, m)
	}
	id, err := live(ctx, all)
	if err != nil {
		return err
	}
	if err := first(ctx, all, id); err != nil {
		return err
	}
	ends, stop := context.WithCancel(ctx)
	var background sync.WaitGroup
	background.Go(func() { publishSteadily(ends, all, id, every) })
	searchable, witnessed, err := sample(ctx, all, id, samples, pause)
	stop()
	background.Wait()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "| publish to searchable on all of %d other nodes, %d records with pauses of %s, one more every %s beside; %s | %s | 99th percentile under 1 s |\n",
		parties-1, samples, pause, every, measure.Load(), percentiles(searchable))
	fmt.Fprintf(out, "| the same records co-signed by %d of %d witnesses | %s | |\n", enough, witnesses, percentiles(witnessed))
	return nil
}

func percentiles(d []time.Duration) string {
	slices.Sort(d)
	at := func(p int) time.Duration { return d[(len(d)-1)*p/100].Round(time.Millisecond) }
	return fmt.Sprintf("median %s, p95 %s, p99 %s, most %s", at(50), at(95), at(99), at(100))
}

func startMember(ctx context.Context, dir string, i int) (*member, error) {
	n, err := node.Init(ctx, dir, node.InitOptions{Names: record.Names{"en": fmt.Sprintf("Party %d", i)}, Listen: "127.0.0.1:0"})
	if err != nil {
		return nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	if err := n.Close(ctx); err != nil {
		return nil, err
	}
	if n, err = node.Open(ctx, dir, node.OpenOptions{Logger: quiet, AskFollowers: true}); err != nil {
		return nil, err
	}
	d, err := api.Start(ctx, n, "bench", quiet, nil)
	if err != nil {
		return nil, errors.Join(err, n.Close(ctx))
	}
	return &member{node: n, daemon: d}, nil
}

// live founds an agreement, lets everybody join, and waits until each follows all the others and knows them as members.
func live(ctx context.Context, all []*member) (id string, err error) {
	text := definition(all)
	id = agreement.ID([]byte(text))
	dep := all[0]
	if err := dep.open(ctx, id); err != nil {
		return id, fmt.Errorf("opening the depositary's log: %w", err)
	}
	if _, err := dep.node.Act(ctx, id, node.ActRequest{Act: "propose", Definition: text}); err != nil {
		return id, fmt.Errorf("proposing: %w", err)
	}
	if err := watch(ctx, dep, all[1:witnesses+1], id); err != nil {
		return id, err
	}
	for _, m := range all[1:] {
		if _, err := m.node.AddPeer(ctx, node.PeerRequest{URL: dep.daemon.URL, Party: dep.node.Party().ID}); err != nil {
			return id, fmt.Errorf("adding the depositary: %w", err)
		}
		card, err := m.node.Card(ctx)
		if err != nil {
			return id, fmt.Errorf("a card: %w", err)
		}
		if _, err := dep.node.AddPeer(ctx, node.PeerRequest{Card: &card, Party: m.node.Party().ID}); err != nil {
			return id, fmt.Errorf("adding a member: %w", err)
		}
		if _, err := m.node.FetchRoll(ctx, id); err != nil {
			return id, fmt.Errorf("fetching the roll: %w", err)
		}
		if err := m.open(ctx, id); err != nil {
			return id, fmt.Errorf("opening a log: %w", err)
		}
		if _, err := m.node.Act(ctx, id, node.ActRequest{Act: "join"}); err != nil && fault.CodeOf(err) != fault.NotFound {
			return id, fmt.Errorf("joining: %w", err)
		}
	}
	for i, m := range all {
		if err := until(ctx, fmt.Sprintf("party %d follows all the others", i), func() (bool, error) {
			follows, err := m.node.Follows(ctx)
			here := slices.DeleteFunc(follows, func(f node.FollowView) bool { return f.Agreement != id || f.Size == 0 })
			return len(here) == len(all)-1, err
		}); err != nil {
			return id, fmt.Errorf("waiting: %w", err)
		}
		// What is published before an accession counts is not sealed to that party.
		if err := until(ctx, fmt.Sprintf("every accession counts at party %d", i), func() (bool, error) {
			v, err := m.node.Agreement(ctx, id)
			if err != nil || v.Here == nil {
				return false, err
			}
			in := slices.DeleteFunc(v.Here.Members, func(m node.MemberView) bool { return m.Membership != "joined" || m.Waits })
			return len(in) == len(all), nil
		}); err != nil {
			return id, fmt.Errorf("waiting: %w", err)
		}
	}
	return id, nil
}

func definition(all []*member) string {
	var b strings.Builder
	fmt.Fprintf(&b, "format = \"mithaq-agreement/1\"\n\n[agreement]\nlabel = \"bench\"\ntype = \"memorandum\"\nforce = \"political\"\nversion = \"1\"\nmode = \"depositary\"\nfictional = true\nname.en = \"Bench\"\ndepositary = \"p0\"\nfounders = [\"p0\"]\n\n[terms]\naccession = \"open\"\n")
	var of []string
	for i, m := range all[:witnesses+1] {
		fmt.Fprintf(&b, "\n[[party]]\nlabel = \"p%d\"\nkind = \"cert\"\nid = %q\nname.en = \"Party %d\"\nfictional = true\n", i, m.node.Party().ID, i)
		if i > 0 {
			of = append(of, fmt.Sprintf("%q", fmt.Sprintf("p%d", i)))
		}
	}
	fmt.Fprintf(&b, "\n[witnesses]\nk = %d\nof = [%s]\n", enough, strings.Join(of, ", "))
	b.WriteString("\n[[commitment]]\nlabel = \"1\"\nname.en = \"One\"\nkinds = [\"report\"]\n")
	return b.String()
}

// watch has the witnesses told of the depositary's log, as people do: nobody's accession counts before they have co-signed it, so
// they cannot learn of it by following.
func watch(ctx context.Context, dep *member, witnesses []*member, id string) error {
	logs, err := dep.node.Logs(ctx)
	if err != nil {
		return err
	}
	for _, l := range logs {
		if l.Agreement != id {
			continue
		}
		for _, w := range witnesses {
			if _, err := w.node.WitnessLog(ctx, l.VKey); err != nil {
				return fmt.Errorf("telling a witness: %w", err)
			}
		}
	}
	return nil
}

// open opens the party's log under the agreement.
func (m *member) open(ctx context.Context, id string) error {
	p, err := m.node.ProposeKeyrings(ctx, node.KeyChange{Action: "open", Agreement: id})
	if err != nil {
		return err
	}
	dir := m.node.Dir()
	signed, err := node.SignKeyrings(ctx, p, node.RootPath(dir), node.SecretSource{KeyFile: filepath.Join(dir, "unlock.key")})
	if err != nil {
		return err
	}
	_, err = m.node.ApplyKeyrings(ctx, signed)
	return err
}

func until(ctx context.Context, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		ok, err := done()
		if err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain until %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func report(text string) node.Draft {
	return node.Draft{Kind: "report", TLP: "GREEN", Body: reportOf(text)}
}

func reportOf(text string) []byte {
	return fmt.Appendf(nil, `{"period":{"from":"2026-10-01","to":"2026-10-31"},"summary":{"en":%q}}`, text)
}

// publishSteadily is the traffic beside: one record at a time, by one party after the other.
func publishSteadily(ctx context.Context, all []*member, id string, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := all[i%len(all)].node.Publish(ctx, id, report(fmt.Sprintf("traffic %d", i))); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "bench/federation: publishing beside:", err)
		}
	}
}

// first has each party publish once, which makes the key that its records are sealed under, and hands it out.
func first(ctx context.Context, all []*member, id string) error {
	for i, m := range all {
		r, err := m.node.Publish(ctx, id, report(fmt.Sprintf("first %d", i)))
		if err == nil {
			_, err = allFind(ctx, all, m, r, time.Now())
		}
		if err != nil {
			return fmt.Errorf("the first record of party %d: %w", i, err)
		}
	}
	return nil
}

// sample publishes one record after the other and times each until all others find it, and until enough witnesses co-signed.
func sample(ctx context.Context, all []*member, id string, samples int, pause time.Duration) (searchable, witnessed []time.Duration, err error) {
	for i := range samples {
		from := all[i%len(all)]
		start := time.Now()
		r, err := from.node.Publish(ctx, id, report(fmt.Sprintf("sample %d", i)))
		if err != nil {
			return nil, nil, err
		}
		took, err := allFind(ctx, all, from, r, start)
		if err != nil {
			return nil, nil, fmt.Errorf("sample %d of party %d: %w", i, i%len(all), err)
		}
		searchable = append(searchable, took)
		if err := until(ctx, "enough witnesses co-signed", func() (bool, error) {
			v, err := from.node.Record(ctx, from.node.Owner(), r.Log, r.Index)
			return v.Witnessed != nil && *v.Witnessed, err
		}); err != nil {
			return nil, nil, err
		}
		witnessed = append(witnessed, time.Since(start))
		time.Sleep(pause)
	}
	return searchable, witnessed, nil
}

// allFind waits until a search on every other node finds the record.
func allFind(ctx context.Context, all []*member, from *member, r node.Receipt, start time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var waits sync.WaitGroup
	errs := make([]error, len(all))
	for i, m := range all {
		if m == from {
			continue
		}
		waits.Go(func() {
			if errs[i] = m.node.WaitIndexed(ctx, r.Log, r.Index+1); errs[i] != nil {
				errs[i] = fmt.Errorf("waiting for leaf %d of log %s on node %d: %w", r.Index, r.Log, i, errs[i])
				return
			}
			errs[i] = until(ctx, fmt.Sprintf("node %d finds leaf %d of log %s", i, r.Index, r.Log), func() (bool, error) {
				found, err := m.node.Search(ctx, node.SearchQuery{Text: r.Leaf})
				return err == nil && len(found.Results) == 1, err
			})
		})
	}
	waits.Wait()
	return time.Since(start), errors.Join(errs...)
}
