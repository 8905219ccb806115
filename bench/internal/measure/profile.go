package measure

import (
	"errors"
	"os"
	"runtime/pprof"
)

// Profile runs a function under the processor profiler and writes the profile to a file, also when the function fails. path
// "": it only runs it.
func Profile(path string, run func() error) (err error) {
	if path == "" {
		return run()
	}
	f, err := os.Create(path) // #nosec G304 -- a benchmark writes where it is told to
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return run()
}
