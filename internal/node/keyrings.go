package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/coding"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// keyringsName is the resource of a log that lists its keyrings: a JSON array of their envelopes, in order. It saves an
// auditor from reading the whole log to learn which key signs its checkpoints. Each keyring proves itself.
const keyringsName = "keyrings"

// LogHandler serves logs and objects to those whom allow lets in; to anybody else they do not exist.
func (n *Node) LogHandler(allow func(*http.Request, LogView) bool) http.Handler {
	authorize := func(r *http.Request, l ledger.LogInfo) bool {
		return allow(r, LogView{ID: l.ID, Public: l.Public, Agreement: l.Agreement})
	}
	static := ledger.NewHandler(n.reader, authorize, n.logger)
	coder := coding.New()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/log/"), "/"+keyringsName)
		if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
			static.ServeHTTP(w, r)
			return
		}
		l, err := n.reader.Log(r.Context(), id)
		if err != nil || !authorize(r, l) {
			http.NotFound(w, r)
			return
		}
		n.serveKeyrings(w, r, id, l.Public, coder)
	})
}

// serveKeyrings answers with what is public knowledge of one party alone: nobody can put words into it, so that it is
// compressed for everybody.
func (n *Node) serveKeyrings(w http.ResponseWriter, r *http.Request, id string, public bool, coder *coding.Coder) {
	var body bytes.Buffer
	body.WriteByte('[')
	for i, e := range n.book(id).envelopes() {
		if i > 0 {
			body.WriteByte(',')
		}
		body.Write(e)
	}
	body.WriteString("]\n")
	sum := sha256.Sum256(body.Bytes())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	if !public {
		w.Header().Set("Cache-Control", "private, no-cache")
	}
	coder.Serve(w, r, coding.Content{Tag: hex.EncodeToString(sum[:16]), Body: body.Bytes()})
}

func fetchKeyrings(ctx context.Context, logURL, token string) ([][]byte, error) {
	src, err := ledger.HTTPSourceWith(logURL, ledger.HTTPOptions{Token: token, Timeout: time.Minute})
	if err != nil {
		return nil, &Fault{Code: CodeInvalid, What: "auditing", Err: err}
	}
	data, err := src.Keyrings(ctx)
	if err != nil {
		return nil, fmt.Errorf("fetching the log's keyrings: %w", err)
	}
	list, err := record.SplitKeyrings(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAudit, err)
	}
	return list, nil
}
