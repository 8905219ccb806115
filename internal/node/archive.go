package node

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// A backup is a zstd-compressed tar. Its last entry, sumsName, holds the SHA-256 of every entry before it, so that a
// backup which was cut short or rotted is refused before anything is put in place.
const sumsName = "SHA256SUMS"

// maxSums bounds the list of sums, about a hundred bytes for each file.
const maxSums = 256 << 20

// maxArchiveEntry bounds one file of a backup; a database is the largest.
const maxArchiveEntry = 1 << 42

// writeArchive writes the files below dir into w. It tells packed of every piece that it has read.
func writeArchive(ctx context.Context, dir string, w io.Writer, packed func(n int64)) (err error) {
	zw, err := zstd.NewWriter(w)
	if err != nil {
		return err
	}
	tw := tar.NewWriter(zw)
	var sums strings.Builder
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return errors.Join(err, ctx.Err())
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		sum, err := addFile(tw, path, filepath.ToSlash(name), packed)
		if err != nil {
			return fmt.Errorf("archiving %s: %w", name, err)
		}
		fmt.Fprintf(&sums, "%s  %s\n", sum, filepath.ToSlash(name))
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	if err := tw.WriteHeader(&tar.Header{Name: sumsName, Mode: 0o600, Size: int64(sums.Len())}); err != nil {
		return err
	}
	if _, err := io.WriteString(tw, sums.String()); err != nil {
		return err
	}
	return errors.Join(tw.Close(), zw.Close())
}

func addFile(tw *tar.Writer, path, name string, packed func(n int64)) (sum string, err error) {
	f, err := os.Open(path) // #nosec G304 -- below the node's directory
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size(), ModTime: info.ModTime()}); err != nil {
		return "", err
	}
	h := sha256.New()
	r := &countedReader{r: f, each: packed}
	if _, err := io.Copy(io.MultiWriter(tw, h), r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// readArchive unpacks r below dir and checks every sum. A path that leads out of dir is refused.
func readArchive(ctx context.Context, r io.Reader, dir string) error {
	zr, err := zstd.NewReader(r, zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return err
	}
	defer zr.Close()
	tr := tar.NewReader(zr)
	got := map[string]string{}
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return errors.New("the backup has no list of sums at its end: it was cut short")
		}
		if err != nil {
			return fmt.Errorf("reading the backup: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if h.Name == sumsName {
			return checkSums(tr, got)
		}
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) || h.Size > maxArchiveEntry {
			return fmt.Errorf("reading the backup: %q is not a plain file below the node's directory", h.Name)
		}
		sum, err := extract(tr, filepath.Join(dir, filepath.FromSlash(h.Name)))
		if err != nil {
			return fmt.Errorf("unpacking %s: %w", h.Name, err)
		}
		got[h.Name] = sum
	}
}

func extract(r io.Reader, path string) (sum string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // #nosec G304 -- checked to be local
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, h), r) // bounded by the header's size, as tar reads no further
	if err == nil {
		err = f.Sync()
	}
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, f.Close())
}

func checkSums(r io.Reader, got map[string]string) error {
	data, err := io.ReadAll(io.LimitReader(r, maxSums+1))
	if err != nil {
		return fmt.Errorf("reading the backup's sums: %w", err)
	}
	if len(data) > maxSums {
		return fmt.Errorf("the backup's list of sums is larger than %d bytes", maxSums)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if len(lines) != len(got) {
		return fmt.Errorf("the backup lists %d files and holds %d", len(lines), len(got))
	}
	for _, line := range lines {
		sum, name, ok := strings.Cut(line, "  ")
		if !ok || got[name] != sum {
			return fmt.Errorf("the backup is damaged: %q does not have the sum that the backup lists", name)
		}
		delete(got, name) // a name that is listed twice hides one that is not
	}
	return nil
}
