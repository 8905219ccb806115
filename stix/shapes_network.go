package stix

// The observables of networks (section 6).
func networkShapes() []*shape {
	value := func(k kind) []property { return []property{{name: "value", kind: k, required: true}} }
	address := []property{refList("resolves_to_refs", "mac-addr"), refList("belongs_to_refs", "autonomous-system")}
	end := []string{"ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"}

	traffic := observable21("network-traffic", "6.12", timestamps("start", "end"), booleans("is_active"),
		integers("src_byte_count", "dst_byte_count", "src_packets", "dst_packets"),
		rows(property{kind: integer, bounded: true, high: 65535}, "src_port", "dst_port"),
		[]property{
			ref("src_ref", end...), ref("dst_ref", end...),
			{name: "protocols", kind: text, list: true, required: true, check: checkProtocol},
			{name: "ipfix", kind: dictionary, check: checkIPFIX},
			ref("src_payload_ref", "artifact"), ref("dst_payload_ref", "artifact"),
			refList("encapsulates_refs", "network-traffic"), ref("encapsulated_by_ref", "network-traffic"),
		})
	traffic.anyOf = []string{"src_ref", "dst_ref"}
	traffic.rest = func(v *validation, object int32, seen uint64) {
		v.order(object, "start", "end", false)
		if i := v.member(object, "is_active"); i >= 0 && v.nodes[i].kind == isTrue && v.shape.has(seen, "end") {
			v.must(v.member(object, "end"), "6.12", "order", "traffic that is active has no end")
		}
		if !v.shape.has(seen, "src_port") || !v.shape.has(seen, "dst_port") {
			v.should(object, checkNetworkTrafficPorts, "traffic should have a src_port and a dst_port")
		}
	}

	names := texts("basic_constraints", "name_constraints", "policy_constraints", "key_usage", "extended_key_usage",
		"subject_key_identifier", "authority_key_identifier", "subject_alternative_name", "issuer_alternative_name",
		"subject_directory_attributes", "crl_distribution_points", "inhibit_any_policy", "certificate_policies", "policy_mappings")
	v3 := &shape{name: "x509-v3-extensions-type", section: "6.18.2", category: categoryPart,
		properties: join(names, timestamps("private_key_usage_period_not_before", "private_key_usage_period_not_after"))}
	v3.anyOf = every(v3.properties, 0)
	certificate := observable21("x509-certificate", "6.18", booleans("is_self_signed"), []property{hashesOf("hashes")},
		texts("version", "serial_number", "signature_algorithm", "issuer"), timestamps("validity_not_before", "validity_not_after"),
		texts("subject", "subject_public_key_algorithm", "subject_public_key_modulus"), integers("subject_public_key_exponent"),
		[]property{{name: "x509_v3_extensions", kind: nested, of: v3}})
	certificate.anyOf = every(certificate.properties, 8)

	return []*shape{
		observable21("autonomous-system", "6.2", required(integers("number")...), texts("name", "rir")),
		observable21("domain-name", "6.4", value(domain), []property{refList("resolves_to_refs", "ipv4-addr", "ipv6-addr", "domain-name")}),
		observable21("ipv4-addr", "6.8", value(ipv4), address),
		observable21("ipv6-addr", "6.9", value(ipv6), address),
		observable21("mac-addr", "6.10", value(mac)),
		traffic,
		observable21("url", "6.15", value(uri)),
		certificate,
	}
}

func checkProtocol(v *validation, at int32) {
	if v.wants(checkProtocols) && !registered(protocolNames(), v.text(at)) {
		v.should(at, checkProtocols, "%q is no protocol in IANA's registry", v.text(at))
	}
}

// checkIPFIX: strings and integers under names of IANA's registry.
func checkIPFIX(v *validation, at int32) {
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		if v.nodes[i].kind != isString && !v.isInteger(i) {
			v.must(i, "6.12", "type", "an IPFIX value is a string or an integer")
		}
		if v.wants(checkIPFIXNames) && !registered(ipfixElements, v.key(i)) {
			v.should(i, checkIPFIXNames, "%q is no IPFIX element in IANA's registry", v.key(i))
		}
	}
}
