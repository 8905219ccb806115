package stix

// References from observables: inside an Observed Data's objects they are keys of it, elsewhere identifiers.
func ref(name string, only ...string) property {
	return property{name: name, kind: objectKey, only: only}
}

func refList(name string, only ...string) property {
	return property{name: name, kind: objectKey, list: true, only: only}
}

func hashesOf(name string) property { return property{name: name, kind: hashes} }

// every names all of a shape's properties but the first skip ones: "at least one of".
func every(rows []property, skip int) []string {
	var names []string
	for _, p := range rows[skip:] {
		names = append(names, p.name)
	}
	return names
}

// The observables of files, processes, software and accounts (section 6).
func hostShapes() []*shape {
	times := timestamps("ctime", "mtime", "atime")

	artifact := observable21("artifact", "6.1", []property{
		{name: "mime_type", kind: mediaType},
		{name: "payload_bin", kind: base64Binary},
		{name: "url", kind: uri},
		hashesOf("hashes"),
		{name: "encryption_algorithm", kind: oneOf, values: []string{"AES-256-GCM", "ChaCha20-Poly1305", "mime-type-indicated"}},
		{name: "decryption_key", kind: text},
	})
	artifact.rest = func(v *validation, object int32, seen uint64) {
		s := v.shape
		switch payload, url := s.has(seen, "payload_bin"), s.has(seen, "url"); {
		case payload == url:
			v.must(object, "6.1", "required", "needs exactly one of payload_bin and url")
		case url && !s.has(seen, "hashes"):
			v.must(object, "6.1", "required", "an artifact at a url needs hashes")
		}
		if s.has(seen, "decryption_key") && !s.has(seen, "encryption_algorithm") {
			v.must(object, "6.1", "required", "decryption_key needs encryption_algorithm")
		}
	}

	file := observable21("file", "6.7", texts("name"), times, counts("size"), hexes("magic_number_hex"), []property{
		hashesOf("hashes"),
		{name: "name_enc", kind: characterSet},
		{name: "mime_type", kind: text, check: checkFileMediaType},
		ref("parent_directory_ref", "directory"),
		refList("contains_refs"),
		ref("content_ref", "artifact"),
	})
	file.anyOf = []string{"hashes", "name"}

	process := observable21("process", "6.13", booleans("is_hidden"), integers("pid"), timestamps("created_time"),
		texts("cwd", "command_line"), []property{
			{name: "environment_variables", kind: dictionary, check: checkEnvironment},
			refList("opened_connection_refs", "network-traffic"),
			ref("creator_user_ref", "user-account"),
			ref("image_ref", "file"),
			ref("parent_ref", "process"),
			refList("child_refs", "process"),
		})
	process.anyOf = append(every(process.properties, 8), "extensions")

	account := observable21("user-account", "6.16", texts("user_id", "credential", "account_login"),
		[]property{{name: "account_type", kind: text, vocab: &accountType}}, texts("display_name"),
		booleans("is_service_account", "is_privileged", "can_escalate_privs", "is_disabled"),
		timestamps("account_created", "account_expires", "credential_last_changed", "account_first_login", "account_last_login"))
	account.anyOf = append(every(account.properties, 8), "extensions")

	value := &shape{name: "windows-registry-value-type", section: "6.17.2", category: categoryPart, properties: join(texts("name", "data"),
		[]property{{name: "data_type", kind: oneOf, values: []string{"REG_NONE", "REG_SZ", "REG_EXPAND_SZ", "REG_BINARY",
			"REG_DWORD", "REG_DWORD_BIG_ENDIAN", "REG_DWORD_LITTLE_ENDIAN", "REG_LINK", "REG_MULTI_SZ", "REG_RESOURCE_LIST",
			"REG_FULL_RESOURCE_DESCRIPTION", "REG_RESOURCE_REQUIREMENTS_LIST", "REG_QWORD", "REG_INVALID_TYPE"}}}),
		anyOf: []string{"name", "data", "data_type"}}
	registry := observable21("windows-registry-key", "6.17", timestamps("modified_time"), integers("number_of_subkeys"), []property{
		{name: "key", kind: registryKey},
		{name: "values", kind: nested, list: true, of: value},
		ref("creator_user_ref", "user-account"),
	})
	registry.anyOf = every(registry.properties, 8)

	return []*shape{
		artifact,
		observable21("directory", "6.3", required(texts("path")...), times, []property{
			{name: "path_enc", kind: characterSet}, refList("contains_refs", "file", "directory")}),
		file,
		observable21("mutex", "6.11", required(texts("name")...)),
		process,
		observable21("software", "6.14", required(texts("name")...), texts("swid", "vendor", "version"), []property{
			{name: "cpe", kind: cpe}, {name: "languages", kind: softwareLanguage, list: true}}),
		account, registry,
	}
}

// checkEnvironment: "each corresponding value MUST be the environment variable value as a string" (section 6.13.1).
func checkEnvironment(v *validation, at int32) {
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		if v.nodes[i].kind != isString {
			v.must(i, "6.13", "type", "an environment variable's value is a string, not %s", v.nodes[i].kind)
		}
	}
}

func checkFileMediaType(v *validation, at int32) {
	if v.wants(checkMimeType) && !registered(mediaTypes(), v.text(at)) {
		v.should(at, checkMimeType, "%q is no media type of IANA's", v.text(at))
	}
}
