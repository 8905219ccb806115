package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/node"
)

// Scopes of a token. Without one a caller reads what is public.
const (
	ScopeAudit   = account.ScopeAudit
	ScopeRead    = account.ScopeRead
	ScopePublish = account.ScopePublish
	ScopeAdmin   = account.ScopeAdmin
	ScopeMetrics = account.ScopeMetrics
	ScopeSense   = account.ScopeSense
)

// maxUpload bounds a record's body: the payload's limit of docs/formats.md, section 2.
const maxUpload = 32 << 20

func op(method, path, id, scope, summary string) huma.Operation {
	o := huma.Operation{
		OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary,
		Metadata: map[string]any{scopeKey: scope}, RejectUnknownQueryParameters: true,
	}
	if scope != "" {
		o.Security = []map[string][]string{{"token": {scope}}}
	}
	return o
}

// LogPath names a log in a request. Exported because huma reads only exported embedded fields.
type LogPath struct {
	Log string `path:"log" doc:"Log id or agreement id" example:"own"`
}

// RecordPath names a record in a request.
type RecordPath struct {
	LogPath
	Index int64 `path:"index" minimum:"0" doc:"The record's place in the log, from 0"`
}

type output[T any] struct{ Body T }

func reply[T any](v T, err error) (*output[T], error) {
	if err != nil {
		return nil, problem(err)
	}
	return &output[T]{Body: v}, nil
}

type rawOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func raw(contentType string, body []byte, err error) (*rawOutput, error) {
	if err != nil {
		return nil, problem(err)
	}
	return &rawOutput{ContentType: contentType, Body: body}, nil
}

type publishInput struct {
	LogPath
	Kind    string   `query:"kind" required:"true" doc:"Kind of record" example:"intel"`
	TLP     string   `query:"tlp" doc:"TLP 2.0 label; absent: the strictest in the bundle, else TLP:AMBER" example:"TLP:GREEN"`
	PAP     string   `query:"pap" doc:"PAP label" example:"PAP:GREEN"`
	Parties []string `query:"party,explode" doc:"Audience: party ids"`
	Persons []string `query:"person,explode" doc:"Audience: officers' key ids"`
	Serves  []string `query:"serves,explode" doc:"Labels of commitments served"`
	Refs    []string `query:"ref,explode" doc:"References, each REL:LEAF" example:"about:5b2c…"`
	Expires string   `query:"expires" format:"date-time" doc:"From when no exit may hand it out"`
	Despite bool     `query:"despite_warnings" doc:"Publish values that are on warning lists all the same"`
	RawBody []byte
}

func (p *publishInput) draft() node.Draft {
	return node.Draft{Kind: p.Kind, TLP: p.TLP, PAP: p.PAP, Parties: p.Parties, Persons: p.Persons, Serves: p.Serves,
		Refs: p.Refs, Expires: p.Expires, DespiteWarnings: p.Despite, Body: p.RawBody}
}

// register binds the API's operations to the node. Every one names its scope; nothing else is reachable.
func register(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/party", "get-party", ScopeAudit, "The party that this node is"),
		func(ctx context.Context, _ *struct{}) (*output[node.PartyView], error) {
			return reply(n.Party(), nil)
		})
	huma.Register(api, op(http.MethodGet, "/logs", "list-logs", "", "The logs that the caller may read"),
		func(ctx context.Context, _ *struct{}) (*output[[]node.LogView], error) {
			return reply(n.LogsFor(ctx, carrier(ctx, n)))
		})
	registerRecords(api, n)
	registerReceipts(api, n)
	registerFiles(api, n)
	registerAudit(api, n)
	registerIndex(api, n)
	registerExport(api, n)
	registerDetect(api, n)
	registerKeys(api, n)
	registerTokens(api, n)
	registerPeople(api, n)
	registerBackups(api, n)
	registerNotifiers(api, n)
	registerAgreements(api, n)
	registerTAXII(api, n)
	registerPeers(api, n)
	registerBundles(api, n)
	registerFollows(api, n)
	registerWitness(api, n)
}

func registerRecords(api huma.API, n *node.Node) {
	list := op(http.MethodGet, "/logs/{log}/records", "list-records", ScopeRead, "Records of a log, in order, without their bodies")
	huma.Register(api, list, func(ctx context.Context, in *struct {
		LogPath
		From  int64 `query:"from" minimum:"0" doc:"First place to list"`
		Limit int   `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many"`
	}) (*output[[]node.RecordView], error) {
		return reply(n.Records(ctx, viewer(ctx, n), in.Log, in.From, in.Limit))
	})

	publish := op(http.MethodPost, "/logs/{log}/records", "publish-record", ScopePublish, "Sign a record and append it; the request's body is the record's body, kept byte for byte")
	publish.MaxBodyBytes = maxUpload
	publish.BodyReadTimeout = uploadTimeout
	publish.DefaultStatus = http.StatusCreated
	publish.SkipValidateBody = true // the node validates it against the kind
	publish.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}}
	huma.Register(api, publish, func(ctx context.Context, in *publishInput) (*output[node.Receipt], error) {
		return reply(n.Publish(ctx, in.Log, in.draft()))
	})

	huma.Register(api, op(http.MethodGet, "/logs/{log}/records/{index}", "get-record", ScopeRead, "One record"),
		func(ctx context.Context, in *RecordPath) (*output[node.RecordView], error) {
			return reply(n.Record(ctx, viewer(ctx, n), in.Log, in.Index))
		})
	huma.Register(api, op(http.MethodGet, "/logs/{log}/records/{index}/body", "get-record-body", ScopeRead, "The exact bytes of a record's body"),
		func(ctx context.Context, in *RecordPath) (*rawOutput, error) {
			body, err := n.RecordBody(ctx, viewer(ctx, n), in.Log, in.Index)
			return raw("application/json", body, err)
		})
	huma.Register(api, op(http.MethodGet, "/logs/{log}/records/{index}/object", "get-record-object", ScopeAudit, "The object of a record: what its leaf commits to"),
		func(ctx context.Context, in *RecordPath) (*rawOutput, error) {
			object, err := n.Object(ctx, carrier(ctx, n), in.Log, in.Index)
			return raw("application/octet-stream", object, err)
		})
	huma.Register(api, op(http.MethodGet, "/logs/{log}/records/{index}/proof", "get-record-proof", ScopeAudit, "Offline proof that the record is in the log (C2SP tlog-proof)"),
		func(ctx context.Context, in *RecordPath) (*rawOutput, error) {
			proof, err := n.Proof(ctx, in.Log, in.Index)
			return raw("text/plain; charset=utf-8", proof, err)
		})
	huma.Register(api, op(http.MethodPost, "/logs/{log}/records/{index}/erase", "erase-record", ScopeAdmin, "Destroy a record's contents; a recall says so in the log"),
		func(ctx context.Context, in *struct {
			RecordPath
			Body node.Erasure
		}) (*output[node.Receipt], error) {
			return reply(n.Erase(ctx, in.Log, in.Index, in.Body))
		})
	huma.Register(api, op(http.MethodGet, "/logs/{log}/records/{index}/why", "why", ScopeRead, "Whether a party may have a record, and because of which rule"),
		func(ctx context.Context, in *struct {
			RecordPath
			Party  string `query:"party" required:"true" doc:"Party id"`
			Person string `query:"person" doc:"Key id of one of its officers"`
			Exit   string `query:"exit" doc:"log, object, taxii, api, ui, search, export, detect, mail; absent: api"`
		}) (*output[node.WhyView], error) {
			return reply(n.Why(ctx, in.Log, in.Index, in.Party, in.Person, in.Exit))
		})
	huma.Register(api, op(http.MethodGet, "/find/{hash}", "find-record", ScopeAudit, "Where a record stands"),
		func(ctx context.Context, in *struct {
			Hash string `path:"hash" doc:"Record id, leaf hash or object hash"`
		}) (*output[node.Place], error) {
			return reply(n.Find(ctx, in.Hash))
		})
}

func registerKeys(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/keys", "list-keys", ScopeRead, "Keys of every log's keyring"),
		func(ctx context.Context, _ *struct{}) (*output[[]node.KeyView], error) { return reply(n.Keys(ctx)) })
	huma.Register(api, op(http.MethodGet, "/logs/{log}/keyring", "get-keyring", ScopeAudit, "The keyring in force in a log, as the root key signed it"),
		func(ctx context.Context, in *LogPath) (*rawOutput, error) {
			keyring, err := n.Keyring(ctx, in.Log)
			return raw("application/json", keyring, err)
		})
	pin := op(http.MethodPost, "/pins", "pin-keyring", ScopeAdmin, "Pin another party's keyring, so that records can be sealed to it")
	pin.MaxBodyBytes = maxUpload
	pin.SkipValidateBody = true // the node verifies it
	huma.Register(api, pin, func(ctx context.Context, in *struct{ RawBody []byte }) (*output[node.PartyView], error) {
		return reply(n.Pin(ctx, in.RawBody))
	})
	propose := op(http.MethodPost, "/keys/proposals", "propose-keyrings", ScopeAdmin, "Prepare new keyrings for the root key to sign; nothing changes yet")
	huma.Register(api, propose, func(ctx context.Context, in *struct{ Body node.KeyChange }) (*output[node.KeyringProposal], error) {
		if len(in.Body.Command) > 0 && !callerOf(ctx).owner {
			return nil, huma.Error403Forbidden("a command that signs can only be named on the node's own machine: run 'mithaq key rotate' there")
		}
		return reply(n.ProposeKeyrings(ctx, in.Body))
	})
	apply := op(http.MethodPost, "/keys/keyrings", "apply-keyrings", ScopeAdmin, "Put keyrings signed by the root key into force")
	apply.MaxBodyBytes = maxUpload
	huma.Register(api, apply, func(ctx context.Context, in *struct{ Body node.SignedKeyrings }) (*output[[]node.Receipt], error) {
		return reply(n.ApplyKeyrings(ctx, in.Body))
	})
}

func registerTokens(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/tokens", "list-tokens", ScopeAdmin, "Tokens, without their secrets"),
		func(ctx context.Context, _ *struct{}) (*output[[]account.TokenView], error) {
			return reply(n.Tokens(ctx))
		})
	create := op(http.MethodPost, "/tokens", "create-token", ScopeAdmin, "Make a token; its secret is shown this once")
	create.DefaultStatus = http.StatusCreated
	huma.Register(api, create, func(ctx context.Context, in *struct{ Body account.TokenRequest }) (*output[account.NewToken], error) {
		return reply(n.CreateToken(ctx, in.Body))
	})
	revoke := op(http.MethodDelete, "/tokens/{id}", "revoke-token", ScopeAdmin, "Revoke a token")
	huma.Register(api, revoke, func(ctx context.Context, in *struct {
		ID string `path:"id"`
	}) (*struct{}, error) {
		return nil, problem(n.RevokeToken(ctx, in.ID))
	})
}
