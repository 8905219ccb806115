package stix

import "slices"

// observableNames are the types of section 6.
var observableNames = []string{"artifact", "autonomous-system", "directory", "domain-name", "email-addr", "email-message", "file",
	"ipv4-addr", "ipv6-addr", "mac-addr", "mutex", "network-traffic", "process", "software", "url", "user-account",
	"windows-registry-key", "x509-certificate"}

// The relationship objects (section 5).
func relationshipShapes() []*shape {
	ends := property{kind: identifier, required: true,
		not: []string{"relationship", "sighting", "bundle", "marking-definition", "language-content"}}

	// "This property MUST reference only an SDO or a Custom Object" (section 5.2.1).
	sighted := ends
	sighted.not = append(slices.Clone(ends.not), observableNames...)

	relationship := domain21("relationship", "5.1", texts("description"), timestamps("start_time", "stop_time"),
		rows(ends, "source_ref", "target_ref"),
		required(property{name: "relationship_type", kind: hyphenated}))
	relationship.rest = func(v *validation, object int32, _ uint64) {
		v.order(object, "start_time", "stop_time", true)
		v.checkRelationship(object)
	}

	sighting := domain21("sighting", "5.2", texts("description"), timestamps("first_seen", "last_seen"), booleans("summary"),
		rows(sighted, "sighting_of_ref"),
		[]property{
			{name: "count", kind: integer, bounded: true, high: 999_999_999},
			{name: "observed_data_refs", kind: identifier, list: true, only: []string{"observed-data"}},
			{name: "where_sighted_refs", kind: identifier, list: true, only: []string{"identity", "location"}},
		})
	sighting.rest = ordered("first_seen", "last_seen", false)

	shapes := []*shape{relationship, sighting}
	for _, s := range shapes {
		s.category = categoryRelationship
	}
	return shapes
}
