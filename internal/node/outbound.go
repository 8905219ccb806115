package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/federate/httpsig"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// requestSigner signs this node's requests with the http key in force; a new one begins with every key.
func (n *Node) requestSigner() (*httpsig.Signer, error) {
	if n.keys == nil {
		return nil, errReadOnly()
	}
	house, err := n.resolveLog(context.Background(), record.OwnAgreement)
	if err != nil {
		return nil, err
	}
	k, err := n.keyring(house.ID)
	if err != nil {
		return nil, err
	}
	keys := k.WithRole(record.RoleHTTP)
	if len(keys) == 0 {
		return nil, fault.New(fault.Invalid, "add one with 'mithaq key rotate --role http'", "signing a request: the keyring has no http key")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.signer != nil && n.signer.KeyID() == keys[0].ID {
		return n.signer, nil
	}
	key, err := n.keys.signer(keys[0].PublicKey())
	if err != nil {
		return nil, err
	}
	n.signer, err = httpsig.NewSigner(key, n.rand, n.now)
	return n.signer, err
}

// signedTransport signs every request with this party's http key.
type signedTransport struct{ n *Node }

// RoundTrip implements [http.RoundTripper].
func (t signedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	signer, err := t.n.requestSigner()
	if err != nil {
		return nil, err
	}
	return (&httpsig.Transport{Signer: signer, Base: t.n.outbound.Transport}).RoundTrip(req)
}

// signedSource fetches a log with requests that this party's http key signs.
func (n *Node) signedSource(url string) (*ledger.HTTPLog, error) {
	return ledger.HTTPSourceWith(url, ledger.HTTPOptions{Transport: signedTransport{n}, Patience: n.patience})
}

// exchange sends a signed request to another node and reads its JSON answer of at most limit bytes. body is nil for a GET.
func (n *Node) exchange(ctx context.Context, base, path string, body any, limit int64, into any) error {
	if body == nil {
		return n.exchangeBytes(ctx, base, path, "", nil, limit, into)
	}
	content, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("asking another node: %w", err)
	}
	return n.exchangeBytes(ctx, base, path, "application/json", content, limit, into)
}

// exchangeBytes is exchange with content of any type; without a type it is a GET.
func (n *Node) exchangeBytes(ctx context.Context, base, path, contentType string, content []byte, limit int64, into any) error {
	method := http.MethodGet
	if contentType != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(base, "/")+path, bytes.NewReader(content))
	if err != nil {
		return &fault.Fault{Code: fault.Invalid, What: "asking another node", Err: err}
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if _, err := n.requestSigner(); err != nil {
		return err
	}
	a, err := fetch.Open(n.SignedClient(), req, fetch.Limits{Bytes: limit, Types: jsonTypes(), Patience: patienceOf(ctx)})
	var data []byte
	if err == nil {
		data, err = a.All()
		_ = a.Close()
	}
	if err == nil && a.Status == http.StatusOK && into != nil {
		if bad := json.Unmarshal(data, into); bad != nil {
			err = fetch.Refuse(fetch.Malformed, "reading the answer of %s: %w", base, bad)
		}
	}
	n.refusals.answer(err, n.now(), hostOf(base))
	if err != nil {
		return &fault.Fault{Code: fault.Unavailable, What: "asking another node", Err: err, Remedy: "try again later"}
	}
	if a.Status != http.StatusOK {
		return answeredWith(base+path, a.Status, data)
	}
	return nil
}

// patienceOf is how long a host may take to begin its answer: up to the deadline where there is one, since it may be waiting for
// news.
func patienceOf(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return max(time.Until(end), time.Millisecond)
	}
	return fetch.DefaultPatience
}

// answeredWith is the fault that another node answered with: its own words where it gave any, cut short.
func answeredWith(where string, status int, data []byte) error {
	var p struct {
		Detail string     `json:"detail"`
		Code   fault.Code `json:"code"`
	}
	code := fault.Unavailable
	switch {
	case status == http.StatusNotFound:
		code = fault.NotFound
	case status >= 400 && status < 500:
		code = fault.Conflict
	}
	if json.Unmarshal(data, &p) == nil && p.Detail != "" {
		if p.Code != "" {
			code = p.Code
		}
		return &fault.Fault{Code: code, What: fmt.Sprintf("%s answers %d", where, status), Err: errors.New(oneLine(p.Detail))}
	}
	return &fault.Fault{Code: code, What: fmt.Sprintf("%s answers %d %s", where, status, http.StatusText(status))}
}

// oneLine keeps another node's words on one line and short: they are printed on a terminal.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	if len(s) > 500 {
		s = strings.ToValidUTF8(s[:500], "") + "…"
	}
	return s
}

// SignedClient is a client whose requests this party's http key signs: for fetching what only members may have. What it sends
// must do no harm when it comes twice.
func (n *Node) SignedClient() *http.Client {
	return &http.Client{Transport: signedTransport{n}, CheckRedirect: n.outbound.CheckRedirect}
}
