// Command stixvalidate times stix.Validate on one core over gzipped bundles, and prints objects a second for each:
// one line of "file objects objects/s".
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
	"github.com/mithaq/mithaq/stix"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func run(files []string, out io.Writer) error {
	if len(files) == 0 {
		return errors.New("usage: stixvalidate BUNDLE.json.gz…")
	}
	runtime.GOMAXPROCS(1)
	for _, path := range files {
		raw, err := measure.ReadGzip(path)
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		objects, runs := 0, 0
		start := measure.Processor()
		for measure.Processor()-start < 2*time.Second {
			objects += stix.Validate(raw, stix.Options{}).Objects
			runs++
		}
		fmt.Fprintf(out, "%s %d %.0f\n", filepath.Base(path), objects/runs, float64(objects)/(measure.Processor()-start).Seconds())
	}
	return nil
}
