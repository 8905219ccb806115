package node

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

const (
	// carriedSource is the source of a followed log that came as a bundle: nobody is asked for it.
	carriedSource = "carried"
	// maxManifest bounds a bundle's list of logs, and maxBundleFiles its files: 100,000 records of 100 parties are below both.
	maxManifest    = 16 << 20
	maxBundleFiles = 4 << 20
)

// ReadBundle takes what a bundle on the node's machine has of the logs that are followed here. Everything is verified as if it
// came over the network; a log that does not verify is passed over.
func (n *Node) ReadBundle(ctx context.Context, q BundleRequest) (BundleReport, error) {
	if n.ledger == nil {
		return BundleReport{}, errReadOnly()
	}
	f, err := os.Open(q.Path) // #nosec G304 -- the node's owner names it
	if err != nil {
		return BundleReport{}, &fault.Fault{Code: fault.Invalid, What: "reading a bundle", Err: err, Remedy: remedyBundle}
	}
	defer func() { _ = f.Close() }()
	files, err := readBundle(f)
	if err != nil {
		return BundleReport{}, &fault.Fault{Code: fault.Invalid, What: "reading a bundle", Err: err, Remedy: remedyBundle}
	}
	out, err := n.takeBundle(ctx, files, func(ChangedLog) bool { return true })
	out.Path, out.Cut = q.Path, files.cut
	return out, err
}

const remedyBundle = "give a file that 'mithaq bundle out' wrote"

// readBundle lists the files of a bundle, or those that are whole when it is cut short.
func readBundle(f *os.File) (*bundleFiles, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(f, info.Size())
	if errors.Is(err, zip.ErrFormat) {
		return cutBundle(f, info.Size())
	}
	if err != nil {
		return nil, err
	}
	return wholeBundle(z)
}

// takeBundle takes the logs of a bundle that its bringer may bring.
func (n *Node) takeBundle(ctx context.Context, files *bundleFiles, mayBring func(ChangedLog) bool) (out BundleReport, err error) {
	var m BundleManifest
	data, err := readZipped(files, manifestName, maxManifest)
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err == nil && m.Format != BundleFormat {
		err = fmt.Errorf("format %s is not %s", fault.Clip(m.Format), BundleFormat)
	}
	if err != nil {
		return out, &fault.Fault{Code: fault.Invalid, What: "reading a bundle", Err: err, Remedy: remedyBundle}
	}
	touched := map[string]bool{}
	for _, l := range m.Logs {
		if l.Party == n.party.ID {
			continue
		}
		came, err := n.takeBundled(ctx, files, l, mayBring)
		if err != nil && !errors.Is(err, errCutShort) {
			out.Refused++
			n.logger.Warn("a log of a bundle is passed over", "log", l.Log, "party", l.Party, "error", err)
		}
		out.Kept += came.kept
		if came.leaves > 0 || err == nil {
			out.Logs, out.Leaves, touched[l.Agreement] = out.Logs+1, out.Leaves+came.leaves, true
		}
	}
	for id := range touched {
		n.heardUnder(ctx, id)
	}
	return out, nil
}

// bundled is what came of one log.
type bundled struct {
	leaves int64 // that are published here now
	kept   int64 // that wait for the rest of the signed tree
}

// takeBundled follows one log from a bundle and leaves its source as it was.
func (n *Node) takeBundled(ctx context.Context, files *bundleFiles, l BundledLog, mayBring func(ChangedLog) bool) (bundled, error) {
	if !record.IsID(l.Log, record.PrefixLog) || !record.IsAgreementID(l.Agreement) || !mayBring(l.ChangedLog) {
		return bundled{}, errStranger()
	}
	runs := false
	if err := n.withRoll(ctx, l.Agreement, func(r *roll) error { runs = r.runs(l.Party); return nil }); err != nil || !runs {
		return bundled{}, fmt.Errorf("party %s does not run agreement %s by the roll here: %w", fault.Clip(l.Party), l.Agreement, err)
	}
	n.bringing.Lock() // one at a time: a source belongs to one bundle
	defer n.bringing.Unlock()
	source, size, staged := carriedSource, int64(0), int64(0)
	if row, err := n.store.Log(ctx, l.Log); err == nil {
		if f, err := n.store.Follow(ctx, row.No); err == nil {
			source, staged = f.Source, f.Staged
		}
		if info, err := n.reader.Log(ctx, l.Log); err == nil {
			size = info.Size
		}
	}
	identity := record.LogIdentity{ID: l.Log, Origin: record.LogOrigin(l.Log), Agreement: l.Agreement, Generation: l.Generation}
	key := bundleSource + strconv.FormatUint(n.bundles.Add(1), 10)
	n.bundled.Store(key, files)
	defer n.bundled.Delete(key)
	if err := n.FollowAs(ctx, identity, l.Party, key); err != nil {
		return bundled{}, err
	}
	round, err := n.Sync(ctx, l.Log)
	err = round.Failure(err)
	if err == nil {
		_, err = n.heardWitnessed(ctx, l.Log, l.Witnessed)
	}
	if back := n.FollowAs(context.WithoutCancel(ctx), identity, l.Party, source); err == nil {
		err = back
	}
	came := bundled{leaves: max(0, round.Size-size)}
	if round.Staged > round.Size {
		came.kept = max(0, round.Staged-max(staged, size))
	}
	return came, err
}

// bundleSource begins the source of a log that is taken from a bundle.
const bundleSource = "bundle:"

// bundledSource serves a log from a bundle as its author's host would.
func (n *Node) bundledSource(source, logID string) (*ledger.HTTPLog, error) {
	files, ok := n.bundled.Load(source)
	if !ok {
		return nil, fmt.Errorf("bundle %s is closed", source)
	}
	return ledger.HTTPSourceWith(logURL("http://bundle", logID), ledger.HTTPOptions{Transport: zipTransport{files.(*bundleFiles)}})
}

// errCutShort ends following from a bundle at the place where the file ends. It is what a line says that breaks.
var errCutShort = fmt.Errorf("the file is cut short: %w", io.ErrUnexpectedEOF)

// zipTransport answers requests from the files of a bundle.
type zipTransport struct{ files *bundleFiles }

// RoundTrip implements [http.RoundTripper].
func (t zipTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp := &http.Response{StatusCode: http.StatusNotFound, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req, Body: http.NoBody}
	body, ok, err := t.files.open(strings.TrimPrefix(req.URL.Path, "/"))
	switch {
	case err != nil:
		return nil, err
	case ok:
		// The size that the archive names is not believed: whoever reads bounds what it reads.
		resp.StatusCode, resp.ContentLength, resp.Body = http.StatusOK, -1, body
	case t.files.cut > 0:
		return nil, errCutShort
	}
	return resp, nil
}

func readZipped(files *bundleFiles, name string, limit int64) ([]byte, error) {
	r, ok, err := files.open(name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("it holds no %s", name)
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errTooLong
	}
	return data, err
}
