package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/detect/feed"
	"github.com/mithaq/mithaq/internal/node"
)

// registerDetect binds what sensors need, and what a person decides on what they found.
func registerDetect(api huma.API, n *node.Node) {
	huma.Register(api, op(http.MethodGet, "/indicators", "pull-indicators", ScopeSense, "Changes of the indicators that this party may match against its own traffic, each decided on for detection"),
		func(ctx context.Context, in *struct {
			After string `query:"after" maxLength:"4096" doc:"cursor of the page before; absent: from the beginning"`
		}) (*output[feed.Page], error) {
			return reply(n.Indicators(ctx, in.After))
		})
	registerSensors(api, n)
	add := op(http.MethodPost, "/sightings", "add-sightings", ScopeSense, "Put sightings up for a person's approval; nothing leaves the node by it")
	add.MaxBodyBytes = maxUpload
	add.DefaultStatus = http.StatusAccepted
	huma.Register(api, add, func(ctx context.Context, in *struct {
		Body []node.FoundSighting
	}) (*output[Added], error) {
		count, err := n.AddSightings(ctx, in.Body)
		return reply(Added{Added: count}, err)
	})
	huma.Register(api, op(http.MethodGet, "/sightings", "list-sightings", ScopeRead, "Sightings, the newest first, without their evidence"),
		func(ctx context.Context, in *struct {
			State string `query:"state" enum:"waiting,approved,refused,false-positive" doc:"Only those in this state; absent: all"`
		}) (*output[[]node.SightingView], error) {
			return reply(n.Sightings(ctx, in.State))
		})
	huma.Register(api, op(http.MethodGet, "/sightings/{id}", "get-sighting", ScopeRead, "A sighting with the evidence of its surest match, which stays on this node"),
		func(ctx context.Context, in *SightingPath) (*output[node.SightingView], error) {
			return reply(n.Sighting(ctx, in.ID))
		})
	huma.Register(api, op(http.MethodPost, "/sightings/{id}/approve", "approve-sighting", ScopePublish, "Send a sighting back to who shared the indicator, as a record: a count in steps, days, and nothing else; who was hit only where a rule of the agreement permits it"),
		func(ctx context.Context, in *sightingDecision) (*output[node.SightingView], error) {
			return reply(n.ApproveSighting(ctx, in.ID, in.verdict()))
		})
	huma.Register(api, op(http.MethodPost, "/sightings/{id}/refuse", "refuse-sighting", ScopePublish, "Keep a sighting here, or call it a false positive"),
		func(ctx context.Context, in *sightingDecision) (*output[node.SightingView], error) {
			return reply(n.RefuseSighting(ctx, in.ID, in.verdict()))
		})
}

// registerSensors binds what sensors tell of themselves.
func registerSensors(api huma.API, n *node.Node) {
	tell := op(http.MethodPost, "/sensors", "report-sensor", ScopeSense, "Tell what a sensor counts, the beacons and the rare fingerprints it sees; it stays on this node")
	tell.MaxBodyBytes = maxUpload
	huma.Register(api, tell, func(ctx context.Context, in *struct{ Body node.SensorReport }) (*struct{}, error) {
		return nil, problem(n.ReportSensor(ctx, in.Body))
	})
	huma.Register(api, op(http.MethodGet, "/sensors", "list-sensors", ScopeRead, "Sensors, with what each last told of itself"),
		func(ctx context.Context, _ *struct{}) (*output[[]node.SensorView], error) {
			return reply(n.Sensors(ctx))
		})
}

// sightingDecision is what a person decides on a sighting; without a body it is decided on as it is.
type sightingDecision struct {
	SightingPath
	Body *node.SightingVerdict
}

func (d *sightingDecision) verdict() (v node.SightingVerdict) {
	if d.Body != nil {
		v = *d.Body
	}
	return v
}

// SightingPath names a sighting in a request.
type SightingPath struct {
	ID string `path:"id" maxLength:"64" doc:"The sighting's id" example:"s-abcdefghijklmnop"`
}

// Added says how many were added.
type Added struct {
	Added int `json:"added"`
}
