package stix

// The observables of e-mail (sections 6.5 and 6.6).
func emailShapes() []*shape {
	part := &shape{name: "mime-part-type", section: "6.6.2", category: categoryPart,
		properties: join(texts("body", "content_type", "content_disposition"), []property{ref("body_raw_ref", "artifact", "file")}),
		rest: func(v *validation, object int32, seen uint64) {
			if (v.member(object, "body") >= 0) == (v.member(object, "body_raw_ref") >= 0) {
				v.must(object, "6.6.2", "required", "a part needs exactly one of body and body_raw_ref")
			}
		}}
	message := observable21("email-message", "6.6", required(booleans("is_multipart")...), timestamps("date"),
		texts("content_type", "message_id", "subject", "body"), textLists("received_lines"),
		[]property{
			ref("from_ref", "email-addr"), ref("sender_ref", "email-addr"),
			refList("to_refs", "email-addr"), refList("cc_refs", "email-addr"), refList("bcc_refs", "email-addr"),
			{name: "additional_header_fields", kind: dictionary, check: checkHeaderFields},
			{name: "body_multipart", kind: nested, list: true, of: part},
			ref("raw_email_ref", "artifact"),
		})
	message.rest = func(v *validation, object int32, seen uint64) {
		switch i := v.member(object, "is_multipart"); {
		case i < 0:
		case v.nodes[i].kind == isTrue && v.shape.has(seen, "body"):
			v.must(v.member(object, "body"), "6.6", "multipart", "a multipart message has body_multipart, not body")
		case v.nodes[i].kind == isFalse && v.shape.has(seen, "body_multipart"):
			v.must(v.member(object, "body_multipart"), "6.6", "multipart", "a message that is not multipart has body, not body_multipart")
		}
	}
	return []*shape{
		observable21("email-addr", "6.5", []property{{name: "value", kind: email, required: true}}, texts("display_name"),
			[]property{ref("belongs_to_ref", "user-account")}),
		message,
	}
}

// checkHeaderFields: each header is a string, or a list of several; headers that have a property of their own are not
// repeated here.
func checkHeaderFields(v *validation, at int32) {
	other := false
	for i := at + 1; i < v.nodes[at].next; i = v.nodes[i].next {
		switch string(v.key(i)) {
		case "date", "received_lines", "content_type", "from_ref", "sender_ref", "to_refs", "cc_refs", "bcc_refs", "subject":
		default:
			other = true
		}
		switch n := v.nodes[i]; {
		case n.kind == isString:
		case n.kind != isArray:
			v.must(i, "6.6", "type", "a header's value is a string or a list of strings")
		case n.count == 0:
			v.must(i, "2.12", "empty", "a list must not be empty")
		default:
			v.textsOnly(i, "6.6")
		}
	}
	if !other {
		v.must(at, "6.6", "header", "these headers have properties of their own")
	}
}
