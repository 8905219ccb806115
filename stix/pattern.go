package stix

import (
	"errors"

	"github.com/mithaq/mithaq/stix/pattern"
)

// CheckPattern is the PatternChecker that Validate uses unless told otherwise: the patterning language of package
// stix/pattern, as the OASIS validator accepts it.
func CheckPattern(text, _ string) error {
	problems, err := pattern.Check(text)
	if err != nil {
		return err
	}
	for _, p := range problems {
		if !p.Warning {
			return errors.New(p.String())
		}
	}
	return nil
}

// checkPattern holds a STIX pattern to its syntax, and its names to the rules for names (section 4.7 and part 5 of the
// pattern language).
func (v *validation) checkPattern(object int32) {
	at := v.member(object, "pattern")
	if at < 0 || v.nodes[at].kind != isString || string(v.stringMember(object, "pattern_type")) != "stix" {
		return
	}
	text := v.text(at)
	version := v.stringMember(object, "pattern_version")
	if version == nil {
		version = v.stringMember(object, "spec_version")
	}
	if err := v.plan.Pattern(string(text), string(version)); err != nil {
		v.must(at, "9", "pattern", "%s", clip([]byte(err.Error())))
		return
	}
	patternPaths(text, func(object, property []byte) { v.patternPath(at, object, property) })
}

func (v *validation) patternPath(at int32, object, property []byte) {
	known := v.catalogue.types[string(object)]
	if known != nil && known.category != categoryObservable {
		known = nil
	}
	lax, strict := v.plan.patternPrefix == checkCustomPrefixLax, v.plan.patternPrefix == checkCustomPrefix
	if known == nil {
		switch {
		case !patternTypeName(object):
			v.must(at, "9", "pattern", "%q is no name of a type of observable", clip(object))
		case strict && !ownName(object, '-', 2), lax && !ownName(object, '-', 1):
			v.must(at, "9", "pattern", "the type %q should begin with x-", clip(object))
		}
		v.should(at, checkStrictTypes, "%q is no type of the specification", clip(object))
	}
	if known != nil && known.bit(string(property)) != 0 {
		return
	}
	if len(property) < 3 && string(property) != "id" || len(property) > 250 || !all(property, lower|digit, "_") {
		v.must(at, "9", "pattern", "%q is no property's name", clip(property))
		return
	}
	if known == nil {
		return
	}
	if strict && !ownName(property, '_', 2) || lax && !ownName(property, '_', 1) {
		v.must(at, "9", "pattern", "the property %q should begin with x_", clip(property))
	}
	v.should(at, checkStrictProperties, "%q is no property of %s", clip(property), object)
}

func patternTypeName(b []byte) bool {
	if len(b) < 3 || len(b) > 250 || !all(b, lower|digit, "-") {
		return false
	}
	for i := 1; i < len(b); i++ {
		if b[i] == '-' && b[i-1] == '-' {
			return false
		}
	}
	return true
}

// ownName: x, the separator, and from two levels on a source, the separator again, and a name.
func ownName(b []byte, separator byte, levels int) bool {
	if len(b) < 3 || b[0] != 'x' || b[1] != separator {
		return false
	}
	if levels == 1 {
		return true
	}
	for i := 3; i < len(b)-1; i++ {
		if b[i] == separator {
			return true
		}
	}
	return false
}

// word are the letters and digits of names.
const word = lower | upper | digit

// patternPaths calls each with the type and the first property of every object path in a pattern.
func patternPaths(pattern []byte, each func(object, property []byte)) {
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\'':
			_, i = quoted(pattern, i)
		case class[c]&word != 0 || c == '_':
			start := i
			for i < len(pattern) && (class[pattern[i]]&word != 0 || pattern[i] == '-' || pattern[i] == '_') {
				i++
			}
			if i >= len(pattern) || pattern[i] != ':' {
				i--
				continue
			}
			object := pattern[start:i]
			i++
			var property []byte
			if i < len(pattern) && pattern[i] == '\'' {
				property, i = quoted(pattern, i)
				i++
			} else {
				start = i
				for i < len(pattern) && (class[pattern[i]]&word != 0 || pattern[i] == '-' || pattern[i] == '_') {
					i++
				}
				property = pattern[start:i]
			}
			if len(property) > 0 {
				each(object, property)
			}
			// The rest of the path has steps of its own, none of them before a colon.
			for i < len(pattern) && (pattern[i] == '.' || pattern[i] == '[' || pattern[i] == ']' || class[pattern[i]]&word != 0 ||
				pattern[i] == '_' || pattern[i] == '-' || pattern[i] == '\'' || pattern[i] == '*') {
				if pattern[i] == '\'' {
					_, i = quoted(pattern, i)
				}
				if pattern[min(i, len(pattern)-1)] == ']' && !inPath(pattern, i) {
					break
				}
				i++
			}
			i--
		}
	}
}

// inPath says whether the closing bracket at i ends an index and not the observation.
func inPath(pattern []byte, i int) bool {
	for i--; i >= 0 && (class[pattern[i]]&digit != 0 || pattern[i] == '*'); i-- {
	}
	return i >= 0 && pattern[i] == '['
}

// quoted returns what is between the quote at i and its end, and where that is.
func quoted(pattern []byte, i int) ([]byte, int) {
	start := i + 1
	for i = start; i < len(pattern) && pattern[i] != '\''; i++ {
		if pattern[i] == '\\' {
			i++
		}
	}
	i = min(i, len(pattern))
	return pattern[min(start, i):i], i
}
