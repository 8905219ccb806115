package stix

import (
	"slices"
	"strings"
	"testing"
)

// TestRegistriesAreWhole: each list is there, sorted as look-ups need it, and has what everybody uses.
func TestRegistriesAreWhole(t *testing.T) {
	for _, c := range []struct {
		name, list, has string
		least           int
	}{
		{"media types", mediaTypes(), "application/json", 2000},
		{"protocols", protocolNames(), "https", 5000},
		{"IPFIX elements", ipfixElements, "octetDeltaCount", 400},
		{"character sets", characterSets, "UTF-8", 200},
		{"languages", languageSubtags, "ar", 180},
		{"countries", countryCodes, "FR", 240},
	} {
		lines := strings.Split(strings.TrimSuffix(c.list, "\n"), "\n")
		if len(lines) < c.least || !slices.IsSorted(lines) || !strings.HasSuffix(c.list, "\n") {
			t.Errorf("%s: %d lines, sorted: %v", c.name, len(lines), slices.IsSorted(lines))
		}
		if !registered(c.list, []byte(c.has)) || registered(c.list, []byte("none such")) {
			t.Errorf("%s: %s is not found, or what is not there is", c.name, c.has)
		}
	}
}
