package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/coding"
	"github.com/mithaq/mithaq/internal/ledger"
)

// keyringsName is the resource of a log that lists its keyrings: a JSON array of their envelopes, in order. It saves an
// auditor from reading the whole log to learn which key signs its checkpoints. Each keyring proves itself.
const keyringsName = "keyrings"

// maxKeyrings bounds what is read of a stranger's list, in bytes.
const maxKeyrings = 64 << 20

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
	target := strings.TrimSuffix(logURL, "/") + "/" + keyringsName
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, &Fault{Code: CodeInvalid, What: "auditing", Err: err}
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the server redirects, which is refused") // it would hand the token to another host
	}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetching the log's keyrings: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetching the log's keyrings: %w", &ledger.StatusError{URL: target, Status: resp.StatusCode})
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxKeyrings+1))
	if err != nil {
		return nil, fmt.Errorf("fetching the log's keyrings: %w", err)
	}
	if len(data) > maxKeyrings {
		return nil, fmt.Errorf("%w: the list of its keyrings is larger than %d bytes", errAudit, maxKeyrings)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("%w: the list of its keyrings is not a JSON array: %w", errAudit, err)
	}
	out := make([][]byte, len(list))
	for i, e := range list {
		out[i] = e
	}
	return out, nil
}
