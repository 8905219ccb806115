package node

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

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
	z, err := zip.OpenReader(q.Path)
	if err != nil {
		return BundleReport{}, &Fault{Code: CodeInvalid, What: "reading a bundle", Err: err, Remedy: "give a file that 'mithaq bundle out' wrote"}
	}
	defer func() { _ = z.Close() }()
	out, err := n.takeBundle(ctx, &z.Reader, func(ChangedLog) bool { return true })
	out.Path = q.Path
	return out, err
}

// takeBundle takes the logs of a bundle that its bringer may bring.
func (n *Node) takeBundle(ctx context.Context, z *zip.Reader, mayBring func(ChangedLog) bool) (out BundleReport, err error) {
	if len(z.File) > maxBundleFiles {
		return out, faultf(CodeInvalid, "", "reading a bundle: it holds over %d files", maxBundleFiles)
	}
	files := make(map[string]*zip.File, len(z.File))
	for _, f := range z.File {
		files[f.Name] = f
	}
	var m BundleManifest
	data, err := readZipped(files[manifestName], maxManifest)
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err == nil && m.Format != BundleFormat {
		err = fmt.Errorf("format %s is not %s", clipped(m.Format), BundleFormat)
	}
	if err != nil {
		return out, &Fault{Code: CodeInvalid, What: "reading a bundle", Err: err, Remedy: "give a file that 'mithaq bundle out' wrote"}
	}
	touched := map[string]bool{}
	for _, l := range m.Logs {
		if l.Party == n.party.ID {
			continue
		}
		came, err := n.takeBundled(ctx, files, l, mayBring)
		if err != nil {
			out.Refused++
			n.logger.Warn("a log of a bundle is passed over", "log", l.Log, "party", l.Party, "error", err)
		}
		if came > 0 || err == nil {
			out.Logs, out.Leaves, touched[l.Agreement] = out.Logs+1, out.Leaves+came, true
		}
	}
	for id := range touched {
		n.heardUnder(ctx, id)
	}
	return out, nil
}

// takeBundled follows one log from a bundle and leaves its source as it was.
func (n *Node) takeBundled(ctx context.Context, files map[string]*zip.File, l BundledLog, mayBring func(ChangedLog) bool) (int64, error) {
	if !record.IsID(l.Log, record.PrefixLog) || !record.IsAgreementID(l.Agreement) || !mayBring(l.ChangedLog) {
		return 0, errStranger()
	}
	runs := false
	if err := n.withRoll(ctx, l.Agreement, func(r *roll) error { runs = r.runs(l.Party); return nil }); err != nil || !runs {
		return 0, fmt.Errorf("party %s does not run agreement %s by the roll here: %w", clipped(l.Party), l.Agreement, err)
	}
	n.bringing.Lock() // one at a time: a source belongs to one bundle
	defer n.bringing.Unlock()
	source, size := carriedSource, int64(0)
	if row, err := n.store.Log(ctx, l.Log); err == nil {
		if f, err := n.store.Follow(ctx, row.No); err == nil {
			source = f.Source
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
		return 0, err
	}
	round, err := n.Sync(ctx, l.Log)
	if err == nil {
		err = round.Err
	}
	if err == nil {
		_, err = n.heardWitnessed(ctx, l.Log, l.Witnessed)
	}
	if back := n.FollowAs(context.WithoutCancel(ctx), identity, l.Party, source); err == nil {
		err = back
	}
	return max(0, round.Size-size), err
}

// bundleSource begins the source of a log that is taken from a bundle.
const bundleSource = "bundle:"

// bundledSource serves a log from a bundle as its author's host would.
func (n *Node) bundledSource(source, logID string) (*ledger.HTTPLog, error) {
	files, ok := n.bundled.Load(source)
	if !ok {
		return nil, fmt.Errorf("bundle %s is closed", source)
	}
	return ledger.HTTPSourceWith(logURL("http://bundle", logID), ledger.HTTPOptions{Transport: zipTransport{files.(map[string]*zip.File)}})
}

// zipTransport answers requests from the files of a bundle.
type zipTransport struct{ files map[string]*zip.File }

// RoundTrip implements [http.RoundTripper].
func (t zipTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp := &http.Response{StatusCode: http.StatusNotFound, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req, Body: http.NoBody}
	f := t.files[strings.TrimPrefix(req.URL.Path, "/")]
	if f == nil {
		return resp, nil
	}
	body, err := f.Open()
	if err != nil {
		return nil, err
	}
	// The size that the archive names is not believed: whoever reads bounds what it reads.
	resp.StatusCode, resp.ContentLength, resp.Body = http.StatusOK, -1, body
	return resp, nil
}

func readZipped(f *zip.File, limit int64) ([]byte, error) {
	if f == nil {
		return nil, fmt.Errorf("it holds no %s", manifestName)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errTooLong
	}
	return data, err
}
