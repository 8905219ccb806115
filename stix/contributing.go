package stix

// contributing are the properties that make a type of observable's name-based identifier (section 6, "ID Contributing
// Properties"), in the order of the specification.
func contributing(typeName string) []string {
	switch typeName {
	case "artifact":
		return []string{"hashes", "payload_bin"}
	case "autonomous-system":
		return []string{"number"}
	case "directory":
		return []string{"path"}
	case "domain-name", "email-addr", "ipv4-addr", "ipv6-addr", "mac-addr", "url":
		return []string{"value"}
	case "email-message":
		return []string{"from_ref", "subject", "body"}
	case "file":
		return []string{"hashes", "name", "extensions", "parent_directory_ref"}
	case "mutex":
		return []string{"name"}
	case "network-traffic":
		return []string{"start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"}
	case "software":
		return []string{"name", "cpe", "swid", "vendor", "version"}
	case "user-account":
		return []string{"account_type", "user_id", "account_login"}
	case "windows-registry-key":
		return []string{"key", "values"}
	case "x509-certificate":
		return []string{"hashes", "serial_number"}
	}
	return nil // process: random
}
