package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/mithaq/mithaq/internal/detect/feed"
	"github.com/mithaq/mithaq/internal/node"
)

// Indicators gives the changes after a cursor; the empty one is the beginning.
func (c *Client) Indicators(ctx context.Context, after string) (feed.Page, error) {
	q := url.Values{}
	if after != "" {
		q.Set("after", after)
	}
	var out feed.Page
	err := c.do(ctx, http.MethodGet, "/indicators", q, nil, &out)
	return out, err
}

// AddSightings puts sightings up for a person's approval.
func (c *Client) AddSightings(ctx context.Context, found []node.FoundSighting) (Added, error) {
	return call[Added](ctx, c, http.MethodPost, "/sightings", found)
}

// Sightings lists sightings in a state; all where it is empty.
func (c *Client) Sightings(ctx context.Context, state string) ([]node.SightingView, error) {
	q := url.Values{}
	if state != "" {
		q.Set("state", state)
	}
	var out []node.SightingView
	err := c.do(ctx, http.MethodGet, "/sightings", q, nil, &out)
	return out, err
}

// Sighting shows one with its evidence.
func (c *Client) Sighting(ctx context.Context, id string) (node.SightingView, error) {
	return call[node.SightingView](ctx, c, http.MethodGet, "/sightings/"+url.PathEscape(id), nil)
}

// ApproveSighting sends one.
func (c *Client) ApproveSighting(ctx context.Context, id string, v node.SightingVerdict) (node.SightingView, error) {
	return call[node.SightingView](ctx, c, http.MethodPost, "/sightings/"+url.PathEscape(id)+"/approve", v)
}

// RefuseSighting keeps one here.
func (c *Client) RefuseSighting(ctx context.Context, id string, v node.SightingVerdict) (node.SightingView, error) {
	return call[node.SightingView](ctx, c, http.MethodPost, "/sightings/"+url.PathEscape(id)+"/refuse", v)
}

// ReportSensor tells what a sensor counts.
func (c *Client) ReportSensor(ctx context.Context, r node.SensorReport) error {
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("telling of a sensor: %w", err)
	}
	return c.do(ctx, http.MethodPost, "/sensors", nil, body, nil)
}

// Sensors lists the sensors.
func (c *Client) Sensors(ctx context.Context) ([]node.SensorView, error) {
	return call[[]node.SensorView](ctx, c, http.MethodGet, "/sensors", nil)
}
