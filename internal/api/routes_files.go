package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

// fileTimeout is how long a file may take to come, and again to be converted and published.
const fileTimeout = 10 * time.Minute

// fileInput is a file with what is said of every record that it becomes.
type fileInput struct {
	LogPath
	Name     string   `query:"name" maxLength:"200" doc:"The file's name; it becomes part of the identifiers of a list's indicators" example:"blocklist.csv"`
	TLP      string   `query:"tlp" doc:"TLP 2.0 label; absent: what the file says, else TLP:AMBER" example:"TLP:GREEN"`
	PAP      string   `query:"pap" doc:"PAP label; absent: what the file says"`
	Parties  []string `query:"party,explode" doc:"Audience: party ids; absent: a MISP event's sharing group"`
	Persons  []string `query:"person,explode" doc:"Audience: officers' key ids"`
	Serves   []string `query:"serves,explode" doc:"Labels of commitments served"`
	Refs     []string `query:"ref,explode" doc:"about, answers, corrects, evidence or replaces, a colon and a leaf hash"`
	Expires  string   `query:"expires" doc:"From when nobody may hand it out, RFC 3339"`
	Despite  bool     `query:"despite_warnings" doc:"Publish values that are on warning lists all the same"`
	Format   string   `query:"format" doc:"stix, misp, misp-galaxy, csv or text; absent: by what is in the file"`
	Unmarked string   `query:"unmarked" doc:"TLP 2.0 label of MISP events that bear no marking; absent: TLP:AMBER"`
	Columns  []string `query:"column,explode" doc:"Of a table: what a column holds, by its name or number" example:"2=domain"`
	Orgs     []string `query:"org,explode" doc:"Of MISP: which party an organisation of a sharing group is, by its name or UUID" example:"CERT Norvia=p-…"`
	RawBody  []byte
}

func (f *fileInput) file() (node.File, error) {
	out := node.File{Name: f.Name, Content: f.RawBody, Format: f.Format, Unmarked: f.Unmarked,
		Draft: node.Draft{TLP: f.TLP, PAP: f.PAP, Parties: f.Parties, Persons: f.Persons, Serves: f.Serves, Refs: f.Refs, Expires: f.Expires, DespiteWarnings: f.Despite}}
	var err error
	if out.Columns, err = pairs("column", f.Columns); err != nil {
		return out, err
	}
	out.Orgs, err = pairs("org", f.Orgs)
	return out, err
}

// pairs reads parameters of the form NAME=VALUE.
func pairs(parameter string, list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, one := range list {
		i := strings.LastIndexByte(one, '=')
		if i < 1 || i == len(one)-1 {
			return nil, &fault.Fault{Code: fault.Invalid, What: fmt.Sprintf("%s %q is not NAME=VALUE", parameter, one)}
		}
		out[strings.ToLower(one[:i])] = one[i+1:]
	}
	return out, nil
}

// registerFiles binds publishing from files in other programs' formats.
func registerFiles(api huma.API, n *node.Node) {
	patient := func(hc huma.Context, next func(huma.Context)) {
		_, w := humago.Unwrap(hc)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(fileTimeout)) // a connection without deadlines needs none
		next(hc)
	}
	upload := func(path, id, summary string) huma.Operation {
		o := op(http.MethodPost, path, id, ScopePublish, summary)
		o.MaxBodyBytes, o.BodyReadTimeout = node.MaxFile, fileTimeout
		o.SkipValidateBody = true
		o.Middlewares = append(o.Middlewares, patient)
		o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
		return o
	}
	huma.Register(api, upload("/logs/{log}/files/preview", "preview-file", "What a STIX bundle, MISP events, a table or a list would become, what could not be carried, and who would get it"),
		func(ctx context.Context, in *fileInput) (*output[node.FilePreview], error) {
			f, err := in.file()
			if err != nil {
				return nil, problem(err)
			}
			return reply(n.PreviewFile(ctx, in.Log, f))
		})
	publish := upload("/logs/{log}/files", "publish-file", "Publish a STIX bundle, MISP events, a table or a list; a MISP event whose version is here is passed over")
	publish.DefaultStatus = http.StatusCreated
	huma.Register(api, publish, func(ctx context.Context, in *fileInput) (*output[node.FilePublished], error) {
		f, err := in.file()
		if err != nil {
			return nil, problem(err)
		}
		return reply(n.PublishFile(ctx, in.Log, f))
	})
}
