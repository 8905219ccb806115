package stix

import (
	"fmt"
	"strings"
)

// ParseOptions reads options as they stand in configurations and test cases of the OASIS validator: the option's name, and for
// disabled, enabled and version a value after "=" (checks separated by commas).
func ParseOptions(list []string) (o Options, err error) {
	for _, option := range list {
		name, value, valued := strings.Cut(option, "=")
		takes := false
		switch name {
		case "strict":
			o.Strict = true
		case "strict_types":
			o.StrictTypes = true
		case "strict_properties":
			o.StrictProperties = true
		case "enforce_refs":
			o.EnforceRefs = true
		case "interop":
			o.Interop = true
		case "disabled":
			o.Disabled, takes = strings.Split(value, ","), true
		case "enabled":
			o.Enabled, takes = strings.Split(value, ","), true
		case "version":
			o.Version, takes = value, true
		default:
			return Options{}, fmt.Errorf("reading options: there is no option %q", name)
		}
		if valued != takes {
			return Options{}, fmt.Errorf("reading options: %q: write a value after disabled, enabled and version, and after no other", option)
		}
	}
	return o, nil
}
