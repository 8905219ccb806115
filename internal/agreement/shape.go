package agreement

import (
	"regexp"
	"sync"
)

// shaped gives a regular expression that is compiled when it is first asked for: most commands read no agreement.
func shaped(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}
