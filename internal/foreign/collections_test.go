package foreign

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/taxii"
)

// A collection is found by what a person calls it, among those with the right; an error names those that there are.
func TestACollectionIsFoundByWhatItIsCalled(t *testing.T) {
	const feeds, inbox = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", taxii.MediaType)
		switch {
		case strings.HasSuffix(r.URL.Path, "/root/collections/"):
			_, _ = fmt.Fprintf(w, `{"collections":[{"id":%q,"title":"Feeds","alias":"out","can_read":true,"can_write":false},{"id":%q,"title":"Inbox","can_read":false,"can_write":true}]}`, feeds, inbox)
		case r.URL.Path == "/taxii2/":
			_, _ = io.WriteString(w, `{"title":"x","api_roots":["/root/"]}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	client, err := taxii.NewClient(server.URL+"/taxii2/", taxii.ClientOptions{Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		right Right
		want  string // the end of the address, or the code of the error
	}{
		{"", ToRead, feeds + "/"}, {"out", ToRead, feeds + "/"}, {"Feeds", ToRead, feeds + "/"}, {feeds, ToRead, feeds + "/"},
		{"Inbox", ToWrite, inbox + "/"}, {"Inbox", ToRead, string(fault.NotFound)}, {"nothing", ToWrite, string(fault.NotFound)},
	} {
		got, err := FindCollection(t.Context(), client, server.URL+"/taxii2/", c.name, c.right)
		if err != nil {
			got = string(fault.CodeOf(err))
		}
		if !strings.HasSuffix(got, c.want) {
			t.Errorf("%q: %s, %v", c.name, got, err)
		}
	}
	if got, err := FindCollection(t.Context(), client, "https://far.example/root/collections/x/objects/", "", ToRead); err != nil || got != "https://far.example/root/collections/x/" {
		t.Errorf("an address that is a collection's: %s, %v", got, err)
	}
	list, err := Collections(t.Context(), client, server.URL+"/taxii2/")
	if err != nil || len(list) != 2 {
		t.Errorf("all collections: %v, %v", list, err)
	}
}
