// Command many measures how many pairs of a pattern and an observation are decided a second of processor time while many
// patterns are loaded, beside stix2-matcher (PyPI), which is asked about one pattern after the other.
//
//	go run ./bench/pattern/many --indicators DIR [--python PYTHON] [--patterns 100000] [--observations 1000]
//
// DIR holds domains.txt.gz, ips.txt.gz and urls.txt.gz. Of ten patterns eight are one value, one is two of them in one
// observation, and one is a name followed by an address within ten minutes. One observation in a hundred holds a value of
// a pattern. PYTHON has stix2-matcher; it decides every 500th pattern on every 25th observation, and its verdicts must be
// ours.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/internal/detect/plan"
	"github.com/mithaq/mithaq/stix/pattern"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "many:", err)
		os.Exit(1)
	}
}

// Which patterns and observations the reference decides.
const (
	everyPattern     = 500
	everyObservation = 25
)

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("many", flag.ContinueOnError)
	dir := flags.String("indicators", "", "folder of domains.txt.gz, ips.txt.gz and urls.txt.gz")
	python := flags.String("python", "", "a Python with stix2-matcher; without it only ours is measured")
	nPatterns := flags.Int("patterns", 100_000, "patterns that are loaded")
	nObservations := flags.Int("observations", 1000, "observations")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return errors.New("--indicators DIR is needed")
	}
	runtime.GOMAXPROCS(1)
	patterns, values, err := makePatterns(*dir, *nPatterns)
	if err != nil {
		return err
	}
	texts := makeObservations(values, *nObservations)
	begin := measure.Processor()
	batch := &plan.Batch{}
	for _, text := range patterns {
		p, err := pattern.Parse(text)
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		if _, err := batch.Add(p); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	fmt.Fprintf(out, "loaded %d patterns in %.2f CPU s\n", batch.Len(), (measure.Processor() - begin).Seconds())
	observations := make([][]pattern.Observation, len(texts))
	for i, text := range texts {
		if observations[i], err = pattern.ParseObservations([]byte("[" + text + "]")); err != nil {
			return err
		}
	}
	verdicts := map[[2]int]bool{}
	for i, o := range observations {
		batch.Match(o, func(n int, r pattern.Result, err error) { verdicts[[2]int{n, i}] = r.Matched && err == nil })
	}
	pairs, begin := 0.0, measure.Processor()
	for measure.Processor()-begin < 2*time.Second {
		for _, o := range observations {
			batch.Match(o, func(int, pattern.Result, error) {})
		}
		pairs += float64(len(observations) * batch.Len())
	}
	ours := pairs / (measure.Processor() - begin).Seconds()
	fmt.Fprintf(out, "mithaq: %.3g pairs/CPU s, %.2f µs an observation, %d matches\n", ours, 1e6*float64(batch.Len())/ours, len(verdicts))
	if *python == "" {
		return nil
	}
	return reference(out, *python, patterns, texts, verdicts, ours)
}

// reference asks stix2-matcher.
func reference(out io.Writer, python string, patterns, observations []string, verdicts map[[2]int]bool, ours float64) error {
	var asked struct {
		Patterns     []string          `json:"patterns"`
		Observations []json.RawMessage `json:"observations"`
	}
	for i := 0; i < len(patterns); i += everyPattern {
		asked.Patterns = append(asked.Patterns, patterns[i])
	}
	for i := 0; i < len(observations); i += everyObservation {
		asked.Observations = append(asked.Observations, json.RawMessage(observations[i]))
	}
	text, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	cmd := exec.Command(python, "-W", "ignore", "bench/pattern/many/reference.py") // #nosec G204 -- a benchmark runs what it compares
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(text)), os.Stderr
	answer, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("running stix2-matcher: %w", err)
	}
	var told struct {
		Seconds float64  `json:"seconds"`
		Pairs   int      `json:"pairs"`
		Matches [][2]int `json:"matches"`
	}
	if err := json.Unmarshal(answer, &told); err != nil {
		return err
	}
	theirs := map[[2]int]bool{}
	for _, m := range told.Matches {
		theirs[[2]int{m[0] * everyPattern, m[1] * everyObservation}] = true
	}
	for pair, matched := range verdicts {
		if pair[0]%everyPattern == 0 && pair[1]%everyObservation == 0 && matched != theirs[pair] {
			return fmt.Errorf("%s on %s: ours %v", patterns[pair[0]], observations[pair[1]], matched)
		}
		delete(theirs, pair)
	}
	if len(theirs) > 0 {
		return fmt.Errorf("%d matches are only theirs", len(theirs))
	}
	rate := float64(told.Pairs) / told.Seconds
	fmt.Fprintf(out, "stix2-matcher: %.0f pairs/CPU s, %d pairs, %d matches, verdicts equal; mithaq is %.3g times as fast\n", rate, told.Pairs, len(told.Matches), ours/rate)
	return nil
}

// makePatterns makes patterns of the lists' values, which it gives as well.
func makePatterns(dir string, n int) (patterns []string, values [3][]string, err error) {
	quoted := func(s string) string { return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) }
	if values, err = measure.ReadLists(dir); err != nil {
		return nil, values, err
	}
	pick := func(kind, i int) string { return quoted(values[kind][i%len(values[kind])]) }
	for i := range n {
		switch domain, address := pick(0, i), pick(1, i); i % 10 {
		case 0, 1, 2, 3:
			patterns = append(patterns, "[domain-name:value = '"+domain+"']")
		case 4, 5:
			patterns = append(patterns, "[ipv4-addr:value = '"+address+"']")
		case 6, 7:
			patterns = append(patterns, "[url:value = '"+pick(2, i)+"']")
		case 8:
			patterns = append(patterns, "[domain-name:value = '"+domain+"' AND ipv4-addr:value = '"+address+"']")
		default:
			patterns = append(patterns, "[domain-name:value = '"+domain+"'] FOLLOWEDBY [ipv4-addr:value = '"+address+"'] WITHIN 600 SECONDS")
		}
	}
	return patterns, values, nil
}

// makeObservations makes bundles of one observation each: a name, two addresses and their traffic.
func makeObservations(values [3][]string, n int) []string {
	var texts []string
	for i := range n {
		domain, address := fmt.Sprintf("host%d.example.org", i), fmt.Sprintf("10.%d.%d.7", i>>8, i&255)
		if i%100 == 0 {
			domain, address = values[0][i], values[1][i%len(values[1])]
		}
		at := time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC).Format("2006-01-02T15:04:05.000Z")
		id := fmt.Sprintf("%08d-7c3e-4f58-9a40-000000000000", i)
		texts = append(texts, fmt.Sprintf(`{"type":"bundle","id":"bundle--%[1]s","objects":[{"type":"observed-data","spec_version":"2.1",`+
			`"id":"observed-data--%[1]s","created":%[2]q,"modified":%[2]q,"first_observed":%[2]q,"last_observed":%[2]q,"number_observed":1,`+
			`"object_refs":["domain-name--%[1]s","ipv4-addr--%[1]s","network-traffic--%[1]s"]},`+
			`{"type":"domain-name","spec_version":"2.1","id":"domain-name--%[1]s","value":%[3]q},`+
			`{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--%[1]s","value":%[4]q},`+
			`{"type":"network-traffic","spec_version":"2.1","id":"network-traffic--%[1]s","dst_ref":"ipv4-addr--%[1]s","dst_port":443,"protocols":["tcp","tls"]}]}`,
			id, at, domain, address))
	}
	return texts
}
