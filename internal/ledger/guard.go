package ledger

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/mithaq/mithaq/internal/store"
)

// Guard remembers, outside the database, how far each log was published. It is what makes a database that was
// quietly replaced by an older copy stop instead of signing a second history.
type Guard interface {
	// Heads returns the newest head of each origin.
	Heads() map[string]Head
	// Record makes heads durable before it returns. After an error it may have kept any of them.
	Record(ctx context.Context, heads []Head) error
	Close() error
}

// guardMagic is the first line of a guard file.
const guardMagic = "mithaq guard 1\n"

// maxGuard bounds a guard file on reading; it is compacted long before.
const maxGuard = 64 << 20

// compactAt is the size in bytes from which an open guard file is rewritten with one line for each log.
const compactAt = 4 << 20

// FileGuard is a Guard in an append-only file. Each line is "origin size root crc32\n" (decimal, hex, hex).
type FileGuard struct {
	fs   store.FS
	path string

	mu    sync.Mutex // guards what follows
	heads map[string]Head
	file  store.File
	good  int64 // length up to which the file is known to be whole
	torn  bool  // a write failed: cut back to good before the next
}

// OpenFileGuard opens or creates the guard file at path and compacts it.
func OpenFileGuard(f store.FS, path string) (*FileGuard, error) {
	g := &FileGuard{fs: f, path: path, heads: map[string]Head{}}
	data, err := readAll(f, path, maxGuard)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("opening the guard file: %w", err)
	}
	if len(data) > 0 {
		if g.heads, err = parseGuard(data); err != nil {
			return nil, fmt.Errorf("opening the guard file %s: %w", path, err)
		}
	}
	if err := g.compact(); err != nil {
		return nil, fmt.Errorf("opening the guard file: %w", err)
	}
	return g, nil
}

// parseGuard reads a guard file. A last line that a power cut tore is dropped: it was never acknowledged.
func parseGuard(data []byte) (map[string]Head, error) {
	rest, ok := bytes.CutPrefix(data, []byte(guardMagic))
	if !ok {
		if bytes.HasPrefix([]byte(guardMagic), data) {
			return map[string]Head{}, nil
		}
		return nil, errors.New("it is not a guard file")
	}
	heads := map[string]Head{}
	for n := 2; len(rest) > 0; n++ {
		line, tail, whole := bytes.Cut(rest, []byte{'\n'})
		h, err := parseGuardLine(string(line))
		if err != nil || !whole {
			if len(tail) == 0 {
				return heads, nil
			}
			return nil, fmt.Errorf("line %d is damaged: %w", n, err)
		}
		if have, ok := heads[h.Origin]; !ok || h.Size >= have.Size {
			heads[h.Origin] = h
		}
		rest = tail
	}
	return heads, nil
}

func parseGuardLine(line string) (Head, error) {
	i := strings.LastIndexByte(line, ' ')
	if i < 0 {
		return Head{}, errors.New("it has no checksum")
	}
	if line[i+1:] != checksum(line[:i]) {
		return Head{}, errors.New("its checksum is wrong")
	}
	f := strings.Split(line[:i], " ")
	if len(f) != 3 || f[0] == "" {
		return Head{}, errors.New("it must have four fields")
	}
	size, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil || size < 0 {
		return Head{}, fmt.Errorf("size %q is not a number", f[1])
	}
	root, err := hex.DecodeString(f[2])
	if err != nil || len(root) != hashSize {
		return Head{}, errors.New("the root is not 32 bytes in hexadecimal")
	}
	return Head{Origin: f[0], Size: size, Root: Hash(root)}, nil
}

func appendGuardLine(b []byte, h Head) []byte {
	start := len(b)
	b = append(b, h.Origin...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, h.Size, 10)
	b = append(b, ' ')
	b = hex.AppendEncode(b, h.Root[:])
	sum := checksum(string(b[start:]))
	b = append(b, ' ')
	b = append(b, sum...)
	return append(b, '\n')
}

func checksum(s string) string {
	return fmt.Sprintf("%08x", crc32.Checksum([]byte(s), crc32.MakeTable(crc32.Castagnoli)))
}

// Heads implements Guard.
func (g *FileGuard) Heads() map[string]Head {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make(map[string]Head, len(g.heads))
	for k, v := range g.heads {
		out[k] = v
	}
	return out
}

// Record implements Guard: one write and one fsync for all heads.
func (g *FileGuard) Record(_ context.Context, heads []Head) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.file == nil || g.torn || g.good > compactAt {
		if err := g.compact(); err != nil {
			return fmt.Errorf("writing the guard file: %w", err)
		}
	}
	var b []byte
	for _, h := range heads {
		if h.Origin == "" || strings.ContainsAny(h.Origin, " \n") {
			return fmt.Errorf("writing the guard file: origin %q cannot be written", h.Origin)
		}
		b = appendGuardLine(b, h)
	}
	_, err := g.file.Write(b)
	if err == nil {
		err = g.file.Sync()
	}
	if err != nil {
		// After a failed fsync the kernel may have dropped the pages, so the file is written anew next time.
		g.torn = true
		return fmt.Errorf("writing the guard file: %w", err)
	}
	g.good += int64(len(b))
	for _, h := range heads {
		if have, ok := g.heads[h.Origin]; !ok || h.Size >= have.Size {
			g.heads[h.Origin] = h
		}
	}
	return nil
}

// compact writes a new file with one line for each log, puts it in place of the old one and opens it for appending.
// It holds only heads that were durable before.
func (g *FileGuard) compact() error {
	if g.file != nil {
		_ = g.file.Close()
		g.file = nil
	}
	origins := make([]string, 0, len(g.heads))
	for o := range g.heads {
		origins = append(origins, o)
	}
	sort.Strings(origins)
	b := []byte(guardMagic)
	for _, o := range origins {
		b = appendGuardLine(b, g.heads[o])
	}
	_ = g.fs.Remove(g.path + ".new.tmp")
	if err := store.WriteFile(g.fs, g.path, b, "new"); err != nil {
		return err
	}
	f, err := g.fs.Append(g.path)
	if err != nil {
		return fmt.Errorf("opening %s: %w", filepath.Base(g.path), err)
	}
	g.file, g.good, g.torn = f, int64(len(b)), false
	return nil
}

// Close implements Guard.
func (g *FileGuard) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.file == nil {
		return nil
	}
	err := g.file.Close()
	g.file = nil
	return err
}

func readAll(f store.FS, path string, limit int64) ([]byte, error) {
	file, err := f.Open(path, false)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	b, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("it is larger than %d bytes", limit)
	}
	return b, err
}
