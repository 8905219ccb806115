package misp

import (
	"bufio"
	"cmp"
	"crypto/md5" // #nosec G501 -- the format of a feed's hashes.csv
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/mithaq/mithaq/internal/exchange"
)

// The files of a feed: a manifest of its events, the hashes of their values, and one file for each event, UUID.json.
const (
	ManifestName = "manifest.json"
	HashesName   = "hashes.csv"
)

// Bounds on what is read of a feed.
const (
	maxManifest = 256 << 20
	maxHashes   = 5_000_000 // lines
)

// Entry is one event of a feed, as its manifest lists it.
type Entry struct {
	UUID      string
	Info      string
	Timestamp time.Time // zero when the feed does not say
}

// FileName is the event's file in the feed.
func (e Entry) FileName() string { return e.UUID + ".json" }

// ReadManifest reads the events of a feed, the oldest first. Entries whose name is no UUID are left out and reported: a
// feed must not choose which file is read.
func ReadManifest(r io.Reader) ([]Entry, exchange.Report, error) {
	var report exchange.Report
	b, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err != nil {
		return nil, report, fmt.Errorf("reading a feed's manifest: %w", err)
	}
	if len(b) > maxManifest {
		return nil, report, fmt.Errorf("reading a feed's manifest: larger than %d bytes", maxManifest)
	}
	v, err := decode(b)
	if err != nil {
		return nil, report, fmt.Errorf("reading a feed's manifest: %w", err)
	}
	all := objectOf(v)
	if all == nil {
		return nil, report, errors.New("reading a feed's manifest: it is no JSON object")
	}
	var out []Entry
	for uuid := range all {
		report.Read++
		m := all.object(uuid)
		id := strings.ToLower(uuid)
		if !exchange.IsUUID(id) || m == nil {
			report.Lose(uuid, "it is no event's UUID with its description")
			continue
		}
		out = append(out, Entry{UUID: id, Info: m.text("info"), Timestamp: m.seconds("timestamp")})
	}
	report.Made = len(out)
	slices.SortStableFunc(report.Losses, func(a, b exchange.Loss) int { return cmp.Compare(a.Place, b.Place) })
	sortEntries(out)
	return out, report, nil
}

func sortEntries(list []Entry) {
	slices.SortStableFunc(list, func(a, b Entry) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.UUID, b.UUID))
	})
}

// ReadHashes reads the events that a feed's hashes.csv names: what a feed without a manifest has. Lines of another form are
// reported.
func ReadHashes(r io.Reader) ([]Entry, exchange.Report, error) {
	var report exchange.Report
	seen := map[string]bool{}
	var out []Entry
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 4096)
	for lines.Scan() {
		if report.Read++; report.Read > maxHashes {
			return nil, report, fmt.Errorf("reading a feed's hashes: more than %d lines", maxHashes)
		}
		hash, uuid, ok := strings.Cut(strings.TrimSpace(lines.Text()), ",")
		uuid = strings.ToLower(uuid)
		if !ok || len(hash) != 32 || !exchange.IsUUID(uuid) {
			report.Lose(fmt.Sprintf("line %d", report.Read), "it is no hash and UUID")
			continue
		}
		if !seen[uuid] {
			seen[uuid] = true
			out = append(out, Entry{UUID: uuid})
		}
	}
	if err := lines.Err(); err != nil {
		return nil, report, fmt.Errorf("reading a feed's hashes: %w", err)
	}
	report.Made = len(out)
	sortEntries(out)
	return out, report, nil
}

// ManifestOf writes the manifest of events.
func ManifestOf(events []Event) ([]byte, error) {
	all := members{}
	for _, e := range events {
		one := e.Head().m
		delete(one, "uuid")
		v, err := one.encode()
		if err != nil {
			return nil, err
		}
		all[e.UUID()] = v
	}
	return all.encode()
}

// Head is the event without what is in it: what a manifest says of it.
func (e Event) Head() Event {
	head := members{}
	for _, name := range []string{"uuid", "Orgc", "Tag", "info", "date", "analysis", "threat_level_id", "timestamp"} {
		if v, ok := e.m[name]; ok {
			head[name] = v
		}
	}
	return Event{head}
}

// Hashes writes the lines of hashes.csv for an event: the MD5 of each part of each value.
func (e Event) Hashes(w io.Writer) error {
	out := bufio.NewWriter(w)
	lists := [][]members{e.m.list("Attribute")}
	for _, o := range e.m.list("Object") {
		lists = append(lists, o.list("Attribute"))
	}
	for _, list := range lists {
		for _, a := range list {
			parts := []string{a.text("value")}
			if strings.Contains(a.text("type"), "|") {
				parts = strings.Split(parts[0], "|")
			}
			for _, part := range parts {
				sum := md5.Sum([]byte(part)) // #nosec G401 -- see the import
				fmt.Fprintf(out, "%s,%s\n", hex.EncodeToString(sum[:]), e.UUID())
			}
		}
	}
	return out.Flush()
}

// Equal tells whether two events say the same.
func Equal(a, b Event) bool {
	x, errA := jsonv2.Marshal(map[string]any{"m": a.m})
	y, errB := jsonv2.Marshal(map[string]any{"m": b.m})
	return errA == nil && errB == nil && same(x, y)
}
