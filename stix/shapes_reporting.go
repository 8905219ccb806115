package stix

// The domain objects that report, observe, group and judge (section 4).
func reportingShapes() []*shape {
	name := required(texts("name")...)
	refs := required(property{name: "object_refs", kind: identifier, list: true})
	authors := textLists("authors")

	indicator := domain21("indicator", "4.7", texts("name", "description", "pattern_version"),
		required(texts("pattern")...), required(timestamps("valid_from")...), timestamps("valid_until"), killChainPhases(),
		[]property{
			{name: "indicator_types", kind: text, list: true, vocab: &indicatorType},
			{name: "pattern_type", kind: text, required: true, vocab: &patternType},
		})
	indicator.rest = checkIndicator

	location := domain21("location", "4.10",
		texts("name", "description", "administrative_area", "city", "street_address", "postal_code"),
		[]property{
			{name: "latitude", kind: number, bounded: true, low: -90, high: 90},
			{name: "longitude", kind: number, bounded: true, low: -180, high: 180},
			{name: "precision", kind: number},
			{name: "region", kind: text, vocab: &region},
			{name: "country", kind: text, check: checkCountry},
		})
	location.rest = checkLocation

	observed := domain21("observed-data", "4.14", required(timestamps("first_observed", "last_observed")...),
		[]property{
			{name: "number_observed", kind: integer, required: true, bounded: true, low: 1, high: 999_999_999},
			{name: "objects", kind: observables},
			{name: "object_refs", kind: identifier, list: true, not: []string{
				"attack-pattern", "campaign", "course-of-action", "grouping", "identity", "incident", "indicator",
				"infrastructure", "intrusion-set", "location", "malware", "malware-analysis", "note", "observed-data",
				"opinion", "report", "threat-actor", "tool", "vulnerability"}},
		})
	observed.rest = checkObservedData

	return []*shape{
		domain21("grouping", "4.4", texts("name", "description"), refs,
			[]property{{name: "context", kind: text, required: true, vocab: &groupingContext}}),
		domain21("identity", "4.5", name, texts("description", "contact_information"), textLists("roles"),
			[]property{
				{name: "identity_class", kind: text, vocab: &identityClass},
				{name: "sectors", kind: text, list: true, vocab: &industrySector},
			}),
		indicator, location,
		domain21("note", "4.13", texts("abstract"), required(texts("content")...), authors, refs),
		observed,
		domain21("opinion", "4.15", texts("explanation"), authors, refs, []property{{name: "opinion", kind: oneOf, required: true,
			values: []string{"strongly-disagree", "disagree", "neutral", "agree", "strongly-agree"}}}),
		domain21("report", "4.16", name, texts("description"), required(timestamps("published")...), refs,
			[]property{{name: "report_types", kind: text, list: true, vocab: &reportType}}),
	}
}

func checkIndicator(v *validation, object int32, seen uint64) {
	v.order(object, "valid_from", "valid_until", true)
	v.checkPattern(object)
	if v.wants(checkIndicatorProperties) && (v.member(object, "name") < 0 || v.member(object, "description") < 0) {
		v.should(object, checkIndicatorProperties, "an indicator should have a name and a description")
	}
}

func checkCountry(v *validation, at int32) {
	if !v.wants(checkCountries) {
		return
	}
	if b := v.text(at); len(b) != 2 || !registered(countryCodes, []byte{b[0] &^ 0x20, b[1] &^ 0x20}) {
		v.should(at, checkCountries, "%q is no country code of ISO 3166-1", b)
	}
}

// checkLocation: somewhere at least (section 4.10), and coordinates only in pairs.
func checkLocation(v *validation, object int32, seen uint64) {
	s := v.shape
	lat, long := s.has(seen, "latitude"), s.has(seen, "longitude")
	if !s.has(seen, "region") && !s.has(seen, "country") && !(lat && long) {
		v.must(object, "4.10", "required", "needs a region, a country, or latitude and longitude")
	}
	if lat != long {
		v.must(object, "4.10", "required", "latitude and longitude come together")
	}
	if s.has(seen, "precision") && !(lat && long) {
		v.must(object, "4.10", "required", "precision needs latitude and longitude")
	}
}

func checkObservedData(v *validation, object int32, seen uint64) {
	v.order(object, "first_observed", "last_observed", false)
	objects, refs := v.shape.has(seen, "objects"), v.shape.has(seen, "object_refs")
	if objects == refs {
		v.must(object, "4.14", "required", "needs exactly one of objects and object_refs")
	}
	if objects {
		v.should(v.member(object, "objects"), checkDeprecatedProperties, "objects is deprecated, use object_refs")
	}
}
