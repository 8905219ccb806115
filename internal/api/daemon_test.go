package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// description is what a program reads of openapi.json.
type description struct {
	OpenAPI string
	Info    struct{ Title, Version string }
	Paths   map[string]map[string]struct {
		OperationID string
		Summary     string
		Security    []map[string][]string
		Parameters  []struct {
			Name, In string
			Required bool
			Schema   json.RawMessage
		}
		Responses map[string]json.RawMessage
	}
	Components struct {
		Schemas         map[string]json.RawMessage
		SecuritySchemes map[string]struct{ Type, Scheme string }
	}
}

// The description is OpenAPI 3.1, its schemas are JSON Schema 2020-12, and it lists every route with its scope.
func TestDescription(t *testing.T) {
	h := New(testNode(t), Options{Version: "test"})
	w := ask(h, "GET", "/openapi.json", "", "")
	var d description
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || !strings.HasPrefix(d.OpenAPI, "3.1.") || d.Info.Title == "" || d.Info.Version != "test" {
		t.Fatalf("%+v, %v", d.Info, err)
	}
	if s := d.Components.SecuritySchemes["token"]; s.Type != "http" || s.Scheme != "bearer" {
		t.Errorf("%+v", d.Components.SecuritySchemes)
	}
	ids := map[string]bool{}
	listed := map[string][]string{}
	for path, operations := range d.Paths {
		for method, o := range operations {
			name := strings.ToUpper(method) + " " + path
			if o.OperationID == "" || ids[o.OperationID] || o.Summary == "" || len(o.Responses) == 0 {
				t.Errorf("%s: %+v", name, o)
			}
			ids[o.OperationID] = true
			listed[name] = nil
			for _, s := range o.Security {
				listed[name] = append(listed[name], s["token"]...)
			}
			var inPath []string
			for _, p := range o.Parameters {
				if p.In == "path" {
					inPath = append(inPath, p.Name)
				}
			}
			for _, part := range strings.Split(path, "/") {
				if name, ok := strings.CutPrefix(part, "{"); ok && !slices.Contains(inPath, strings.TrimSuffix(name, "}")) {
					t.Errorf("%s does not describe %s", path, part)
				}
			}
		}
	}
	for _, r := range routes("{hash}") {
		path, _, _ := strings.Cut(r.path, "?")
		path = strings.Replace(path, "/rolls/none", "/rolls/{roll}", 1)
		name := r.method + " " + strings.NewReplacer("/own", "/{log}", "/records/1", "/records/{index}", "/t-none", "/{id}", "/cases/c-none", "/cases/{case}", "/s-none", "/{id}", "/agreements/paris-call", "/agreements/{agreement}", "/parties/us", "/parties/{party}", "/objects/indicator--00000000-0000-4000-8000-000000000001", "/objects/{id}", "/people/nobody", "/people/{name}", "/peers/p-none", "/peers/{peer}", "/drafts/d-none", "/drafts/{draft}", "/feeds/none", "/feeds/{feed}", "/notifiers/none", "/notifiers/{name}").Replace(path)
		scopes, ok := listed[name]
		if !ok || r.scope != "" && !slices.Equal(scopes, []string{r.scope}) || r.scope == "" && len(scopes) > 0 {
			t.Errorf("%s is described with the scopes %v, %v", name, scopes, ok)
		}
		delete(listed, name)
	}
	if len(listed) > 0 {
		t.Errorf("described, but not tested: %v", listed)
	}
	c := jsonschema.NewCompiler()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource("http://node/openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	for name := range d.Components.Schemas {
		if _, err := c.Compile("http://node/openapi.json#/components/schemas/" + name); err != nil {
			t.Errorf("the schema %s: %v", name, err)
		}
	}
}

// started is a daemon on a node in a directory whose path is longer than a socket's address may be.
func started(t *testing.T, config func(string) string) (*Daemon, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep", 30))
	n, err := node.Init(context.Background(), dir, node.InitOptions{Names: map[string]string{"en": "Sahlan"}, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, node.ConfigName)
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(config(string(text))), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if n, err = node.Open(context.Background(), dir, node.OpenOptions{}); err != nil {
		t.Fatal(err)
	}
	d, err := Start(context.Background(), n, "test", discard(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
		if err := n.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return d, dir
}

func same(s string) string { return s }

func fetched(t *testing.T, url string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestTheOwnersSocket(t *testing.T) {
	d, dir := started(t, same)
	info, err := os.Stat(filepath.Join(dir, socketName))
	if err != nil || info.Mode().Type() != os.ModeSocket || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	client, ok := OverSocket(context.Background(), dir)
	if !ok {
		t.Fatal("it does not answer")
	}
	defer client.Close()
	if tokens, err := client.Tokens(context.Background()); err != nil || len(tokens) != 0 {
		t.Errorf("the owner: %v, %v", tokens, err)
	}
	remote := Over(d.URL, "")
	if _, err := remote.Tokens(context.Background()); err == nil || !strings.Contains(err.Error(), "token") {
		t.Errorf("a stranger: %v", err)
	}
	remote.Close()
	if _, ok := OverSocket(context.Background(), t.TempDir()); ok {
		t.Error("a directory without a node answers")
	}
}

func TestMetricsAndHealth(t *testing.T) {
	d, _ := started(t, same)
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		if status, body := fetched(t, d.URL+path); status != 200 || body != want {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	_, body := fetched(t, d.URL+"/metrics")
	for _, name := range []string{"mithaq_http_requests_total{route=\"healthz\",status=\"200\"} 1", "mithaq_http_request_seconds_bucket", "mithaq_leaves_appended_total 0",
		"mithaq_append_failures_total 0", "mithaq_writer 1", "process_resident_memory_bytes", "go_goroutines"} {
		if !strings.Contains(body, name) {
			t.Errorf("no %s in the metrics", name)
		}
	}
	if strings.Contains(body, d.node.Party().ID) || strings.Contains(body, `"l-`) {
		t.Error("the metrics name a party or a log")
	}
	for range 50 {
		fetched(t, d.URL+"/"+strings.Repeat("x", 5)+"/y")
	}
	if _, body := fetched(t, d.URL+"/metrics"); !strings.Contains(body, `route="other",status="404"} 50`) {
		t.Error("unknown paths are not counted together")
	}
	if status, _ := fetched(t, d.URL+"/metrics", "X-Forwarded-For", "192.0.2.1"); status != 404 {
		t.Errorf("through a proxy: %d", status)
	}
}

func TestWhoReadsMetrics(t *testing.T) {
	for setting, want := range map[string][2]int{"token": {404, 200}, "off": {404, 404}} {
		d, _ := started(t, func(s string) string { return strings.Replace(s, `metrics = "loopback"`, `metrics = "`+setting+`"`, 1) })
		made, err := d.node.CreateToken(context.Background(), account.TokenRequest{Name: "m", Scopes: []string{ScopeMetrics}})
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := fetched(t, d.URL+"/metrics"); status != want[0] {
			t.Errorf("%s without a token: %d", setting, status)
		}
		if status, _ := fetched(t, d.URL+"/metrics", "Authorization", "bearer "+made.Secret); status != want[1] {
			t.Errorf("%s with one: %d", setting, status)
		}
	}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	d, dir := started(t, same)
	if _, err := node.Open(context.Background(), dir, node.OpenOptions{}); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a second writer: %v", err)
	}
	n := testNode(t)
	n.ListenOn(strings.TrimPrefix(d.URL, "http://"))
	if _, err := Start(context.Background(), n, "test", discard(), nil); fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("a taken port: %v", err)
	}
}
