package stix

// The domain objects that describe threats, and what is done about them (section 4).
func threatShapes() []*shape {
	seen := timestamps("first_seen", "last_seen")
	seenOrder := ordered("first_seen", "last_seen", false)
	name := required(texts("name")...)
	motivation := property{kind: text, vocab: &attackMotivation}
	motivations := property{kind: text, list: true, vocab: &attackMotivation}
	resource := []property{{name: "resource_level", kind: text, vocab: &attackResourceLevel}}
	software := []string{"software"}

	campaign := domain21("campaign", "4.2", name, texts("description", "objective"), textLists("aliases"), seen)
	campaign.rest = seenOrder

	infrastructure := domain21("infrastructure", "4.8", name, texts("description"), textLists("aliases"), seen, killChainPhases(),
		[]property{{name: "infrastructure_types", kind: text, list: true, vocab: &infrastructureType}})
	infrastructure.rest = seenOrder

	intrusionSet := domain21("intrusion-set", "4.9", name, texts("description"), textLists("aliases", "goals"), seen, resource,
		rows(motivation, "primary_motivation"), rows(motivations, "secondary_motivations"))
	intrusionSet.rest = seenOrder

	malware := domain21("malware", "4.11", texts("name", "description"), textLists("aliases"), seen, killChainPhases(),
		required(booleans("is_family")...),
		[]property{
			{name: "malware_types", kind: text, list: true, vocab: &malwareType},
			{name: "operating_system_refs", kind: identifier, list: true, only: software},
			{name: "architecture_execution_envs", kind: text, list: true, vocab: &processorArchitecture},
			{name: "implementation_languages", kind: text, list: true, vocab: &implementationLanguage},
			{name: "capabilities", kind: text, list: true, vocab: &malwareCapabilities},
			{name: "sample_refs", kind: identifier, list: true, only: []string{"artifact", "file"}},
		})
	malware.rest = func(v *validation, object int32, seen uint64) {
		v.order(object, "first_seen", "last_seen", false)
		if i := v.member(object, "is_family"); i >= 0 && v.nodes[i].kind == isTrue && v.member(object, "name") < 0 {
			v.must(object, "4.11", "required", "a malware family needs a name")
		}
	}

	analysis := domain21("malware-analysis", "4.12",
		[]property{{name: "product", kind: text, required: true, check: checkProduct}},
		texts("version", "configuration_version", "analysis_engine_version", "analysis_definition_version", "result_name"),
		timestamps("submitted", "analysis_started", "analysis_ended"), textLists("modules"),
		[]property{
			{name: "result", kind: text, vocab: &malwareResult},
			{name: "host_vm_ref", kind: identifier, only: software},
			{name: "operating_system_ref", kind: identifier, only: software},
			{name: "installed_software_refs", kind: identifier, list: true, only: software},
			{name: "analysis_sco_refs", kind: identifier, list: true},
			{name: "sample_ref", kind: identifier, only: []string{"file", "artifact", "network-traffic"}},
		})
	analysis.anyOf = []string{"result", "analysis_sco_refs"}

	threatActor := domain21("threat-actor", "4.17", name, texts("description"), textLists("aliases", "goals"), seen, resource,
		rows(motivation, "primary_motivation"), rows(motivations, "secondary_motivations", "personal_motivations"),
		[]property{
			{name: "threat_actor_types", kind: text, list: true, vocab: &threatActorType},
			{name: "roles", kind: text, list: true, vocab: &threatActorRole},
			{name: "sophistication", kind: text, vocab: &threatActorSophistication},
		})
	threatActor.rest = seenOrder

	return []*shape{
		domain21("attack-pattern", "4.1", name, texts("description"), textLists("aliases"), killChainPhases()),
		campaign,
		domain21("course-of-action", "4.3", name, texts("description")),
		domain21("incident", "4.6", name, texts("description")),
		infrastructure, intrusionSet, malware, analysis, threatActor,
		domain21("tool", "4.18", name, texts("description", "tool_version"), textLists("aliases"), killChainPhases(),
			[]property{{name: "tool_types", kind: text, list: true, vocab: &toolType}}),
		domain21("vulnerability", "4.19", name, texts("description")),
	}
}

// checkProduct: the product's name is lower-case words between hyphens.
func checkProduct(v *validation, at int32) {
	if b := v.text(at); len(b) == 0 || !all(b, lower|digit, "-") {
		v.should(at, checkMalwareAnalysisProduct, "a product's name is lower-case words between hyphens, not %q", b)
	}
}
