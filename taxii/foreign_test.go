package taxii_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// TestForeignClients has clients that others wrote drain, filter, post, poll and delete over loopback. They are Python
// packages: tools/taxii_clients.sh installs them and names their interpreter in MITHAQ_TAXII_PYTHON.
func TestForeignClients(t *testing.T) {
	python := os.Getenv("MITHAQ_TAXII_PYTHON")
	if python == "" {
		t.Skip("run it by tools/taxii_clients.sh go test ./taxii -run ForeignClients")
	}
	const count = 333
	m := newMemory()
	for n := range count {
		put(t, m, place, `{"type":"domain-name","spec_version":"2.1","id":"domain-name--00000000-0000-5000-8000-`+
			strconv.Itoa(100000000000+n)+`","value":"`+strconv.Itoa(n)+`.example"}`)
	}
	s := httptest.NewServer(newServer(t, m, nil))
	defer s.Close()
	command := exec.CommandContext(t.Context(), python, "testdata/clients.py", s.URL+"/taxii2/", "ann", "pw-ann", open, strconv.Itoa(count))
	command.WaitDelay = time.Second
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
