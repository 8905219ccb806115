package node

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// bundleFiles are the files of a bundle by their names.
type bundleFiles struct {
	zipped map[string]*zip.File
	// Of a bundle that is cut short the list at its end is missing: its files are found one after the other.
	loose map[string]*io.SectionReader
	cut   int64 // where the file ends before its end; 0: it is whole
}

// open opens a file; ok is false where there is none.
func (b *bundleFiles) open(name string) (r io.ReadCloser, ok bool, err error) {
	if f := b.zipped[name]; f != nil {
		r, err = f.Open()
		return r, true, err
	}
	if s := b.loose[name]; s != nil {
		return io.NopCloser(io.NewSectionReader(s, 0, s.Size())), true, nil
	}
	return nil, false, nil
}

func wholeBundle(z *zip.Reader) (*bundleFiles, error) {
	if len(z.File) > maxBundleFiles {
		return nil, errManyFiles()
	}
	b := &bundleFiles{zipped: make(map[string]*zip.File, len(z.File))}
	for _, f := range z.File {
		b.zipped[f.Name] = f
	}
	return b, nil
}

func errManyFiles() error {
	return fmt.Errorf("it holds over %d files", maxBundleFiles)
}

// A file in a ZIP archive begins with a head of localHead bytes, its name, and an extra field (APPNOTE, section 4.3.7).
const (
	localHead      = 30
	localSignature = 0x04034b50
	flagDescriptor = 1 << 3 // the sizes follow the file
	maxBundleName  = 512
)

// errNotGoneOnWith is for a file that is cut short and does not say how long its parts are.
var errNotGoneOnWith = errors.New("it is cut short, and was not written so that a part of it can be read")

// cutBundle finds the files that are whole in a bundle that is not.
func cutBundle(r io.ReaderAt, size int64) (*bundleFiles, error) {
	b := &bundleFiles{loose: map[string]*io.SectionReader{}, cut: size}
	for at := int64(0); at+localHead <= size; {
		var head [localHead]byte
		if _, err := r.ReadAt(head[:], at); err != nil {
			return nil, err
		}
		if binary.LittleEndian.Uint32(head[:]) != localSignature {
			break // the list at the end has begun
		}
		flags, method := binary.LittleEndian.Uint16(head[6:]), binary.LittleEndian.Uint16(head[8:])
		length := binary.LittleEndian.Uint32(head[18:])
		if flags&flagDescriptor != 0 || method != zip.Store || length == math.MaxUint32 {
			return nil, errNotGoneOnWith
		}
		nameLength, extra := int64(binary.LittleEndian.Uint16(head[26:])), int64(binary.LittleEndian.Uint16(head[28:]))
		begin := at + localHead + nameLength + extra
		if nameLength > maxBundleName || begin+int64(length) > size {
			break
		}
		name := make([]byte, nameLength)
		if _, err := r.ReadAt(name, at+localHead); err != nil {
			return nil, err
		}
		if len(b.loose) >= maxBundleFiles {
			return nil, errManyFiles()
		}
		b.loose[string(name)] = io.NewSectionReader(r, begin, int64(length))
		at = begin + int64(length)
	}
	if len(b.loose) == 0 {
		return nil, zip.ErrFormat
	}
	return b, nil
}
