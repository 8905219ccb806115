package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/federate"
	"github.com/mithaq/mithaq/internal/node"
)

// maxWitnessBody bounds a request to co-sign: a checkpoint and a proof of 63 hashes.
const maxWitnessBody = 80 << 10

// addCheckpoint is C2SP tlog-witness's add-checkpoint. Anybody may ask: what is signed is only ever growth.
func (s *server) addCheckpoint(w http.ResponseWriter, r *http.Request) {
	body, done, why := s.reception.read(w, r, form{limit: maxWitnessBody}, "")
	if why != nil {
		s.node.RefusedRequest(why.kind)
		writeText(w, why.status, why.words+"\n")
		return
	}
	defer done()
	line, err := s.node.AddCheckpoint(r.Context(), body)
	var refusal *federate.WitnessRefusal
	if errors.As(err, &refusal) && refusal.Status != http.StatusConflict {
		s.node.RefusedRequest(node.RequestCosigns)
	}
	switch {
	case errors.As(err, &refusal) && refusal.Status == http.StatusConflict:
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprintf(w, "%d\n", refusal.Size) // the caller has gone: nothing is left to do
	case errors.As(err, &refusal):
		writeText(w, refusal.Status, refusal.Why+"\n")
	case err != nil:
		s.logger.Warn("cannot co-sign", "error", err)
		writeText(w, http.StatusServiceUnavailable, "try again later\n")
	default:
		writeText(w, http.StatusOK, string(line))
	}
}

func registerWitness(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/witness", "get-witness", ScopeAudit, "This node as a witness of others' logs"),
		func(ctx context.Context, _ *struct{}) (*output[node.WitnessView], error) {
			return reply(n.Witness(ctx))
		})
	huma.Register(api, op(http.MethodPost, "/witness/logs", "witness-log", ScopeAdmin, "Co-sign a log that is not followed here, as an outsider"),
		func(ctx context.Context, in *struct {
			Body struct {
				VKey string `json:"vkey" doc:"Verifier key of the log's checkpoints"`
			}
		}) (*output[node.CosignedView], error) {
			return reply(n.WitnessLog(ctx, in.Body.VKey))
		})
	huma.Register(api, op(http.MethodGet, "/agreements/{agreement}/witnesses", "get-witness-policy", ScopeRead, "Who must co-sign under an agreement, in the form of C2SP tlog-policy"),
		func(ctx context.Context, in *struct {
			Agreement string `path:"agreement" doc:"Agreement id or label"`
		}) (*rawOutput, error) {
			text, err := n.WitnessPolicy(ctx, in.Agreement)
			return raw("text/plain; charset=utf-8", []byte(text), err)
		})
}
