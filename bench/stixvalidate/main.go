// Command stixvalidate times stix.Validate on one core over gzipped bundles, and prints objects a second for each:
// one line of "file objects objects/s".
package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

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
		raw, err := read(path)
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		objects, runs := 0, 0
		start := spent()
		for spent()-start < 2*time.Second {
			objects += stix.Validate(raw, stix.Options{}).Objects
			runs++
		}
		fmt.Fprintf(out, "%s %d %.0f\n", filepath.Base(path), objects/runs, float64(objects)/(spent()-start).Seconds())
	}
	return nil
}

// spent is the processor time of this process, so that other work on the machine does not count.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
