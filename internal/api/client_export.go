package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/node"
)

// Export writes an export to w: what the caller gets, or, where party is not empty, what that party would. It says what the
// format could not carry.
func (c *Client) Export(ctx context.Context, q node.ExportQuery, party string, w io.Writer) (exchange.Report, error) {
	query := url.Values{"format": {q.Format}}
	for _, a := range q.Agreements {
		query.Add("agreement", a)
	}
	for name, value := range map[string]string{"party": party, "zone": q.Zone, "action": q.Action, "sids": q.SIDs, "version": q.Version} {
		if value != "" {
			query.Set(name, value)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/api/v1/export?"+query.Encode(), nil)
	if err != nil {
		return exchange.Report{}, fmt.Errorf("asking the node: %w", err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return exchange.Report{}, fmt.Errorf("asking the node: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 300 {
		data, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
		if err != nil {
			return exchange.Report{}, fmt.Errorf("asking the node: %w", err)
		}
		return exchange.Report{}, fromProblem(resp.StatusCode, data)
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return exchange.Report{}, fmt.Errorf("reading the export: %w", err)
	}
	text := resp.Trailer.Get(reportTrailer)
	if text == "" {
		return exchange.Report{}, errors.New("reading the export: it broke off: ask again")
	}
	report, err := readReport(text)
	if err != nil {
		return report, fmt.Errorf("reading the export's report: %w", err)
	}
	return report, nil
}
