package node

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
	"github.com/mithaq/mithaq/stix"
)

// ExportQuery says what to export, and how.
type ExportQuery struct {
	Format     string   // one of ExportFormats
	Agreements []string // ids, labels, or "own"; empty: all under which this node has a log
	Zone       string   // of rpz: the zone's name
	Action     string   // of rpz: nxdomain, nodata, drop, passthru
	SIDs       string   // of suricata: FIRST-LAST
	Version    string   // of the program, for log lines
}

// Export is an export that can be written: everything about it was understood.
type Export struct {
	ContentType string
	FileName    string

	node   *Node
	query  ExportQuery
	format exportFormat
	decide decision
	of     []exportSource
	now    time.Time
}

// exportSource is an agreement that is exported, and what people call it.
type exportSource struct {
	id, label, mark string
	names           map[string]string // parties' names by id
}

// Export prepares an export for a viewer. Each object is decided on when it is written; what may not leave leaves no trace.
func (n *Node) Export(ctx context.Context, v Viewer, q ExportQuery) (*Export, error) {
	formats := exportFormats()
	i := slices.IndexFunc(formats, func(f exportFormat) bool { return f.name == q.Format })
	if i < 0 {
		return nil, fault.New(fault.Invalid, "use "+strings.Join(ExportFormats(), ", "), "exporting: there is no format %s", fault.Clip(q.Format))
	}
	x := &Export{ContentType: formats[i].contentType, FileName: "mithaq" + formats[i].extension, node: n, query: q, format: formats[i], now: n.now()}
	var err error
	if x.of, err = n.exportSources(ctx, q.Agreements); err != nil {
		return nil, err
	}
	if x.decide, err = n.decideFor(ctx, v); err != nil {
		return nil, err
	}
	if _, err := x.format.open(io.Discard, x); err != nil {
		return nil, &fault.Fault{Code: fault.Invalid, What: "exporting", Err: err}
	}
	return x, n.awaitCollections(ctx)
}

// awaitCollections returns when what is published is indexed, so that an export has what was published before it, and
// nothing that was recalled before it.
func (n *Node) awaitCollections(ctx context.Context) error {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return fault.OfStore(err)
	}
	for _, l := range infos {
		if n.indexer == nil {
			break
		}
		if err := n.WaitIndexed(ctx, l.ID, l.Size); err != nil {
			return err
		}
	}
	tick := time.NewTicker(indexPoll)
	defer tick.Stop()
	for {
		complete, err := n.store.Index().Complete(ctx)
		switch {
		case err != nil:
			return indexFault("exporting", err)
		case complete && n.indexer != nil:
			return nil
		case complete:
			return n.caughtUp(ctx, len(infos))
		case n.indexer == nil:
			return indexFault("exporting", store.ErrNoIndex)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// caughtUp refuses to export what a process that only reads cannot know to be all.
func (n *Node) caughtUp(ctx context.Context, logs int) error {
	state, err := n.IndexState(ctx)
	if err != nil || state.Indexed >= state.Size {
		return err
	}
	return fault.New(fault.Unavailable, "run 'mithaq serve', which indexes them", "exporting: %d leaves of %d logs are not indexed yet", state.Size-state.Indexed, logs)
}

// exportSources finds the agreements that are meant.
func (n *Node) exportSources(ctx context.Context, refs []string) ([]exportSource, error) {
	infos, err := n.reader.Logs(ctx)
	if err != nil {
		return nil, fault.OfStore(err)
	}
	var out []exportSource
	add := func(id string) error {
		if slices.ContainsFunc(out, func(s exportSource) bool { return s.id == id }) {
			return nil
		}
		s := exportSource{id: id, label: id, mark: n.party.Mark, names: map[string]string{n.party.ID: n.party.Names["en"]}}
		if id != record.OwnAgreement {
			if err := n.withRoll(ctx, id, func(r *roll) error {
				s.label, s.mark = cmp.Or(r.label(), id), cmp.Or(s.mark, markOf(r.text()))
				for party := range r.state.Members {
					if _, names := r.nameOf(party); names["en"] != "" {
						s.names[party] = names["en"]
					}
				}
				return nil
			}); err != nil {
				return err
			}
		}
		out = append(out, s)
		return nil
	}
	if len(refs) == 0 {
		for _, l := range infos {
			if err := add(l.Agreement); err != nil {
				return nil, err
			}
		}
	}
	for _, ref := range refs {
		id := ref
		if ref != record.OwnAgreement {
			if id, err = n.rollID(ctx, ref); err != nil {
				return nil, err
			}
		}
		if err := add(id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// banner is what stands before an export in a format with comments.
func (x *Export) banner() []string {
	var lines []string
	for _, s := range x.of {
		if s.mark != "" {
			lines = append(lines, s.mark+": "+s.label)
		}
		lines = append(lines, fmt.Sprintf("mithaq export under %s (%s), %s", s.label, s.id, x.now.UTC().Format(time.RFC3339)))
	}
	return append(lines, "Each entry bears its own marking: heed it.")
}

// exported is one object with where it comes from.
type exported struct {
	stix.Object
	origin exchange.Origin
}

// exportedRecord is what of one record leaves.
type exportedRecord struct {
	id      string
	time    time.Time
	objects []exported
}

// exportRun is a run of objects of one record that the decision lets go.
type exportRun struct {
	store.Run
	source *exportSource
	item   policy.Item
}

// Write writes the export. An error after the first byte leaves half a file: whoever serves it has to break off.
func (x *Export) Write(ctx context.Context, w io.Writer) (exchange.Report, error) {
	sink, err := x.format.open(w, x)
	if err != nil {
		return exchange.Report{}, err
	}
	runs, err := x.allowed(ctx)
	if err != nil {
		return exchange.Report{}, err
	}
	latest, err := x.latest(ctx, runs)
	if err != nil {
		return exchange.Report{}, err
	}
	if s, ok := sink.(aboutSink); ok {
		if err := x.sightings(ctx, runs, latest, s); err != nil {
			return exchange.Report{}, err
		}
	}
	for from := 0; from < len(runs); {
		to := from + 1
		for to < len(runs) && runs[to].No == runs[from].No {
			to++
		}
		rec, err := x.record(ctx, runs[from:to], latest)
		if err != nil {
			return exchange.Report{}, err
		}
		if len(rec.objects) > 0 {
			if err := sink.add(rec); err != nil {
				return exchange.Report{}, err
			}
		}
		from = to
	}
	return sink.close()
}

// exportPage is how many runs are read from the index at once.
const exportPage = 1000

// allowed lists what the decision lets go, by record in the order of arrival. It asks for every run: they are of one class
// each, and differ in when they expire.
func (x *Export) allowed(ctx context.Context) ([]exportRun, error) {
	index := x.node.store.Index()
	var out []exportRun
	for i := range x.of {
		classes, err := index.Classes(ctx, x.of[i].id)
		if err != nil {
			return nil, err
		}
		for _, c := range classes {
			var class classItem
			if err := json.Unmarshal([]byte(c.Item), &class); err != nil {
				return nil, fmt.Errorf("reading a class of the index: %w", err)
			}
			item := class.item(c.Agreement)
			for after := int64(0); ; {
				runs, err := index.Runs(ctx, c.No, after, exportPage)
				if err != nil {
					return nil, err
				}
				for _, run := range runs {
					if shown, ok := x.ask(item, run); ok {
						out = append(out, exportRun{Run: shown, source: &x.of[i], item: item})
					}
				}
				if len(runs) < exportPage {
					break
				}
				last := runs[len(runs)-1]
				after = last.Date + int64(last.Count) - 1
			}
		}
	}
	slices.SortFunc(out, func(a, b exportRun) int { return cmp.Or(cmp.Compare(a.No, b.No), cmp.Compare(a.Ord, b.Ord)) })
	return out, nil
}

// ask is the one decision about what leaves by an export.
func (x *Export) ask(item policy.Item, run store.Run) (store.Run, bool) {
	item.ID = strconv.FormatInt(run.No, 10)
	if run.Expires > 0 {
		item.Expires = time.UnixMicro(run.Expires)
	}
	q := x.decide.request(policy.ToExport(), item)
	q.Use = x.format.use
	shown, answer := ask(x.decide, q, policy.Guard(item, run))
	return shown, answer.Allow
}

// objectKey stands for an object's identifier.
type objectKey [16]byte

func keyOf(id string) objectKey {
	sum := sha256.Sum256([]byte(id))
	return objectKey(sum[:16])
}

// version is the newest version of an object among what leaves, and the record that carries it.
type version struct {
	at int64 // microseconds; 0 for what has no versions
	no int64
}

// latest finds the newest version of every object. Of one version that stands in several records, the first counts.
func (x *Export) latest(ctx context.Context, runs []exportRun) (map[objectKey]version, error) {
	out := map[objectKey]version{}
	for _, run := range runs {
		objects, err := x.node.store.Index().STIXOf(ctx, run.No, run.Ord, run.Ord+run.Count)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			v := version{no: run.No, at: microsOf(o)}
			key := keyOf(o.ID)
			if old, ok := out[key]; !ok || v.at > old.at {
				out[key] = v
			}
		}
	}
	return out, nil
}

// record opens the record of some runs and takes the objects out that are the newest of theirs.
func (x *Export) record(ctx context.Context, runs []exportRun, latest map[objectKey]version) (exportedRecord, error) {
	index := x.node.store.Index()
	e, err := index.ByNo(ctx, runs[0].No)
	if errors.Is(err, store.ErrNotFound) {
		return exportedRecord{}, nil // erased meanwhile
	}
	if err != nil {
		return exportedRecord{}, err
	}
	out := exportedRecord{id: e.ID, time: e.Time}
	for _, run := range runs {
		objects, err := index.STIXOf(ctx, run.No, run.Ord, run.Ord+run.Count)
		if err != nil {
			return exportedRecord{}, err
		}
		for i, o := range objects {
			key := keyOf(o.ID)
			if v, ok := latest[key]; !ok || v.no != run.No || v.at != microsOf(o) {
				continue
			}
			delete(latest, key) // once
			raw, err := x.node.rawSTIX(ctx, store.Placed{IndexSTIX: o, Run: store.Run{No: run.No, Ord: run.Ord + i}})
			if err != nil || raw == nil {
				return exportedRecord{}, err // erased meanwhile
			}
			object, err := stix.ParseObject(raw)
			if err != nil {
				return exportedRecord{}, fmt.Errorf("reading object %s of record %s: %w", o.ID, e.ID, err)
			}
			out.objects = append(out.objects, exported{Object: object, origin: run.origin(e)})
		}
	}
	return out, nil
}

// aboutSink is a sink that wants sightings and opinions beside what they are about, in whichever records they came.
type aboutSink interface {
	about(target string, o exported)
}

// sightings gives a sink the sightings and opinions that leave, before the rest.
func (x *Export) sightings(ctx context.Context, runs []exportRun, latest map[objectKey]version, sink aboutSink) error {
	for _, run := range runs {
		objects, err := x.node.store.Index().STIXOf(ctx, run.No, run.Ord, run.Ord+run.Count)
		if err != nil {
			return err
		}
		for i, o := range objects {
			v := latest[keyOf(o.ID)]
			if o.Type != "sighting" && o.Type != "opinion" || v.no != run.No || v.at != microsOf(o) {
				continue
			}
			raw, err := x.node.rawSTIX(ctx, store.Placed{IndexSTIX: o, Run: store.Run{No: run.No, Ord: run.Ord + i}})
			if err != nil {
				return err
			}
			object, err := stix.ParseObject(raw)
			if err != nil {
				continue // erased meanwhile
			}
			value, err := object.Open()
			if err != nil {
				return err
			}
			target := cmp.Or(value.Get("sighting_of_ref").Text(), value.Get("object_refs").At(0).Text())
			sink.about(target, exported{Object: object})
		}
	}
	return nil
}

// microsOf is the version of an object; 0 for what has none.
func microsOf(o store.IndexSTIX) int64 {
	at, err := stix.ParseTimestamp(o.Version)
	if err != nil {
		return 0
	}
	return at.UnixMicro()
}

// origin is what an export says of where an object stands. Its marking is what holds for it now.
func (run *exportRun) origin(e store.Indexed) exchange.Origin {
	marking := run.item.Marking
	for _, r := range run.item.Restrictions {
		if r.Marking != nil {
			marking = marking.Strictest(*r.Marking)
		}
	}
	return exchange.Origin{Agreement: run.source.id, Label: run.source.label, Mark: run.source.mark, Record: e.ID, Leaf: hex.EncodeToString(e.Leaf[:]),
		Author: e.Author, Name: cmp.Or(run.source.names[e.Author], e.Author), TLP: string(marking.TLP), PAP: string(marking.PAP)}
}
