package node

import (
	"archive/zip"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// A bundle is what a node would serve to another, as a file: for a node that nobody can connect to, and for one that is on no
// network at all. It is a ZIP archive whose names are the paths below the node's address and whose contents are the answers,
// so that it goes through the same decision on its way out and through the same verification on its way in.

// BundleFormat names the form of a bundle's manifest.
const BundleFormat = "mithaq-bundle/1"

// manifestName is the first file of a bundle.
const manifestName = "bundle.json"

// BundleManifest says what a bundle holds. Nothing of it is believed.
type BundleManifest struct {
	Format string       `json:"format" enum:"mithaq-bundle/1"`
	From   string       `json:"from" doc:"Party whose node wrote it"`
	To     string       `json:"to" doc:"Party that it was written for"`
	Logs   []BundledLog `json:"logs"`
}

// BundledLog is a log in a bundle.
type BundledLog struct {
	ChangedLog
	From int64 `json:"from" doc:"First leaf whose object is in the bundle"`
}

// BundleRequest names a file on the node's own machine, and for whom a bundle is written to it.
type BundleRequest struct {
	Path string `json:"path" doc:"File on the node's machine"`
	To   string `json:"to,omitempty" doc:"out: the party that gets it; what it may not have is not in it"`
}

// BundleReport says what was written or taken.
type BundleReport struct {
	Path    string `json:"path"`
	Logs    int    `json:"logs"`
	Leaves  int64  `json:"leaves" doc:"out: in the bundle; in: that were not here before"`
	Refused int    `json:"refused,omitempty" doc:"in: logs that are not followed here, or did not verify"`
	Bytes   int64  `json:"bytes,omitempty"`
	Cut     int64  `json:"cut,omitempty" doc:"in: the byte at which the file is cut short; what is before it was taken, and 'bundle in' of the whole file goes on from there"`
	Kept    int64  `json:"kept,omitempty" doc:"in: verified leaves that are kept until the rest of what their author signed comes"`
}

// WriteBundle writes all that a party may follow here, this party's logs and those it follows, to a file.
func (n *Node) WriteBundle(ctx context.Context, q BundleRequest) (out BundleReport, err error) {
	if !record.IsID(q.To, record.PrefixParty) {
		return out, fault.New(fault.Invalid, "write p-…", "writing a bundle: %s is not a party id", fault.Clip(q.To))
	}
	f, err := os.CreateTemp(filepath.Dir(q.Path), ".bundle-*")
	if err != nil {
		return out, &fault.Fault{Code: fault.Invalid, What: "writing a bundle", Err: err}
	}
	defer func() { _ = os.Remove(f.Name()) }() // it was renamed, or is of no use
	changes, err := n.allChanges(ctx, q.To)
	if err == nil {
		out, err = n.bundle(ctx, f, q.To, changes, func(string) int64 { return 0 })
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil && out.Logs == 0 {
		err = fault.New(fault.NotFound, "see 'mithaq agreement show'", "writing a bundle: %s may follow no log here", q.To)
	}
	if err == nil {
		err = os.Rename(f.Name(), q.Path)
	}
	out.Path = q.Path
	return out, err
}

// allChanges lists the heads of all logs that a party may follow.
func (n *Node) allChanges(ctx context.Context, party string) (all []ChangedLog, err error) {
	for cursor := ""; ; {
		c, err := n.Changes(ctx, party, ChangesQuery{After: cursor})
		if err != nil || len(c.Logs) == 0 {
			return all, err
		}
		all, cursor = append(all, c.Logs...), c.Cursor
	}
}

// bundle writes logs to w as a party would be served them, the objects of leaves from a place on.
func (n *Node) bundle(ctx context.Context, w io.Writer, to string, logs []ChangedLog, from func(log string) int64) (out BundleReport, err error) {
	b := &bundler{n: n, zip: zip.NewWriter(w), seen: map[string]bool{}, ctx: ctx}
	b.handler = n.logHandler(gate{n, func(*http.Request) Viewer { return Viewer{Party: to} }, ownPatience})
	m := BundleManifest{Format: BundleFormat, From: n.party.ID, To: to, Logs: []BundledLog{}}
	for _, l := range logs {
		if l.Party != to {
			m.Logs = append(m.Logs, BundledLog{l, min(from(l.Log), l.Size)})
		}
	}
	data, err := json.Marshal(m)
	if err == nil {
		err = b.put(manifestName, data)
	}
	for i := 0; i < len(m.Logs) && err == nil; i++ {
		err = b.log(m.Logs[i])
		out.Logs, out.Leaves = out.Logs+1, out.Leaves+m.Logs[i].Size-m.Logs[i].From
	}
	if err == nil {
		err = b.zip.Close()
	}
	out.Bytes = b.bytes
	if err != nil {
		return out, fmt.Errorf("writing a bundle: %w", err)
	}
	return out, nil
}

// bundler asks this node's own handler for one resource after the other.
type bundler struct {
	n       *Node
	ctx     context.Context //nolint:containedctx // of the one call that the bundler is made for
	zip     *zip.Writer
	handler http.Handler
	seen    map[string]bool
	bytes   int64
}

func (b *bundler) log(l BundledLog) error {
	prefix := "log/" + l.Log + "/"
	if err := b.put(prefix+"checkpoint", []byte(l.Checkpoint)); err != nil {
		return err
	}
	if err := b.take(prefix + keyringsName); err != nil {
		return err
	}
	for level, size := 0, l.Size; size > 0; level, size = level+1, size>>8 {
		for at := int64(0); at < size; at += 256 {
			width := int(min(256, size-at))
			if err := b.take(prefix + ledger.TilePath(level, at/256, width)); err != nil {
				return err
			}
			if level == 0 && at+256 > l.From {
				if err := b.take(prefix + ledger.TilePath(-1, at/256, width)); err != nil {
					return err
				}
			}
		}
	}
	return b.objects(l)
}

func (b *bundler) objects(l BundledLog) error {
	row, err := b.n.store.Log(b.ctx, l.Log)
	if err != nil {
		return fault.OfStore(err)
	}
	const step = 1024
	for at := l.From; at < l.Size; at += step {
		hashes, err := b.n.store.Leaves(b.ctx, row.No, at, min(at+step, l.Size))
		if err != nil {
			return fault.OfStore(err)
		}
		for ; len(hashes) >= 32; hashes = hashes[32:] {
			if err := b.object(hex.EncodeToString(hashes[:32])); err != nil {
				return err
			}
		}
	}
	return nil
}

// object writes an object, and of an epoch the wraps that came with it. A large one goes through in pieces, twice: what a file
// of the archive holds is said before it, so that one who gets only the beginning of the archive can read that.
func (b *bundler) object(digest string) error {
	name := "object/" + digest
	if b.seen[name] {
		return nil
	}
	first := &answer{header: http.Header{}, status: http.StatusOK, most: maxEpochObject, sum: crc32.NewIEEE()}
	if there, err := b.serve(name, first); err != nil || !there {
		return err // it was destroyed, or is not for the one who gets the bundle
	}
	if first.size <= int64(len(first.body)) {
		if err := b.put(name, first.body); err != nil {
			return err
		}
		return b.wraps(first.body)
	}
	b.seen[name] = true
	w, err := b.zip.CreateRaw(header(name, first.size, first.sum.Sum32()))
	if err != nil {
		return err
	}
	second := &answer{header: http.Header{}, status: http.StatusOK, to: w, sum: crc32.NewIEEE()}
	if there, err := b.serve(name, second); err != nil || !there || second.size != first.size || second.sum.Sum32() != first.sum.Sum32() {
		return cmp.Or(err, second.err, fmt.Errorf("%s is not what it was a moment ago", name))
	}
	b.bytes += second.size
	return nil
}

// maxEpochObject is the largest object that is looked into for the wraps that it names.
const maxEpochObject = 2 << 20

func (b *bundler) wraps(object []byte) error {
	r, ok := federate.ClearRecord(object)
	if !ok || r.Kind != record.KindEpoch {
		return nil
	}
	epoch, err := record.Parse[record.EpochBody](r)
	if err != nil {
		return nil //nolint:nilerr // what another party wrote is carried as it is
	}
	for _, w := range epoch.Wraps {
		if body, err := b.ask("object/" + w.Object); err != nil || body != nil && b.put("object/"+w.Object, body) != nil {
			return err
		}
	}
	return nil
}

func (b *bundler) take(path string) error {
	body, err := b.ask(path)
	if err == nil && body == nil {
		err = fmt.Errorf("%s is not to be had", path)
	}
	if err != nil {
		return err
	}
	return b.put(path, body)
}

// ask gets a resource from the node's own handler. Nil: there is none for that party.
func (b *bundler) ask(path string) ([]byte, error) {
	a := &answer{header: http.Header{}, status: http.StatusOK}
	if there, err := b.serve(path, a); err != nil || !there {
		return nil, err
	}
	return a.body, nil
}

// serve has the node's own handler answer, and says whether there is something for that party.
func (b *bundler) serve(path string, a *answer) (there bool, err error) {
	req, err := http.NewRequestWithContext(b.ctx, http.MethodGet, "/"+path, nil)
	if err != nil {
		return false, err
	}
	b.handler.ServeHTTP(a, req)
	switch a.status {
	case http.StatusOK:
		return true, a.err
	case http.StatusNotFound, http.StatusGone, http.StatusForbidden:
		return false, nil
	}
	return false, fault.New(fault.Unavailable, "try again; what may leave is known once 'mithaq serve' or 'mithaq reindex' has built the index", "%s: status %d", path, a.status)
}

// answer takes what a handler writes: the first most bytes of it into memory, where most is 0 all of it, or all of it to a writer.
type answer struct {
	header http.Header
	status int
	most   int64
	body   []byte
	to     io.Writer
	sum    hash.Hash32 // of all that was written, where it is set
	size   int64
	err    error // of writing to to
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(p []byte) (int, error) {
	a.size += int64(len(p))
	if a.sum != nil {
		_, _ = a.sum.Write(p) // a hash takes everything
	}
	switch room := a.most - int64(len(a.body)); {
	case a.to != nil:
	case a.most == 0:
		a.body = append(a.body, p...)
	case room > 0:
		a.body = append(a.body, p[:min(int64(len(p)), room)]...)
	}
	if a.to != nil && a.status == http.StatusOK && a.err == nil {
		_, a.err = a.to.Write(p)
	}
	return len(p), a.err
}

// header is a file's in the archive: as it is, since hashes, ciphertext and zstd do not shrink.
func header(name string, size int64, sum uint32) *zip.FileHeader {
	return &zip.FileHeader{Name: name, Method: zip.Store, CRC32: sum, CompressedSize64: uint64(size), UncompressedSize64: uint64(size)} // #nosec G115 -- a length
}

// put writes a file.
func (b *bundler) put(name string, data []byte) error {
	if b.seen[name] {
		return nil
	}
	b.seen[name] = true
	w, err := b.zip.CreateRaw(header(name, int64(len(data)), crc32.ChecksumIEEE(data)))
	if err != nil {
		return err
	}
	b.bytes += int64(len(data))
	_, err = w.Write(data)
	return err
}
