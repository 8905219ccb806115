// Command taxii compares TAXII servers over loopback: run.sh starts each, and this program makes the objects, serves our
// side from memory, and drives whichever server it is pointed to with the same requests.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/mithaq/mithaq/taxii"
)

const collection = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench/taxii:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: taxii serve|node|size|medallion|drive [FLAG…]")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	n := flags.Int("n", 1000, "objects")
	address := flags.String("addr", "127.0.0.1:9000", "serve: where to listen")
	dir := flags.String("dir", "", "node: its directory")
	name := flags.String("name", "", "drive: what to call the server in the table")
	at := flags.String("collection", "", "drive: URL of the collection")
	token := flags.String("auth", "", "drive: Authorization header")
	bound := flags.Duration("t", 60*time.Second, "drive: longest time for each measurement")
	post := flags.Bool("post", false, "drive: post the objects first")
	posters := flags.Int("posters", 1, "drive: how many clients post at once")
	settle := flags.Duration("settle", 5*time.Second, "drive: how long to leave the server alone between posting and draining")
	pid := flags.Int("pid", 0, "drive: the server's process, whose processor time is taken with that of its workers")
	profile := flags.String("profile", "", "node: write a processor profile here at the end")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "serve":
		return serve(*address)
	case "size":
		size := 0
		for i := range *n {
			size += len(object(i))
		}
		fmt.Println(size >> 10)
		return nil
	case "node":
		return serveNode(*dir, *address, *profile)
	case "medallion":
		return json.NewEncoder(os.Stdout).Encode(medallionData())
	case "drive":
		d := driver{collection: *at, auth: *token, bound: *bound, posters: *posters, settle: *settle, pid: *pid}
		return d.run(os.Stdout, *name, *n, *post)
	}
	return fmt.Errorf("no such command: %s", args[0])
}

// object makes the n-th indicator, some 600 bytes as indicators in the wild are.
func object(n int) []byte {
	return fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":"indicator--%08x-0000-4000-8000-000000000000",`+
		`"created":"2024-03-01T12:00:00.000Z","modified":"2024-03-01T12:00:00.000Z","name":"Command and control, no. %d",`+
		`"description":"Seen as the second stage of a campaign against ministries; resolves for minutes at a time, and is then parked with the registrar until the next wave of messages goes out.",`+
		`"indicator_types":["malicious-activity"],"pattern":"[domain-name:value = 'c2-%d.example.net']","pattern_type":"stix",`+
		`"valid_from":"2024-03-01T12:00:00Z","object_marking_refs":["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"]}`, n, n, n)
}

func envelope(from, to int) []byte {
	var objects [][]byte
	for n := from; n < to; n++ {
		objects = append(objects, object(n))
	}
	return slices.Concat([]byte(`{"objects":[`), bytes.Join(objects, []byte(",")), []byte("]}"))
}

func serve(address string) error {
	m := taxii.NewMemory(taxii.MemoryOptions{})
	m.Put(taxii.Root{Name: "api1", Title: "Bench"}, taxii.Collection{ID: collection, Title: "Bench", CanRead: true, CanWrite: true})
	s, err := taxii.NewServer(taxii.Options{Backend: m, Authenticate: taxii.Basic(func(_ context.Context, user, password string) (taxii.Caller, error) {
		if user != "ann" || password != "pw" {
			return nil, taxii.ErrUnauthenticated
		}
		return user, nil
	})})
	if err != nil {
		return err
	}
	server := http.Server{Addr: address, Handler: s, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

// medallionData is the file from which medallion's memory backend starts.
func medallionData() any {
	type object = map[string]any
	root := object{"title": "Bench", "versions": []string{taxii.MediaType}, "max_content_length": 10 << 20}
	return object{
		"/discovery": object{"title": "Bench", "default": "http://127.0.0.1/api1/", "api_roots": []string{"http://127.0.0.1/api1/"}},
		"api1": object{"information": root, "status": []any{}, "collections": []any{object{
			"id": collection, "title": "Bench", "can_read": true, "can_write": true,
			"media_types": []string{taxii.ObjectMediaType}, "objects": []any{}, "manifest": []any{},
		}}},
	}
}
