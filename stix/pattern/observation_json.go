package pattern

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// An observation that waits for others is written down with everything that a matcher goes by, numbers as what they are. This is a form of
// our own: what stands in a STIX document depends on what stands beside it.

// MarshalJSON implements json.Marshaler: UnmarshalJSON reads an observation of which every matcher says the same. Text that is no UTF-8
// loses what is none of it. The error is about times that JSON's timestamps do not have.
func (o Observation) MarshalJSON() ([]byte, error) {
	first, err := o.First.MarshalText()
	if err != nil {
		return nil, fmt.Errorf("writing an observation: %w", err)
	}
	last, err := o.Last.MarshalText()
	if err != nil {
		return nil, fmt.Errorf("writing an observation: %w", err)
	}
	objects := make([]any, len(o.Objects))
	for i, object := range o.Objects {
		objects[i] = object.tree()
	}
	tree := map[string]any{"id": o.ID, "first": string(first), "last": string(last), "number": o.Number, "objects": objects}
	if o.data != nil {
		tree["data"] = o.data.tree()
	}
	if o.scos {
		tree["scos"] = true
	}
	if o.pointer != "" {
		tree["pointer"] = o.pointer
	}
	var text bytes.Buffer
	e := jsontext.NewEncoder(&text, jsontext.AllowInvalidUTF8(true))
	if err := encodeValue(e, tree); err != nil {
		return nil, fmt.Errorf("writing an observation: %w", err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// savedDepth is how deep in the form of an observation the properties of its objects lie.
const savedDepth = 4

// UnmarshalJSON implements json.Unmarshaler for what MarshalJSON wrote.
func (o *Observation) UnmarshalJSON(text []byte) error {
	value, err := decodeFrom(text, -savedDepth)
	if err != nil {
		return fmt.Errorf("reading an observation: %w", err)
	}
	if *o, err = observationOf(value); err != nil {
		return fmt.Errorf("reading an observation: %w", err)
	}
	return nil
}

func observationOf(value any) (o Observation, err error) {
	tree, ok := value.(map[string]any)
	if !ok {
		return o, errors.New("it is no JSON object")
	}
	for name, to := range map[string]*time.Time{"first": &o.First, "last": &o.Last} {
		written, _ := tree[name].(string)
		at, err := time.Parse(time.RFC3339Nano, written)
		if err != nil {
			return o, err
		}
		*to = at.UTC()
	}
	o.ID, _ = tree["id"].(string)
	o.Number, _ = tree["number"].(int64)
	o.scos, _ = tree["scos"].(bool)
	o.pointer, _ = tree["pointer"].(string)
	objects, _ := tree["objects"].([]any)
	for _, one := range objects {
		object, err := objectOf(one)
		if err != nil {
			return o, err
		}
		o.Objects = append(o.Objects, object)
	}
	if data, there := tree["data"]; there {
		o.data, err = objectOf(data)
	}
	return o, err
}

func (o *Object) tree() map[string]any {
	return map[string]any{"ID": o.ID, "Type": o.Type, "Properties": o.Properties}
}

func objectOf(value any) (*Object, error) {
	tree, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("one of its objects is no JSON object")
	}
	o := &Object{}
	o.ID, _ = tree["ID"].(string)
	o.Type, _ = tree["Type"].(string)
	o.Properties, _ = tree["Properties"].(map[string]any)
	return o, nil
}

// encodeValue writes what decodeValue reads.
func encodeValue(e *jsontext.Encoder, value any) error {
	switch value := value.(type) {
	case nil:
		return e.WriteToken(jsontext.Null)
	case bool:
		return e.WriteToken(jsontext.Bool(value))
	case string:
		return e.WriteToken(jsontext.String(value))
	case int64:
		return e.WriteToken(jsontext.Int(value))
	case *big.Int:
		return e.WriteValue(jsontext.Value(value.String()))
	case float64:
		return e.WriteValue(floatText(value))
	case []any:
		if err := e.WriteToken(jsontext.BeginArray); err != nil {
			return err
		}
		for _, one := range value {
			if err := encodeValue(e, one); err != nil {
				return err
			}
		}
		return e.WriteToken(jsontext.EndArray)
	case map[string]any:
		if err := e.WriteToken(jsontext.BeginObject); err != nil {
			return err
		}
		for _, name := range sortedKeys(value) {
			if err := e.WriteToken(jsontext.String(name)); err != nil {
				return err
			}
			if err := encodeValue(e, value[name]); err != nil {
				return err
			}
		}
		return e.WriteToken(jsontext.EndObject)
	}
	return fmt.Errorf("a value of type %T", value)
}

func sortedKeys(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// floatText writes a float so that it is read as one: 1.0 stays apart from 1, and what is beyond the range beyond it.
func floatText(f float64) jsontext.Value {
	switch {
	case math.IsInf(f, 1):
		return jsontext.Value("1e400")
	case math.IsInf(f, -1):
		return jsontext.Value("-1e400")
	case math.IsNaN(f):
		return jsontext.Value("null") // no number is read as one
	}
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return jsontext.Value(text)
}
