package misp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// members are the members of a JSON object by name. Values are kept as they came: MISP writes numbers now as numbers, now
// as strings, and has more members than anybody has names for.
type members map[string]jsontext.Value

// text is a member as text: a string's value, a number's digits, "1" and "0" for booleans.
func (m members) text(name string) string {
	v := m[name]
	switch v.Kind() {
	case '"':
		var s string
		if jsonv2.Unmarshal(v, &s) != nil {
			return ""
		}
		return s
	case '0':
		return string(v)
	case 't':
		return "1"
	}
	return ""
}

// yes reads a boolean, however it is written.
func (m members) yes(name string) bool {
	switch strings.ToLower(m.text(name)) {
	case "1", "true":
		return true
	}
	return false
}

// seconds reads a Unix time; zero when there is none.
func (m members) seconds(name string) time.Time {
	n, err := strconv.ParseInt(m.text(name), 10, 64)
	if err != nil || n <= 0 || n > 1<<37 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// moment reads a time as ISO 8601 writes it, or a Unix time.
func (m members) moment(name string) time.Time {
	text := m.text(name)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999-0700", "2006-01-02 15:04:05", "2006-01-02T15:04:05", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 0 && at.Year() < 9999 {
			return at.UTC()
		}
	}
	return m.seconds(name)
}

// list reads a member that is a list of objects. What is no object is left out.
func (m members) list(name string) []members {
	var raw []jsontext.Value
	if m[name].Kind() != '[' || jsonv2.Unmarshal(m[name], &raw) != nil {
		return nil
	}
	out := make([]members, 0, len(raw))
	for _, v := range raw {
		if one := objectOf(v); one != nil {
			out = append(out, one)
		}
	}
	return out
}

// object reads a member that is an object; nil when it is none.
func (m members) object(name string) members { return objectOf(m[name]) }

func objectOf(v jsontext.Value) members {
	var out members
	if v.Kind() != '{' || jsonv2.Unmarshal(v, &out) != nil {
		return nil
	}
	return out
}

// set gives a member a value.
func (m members) set(name string, value any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(value) == nil {
		m[name] = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	}
}

// setText gives a member a text, unless it is empty.
func (m members) setText(name, value string) {
	if value != "" {
		m.set(name, value)
	}
}

// encode writes the members in the order of their names.
func (m members) encode() (jsontext.Value, error) {
	v, err := jsonv2.Marshal(map[string]jsontext.Value(m), jsonv2.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("writing a MISP event: %w", err)
	}
	return v, nil
}

// same tells whether two values mean the same: white space and the order of members apart.
func same(a, b jsontext.Value) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if len(a) == 0 || len(b) == 0 || a.Kind() != b.Kind() || a.Kind() == '0' {
		return false
	}
	switch a.Kind() {
	case '{':
		x, y := objectOf(a), objectOf(b)
		return x != nil && y != nil && maps.EqualFunc(x, y, same)
	case '[':
		var x, y []jsontext.Value
		return jsonv2.Unmarshal(a, &x) == nil && jsonv2.Unmarshal(b, &y) == nil && slices.EqualFunc(x, y, same)
	case '"':
		var x, y string
		return jsonv2.Unmarshal(a, &x) == nil && jsonv2.Unmarshal(b, &y) == nil && x == y
	}
	return false
}

// difference is what makes one set of members of another: what to set, what to take away.
type difference struct {
	Kind  string   `json:"kind"`
	Set   members  `json:"set,omitempty"`
	Unset []string `json:"unset,omitempty"`
}

// differ tells what has to be done to got to make it want. Members of the names in apart are left alone, unless there is
// nothing in them: they are lists whose elements are carried one by one.
func differ(kind string, want, got members, apart ...string) difference {
	d := difference{Kind: kind}
	for name, v := range want {
		if slices.Contains(apart, name) && len(want.list(name)) > 0 {
			continue
		}
		if !same(v, got[name]) {
			if d.Set == nil {
				d.Set = members{}
			}
			d.Set[name] = v
		}
	}
	for name := range got {
		if _, there := want[name]; !there && !slices.Contains(apart, name) {
			d.Unset = append(d.Unset, name)
		}
	}
	slices.Sort(d.Unset)
	return d
}

// apply makes the change.
func (d difference) apply(to members) {
	for _, name := range d.Unset {
		delete(to, name)
	}
	maps.Copy(to, d.Set)
}

// decode reads bytes as strict JSON: one document, no name twice, valid UTF-8.
func decode(b []byte) (jsontext.Value, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	v := jsontext.Value(b)
	if !v.IsValid() {
		dec := jsontext.NewDecoder(bytes.NewReader(b))
		if _, err := dec.ReadValue(); err != nil {
			return nil, fmt.Errorf("reading MISP JSON: %w", err)
		}
		return nil, errors.New("reading MISP JSON: more bytes after the end")
	}
	return v, nil
}
