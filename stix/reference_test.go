package stix_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mithaq/mithaq/stix"
)

// TestReferences: wherever they stand, written however JSON allows; neither what only looks like one nor what is none.
func TestReferences(t *testing.T) {
	v, err := stix.OpenValue([]byte(`{"type":"network-traffic","src_ref":"ipv4-addr--1","dst\u005fref":"ipv4-addr--\u0032","encapsulates_refs":["network-traffic--3",4,null,["x"]],
		"extensions":{"http-request-ext":{"message_body_data_ref":"artifact--5"},"list":[{"deep_refs":["a--6"]}]},"x_ref":{"in_ref":"a--7"},"y_refs":"no list",
		"granular_markings":[{"marking_ref":"marking-definition--8","selectors":["src_ref"]}],"_reference":"no--9","ref":"no--10"}`), stix.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for member, id := range v.References() {
		got = append(got, fmt.Sprint(member, "=", id))
	}
	want := []string{"src_ref=ipv4-addr--1", "dst_ref=ipv4-addr--2", "encapsulates_refs=network-traffic--3", "message_body_data_ref=artifact--5", "deep_refs=a--6", "in_ref=a--7",
		"marking_ref=marking-definition--8"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for range v.References() {
		break
	}
	for range (stix.Value{}).References() {
		t.Error("nothing refers to something")
	}
}
