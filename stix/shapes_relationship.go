package stix

// The relationship objects (section 5).
func relationshipShapes() []*shape {
	ends := property{kind: identifier, required: true,
		not: []string{"relationship", "sighting", "bundle", "marking-definition", "language-content"}}

	relationship := domain21("relationship", "5.1", texts("description"), timestamps("start_time", "stop_time"),
		rows(ends, "source_ref", "target_ref"),
		required(property{name: "relationship_type", kind: hyphenated}))
	relationship.rest = func(v *validation, object int32, _ uint64) {
		v.order(object, "start_time", "stop_time", true)
		v.checkRelationship(object)
	}

	sighting := domain21("sighting", "5.2", texts("description"), timestamps("first_seen", "last_seen"), booleans("summary"),
		rows(ends, "sighting_of_ref"),
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
