package node

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDespiteWarningsIsAboutWarningLists: a feed that is taken despite warning lists brings what is on them, and still nothing with a tag
// that is stricter than what holds.
func TestDespiteWarningsIsAboutWarningLists(t *testing.T) {
	n := newTestNode(t)
	list := filepath.Join(t.TempDir(), "list.json")
	if err := os.WriteFile(list, []byte(`{"name":"resolvers","type":"cidr","version":1,"description":"Well known","matching_attributes":["ip-dst"],"list":["192.0.2.0/24"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	n.cfg.WarningLists = []string{list}
	indicator := func(number int, address, labels string) string {
		return fmt.Sprintf(`{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",`+
			`"labels":[%s],"indicator_types":["benign"],"pattern":"[ipv4-addr:value = '%s']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}`, number, labels, address)
	}
	bundle := `{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":[` +
		strings.Join([]string{indicator(1, "192.0.2.1", `"fine"`), indicator(2, "198.51.100.1", `"tlp:red"`), indicator(3, "198.51.100.2", `"tlp:white"`)}, ",") + `]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, bundle) }))
	defer server.Close()
	for _, c := range []struct {
		despite        bool
		taken, refused int
		why            string
	}{{false, 1, 2, "warning list"}, {true, 2, 1, "stricter than"}} {
		f := Feed{Name: fmt.Sprint("feed-", c.despite), Kind: feedFile, URL: server.URL, Agreement: "own", TLP: "TLP:GREEN", Despite: c.despite}
		report, err := n.read(t.Context(), f, "")
		if err != nil || report.Taken != c.taken || report.Refused != c.refused || !strings.Contains(fmt.Sprint(report.Failures), c.why) {
			t.Errorf("despite warnings %v: %+v, %v", c.despite, report, err)
		}
	}
}
