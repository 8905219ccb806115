package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mithaq/mithaq/internal/node"
)

// fileInput is a file with what is said of every record that it becomes.
type fileInput struct {
	LogPath
	Name    string   `query:"name" maxLength:"200" doc:"The file's name; it becomes part of the identifiers of a list's indicators" example:"blocklist.csv"`
	TLP     string   `query:"tlp" doc:"TLP 2.0 label; absent: what the file says, else TLP:AMBER" example:"TLP:GREEN"`
	PAP     string   `query:"pap" doc:"PAP label; absent: what the file says"`
	Parties []string `query:"party,explode" doc:"Audience: party ids; absent: a MISP event's sharing group"`
	Persons []string `query:"person,explode" doc:"Audience: officers' key ids"`
	Serves  []string `query:"serves,explode" doc:"Labels of commitments served"`
	Despite bool     `query:"despite_warnings" doc:"Publish values that are on warning lists all the same"`
	RawBody []byte
}

func (f *fileInput) file() node.File {
	return node.File{Name: f.Name, Content: f.RawBody, Draft: node.Draft{TLP: f.TLP, PAP: f.PAP, Parties: f.Parties, Persons: f.Persons, Serves: f.Serves, DespiteWarnings: f.Despite}}
}

// registerFiles binds publishing from files in other programs' formats.
func registerFiles(api huma.API, n *node.Node) {
	upload := func(path, id, summary string) huma.Operation {
		o := op(http.MethodPost, path, id, ScopePublish, summary)
		o.MaxBodyBytes, o.BodyReadTimeout = maxUpload, uploadTimeout
		o.SkipValidateBody = true
		o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
		return o
	}
	huma.Register(api, upload("/logs/{log}/files/preview", "preview-file", "What a STIX bundle, MISP events, a table or a list would become, what could not be carried, and who would get it"),
		func(ctx context.Context, in *fileInput) (*output[node.FilePreview], error) {
			return reply(n.PreviewFile(ctx, in.Log, in.file()))
		})
	publish := upload("/logs/{log}/files", "publish-file", "Publish a STIX bundle, MISP events, a table or a list; a MISP event whose version is here is passed over")
	publish.DefaultStatus = http.StatusCreated
	huma.Register(api, publish, func(ctx context.Context, in *fileInput) (*output[node.FilePublished], error) {
		return reply(n.PublishFile(ctx, in.Log, in.file()))
	})
}
