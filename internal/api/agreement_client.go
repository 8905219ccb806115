package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/mithaq/mithaq/internal/node"
)

func agreementURL(ref string) string { return "/agreements/" + url.PathEscape(ref) }

// Agreements lists what runs on the node and what is on its shelf.
func (c *Client) Agreements(ctx context.Context) ([]node.AgreementView, error) {
	return call[[]node.AgreementView](ctx, c, http.MethodGet, "/agreements", nil)
}

// Agreement shows one agreement.
func (c *Client) Agreement(ctx context.Context, ref string) (node.AgreementView, error) {
	return call[node.AgreementView](ctx, c, http.MethodGet, agreementURL(ref), nil)
}

// AgreementStatus shows kept promises; quiet is an ISO 8601 period, or empty.
func (c *Client) AgreementStatus(ctx context.Context, ref, quiet string) (node.StatusView, error) {
	var out node.StatusView
	q := url.Values{}
	if quiet != "" {
		q.Set("quiet", quiet)
	}
	err := c.do(ctx, http.MethodGet, agreementURL(ref)+"/status", q, nil, &out)
	return out, err
}

// Difference shows what a proposal changes.
func (c *Client) Difference(ctx context.Context, ref, proposal string) (node.DifferenceView, error) {
	var out node.DifferenceView
	q := url.Values{}
	if proposal != "" {
		q.Set("proposal", proposal)
	}
	err := c.do(ctx, http.MethodGet, agreementURL(ref)+"/difference", q, nil, &out)
	return out, err
}

// Roll gives an agreement's roll as a file for another node.
func (c *Client) Roll(ctx context.Context, ref string) (node.RollFile, error) {
	return call[node.RollFile](ctx, c, http.MethodGet, agreementURL(ref)+"/roll", nil)
}

// PendingActs gives this party's acts that the roll does not have yet.
func (c *Client) PendingActs(ctx context.Context, ref string) ([]node.SignedAct, error) {
	return call[[]node.SignedAct](ctx, c, http.MethodGet, agreementURL(ref)+"/pending", nil)
}

// Act signs an act by one officer.
func (c *Client) Act(ctx context.Context, ref string, q node.ActRequest) (node.ActOutcome, error) {
	return call[node.ActOutcome](ctx, c, http.MethodPost, agreementURL(ref)+"/acts", q)
}

// DraftAct begins a draft for several officers.
func (c *Client) DraftAct(ctx context.Context, ref string, q node.ActRequest) (node.ActDraft, error) {
	return call[node.ActDraft](ctx, c, http.MethodPost, agreementURL(ref)+"/drafts", q)
}

// SignDraft is an officer's turn at a draft.
func (c *Client) SignDraft(ctx context.Context, d node.ActDraft, officer string) (node.DraftStep, error) {
	path := "/drafts/sign"
	if officer != "" {
		path += "?officer=" + url.QueryEscape(officer)
	}
	return call[node.DraftStep](ctx, c, http.MethodPost, path, d)
}

// SubmitDraft publishes a complete draft.
func (c *Client) SubmitDraft(ctx context.Context, d node.ActDraft) (node.ActOutcome, error) {
	return call[node.ActOutcome](ctx, c, http.MethodPost, "/drafts/submit", d)
}

// Import takes in a file that was carried to the node.
func (c *Client) Import(ctx context.Context, name string, data []byte) (node.Imported, error) {
	var out node.Imported
	err := c.do(ctx, http.MethodPost, "/agreements", url.Values{"name": {name}}, data, &out)
	return out, err
}

// PartyPage shows a party; an empty ref means the node's own.
func (c *Client) PartyPage(ctx context.Context, ref string) (node.PartyPage, error) {
	if ref == "" {
		return call[node.PartyPage](ctx, c, http.MethodGet, "/parties", nil)
	}
	return call[node.PartyPage](ctx, c, http.MethodGet, "/parties/"+url.PathEscape(ref), nil)
}

// ChangeRecord recalls, narrows or releases a record.
func (c *Client) ChangeRecord(ctx context.Context, log string, index int64, change node.Change) (node.Receipt, error) {
	return call[node.Receipt](ctx, c, http.MethodPost, recordURL(log, index)+"/change", change)
}
