package measure

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// ReadGzip reads a compressed file as a whole.
func ReadGzip(name string) ([]byte, error) {
	f, err := os.Open(name) // #nosec G304 -- a benchmark reads what it is told to
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return text, nil
}

// ReadLists reads domains.txt.gz, ips.txt.gz and urls.txt.gz of a folder: one value an element, in this order of kinds.
func ReadLists(dir string) (lists [3][]string, err error) {
	for i, name := range []string{"domains", "ips", "urls"} {
		text, err := ReadGzip(filepath.Join(dir, name+".txt.gz"))
		if err != nil {
			return lists, err
		}
		lists[i] = strings.Fields(string(text))
	}
	return lists, nil
}
