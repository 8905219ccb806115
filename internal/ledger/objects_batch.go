package ledger

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/store"
)

// Several small objects come in one answer: /objects/<sha256>,<sha256>,… For each that was named, in that order, it holds a
// length, four bytes, big endian, and so many bytes of the object. The length 0 says: ask for this one by itself, and learn why
// it is not here. So there is one place that says what is withheld, erased or large.

const (
	// BatchObjects is how many objects one request may name.
	BatchObjects = 32
	// batchBytes is about how many bytes of objects one answer holds.
	batchBytes = 1 << 20
	batchHead  = 4
)

// batchHashes reads what /objects/ is followed by.
func batchHashes(names string) ([]Hash, bool) {
	var out []Hash
	for name := range strings.SplitSeq(names, ",") {
		h, ok := hashNamed(name)
		if !ok || len(out) == BatchObjects {
			return nil, false
		}
		out = append(out, h)
	}
	return out, true
}

// hashNamed reads a hash in its one spelling.
func hashNamed(name string) (Hash, bool) {
	b, err := hex.DecodeString(name)
	if err != nil || len(b) != hashSize || hex.EncodeToString(b) != name {
		return Hash{}, false
	}
	return Hash(b), true
}

// batch answers with those of the objects that the caller may have and that are small.
func (h *handler) batch(w http.ResponseWriter, r *http.Request, hashes []Hash) {
	var body []byte
	for _, hash := range hashes {
		b, err := h.small(r, hash)
		if err != nil || len(body)+len(b) > batchBytes {
			b = nil
		}
		if err != nil && r.Context().Err() != nil {
			return
		}
		body = binary.BigEndian.AppendUint32(body, uint32(len(b))) // #nosec G115 -- a small object's
		body = append(body, b...)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body)
	}
}

// small opens an object that the caller may have; nil: it is large.
func (h *handler) small(r *http.Request, hash Hash) ([]byte, error) {
	out, _, err := h.reader.object(r, hash)
	if err != nil {
		return nil, err
	}
	c, err := out.open()
	if err != nil || c.file != nil {
		return nil, err
	}
	return c.bytes, nil
}

// Objects fetches up to [BatchObjects] small objects at once; nil stands for one that is to be asked for by itself, as all are
// of a server that knows no batches. Whether they hash to their names is the reader's to check.
func (s *HTTPLog) Objects(ctx context.Context, hashes [][32]byte) ([][]byte, error) {
	out := make([][]byte, len(hashes))
	if s.single.Load() {
		return out, nil
	}
	target := []byte(s.root + "/objects/")
	for i, h := range hashes {
		if i > 0 {
			target = append(target, ',')
		}
		target = hex.AppendEncode(target, h[:])
	}
	a, err := s.open(ctx, string(target), typesOfBytes(), batchBytes+batchHead*BatchObjects, 0)
	switch {
	case errors.Is(err, ErrNotFound):
		s.single.Store(true)
		return out, nil
	case err != nil:
		return out, err
	}
	defer func() { _ = a.Close() }()
	return out, readBatch(a, out)
}

// readBatch reads the objects of an answer, as many as out has places. What came before a fault is kept.
func readBatch(r io.Reader, out [][]byte) (err error) {
	for i := range out {
		if out[i], err = readFrame(r); err != nil {
			return err
		}
	}
	if n, _ := io.ReadFull(r, make([]byte, 1)); n > 0 {
		return fetch.Refuse(fetch.WrongLength, "the server sent more than the %d objects that were asked for", len(out))
	}
	return nil
}

// readFrame reads one object of a batch, nil for an empty one.
func readFrame(r io.Reader) ([]byte, error) {
	var head [batchHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, cutShort(err)
	}
	n := binary.BigEndian.Uint32(head[:])
	switch {
	case n == 0:
		return nil, nil
	case n > store.SmallObject:
		return nil, fetch.Refuse(fetch.TooLong, "the server announces an object of %d bytes among small ones", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, cutShort(err)
	}
	return b, nil
}

// cutShort is an answer that ends where an object should be.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fetch.Refuse(fetch.WrongLength, "the server's answer ends before the last object")
	}
	return err
}
