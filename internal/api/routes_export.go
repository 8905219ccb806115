package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/node"
)

// reportTrailer is the trailer that ends an export: a JSON object in ASCII with what became of it. Where it is missing, the
// export broke off.
const reportTrailer = "Mithaq-Report"

// exportTimeout bounds how long one export may be written.
const exportTimeout = 30 * time.Minute

// trailerLosses is how many losses the trailer names; the others are counted.
const trailerLosses = 50

func registerExport(api huma.API, n *node.Node) {
	export := op(http.MethodGet, "/export", "export", ScopeRead, "STIX objects for other programs, each as the decision lets it go; the trailer Mithaq-Report says what a format could not carry")
	huma.Register(api, export, func(ctx context.Context, in *struct {
		Format     string   `query:"format" required:"true" doc:"stix, csv, misp, misp-feed, suricata, suricata-datasets, zeek, rpz, cef or ecs" example:"stix"`
		Agreements []string `query:"agreement,explode" doc:"Agreements: ids, labels, or own; absent: all under which the node has a log"`
		Party      string   `query:"party" doc:"What this party would get; absent: what the caller gets"`
		Zone       string   `query:"zone" doc:"Of rpz: the zone's name" example:"mithaq.rpz"`
		Action     string   `query:"action" doc:"Of rpz: nxdomain, nodata, drop or passthru"`
		SIDs       string   `query:"sids" doc:"Of suricata: the range of rule ids" example:"1000000-1999999"`
		Version    string   `query:"version" doc:"Of cef: the version in its header"`
	}) (*huma.StreamResponse, error) {
		v := viewer(ctx, n)
		if in.Party != "" {
			v = node.Viewer{Party: in.Party}
		}
		x, err := n.Export(ctx, v, node.ExportQuery{Format: in.Format, Agreements: in.Agreements, Zone: in.Zone, Action: in.Action, SIDs: in.SIDs, Version: in.Version})
		if err != nil {
			return nil, problem(err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) { stream(hc, x) }}, nil
	})
}

func stream(hc huma.Context, x *node.Export) {
	r, w := humago.Unwrap(hc)
	h := w.Header()
	h.Set("Content-Type", x.ContentType)
	h.Set("Content-Disposition", `attachment; filename="`+x.FileName+`"`)
	h.Set("Cache-Control", "no-store")
	h.Set("Trailer", reportTrailer)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(exportTimeout)) // a connection without deadlines needs none
	report, err := x.Write(r.Context(), w)
	if err != nil {
		panic(http.ErrAbortHandler) // half an export must not look like a whole one
	}
	h.Set(reportTrailer, asciiReport(report))
}

// asciiReport writes a report for a header: JSON, other letters than ASCII escaped, and no more losses than headers hold.
func asciiReport(report exchange.Report) string {
	if more := len(report.Losses) - trailerLosses; more > 0 {
		report.Losses, report.Omitted = report.Losses[:trailerLosses], report.Omitted+more
	}
	b, err := json.Marshal(report)
	if err != nil {
		return "{}"
	}
	ascii := strconv.QuoteToASCII(string(b))
	return ascii[1 : len(ascii)-1]
}

// readReport reads what asciiReport wrote.
func readReport(s string) (report exchange.Report, err error) {
	text, err := strconv.Unquote(`"` + s + `"`)
	if err != nil {
		return report, err
	}
	return report, json.Unmarshal([]byte(text), &report)
}
