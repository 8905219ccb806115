package node

import (
	"context"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"time"
)

// countedReader tells how much of a file was read.
type countedReader struct {
	r        io.Reader
	done     int64
	total    int64
	progress func(done, total int64) // nil: nobody wants to know
	each     func(n int64)           // likewise
}

// Read implements [io.Reader].
func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += int64(n)
	if c.progress != nil {
		c.progress(c.done, c.total)
	}
	if c.each != nil {
		c.each(int64(n))
	}
	return n, err
}

// folderSize is about how many bytes the files below dir have. It is for showing progress: what cannot be read counts nothing.
func folderSize(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil //nolint:nilerr // a file that went away meanwhile
		}
		if info, err := e.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	return size
}

// growthPoll is how often a growing folder is measured. A database is copied by one statement, which does not say how far it is.
const growthPoll = 250 * time.Millisecond

// watchGrowth tells now and then how large a folder has become, until stop is called.
func watchGrowth(dir string, tell func(size int64)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(growthPoll)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				tell(folderSize(dir))
			}
		}
	})
	return func() {
		cancel()
		watching.Wait()
	}
}
