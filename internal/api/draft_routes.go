package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

// DraftPath names a draft that is kept on the node.
type DraftPath struct {
	Draft string `path:"draft" doc:"Draft id" example:"d-mfzwizltoq2gs3tf"`
}

type draftTurn struct {
	DraftPath
	Body node.DraftTurn
}

// registerDrafts binds the drafts that are kept on the node: only people who speak for the party see them.
func registerDrafts(api huma.API, n *node.Node) {
	drafts := func(method, path, id, summary string) huma.Operation {
		o := actors(op(method, path, id, ScopePublish, summary))
		o.MaxBodyBytes = maxUpload
		return o
	}
	huma.Register(api, drafts(http.MethodGet, "/drafts", "list-drafts", "Drafts of acts that are kept here, the last changed first, without their texts"),
		func(ctx context.Context, _ *struct{}) (*output[[]node.KeptDraft], error) {
			return reply(n.Drafts(ctx))
		})
	begin := drafts(http.MethodPost, "/drafts", "keep-draft", "Begin a draft that is kept here for the party's officers")
	begin.DefaultStatus = http.StatusCreated
	huma.Register(api, begin, func(ctx context.Context, in *struct{ Body node.DraftWords }) (*output[node.KeptDraft], error) {
		return reply(n.KeepDraft(ctx, nameOf(ctx), in.Body))
	})
	huma.Register(api, drafts(http.MethodGet, "/drafts/{draft}", "get-draft", "A draft with its text, what that changes, and who has approved and signed"),
		func(ctx context.Context, in *DraftPath) (*output[node.KeptDraft], error) {
			return reply(n.Draft(ctx, in.Draft))
		})
	huma.Register(api, drafts(http.MethodPut, "/drafts/{draft}", "save-draft", "Keep what was written; 409 where somebody else has changed it since it was read"),
		func(ctx context.Context, in *struct {
			DraftPath
			Body node.DraftWords
		}) (*output[node.KeptDraft], error) {
			return reply(n.SaveDraft(ctx, nameOf(ctx), in.Draft, in.Body))
		})
	huma.Register(api, drafts(http.MethodDelete, "/drafts/{draft}", "drop-draft", "Forget a draft"),
		func(ctx context.Context, in *DraftPath) (*struct{}, error) {
			return nil, problem(n.DropDraft(ctx, in.Draft))
		})
	huma.Register(api, drafts(http.MethodPost, "/drafts/{draft}/fix", "fix-draft", "End the writing and ask for approval: from now on officers approve and sign exactly these words"),
		func(ctx context.Context, in *draftTurn) (*output[node.KeptDraft], error) {
			return turn(ctx, in, n.FixDraft)
		})
	huma.Register(api, drafts(http.MethodPost, "/drafts/{draft}/reopen", "reopen-draft", "Change the words again; approvals are dropped"),
		func(ctx context.Context, in *draftTurn) (*output[node.KeptDraft], error) {
			return turn(ctx, in, n.ReopenDraft)
		})
	huma.Register(api, drafts(http.MethodPost, "/drafts/{draft}/sign", "sign-kept-draft", "An officer's approval, and once enough have approved its signature"),
		func(ctx context.Context, in *draftTurn) (*output[node.KeptDraft], error) {
			return turn(ctx, in, n.SignKept)
		})
	huma.Register(api, drafts(http.MethodPost, "/drafts/{draft}/submit", "submit-kept-draft", "Publish a draft that enough officers have signed, as one act"),
		func(ctx context.Context, in *draftTurn) (*output[node.ActOutcome], error) {
			return turn(ctx, in, n.SubmitKept)
		})
	take := drafts(http.MethodPost, "/drafts/{draft}/take", "take-draft", "Take in what officers elsewhere approved and signed in the draft's file")
	take.SkipValidateBody = true // the node checks it and says what is wrong
	huma.Register(api, take, func(ctx context.Context, in *struct {
		DraftPath
		Body node.ActDraft
	}) (*output[node.KeptDraft], error) {
		return reply(n.TakeDraft(ctx, nameOf(ctx), in.Draft, in.Body))
	})
}

// turn lets the caller take a step with a draft, as the officer that the caller is.
func turn[T any](ctx context.Context, in *draftTurn, step func(context.Context, string, string, node.DraftTurn) (T, error)) (*output[T], error) {
	var err error
	if in.Body.Officer, err = asOfficer(ctx, in.Body.Officer); err != nil {
		return nil, problem(err)
	}
	return reply(step(ctx, nameOf(ctx), in.Draft, in.Body))
}

// nameOf is what the caller signed in as; empty behind a token or on the node's own machine.
func nameOf(ctx context.Context) string {
	if p := callerOf(ctx).person; p != nil {
		return p.Name
	}
	return ""
}

// asOfficer is the officer as whom the caller acts: somebody who signed in to the screens with a key of their own acts with
// no other, so that m of n officers are m people.
func asOfficer(ctx context.Context, asked string) (string, error) {
	p := callerOf(ctx).person
	if p == nil || p.Officer == "" {
		return asked, nil
	}
	if asked != "" && asked != p.Officer {
		return "", &fault.Fault{Code: fault.Forbidden, What: "acting: " + asked + " is not the key of " + p.Name, Remedy: "let its officer sign in"}
	}
	return p.Officer, nil
}
