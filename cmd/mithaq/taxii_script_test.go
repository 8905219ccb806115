package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mithaq/mithaq/internal/node"
)

// taxiiPython names the interpreter that has taxii2-client and stix2: tools/taxii_clients.sh sets it.
const taxiiPython = "MITHAQ_TAXII_PYTHON"

func setTAXIIClients(env *testscript.Env) error {
	script, err := filepath.Abs("../../taxii/testdata/clients.py")
	env.Setenv("TAXII_CLIENTS", script)
	env.Setenv(taxiiPython, os.Getenv(taxiiPython))
	return err
}

func scriptCondition(name string) (bool, error) {
	if name == "taxiiclients" {
		return os.Getenv(taxiiPython) != "", nil
	}
	return false, fmt.Errorf("unknown condition %s", name)
}

// manyobjects FILE N: writes a bundle of N domain names.
func manyObjects(ts *testscript.TestScript, _ bool, args []string) {
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	objects := make([]string, count)
	for i := range objects {
		objects[i] = fmt.Sprintf(`{"type":"domain-name","spec_version":"2.1","id":"domain-name--00000000-0000-5000-8000-%012d","value":"%d.example"}`, 100000000000+i, i)
	}
	bundle := `{"type":"bundle","id":"bundle--0b3c1a52-5a0e-4c4d-8a65-0d6f8c1b2a03","objects":[` + strings.Join(objects, ",\n") + "]}"
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(bundle), 0o600))
}

// feedread DIR NAME N: waits until a feed of the node in DIR has taken N objects.
func feedRead(ts *testscript.TestScript, _ bool, args []string) {
	deadline := time.Now().Add(scriptPatience)
	for {
		var feeds []node.FeedView
		ask(ts, &feeds, "taxii", "feeds", "--json", "--dir", ts.MkAbs(args[0]))
		for _, f := range feeds {
			if f.Name == args[1] && strconv.Itoa(f.Last.Taken) == args[2] {
				return
			}
		}
		if time.Now().After(deadline) {
			ts.Fatalf("feed %s: %+v", args[1], feeds)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// files VAR DIR: serves DIR over HTTP until the script ends, and sets VAR to the address.
func serveFiles(ts *testscript.TestScript, _ bool, args []string) {
	server := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs(args[1]))))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}
