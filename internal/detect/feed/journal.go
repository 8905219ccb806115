package feed

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// journal keeps pages as JSON lines. A line is whole or it is not there: one that was cut by a crash is the last, and is
// cut off.
type journal struct {
	name string
	file *os.File
}

// pagesAtOnce is how many pages are applied together when a journal is read.
const pagesAtOnce = 64

// openJournal reads what is there, and goes on behind it. A journal of which most was replaced since is written anew.
func openJournal(name string, apply func([]Page) error) (*journal, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) // #nosec G304 -- the operator names it
	if err != nil {
		return nil, fmt.Errorf("opening the journal of indicators: %w", err)
	}
	j := &journal{name: name, file: file}
	last, lines, good := map[string]int{}, 0, int64(0)
	err = j.read(func(page Page, end int64) error {
		if page.Reset {
			clear(last)
		}
		for _, c := range page.Changes {
			last[c.key()] = lines
			lines++
		}
		good = end
		return nil
	})
	if err == nil && lines > 1000 && lines > 2*len(last) {
		err = j.rewrite(last)
	} else if err == nil {
		err = j.file.Truncate(good)
	}
	var pages []Page
	if err == nil {
		err = j.read(func(page Page, _ int64) error {
			if pages = append(pages, page); len(pages) < pagesAtOnce {
				return nil
			}
			defer func() { pages = pages[:0] }()
			return apply(pages)
		})
	}
	if err == nil {
		err = apply(pages)
	}
	if err == nil {
		_, err = j.file.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the journal of indicators %s: %w", name, errors.Join(err, j.file.Close()))
	}
	return j, nil
}

// read gives every whole page, and where it ends. What stands behind the last whole one is left alone.
func (j *journal) read(yield func(page Page, end int64) error) error {
	if _, err := j.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r, end := bufio.NewReaderSize(j.file, 1<<20), int64(0)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var page Page
		if err := json.Unmarshal(line, &page); err != nil {
			return nil //nolint:nilerr // a crash cut it: the caller goes on where it began
		}
		end += int64(len(line))
		if err := yield(page, end); err != nil {
			return err
		}
	}
}

// key is what a later change with the same key makes needless.
func (c *Changed) key() string {
	what := "set"
	if !c.Gone && len(c.Object) == 0 {
		what = "verdicts"
	}
	return what + " " + c.ID + " " + c.Record
}

// rewrite leaves the last change of each indicator alone.
func (j *journal) rewrite(last map[string]int) error {
	next, err := os.OpenFile(j.name+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w, line := bufio.NewWriterSize(next, 1<<20), 0
	err = j.read(func(page Page, _ int64) error {
		kept := page.Changes[:0]
		for _, c := range page.Changes {
			if last[c.key()] == line {
				kept = append(kept, c)
			}
			line++
		}
		page.Changes = kept
		return writePage(w, page)
	})
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = next.Sync()
	}
	if err == nil {
		err = os.Rename(j.name+".new", j.name)
	}
	if err != nil {
		return errors.Join(err, next.Close())
	}
	old := j.file
	j.file = next
	return old.Close()
}

func writePage(w io.Writer, page Page) error {
	b, err := json.Marshal(page)
	if err == nil {
		_, err = w.Write(append(b, '\n'))
	}
	return err
}

// append adds a page. It is durable when it returns; a set that is given anew begins the journal anew.
func (j *journal) append(page Page) error {
	if page.Reset {
		if err := j.file.Truncate(0); err != nil {
			return fmt.Errorf("writing the journal of indicators: %w", err)
		}
		if _, err := j.file.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("writing the journal of indicators: %w", err)
		}
	}
	if err := errors.Join(writePage(j.file, page), j.file.Sync()); err != nil {
		return fmt.Errorf("writing the journal of indicators: %w", err)
	}
	return nil
}

func (j *journal) close() error { return j.file.Close() }
