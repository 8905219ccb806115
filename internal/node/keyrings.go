package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/coding"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
)

// keyringsName is the resource of a log that lists its keyrings: a JSON array of their envelopes, in order. It saves an
// auditor from reading the whole log to learn which key signs its checkpoints. Each keyring proves itself.
const keyringsName = "keyrings"

// LogHandler serves logs and objects as the decision permits them to whoever sent the request.
func (n *Node) LogHandler(who func(*http.Request) Viewer) http.Handler {
	return n.logHandler(gate{node: n, who: who})
}

func (n *Node) logHandler(g gate) http.Handler {
	who := g.who
	static := ledger.NewHandler(n.reader, g, n.logger)
	coder := coding.New()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, what, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/log/"), "/")
		if !ok || what != keyringsName && what != evidenceResource || r.Method != http.MethodGet && r.Method != http.MethodHead {
			static.ServeHTTP(w, r)
			return
		}
		l, err := n.reader.Log(r.Context(), id)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		list, err := n.aboutLog(r.Context(), who(r), l, what)
		if err != nil && !errors.Is(err, policy.ErrNotGranted) {
			n.logger.ErrorContext(r.Context(), "cannot serve what is about a log", "what", what, "log", id, "error", err)
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		if err != nil {
			http.NotFound(w, r)
			return
		}
		sum := sha256.Sum256(list)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-cache")
		if !l.Public {
			w.Header().Set("Cache-Control", "private, no-cache")
		}
		// Nobody but the party itself can put words into it, so that it is compressed for everybody.
		coder.Serve(w, r, coding.Content{Tag: hex.EncodeToString(sum[:16]), Body: list})
	})
}

// aboutLog lists a log's keyrings, or the evidence that a person published about it, for who may have the log.
func (n *Node) aboutLog(ctx context.Context, v Viewer, l ledger.LogInfo, what string) ([]byte, error) {
	files := n.book(l.ID).envelopes()
	if what == evidenceResource {
		var err error
		if files, err = n.publishedEvidence(ctx, l.ID); err != nil {
			return nil, err
		}
	}
	list := append(append([]byte{'['}, bytes.Join(files, []byte{','})...), "]\n"...)
	it, grant, err := n.mayFollow(ctx, v, l)
	if err != nil {
		return nil, err
	}
	return policy.Guard(it, list).Open(policy.ToLog(), grant)
}

func fetchKeyrings(ctx context.Context, logURL, token string) ([][]byte, error) {
	src, err := ledger.HTTPSourceWith(logURL, ledger.HTTPOptions{Token: token, Patience: time.Minute})
	if err != nil {
		return nil, &fault.Fault{Code: fault.Invalid, What: "auditing", Err: err}
	}
	return keyringsFrom(ctx, src)
}

func keyringsFrom(ctx context.Context, src *ledger.HTTPLog) ([][]byte, error) {
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
