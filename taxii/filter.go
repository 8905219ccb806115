package taxii

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Filter is what a request asks for. Section 3.4: values within one field are alternatives, fields are conditions that
// must all hold. The zero Filter asks for the latest version of everything.
type Filter struct {
	AddedAfter   time.Time // zero: no bound. Exclusive
	IDs          []string  // none: any
	Types        []string  // none: any
	SpecVersions []string  // none: the newest that there is of each object
	Versions     Versions
}

// Versions selects among the versions of each object (section 3.4.1, "version"). The zero value means Last, as "if no
// version parameter is provided" does.
type Versions struct {
	All, First, Last bool
	Exact            []string // keys as VersionKey makes them
}

// IsZero reports that nothing was asked for.
func (v Versions) IsZero() bool { return !v.All && !v.First && !v.Last && len(v.Exact) == 0 }

// Bounds of a query string: beyond them a request is refused, whatever it says.
const (
	maxQuery  = 64 << 10
	maxValues = 1000
)

// query is a parsed query string.
type query struct {
	Filter
	limit int    // 0: not given
	next  string // "": not given
}

// Fields that an endpoint supports (sections 5.3, 5.4, 5.6, 5.7, 5.8).
type fields uint

const (
	fieldAddedAfter fields = 1 << iota
	fieldLimit
	fieldNext
	fieldID
	fieldType
	fieldVersion
	fieldSpecVersion

	pageFields     = fieldAddedAfter | fieldLimit | fieldNext
	listFields     = pageFields | fieldID | fieldType | fieldVersion | fieldSpecVersion
	objectFields   = pageFields | fieldVersion | fieldSpecVersion
	deleteFields   = fieldVersion | fieldSpecVersion
	versionsFields = pageFields | fieldSpecVersion
)

// fieldNamed maps a parameter to its field; zero when there is no such parameter.
func fieldNamed(name string) fields {
	switch name {
	case "added_after":
		return fieldAddedAfter
	case "limit":
		return fieldLimit
	case "next":
		return fieldNext
	case "match[id]":
		return fieldID
	case "match[type]":
		return fieldType
	case "match[version]":
		return fieldVersion
	case "match[spec_version]":
		return fieldSpecVersion
	}
	return 0
}

// parseQuery reads a raw query string for an endpoint that supports the given fields. It is strict: a filter that was
// mistyped and then ignored would answer a question that nobody asked. Section 3.4: "each <field> MUST NOT occur more
// than once in a request"; endpoints answer 400 when "the server did not understand the request or filter parameters".
func parseQuery(raw string, supported fields) (query, error) {
	var q query
	if len(raw) > maxQuery {
		return q, fmt.Errorf("the query is over %d bytes", maxQuery)
	}
	var seen fields
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, err := unescapePair(pair)
		if err != nil {
			return q, err
		}
		field := fieldNamed(name)
		switch {
		case field == 0:
			return q, fmt.Errorf("there is no parameter %q", clip(name))
		case field&supported == 0:
			return q, fmt.Errorf("parameter %s does not apply to this endpoint", name)
		case field&seen != 0:
			return q, fmt.Errorf("parameter %s occurs twice: give its values once, separated by commas", name)
		}
		seen |= field
		if err := q.set(field, value); err != nil {
			return q, fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	return q, nil
}

func unescapePair(pair string) (name, value string, err error) {
	if strings.ContainsRune(pair, ';') {
		return "", "", fmt.Errorf("the query holds a bare semicolon")
	}
	name, value, _ = strings.Cut(pair, "=")
	if name, err = url.QueryUnescape(name); err != nil {
		return "", "", fmt.Errorf("the name of a parameter is not well encoded")
	}
	if value, err = url.QueryUnescape(value); err != nil {
		return "", "", fmt.Errorf("the value of %s is not well encoded", clip(name))
	}
	return name, value, nil
}

func (q *query) set(field fields, value string) (err error) {
	switch field {
	case fieldAddedAfter:
		q.AddedAfter, err = ParseTime(value)
	case fieldLimit:
		q.limit, err = parseLimit(value)
	case fieldNext:
		if q.next = value; value == "" {
			return fmt.Errorf("is empty")
		}
	case fieldID:
		q.IDs, err = parseList(value, idShaped)
	case fieldType:
		// Section 3.4.1: a request for a type that is not there "MUST NOT result in an error", so any name will do.
		q.Types, err = parseList(value, typeShaped)
	case fieldSpecVersion:
		q.SpecVersions, err = parseList(value, specVersionShaped)
	case fieldVersion:
		q.Versions, err = parseVersions(value)
	}
	return err
}

// parseLimit reads a limit: "a positive integer greater than zero" (section 3.4).
func parseLimit(value string) (int, error) {
	if value == "" || strings.Trim(value, "0123456789") != "" {
		return 0, fmt.Errorf("%q is no positive whole number", clip(value))
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		n = 1 << 31 // larger than any page: the server's own bound applies
	}
	if n == 0 {
		return 0, fmt.Errorf("must be greater than 0")
	}
	return int(min(n, 1<<31-1)), nil
}

func parseList(value string, shaped func(string) bool) ([]string, error) {
	if strings.Count(value, ",") >= maxValues {
		return nil, fmt.Errorf("has over %d values", maxValues)
	}
	list := strings.Split(value, ",")
	for _, v := range list {
		if !shaped(v) {
			return nil, fmt.Errorf("%q is no value for it", clip(v))
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

func parseVersions(value string) (Versions, error) {
	var v Versions
	if strings.Count(value, ",") >= maxValues {
		return v, fmt.Errorf("has over %d values", maxValues)
	}
	for word := range strings.SplitSeq(value, ",") {
		switch word {
		case "all":
			v.All = true
		case "first":
			v.First = true
		case "last":
			v.Last = true
		default:
			key, err := VersionKey(word)
			if err != nil {
				return v, fmt.Errorf("want all, first, last or a timestamp: %w", err)
			}
			v.Exact = append(v.Exact, key)
		}
	}
	slices.Sort(v.Exact)
	v.Exact = slices.Compact(v.Exact)
	return v, nil
}

// values writes the filter as a query string's parameters, for a client.
func (f Filter) values() url.Values {
	v := url.Values{}
	if !f.AddedAfter.IsZero() {
		v.Set("added_after", FormatTime(f.AddedAfter))
	}
	for name, list := range map[string][]string{"match[id]": f.IDs, "match[type]": f.Types, "match[spec_version]": f.SpecVersions} {
		if len(list) > 0 {
			v.Set(name, strings.Join(list, ","))
		}
	}
	var versions []string
	for word, set := range map[string]bool{"all": f.Versions.All, "first": f.Versions.First, "last": f.Versions.Last} {
		if set {
			versions = append(versions, word)
		}
	}
	slices.Sort(versions)
	for _, key := range f.Versions.Exact {
		versions = append(versions, key+"Z")
	}
	if len(versions) > 0 {
		v.Set("match[version]", strings.Join(versions, ","))
	}
	return v
}
