package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

// AgreementPath names an agreement in a request.
type AgreementPath struct {
	Agreement string `path:"agreement" doc:"Agreement id, the beginning of it, or label" example:"sahlan-norvia"`
}

// maxCarried bounds what is imported in one request: an agreement file, a signed act, a roll.
const maxCarried = 256 << 20

func registerAgreements(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/agreements", "list-agreements", ScopeRead, "Agreements that run here and those on the shelf"),
		func(ctx context.Context, _ *struct{}) (*output[[]node.AgreementView], error) {
			return reply(n.Agreements(ctx))
		})
	huma.Register(api, op(http.MethodGet, "/agreements/{agreement}", "get-agreement", ScopeRead, "One agreement: its state folded from the roll, or what sources say of it"),
		func(ctx context.Context, in *AgreementPath) (*output[node.AgreementView], error) {
			return reply(n.Agreement(ctx, in.Agreement))
		})
	huma.Register(api, op(http.MethodGet, "/agreements/{agreement}/status", "get-agreement-status", ScopeRead, "Kept promises: mechanism, activity, evidence and gap of each commitment"),
		func(ctx context.Context, in *struct {
			AgreementPath
			Quiet string `query:"quiet" doc:"ISO 8601 period of silence after which a commitment is shown as quiet; absent: P6M"`
		}) (*output[node.StatusView], error) {
			quiet, err := parseQuiet(in.Quiet)
			if err != nil {
				return nil, problem(err)
			}
			return reply(n.Status(ctx, in.Agreement, quiet))
		})
	huma.Register(api, op(http.MethodGet, "/agreements/{agreement}/difference", "get-difference", ScopeRead, "What an open proposal changes in the text in force, or one that took force in the text before it, by article"),
		func(ctx context.Context, in *struct {
			AgreementPath
			Proposal string `query:"proposal" doc:"Leaf of the proposal, or the beginning of it; absent: the only open one"`
		}) (*output[node.DifferenceView], error) {
			return reply(n.Difference(ctx, in.Agreement, in.Proposal))
		})
	huma.Register(api, op(http.MethodGet, "/agreements/{agreement}/roll", "export-roll", ScopeRead, "The roll with its proofs, as a file for another node"),
		func(ctx context.Context, in *AgreementPath) (*output[node.RollFile], error) {
			return reply(n.RollFileOf(ctx, in.Agreement))
		})
	huma.Register(api, op(http.MethodGet, "/agreements/{agreement}/pending", "list-pending-acts", ScopeRead, "This party's acts that the roll does not have yet, as files to carry"),
		func(ctx context.Context, in *AgreementPath) (*output[[]node.SignedAct], error) {
			return reply(n.PendingActs(ctx, in.Agreement))
		})
	preview := op(http.MethodPost, "/logs/{log}/preview", "preview-record", ScopePublish, "Who would get a record, and why; nothing is signed")
	preview.MaxBodyBytes = maxUpload
	preview.BodyReadTimeout = uploadTimeout
	preview.SkipValidateBody = true
	preview.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}}
	huma.Register(api, preview, func(ctx context.Context, in *publishInput) (*output[node.Preview], error) {
		return reply(n.Preview(ctx, in.Log, in.draft()))
	})
	registerActs(api, n)
	registerDrafts(api, n)
	registerCases(api, n)
	huma.Register(api, op(http.MethodGet, "/map", "get-map", ScopeRead, "The operator's own geometry for the map of parties; 404 where there is none"),
		func(context.Context, *struct{}) (*output[node.MapView], error) {
			return reply(n.Map())
		})
	huma.Register(api, op(http.MethodGet, "/parties", "get-own-party", ScopeRead, "This node's party with its rolls"),
		func(ctx context.Context, _ *struct{}) (*output[node.PartyPage], error) {
			return reply(n.PartyPage(ctx, ""))
		})
	huma.Register(api, op(http.MethodGet, "/parties/{party}", "get-party-page", ScopeRead, "A party: who it is, where it stands in the world, what it runs"),
		func(ctx context.Context, in *struct {
			Party string `path:"party" doc:"Party id, label, or a state's ISO code"`
		}) (*output[node.PartyPage], error) {
			return reply(n.PartyPage(ctx, in.Party))
		})
	huma.Register(api, op(http.MethodPost, "/logs/{log}/records/{index}/change", "change-record", ScopePublish, "Recall, narrow or release a record of this party"),
		func(ctx context.Context, in *struct {
			RecordPath
			Body node.Change
		}) (*output[node.Receipt], error) {
			return reply(n.ChangeRecord(ctx, in.Log, in.Index, in.Body))
		})
}

// registerActs binds what changes an agreement.
func registerActs(api huma.API, n *node.Node) {
	act := actors(op(http.MethodPost, "/agreements/{agreement}/acts", "act", ScopePublish, "Sign an act by one officer and enter it, or get the file to carry to the depositary; the agreement of a founding proposal is its id"))
	act.MaxBodyBytes = maxUpload
	act.SkipValidateBody = true // the node checks it and says what is wrong
	huma.Register(api, act, func(ctx context.Context, in *struct {
		AgreementPath
		Body node.ActRequest
	}) (*output[node.ActOutcome], error) {
		var err error
		if in.Body.Officer, err = asOfficer(ctx, in.Body.Officer); err != nil {
			return nil, problem(err)
		}
		return reply(n.Act(ctx, in.Agreement, in.Body))
	})
	draft := actors(op(http.MethodPost, "/agreements/{agreement}/drafts", "draft-act", ScopePublish, "Begin a draft of an act for several officers; nothing changes yet"))
	draft.MaxBodyBytes = maxUpload
	draft.SkipValidateBody = true
	huma.Register(api, draft, func(ctx context.Context, in *struct {
		AgreementPath
		Body node.ActRequest
	}) (*output[node.ActDraft], error) {
		var err error
		if in.Body.Officer, err = asOfficer(ctx, in.Body.Officer); err != nil {
			return nil, problem(err)
		}
		return reply(n.DraftAct(ctx, in.Agreement, in.Body))
	})
	sign := actors(op(http.MethodPost, "/drafts/sign", "sign-draft", ScopePublish, "An officer's approval of a draft, and once enough have approved its signature"))
	sign.MaxBodyBytes = maxUpload
	sign.SkipValidateBody = true
	huma.Register(api, sign, func(ctx context.Context, in *struct {
		Officer string `query:"officer" doc:"Key id; absent: the first whose key is here"`
		Body    node.ActDraft
	}) (*output[node.DraftStep], error) {
		officer, err := asOfficer(ctx, in.Officer)
		if err != nil {
			return nil, problem(err)
		}
		return reply(n.SignDraft(ctx, in.Body, officer))
	})
	submit := actors(op(http.MethodPost, "/drafts/submit", "submit-draft", ScopePublish, "Publish a complete draft as one act with all its signatures"))
	submit.MaxBodyBytes = maxUpload
	submit.SkipValidateBody = true
	huma.Register(api, submit, func(ctx context.Context, in *struct{ Body node.ActDraft }) (*output[node.ActOutcome], error) {
		return reply(n.SubmitDraft(ctx, in.Body))
	})
	bring := op(http.MethodPost, "/agreements", "import-agreement", ScopeAdmin, "Take in a file that was carried here: an agreement file for the shelf, a signed act, a roll")
	bring.MaxBodyBytes = maxCarried
	bring.BodyReadTimeout = uploadTimeout
	bring.SkipValidateBody = true
	bring.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	huma.Register(api, bring, func(ctx context.Context, in *struct {
		Name    string `query:"name" maxLength:"255" doc:"What errors call the file" default:"file"`
		RawBody []byte
	}) (*output[node.Imported], error) {
		return reply(n.Import(ctx, in.Name, in.RawBody))
	})
}

func parseQuiet(s string) (agreement.Period, error) {
	if s == "" {
		return agreement.Period{}, nil
	}
	p, err := agreement.ParsePeriod(s)
	if err != nil {
		return p, &fault.Fault{Code: fault.Invalid, What: "reading quiet", Err: err, Remedy: "write P6M or P30D"}
	}
	return p, nil
}
