package stix

import "bytes"

// The predefined extensions of observables (section 6).
func predefinedExtensions() []*shape {
	ext := func(name, section string, rows ...[]property) *shape {
		return &shape{name: name, section: section, category: categoryPart, properties: join(rows...)}
	}
	// atLeastOne is for those extensions of which nothing is required in particular.
	atLeastOne := func(s *shape) *shape { s.anyOf = every(s.properties, 0); return s }

	stream := ext("alternate-data-stream-type", "6.7.3.2", required(texts("name")...), counts("size"), []property{hashesOf("hashes")})
	exif := property{name: "exif_tags", kind: dictionary, check: checkEXIF}

	header := ext("windows-pe-optional-header-type", "6.7.6.2",
		hexes("magic_hex", "win32_version_value_hex", "checksum_hex", "subsystem_hex", "dll_characteristics_hex", "loader_flags_hex"),
		integers("major_linker_version", "minor_linker_version", "address_of_entry_point", "base_of_code", "base_of_data",
			"image_base", "section_alignment", "file_alignment", "major_os_version", "minor_os_version", "major_image_version",
			"minor_image_version", "major_subsystem_version", "minor_subsystem_version", "number_of_rva_and_sizes"),
		counts("size_of_code", "size_of_initialized_data", "size_of_uninitialized_data", "size_of_image", "size_of_headers",
			"size_of_stack_reserve", "size_of_stack_commit", "size_of_heap_reserve", "size_of_heap_commit"),
		[]property{hashesOf("hashes")})
	header.closed = true
	atLeastOne(header)
	section := ext("windows-pe-section-type", "6.7.6.3", required(texts("name")...), counts("size"),
		[]property{{name: "entropy", kind: number}, hashesOf("hashes")})
	binary := ext("windows-pebinary-ext", "6.7.6",
		[]property{{name: "pe_type", kind: text, required: true, vocab: &windowsPEBinaryType}}, texts("imphash"),
		hexes("machine_hex", "pointer_to_symbol_table_hex", "characteristics_hex"),
		counts("number_of_sections", "number_of_symbols", "size_of_optional_header"),
		[]property{
			{name: "time_date_stamp", kind: secondsTimestamp},
			hashesOf("file_header_hashes"),
			{name: "optional_header", kind: nested, of: header},
			{name: "sections", kind: nested, list: true, of: section},
		})
	binary.anyOf = every(binary.properties, 1)

	return []*shape{
		ext("archive-ext", "6.7.2", required(refList("contains_refs", "file", "directory")), texts("comment")),
		atLeastOne(ext("ntfs-ext", "6.7.3", texts("sid"), []property{{name: "alternate_data_streams", kind: nested, list: true, mayEmpty: true, of: stream}})),
		atLeastOne(ext("pdf-ext", "6.7.4", texts("version"), booleans("is_optimized"),
			[]property{{name: "document_info_dict", kind: dictionary, check: checkPDFInfo}}, texts("pdfid0", "pdfid1"))),
		atLeastOne(ext("raster-image-ext", "6.7.5", integers("image_height", "image_width", "bits_per_pixel"), []property{exif})),
		binary,
		ext("http-request-ext", "6.12.2", required(texts("request_method", "request_value")...), texts("request_version"),
			integers("message_body_length"), []property{
				{name: "request_header", kind: dictionary, check: checkRequestHeader},
				ref("message_body_data_ref", "artifact"),
			}),
		ext("icmp-ext", "6.12.3", required(hexes("icmp_type_hex", "icmp_code_hex")...)),
		ext("socket-ext", "6.12.4", []property{
			{name: "address_family", kind: oneOf, required: true, values: []string{"AF_UNSPEC", "AF_INET", "AF_IPX", "AF_APPLETALK",
				"AF_NETBIOS", "AF_INET6", "AF_IRDA", "AF_BTH"}},
			{name: "socket_type", kind: oneOf, values: []string{"SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_RDM", "SOCK_SEQPACKET"}},
			{name: "options", kind: dictionary, check: checkSocketOption},
		}, booleans("is_blocking", "is_listening"), counts("socket_descriptor"), integers("socket_handle")),
		atLeastOne(ext("tcp-ext", "6.12.5", hexes("src_flags_hex", "dst_flags_hex"))),
		atLeastOne(ext("windows-process-ext", "6.13.2", booleans("aslr_enabled", "dep_enabled"),
			[]property{{name: "priority", kind: text, check: checkPriority}}, texts("owner_sid", "window_title"),
			[]property{
				{name: "startup_info", kind: dictionary, check: checkStartupInfo},
				{name: "integrity_level", kind: oneOf, values: []string{"low", "medium", "high", "system"}},
			})),
		atLeastOne(ext("windows-service-ext", "6.13.3", texts("service_name", "display_name", "group_name"), textLists("descriptions"),
			[]property{
				refList("service_dll_refs", "file"),
				{name: "start_type", kind: oneOf, values: []string{"SERVICE_AUTO_START", "SERVICE_BOOT_START", "SERVICE_DEMAND_START",
					"SERVICE_DISABLED", "SERVICE_SYSTEM_ALERT"}},
				{name: "service_type", kind: oneOf, values: []string{"SERVICE_KERNEL_DRIVER", "SERVICE_FILE_SYSTEM_DRIVER",
					"SERVICE_WIN32_OWN_PROCESS", "SERVICE_WIN32_SHARE_PROCESS"}},
				{name: "service_status", kind: oneOf, values: []string{"SERVICE_CONTINUE_PENDING", "SERVICE_PAUSE_PENDING", "SERVICE_PAUSED",
					"SERVICE_RUNNING", "SERVICE_START_PENDING", "SERVICE_STOP_PENDING", "SERVICE_STOPPED"}},
			})),
		atLeastOne(ext("unix-account-ext", "6.16.2", rows(property{kind: number}, "gid"), textLists("groups"), texts("home_dir", "shell"))),
	}
}

// extensionsOf are the predefined extensions of a type of observable.
func extensionsOf(typeName string) []string {
	switch typeName {
	case "file":
		return []string{"archive-ext", "ntfs-ext", "pdf-ext", "raster-image-ext", "windows-pebinary-ext"}
	case "network-traffic":
		return []string{"http-request-ext", "icmp-ext", "socket-ext", "tcp-ext"}
	case "process":
		return []string{"windows-process-ext", "windows-service-ext"}
	case "user-account":
		return []string{"unix-account-ext"}
	}
	return nil
}

func checkEXIF(v *validation, at int32) {
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		if key := v.key(i); len(key) < 2 || class[key[0]] != upper || !all(key, lower|upper|digit, "_-") {
			v.must(i, "6.7.5", "dictionary-key", "an EXIF tag begins with a capital letter")
		}
		if v.nodes[i].kind != isString && !v.isInteger(i) {
			v.must(i, "6.7.5", "type", "an EXIF value is a string or an integer")
		}
	}
}

func checkPDFInfo(v *validation, at int32) {
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		if v.nodes[i].kind != isString {
			v.must(i, "6.7.4", "type", "a value of the document information is a string")
		}
		switch string(v.key(i)) {
		case "Title", "Author", "Subject", "Keywords", "Creator", "Producer", "CreationDate", "ModDate", "Trapped":
		default:
			v.should(i, checkPDFDocInfo, "%q is no key of a PDF's document information", v.key(i))
		}
	}
}

func checkRequestHeader(v *validation, at int32) {
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		if v.nodes[i].kind != isArray {
			v.must(i, "6.12.2", "type", "a request header's value is a list of strings")
		} else {
			v.textsOnly(i, "6.12.2")
		}
		if v.wants(checkHTTPRequestHeaders) && !registered(httpRequestHeaders, v.key(i)) {
			v.should(i, checkHTTPRequestHeaders, "%q is no known request header", v.key(i))
		}
	}
}

func checkSocketOption(v *validation, at int32) {
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		if !isSocketOption(v.key(i)) {
			v.must(i, "6.12.4", "dictionary-key", "%q has not the form of a socket option", v.key(i))
		}
		if !v.isInteger(i) {
			v.must(i, "6.12.4", "type", "a socket option's value is an integer")
		}
		if v.wants(checkSocketOptions) && !registered(socketOptions, v.key(i)) {
			v.should(i, checkSocketOptions, "%q is no known socket option", v.key(i))
		}
	}
}

// isSocketOption is a family, then words in capitals, between underscores.
func isSocketOption(key []byte) bool {
	family, rest, found := bytes.Cut(key, []byte("_"))
	switch string(family) {
	case "SO", "ICMP", "ICMP6", "IP", "IPV6", "MCAST", "TCP", "IRLMP":
	default:
		return false
	}
	for found {
		var word []byte
		word, rest, found = bytes.Cut(rest, []byte("_"))
		if len(word) == 0 || !all(word, upper, "") {
			return false
		}
		if !found {
			return true
		}
	}
	return false
}

func checkPriority(v *validation, at int32) {
	if b := v.text(at); len(b) <= len("_CLASS") || !bytes.HasSuffix(b, []byte("_CLASS")) {
		v.should(at, checkWindowsProcessPriority, "a priority ends in _CLASS")
	}
}

// checkStartupInfo: the fields of Windows' STARTUPINFO with their types.
func checkStartupInfo(v *validation, at int32) {
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		good := false
		switch string(v.key(i)) {
		case "lpDesktop", "lpTitle", "dwFillAttribute", "dwFlags", "wShowWindow", "hStdInput", "hStdOutput", "hStdError":
			good = v.nodes[i].kind == isString
		case "cb", "dwX", "dwY", "dwXSize", "dwYSize", "dwXCountChars", "dwYCountChars":
			good = v.isInteger(i)
		case "cbReserved2":
			n, ok := int64(1), v.nodes[i].kind == isNumber
			if ok {
				n, ok = wholeNumber(v.text(i))
			}
			good = ok && n == 0
		}
		if !good {
			v.must(i, "6.13.2", "type", "no such field in STARTUPINFO, or a value of the wrong type")
		}
	}
}
