// Command detect measures the indicators' index and the log path, each on one core: memory for each indicator, time to
// load, time until a change is visible, and lines of Zeek and EVE logs a second of
// processor time.
//
//	go run ./bench/detect --indicators DIR [--zeek DIR] [--eve FILE] [--scale 3000000] [--lines 1000000] [--fever 20] [--suricata]
//
// DIR holds domains.txt.gz, ips.txt.gz and urls.txt.gz. They are scaled up by made-up ones of the same lengths. Lines
// are repeated from memory, so that no disk and no decompression is measured.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/internal/detect/engine"
	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/intel"
	"github.com/mithaq/mithaq/internal/detect/logs"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "detect:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("detect", flag.ContinueOnError)
	dir := flags.String("indicators", "", "folder of domains.txt.gz, ips.txt.gz and urls.txt.gz")
	zeek := flags.String("zeek", "", "folder of Zeek logs: tsv/NAME.log.gz and json/NAME.json.gz")
	eve := flags.String("eve", "", "EVE log, gzip")
	suricata := flags.Bool("suricata", false, "load the indicators of the index into Suricata's datasets beside")
	feverRepeats := flags.Int("fever", 0, "how often DCSO's fever is given the EVE log beside; 0: not at all")
	only := flags.String("only", "", "measure only the logs with this in their name")
	rounds := flags.Int("rounds", 3, "how often each log is measured")
	span := flags.Duration("span", time.Second, "processor time of one measurement of a log")
	profile := flags.String("profile", "", "write a CPU profile of the lines here")
	scale := flags.Int("scale", 3_000_000, "indicators in the index; 0: measure only lines")
	lineScale := flags.Int("lines", 1_000_000, "indicators while lines are read")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return errors.New("--indicators DIR is needed")
	}
	runtime.GOMAXPROCS(1)
	lists, err := measure.ReadLists(*dir)
	if err != nil {
		return err
	}
	if *scale > 0 {
		if err := measureIndex(out, scaled(lists, *scale), *suricata); err != nil {
			return err
		}
	}
	list := scaled(lists, *lineScale)
	set, err := compile(list)
	if err != nil {
		return err
	}
	inputs := []string{}
	if *zeek != "" {
		for _, name := range []string{"dns", "ssl"} {
			inputs = append(inputs, filepath.Join(*zeek, "tsv", name+".log.gz"), filepath.Join(*zeek, "json", name+".json.gz"))
		}
	}
	if *eve != "" {
		inputs = append(inputs, *eve)
	}
	inputs = slices.DeleteFunc(inputs, func(name string) bool { return !strings.Contains(filepath.Base(name), *only) })
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	for round := range *rounds {
		for _, name := range inputs {
			if err := measureLines(out, round, *span, set, name); err != nil {
				return err
			}
		}
		if *eve != "" && *feverRepeats > 0 {
			if err := measureFever(out, list, *eve, *feverRepeats); err != nil {
				return err
			}
		}
	}
	return nil
}

// scaled gives so many values in the mix of the lists: the real ones first, then made-up ones of the same lengths.
func scaled(lists [3][]string, n int) []byte {
	var out bytes.Buffer
	random := rand.New(rand.NewPCG(1, 2))
	total := len(lists[0]) + len(lists[1]) + len(lists[2])
	for i := range n {
		at := i % total
		kind := 0
		for at >= len(lists[kind]) {
			at -= len(lists[kind])
			kind++
		}
		value := []byte(lists[kind][at])
		if i >= total {
			if kind == 1 {
				value = fmt.Appendf(nil, "%d.%d.%d.%d", 1+random.IntN(120), random.IntN(256), random.IntN(256), random.IntN(256))
			} else {
				garble(value, random)
			}
		}
		out.Write(value)
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// garble replaces the letters and digits before the last dot of the host, and behind it of the path.
func garble(value []byte, random *rand.Rand) {
	begin := 0
	if i := bytes.Index(value, []byte("://")); i >= 0 {
		begin = i + 3
	}
	end := len(value)
	if i := bytes.IndexByte(value[begin:], '/'); i >= 0 {
		end = begin + i
	}
	last := begin + max(0, bytes.LastIndexByte(value[begin:end], '.'))
	for i := begin; i < len(value); i++ {
		c := value[i]
		if (i < last || i > end) && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9') {
			value[i] = "abcdefghijklmnopqrstuvwxyz"[random.IntN(26)]
		}
	}
}

func compile(list []byte) (*index.Set, error) {
	c := &intel.Compiler{}
	if err := c.Read("bench", bytes.NewReader(list)); err != nil {
		return nil, err
	}
	return index.Build(c.Compiled().Builder, rand.Uint64())
}

// measureBundle compiles a tenth of the values as a STIX bundle, where each indicator has an identifier and a time of its own.
func measureBundle(out io.Writer, list []byte) error {
	var text bytes.Buffer
	text.WriteString(`{"type":"bundle","id":"bundle--3b1e6f0a-5d0c-4a38-8e21-7a1f2b3c4d5e","objects":[`)
	n := 0
	for value := range bytes.Lines(list) {
		if n++; n%10 != 0 {
			continue
		}
		v, path := string(bytes.TrimSpace(value)), "domain-name:value"
		if _, err := netip.ParseAddr(v); err == nil {
			path = "ipv4-addr:value"
		} else if strings.Contains(v, "/") {
			path = "url:value"
		}
		if text.Len() > 200 {
			text.WriteByte(',')
		}
		at := time.Unix(1_700_000_000+int64(n), 0).UTC().Format(time.RFC3339)
		fmt.Fprintf(&text, `{"type":"indicator","spec_version":"2.1","id":"indicator--%08x-0000-4000-8000-000000000000","created":"%[2]s","modified":"%[2]s","pattern_type":"stix","valid_from":"%[2]s","pattern":"[%[3]s = '%[4]s']"}`,
			n, at, path, v)
	}
	text.WriteString("]}")
	set, err := compile(text.Bytes())
	if err != nil {
		return err
	}
	_, all := set.Size()
	fmt.Fprintf(out, "the same from a STIX bundle, a tenth of them: %d values, %.1f bytes each with provenance\n", set.Len(), float64(all)/float64(set.Len()))
	return nil
}

func measureIndex(out io.Writer, list []byte, suricata bool) error {
	used := measure.Processor()
	set, err := compile(list)
	if err != nil {
		return err
	}
	bare, all := set.Size()
	n := float64(set.Len())
	fmt.Fprintf(out, "index: %d values, compiled from text in %.2f CPU s; %.1f bytes each, %.1f with provenance\n",
		set.Len(), (measure.Processor() - used).Seconds(), float64(bare)/n, float64(all)/n)
	if err := measureBundle(out, list); err != nil {
		return err
	}
	if suricata {
		for _, buckets := range []int{1 << 18, 1 << 22} { // as many as may be without asking, and as many as there are values
			if err := measureDatasets(out, list, buckets, bare, all); err != nil {
				return err
			}
		}
	}
	dir, err := os.MkdirTemp("", "detect")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "index")
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if _, err := set.WriteTo(f); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	begin := time.Now()
	opened, err := index.Open(name)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "load: %.0f ms from a file in the page cache, checksums verified\n", time.Since(begin).Seconds()*1000)
	store := index.NewStore(opened)
	if err := measureChanges(out, store); err != nil {
		return err
	}
	return opened.Close()
}

// measureChanges makes changes on top of each other: first each when the one before is merged, as when a sensor asks every few
// seconds, then without a pause.
func measureChanges(out io.Writer, store *index.Store) error {
	const rounds = 60
	for _, pause := range []bool{true, false} {
		var took []time.Duration
		var own, used time.Duration
		begun := measure.Processor()
		for round := range rounds {
			if !pause {
				round += rounds
			}
			b, remove := change(round)
			used = measure.Processor()
			begin := time.Now()
			if err := store.Apply(b, remove, rand.Uint64()); err != nil {
				return err
			}
			took, own = append(took, time.Since(begin)), own+measure.Processor()-used
			if pause {
				store.Wait()
			}
		}
		store.Wait()
		slices.Sort(took)
		fmt.Fprintf(out, "change: 5,000 added and 5,000 revoked, %d on top of each other, paused %t: visible after %.1f ms (median), %.1f ms (worst), %.1f CPU ms; %.1f CPU ms each with what is merged beside\n",
			rounds, pause, took[rounds/2].Seconds()*1000, took[rounds-1].Seconds()*1000, own.Seconds()*1000/rounds, (measure.Processor()-begun).Seconds()*1000/rounds)
	}
	return nil
}

// change makes 5,000 new values, and names 5,000 to revoke.
func change(round int) (*index.Builder, []index.ID) {
	b := &index.Builder{}
	source, err := b.Source(index.Source{Feed: "change"})
	if err != nil {
		return b, nil
	}
	var remove []index.ID
	for i := range 5000 {
		key := fmt.Appendf(nil, "new%d-%d.example.org", round, i)
		if err := b.Add(index.Domain, key, index.Row{Indicator: index.ID{1, byte(round), byte(i), byte(i >> 8)}, Source: source}); err != nil {
			return b, nil
		}
		remove = append(remove, index.ID{2, byte(round), byte(i), byte(i >> 8)})
	}
	return b, remove
}

// measureLines reads a log again and again for a span of processor time.
func measureLines(out io.Writer, round int, span time.Duration, set *index.Set, name string) error {
	text, err := measure.ReadGzip(name)
	if err != nil {
		return err
	}
	matches := 0
	e := engine.New(index.NewStore(set), nil, engine.Options{}, func(*engine.Match) { matches++ })
	base := strings.TrimSuffix(filepath.Base(name), ".gz")
	lines, events, begin := int64(0), int64(0), measure.Processor()
	for measure.Processor()-begin < span {
		stats, err := logs.Read(context.Background(), base, bufio.NewReaderSize(bytes.NewReader(text), 1<<18), logs.Options{}, func(ev *event.Event) { e.Event(ev) })
		if err != nil {
			return err
		}
		lines += stats.Lines
		events += stats.Events
	}
	seconds := (measure.Processor() - begin).Seconds()
	fmt.Fprintf(out, "lines, round %d: %-9s %9.0f lines/CPU s, %4.0f MB/s, %d matches in %d events\n",
		round+1, base, float64(lines)/seconds, float64(len(text))*float64(lines)/float64(bytes.Count(text, []byte("\n")))/seconds/1e6, matches, events)
	return nil
}
