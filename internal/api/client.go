package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

// Client speaks the JSON API: with a node on the network, over the node's own socket, or in this process.
type Client struct {
	http  *http.Client
	base  string
	token string
}

// Over is a client that sends to base (scheme and host) with a bearer token, which may be empty. It follows no redirects,
// which could take the token elsewhere.
func Over(base, token string) *Client {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{http: &http.Client{CheckRedirect: stay}, base: strings.TrimRight(base, "/"), token: token}
}

// OverSocket is a client of the node that runs on the directory dir. Where none answers, ok is false.
func OverSocket(ctx context.Context, dir string) (client *Client, ok bool) {
	probe, err := dialSocket(ctx, dir)
	if err != nil {
		return nil, false
	}
	_ = probe.Close() // it answered: nothing was sent
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return dialSocket(ctx, dir) }
	return &Client{http: &http.Client{Transport: &http.Transport{DialContext: dial}}, base: "http://node"}, true
}

// Close ends the connections that are kept for later requests.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// maxReply bounds what the client reads: an object, the largest that a node answers with.
const maxReply = 49 << 20

func (c *Client) do(ctx context.Context, method, path string, query url.Values, body []byte, into any) error {
	target := c.base + "/api/v1" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("asking the node: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("asking the node: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err != nil {
		return fmt.Errorf("asking the node: %w", err)
	}
	if len(data) > maxReply {
		return fmt.Errorf("asking the node: %s: the answer is larger than %d bytes", path, maxReply)
	}
	if resp.StatusCode >= 300 {
		return fromProblem(resp.StatusCode, data)
	}
	switch out := into.(type) {
	case nil:
		return nil
	case *[]byte:
		*out = data
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("reading the node's answer: %w", err)
	}
	return nil
}

// fromProblem gives back the fault that the node answered with.
func fromProblem(status int, data []byte) error {
	var p Problem
	if err := json.Unmarshal(data, &p); err != nil || p.Detail == "" {
		return fmt.Errorf("asking the node: it answered %d %s", status, http.StatusText(status))
	}
	what := p.Detail
	for _, d := range p.Errors {
		what += "; " + d.Message + " at " + d.Location
	}
	code := fault.Code(p.Code)
	if code == "" && (status == http.StatusUnprocessableEntity || status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge) {
		code = fault.Invalid
	}
	return &fault.Fault{Code: code, What: what}
}

func call[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var out T
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return out, fmt.Errorf("asking the node: %w", err)
		}
	}
	err := c.do(ctx, method, path, nil, body, &out)
	return out, err
}

// Party asks which party the node is.
func (c *Client) Party(ctx context.Context) (node.PartyView, error) {
	return call[node.PartyView](ctx, c, http.MethodGet, "/party", nil)
}

// Logs lists the logs that the caller may read.
func (c *Client) Logs(ctx context.Context) ([]node.LogView, error) {
	return call[[]node.LogView](ctx, c, http.MethodGet, "/logs", nil)
}

// Records lists up to limit records from a place on.
func (c *Client) Records(ctx context.Context, log string, from int64, limit int) ([]node.RecordView, error) {
	var out []node.RecordView
	q := url.Values{"from": {strconv.FormatInt(from, 10)}, "limit": {strconv.Itoa(limit)}}
	err := c.do(ctx, http.MethodGet, "/logs/"+url.PathEscape(log)+"/records", q, nil, &out)
	return out, err
}

func recordURL(log string, index int64) string {
	return "/logs/" + url.PathEscape(log) + "/records/" + strconv.FormatInt(index, 10)
}

// Record gives one record.
func (c *Client) Record(ctx context.Context, log string, index int64) (node.RecordView, error) {
	return call[node.RecordView](ctx, c, http.MethodGet, recordURL(log, index), nil)
}

// RecordBody gives the exact bytes of a record's body.
func (c *Client) RecordBody(ctx context.Context, log string, index int64) ([]byte, error) {
	var out []byte
	err := c.do(ctx, http.MethodGet, recordURL(log, index)+"/body", nil, nil, &out)
	return out, err
}

// Object gives the object of a record, as it is served to others.
func (c *Client) Object(ctx context.Context, log string, index int64) ([]byte, error) {
	var out []byte
	err := c.do(ctx, http.MethodGet, recordURL(log, index)+"/object", nil, nil, &out)
	return out, err
}

// Keyring gives the keyring in force in a log, as it was signed.
func (c *Client) Keyring(ctx context.Context, log string) ([]byte, error) {
	var out []byte
	err := c.do(ctx, http.MethodGet, "/logs/"+url.PathEscape(log)+"/keyring", nil, nil, &out)
	return out, err
}

// Pin pins another party's keyring.
func (c *Client) Pin(ctx context.Context, keyring []byte) (node.PartyView, error) {
	var out node.PartyView
	err := c.do(ctx, http.MethodPost, "/pins", nil, keyring, &out)
	return out, err
}

// Proof gives the offline proof of a record.
func (c *Client) Proof(ctx context.Context, log string, index int64) ([]byte, error) {
	var out []byte
	err := c.do(ctx, http.MethodGet, recordURL(log, index)+"/proof", nil, nil, &out)
	return out, err
}

// Why asks whether a party may have a record, and because of which rule.
func (c *Client) Why(ctx context.Context, log string, index int64, party, person, exit string) (node.WhyView, error) {
	var out node.WhyView
	q := url.Values{"party": {party}}
	for key, value := range map[string]string{"person": person, "exit": exit} {
		if value != "" {
			q.Set(key, value)
		}
	}
	err := c.do(ctx, http.MethodGet, recordURL(log, index)+"/why", q, nil, &out)
	return out, err
}

// Find tells where a leaf hash or an object hash stands.
func (c *Client) Find(ctx context.Context, ref string) (node.Place, error) {
	return call[node.Place](ctx, c, http.MethodGet, "/find/"+url.PathEscape(ref), nil)
}

// Publish signs and appends a record; d.Body reaches the node byte for byte.
func (c *Client) Publish(ctx context.Context, log string, d node.Draft) (node.Receipt, error) {
	return sendDraft[node.Receipt](ctx, c, "/logs/"+url.PathEscape(log)+"/records", d)
}

// Preview says who would get a record; nothing is signed.
func (c *Client) Preview(ctx context.Context, log string, d node.Draft) (node.Preview, error) {
	return sendDraft[node.Preview](ctx, c, "/logs/"+url.PathEscape(log)+"/preview", d)
}

func sendDraft[T any](ctx context.Context, c *Client, path string, d node.Draft) (out T, err error) {
	if len(d.Body) == 0 {
		return out, errors.New("publishing: the record's body is empty")
	}
	err = c.do(ctx, http.MethodPost, path, draftQuery(d), d.Body, &out)
	return out, err
}

func draftQuery(d node.Draft) url.Values {
	q := url.Values{"party": d.Parties, "person": d.Persons, "serves": d.Serves, "ref": d.Refs}
	for key, value := range map[string]string{"kind": d.Kind, "tlp": d.TLP, "pap": d.PAP, "expires": d.Expires} {
		if value != "" {
			q.Set(key, value)
		}
	}
	if d.DespiteWarnings {
		q.Set("despite_warnings", "true")
	}
	return q
}

// PublishFile publishes what a file becomes.
func (c *Client) PublishFile(ctx context.Context, log string, f node.File) (node.FilePublished, error) {
	return sendFile[node.FilePublished](ctx, c, "/logs/"+url.PathEscape(log)+"/files", f)
}

// PreviewFile says what a file would become; nothing is signed.
func (c *Client) PreviewFile(ctx context.Context, log string, f node.File) (node.FilePreview, error) {
	return sendFile[node.FilePreview](ctx, c, "/logs/"+url.PathEscape(log)+"/files/preview", f)
}

func sendFile[T any](ctx context.Context, c *Client, path string, f node.File) (out T, err error) {
	if len(f.Content) == 0 {
		return out, &fault.Fault{Code: fault.Invalid, What: "reading the file", Err: errors.New("it is empty")}
	}
	q := draftQuery(f.Draft)
	for key, value := range map[string]string{"name": f.Name, "format": f.Format, "unmarked": f.Unmarked} {
		if value != "" {
			q.Set(key, value)
		}
	}
	for name, what := range f.Columns {
		q.Add("column", name+"="+what)
	}
	for name, party := range f.Orgs {
		q.Add("org", name+"="+party)
	}
	err = c.do(ctx, http.MethodPost, path, q, f.Content, &out)
	return out, err
}

// Erase destroys a record's contents.
func (c *Client) Erase(ctx context.Context, log string, index int64, e node.Erasure) (node.Receipt, error) {
	return call[node.Receipt](ctx, c, http.MethodPost, recordURL(log, index)+"/erase", e)
}

// Keys lists the keys of every log's keyring.
func (c *Client) Keys(ctx context.Context) ([]node.KeyView, error) {
	return call[[]node.KeyView](ctx, c, http.MethodGet, "/keys", nil)
}

// ProposeKeyrings prepares keyrings for the root key to sign.
func (c *Client) ProposeKeyrings(ctx context.Context, change node.KeyChange) (node.KeyringProposal, error) {
	return call[node.KeyringProposal](ctx, c, http.MethodPost, "/keys/proposals", change)
}

// ApplyKeyrings puts signed keyrings into force.
func (c *Client) ApplyKeyrings(ctx context.Context, signed node.SignedKeyrings) ([]node.Receipt, error) {
	return call[[]node.Receipt](ctx, c, http.MethodPost, "/keys/keyrings", signed)
}

// Tokens lists the tokens without their secrets.
func (c *Client) Tokens(ctx context.Context) ([]account.TokenView, error) {
	return call[[]account.TokenView](ctx, c, http.MethodGet, "/tokens", nil)
}

// CreateToken makes a token.
func (c *Client) CreateToken(ctx context.Context, r account.TokenRequest) (account.NewToken, error) {
	return call[account.NewToken](ctx, c, http.MethodPost, "/tokens", r)
}

// RevokeToken revokes a token.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/tokens/"+url.PathEscape(id), nil, nil, nil)
}
