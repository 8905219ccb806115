package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/mithaq/mithaq/internal/node"
)

func draftURL(id string) string { return "/drafts/" + url.PathEscape(id) }

// KeepDraft begins a draft that is kept on the node.
func (c *Client) KeepDraft(ctx context.Context, w node.DraftWords) (node.KeptDraft, error) {
	return call[node.KeptDraft](ctx, c, http.MethodPost, "/drafts", w)
}

// Drafts lists the drafts that are kept on the node, without their texts.
func (c *Client) Drafts(ctx context.Context) ([]node.KeptDraft, error) {
	return call[[]node.KeptDraft](ctx, c, http.MethodGet, "/drafts", nil)
}

// Draft shows a draft that is kept on the node.
func (c *Client) Draft(ctx context.Context, id string) (node.KeptDraft, error) {
	return call[node.KeptDraft](ctx, c, http.MethodGet, draftURL(id), nil)
}

// SaveDraft keeps what was written.
func (c *Client) SaveDraft(ctx context.Context, id string, w node.DraftWords) (node.KeptDraft, error) {
	return call[node.KeptDraft](ctx, c, http.MethodPut, draftURL(id), w)
}

// DropDraft forgets a draft.
func (c *Client) DropDraft(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, draftURL(id), nil, nil, nil)
}

// FixDraft ends the writing and asks for approval.
func (c *Client) FixDraft(ctx context.Context, id string, t node.DraftTurn) (node.KeptDraft, error) {
	return call[node.KeptDraft](ctx, c, http.MethodPost, draftURL(id)+"/fix", t)
}

// ReopenDraft lets the words be changed again.
func (c *Client) ReopenDraft(ctx context.Context, id string) (node.KeptDraft, error) {
	return call[node.KeptDraft](ctx, c, http.MethodPost, draftURL(id)+"/reopen", node.DraftTurn{})
}

// SignKept approves or signs a kept draft as an officer.
func (c *Client) SignKept(ctx context.Context, id string, t node.DraftTurn) (node.KeptDraft, error) {
	return call[node.KeptDraft](ctx, c, http.MethodPost, draftURL(id)+"/sign", t)
}

// TakeDraft brings what officers elsewhere approved and signed.
func (c *Client) TakeDraft(ctx context.Context, id string, f node.ActDraft) (node.KeptDraft, error) {
	return call[node.KeptDraft](ctx, c, http.MethodPost, draftURL(id)+"/take", f)
}

// SubmitKept publishes a kept draft.
func (c *Client) SubmitKept(ctx context.Context, id string) (node.ActOutcome, error) {
	return call[node.ActOutcome](ctx, c, http.MethodPost, draftURL(id)+"/submit", node.DraftTurn{})
}
