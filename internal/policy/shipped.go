package policy

import (
	"embed"
	"fmt"
	"sync"

	cedar "github.com/cedar-policy/cedar-go"
)

//go:embed shipped/*.cedar
var shippedFiles embed.FS

// shippedRules are the rules of TLP, PAP and audiences. They are read through the loader that reads an agreement's.
type shippedRules struct {
	forbids, permits rules
}

// shipped reads the embedded rules once. They are part of the program: that they load is a test's business.
var shipped = sync.OnceValues(func() (shippedRules, error) {
	var s shippedRules
	for _, name := range []string{"ceiling", "pap", "tlp"} {
		file := name + ".cedar"
		src, err := shippedFiles.ReadFile("shipped/" + file)
		if err != nil {
			return s, fmt.Errorf("reading shipped rules: %w", err)
		}
		loaded, err := load(file, src)
		if err != nil {
			return s, fmt.Errorf("reading shipped rules: %w", err)
		}
		for _, r := range loaded {
			if r.policy.Effect() == cedar.Forbid {
				s.forbids = append(s.forbids, r)
			} else {
				s.permits = append(s.permits, r)
			}
		}
	}
	return s, nil
})

// Shipped returns the text of the shipped rules by file name, for people to read beside an agreement's own.
func Shipped() (map[string]string, error) {
	texts := make(map[string]string)
	for _, name := range []string{"tlp.cedar", "ceiling.cedar", "pap.cedar"} {
		b, err := shippedFiles.ReadFile("shipped/" + name)
		if err != nil {
			return nil, fmt.Errorf("reading shipped rules: %w", err)
		}
		texts[name] = string(b)
	}
	return texts, nil
}
