package pattern

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// ParseObservations reads observations from JSON: a list whose items are
// bundles (STIX 2.1) or observed-data objects that hold their objects (STIX
// 2.0), or one bundle, or one such observed-data object. A bundle may hold
// several observed-data objects; each is an observation of its own, with the
// objects that its object_refs name, wherever in the input these stand. When
// two objects have one id, the last one counts. Objects that no observed-data
// names are left out.
//
// The error is a *MatchError with a JSON pointer.
func ParseObservations(text []byte) ([]Observation, error) {
	value, err := decodeJSON(text)
	if err != nil {
		return nil, &MatchError{Code: BadObservation, Msg: "reading observations: " + err.Error()}
	}
	r := observationReader{objects: map[string]*Object{}}
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			if err := r.item("/"+strconv.Itoa(i), item, true); err != nil {
				return nil, err
			}
		}
	default:
		if err := r.item("", value, false); err != nil {
			return nil, err
		}
	}
	r.refer()
	return r.observations, nil
}

// observationReader collects observations first, and resolves what they refer to
// after all objects are known.
type observationReader struct {
	observations []Observation
	refs         [][]string // of each observation; nil for STIX 2.0
	objects      map[string]*Object
}

func badObservation(pointer, format string, args ...any) error {
	return &MatchError{Code: BadObservation, Pointer: pointer, Msg: fmt.Sprintf(format, args...)}
}

func (r *observationReader) item(pointer string, value any, listed bool) error {
	item, ok := value.(map[string]any)
	if !ok {
		return badObservation(pointer, "an observation must be a bundle or an observed-data object")
	}
	if item["type"] == "observed-data" {
		return r.observedData20(pointer, item)
	}
	list, ok := item["objects"].([]any)
	if !ok {
		return badObservation(pointer, "a bundle must have a list of objects")
	}
	first := len(r.observations)
	for i, value := range list {
		at := pointer + "/objects/" + strconv.Itoa(i)
		object, ok := value.(map[string]any)
		if !ok {
			return badObservation(at, "a bundle's object must be a JSON object")
		}
		kind, _ := object["type"].(string)
		_, refers := object["object_refs"]
		_, holds := object["objects"]
		switch {
		case kind == "observed-data" && holds && !refers:
			if err := r.observedData20(at, object); err != nil {
				return err
			}
		case kind == "observed-data":
			if err := r.observedData21(at, object); err != nil {
				return err
			}
		default:
			id, ok := object["id"].(string)
			if !ok || kind == "" {
				return badObservation(at, "an object must have a type and an id")
			}
			r.objects[id] = &Object{ID: id, Type: kind, Properties: object}
		}
	}
	if id, ok := item["id"].(string); ok && listed && len(r.observations) == first+1 {
		r.observations[first].ID = id
	}
	return nil
}

// observation reads what both versions have in common.
func (r *observationReader) observation(pointer string, data map[string]any) (Observation, error) {
	o := Observation{pointer: pointer}
	o.ID, _ = data["id"].(string)
	first, err := observedAt(pointer, data, "first_observed")
	if err != nil {
		return o, err
	}
	last, err := observedAt(pointer, data, "last_observed")
	if err != nil {
		return o, err
	}
	number, ok := data["number_observed"].(int64)
	if !ok || number < 1 || number > math.MaxInt32 {
		return o, badObservation(pointer+"/number_observed", "number_observed must be an integer of 1 or more")
	}
	o.First, o.Last, o.Number = first, last, number
	return o, nil
}

func observedAt(pointer string, data map[string]any, name string) (time.Time, error) {
	text, ok := data[name].(string)
	if !ok {
		return time.Time{}, badObservation(pointer, "observed-data must have the timestamp %s", name)
	}
	micros, err := parseTimestamp(text)
	if err != nil {
		return time.Time{}, badObservation(pointer+"/"+name, "%v: %q", err, text)
	}
	return time.UnixMicro(micros).UTC(), nil
}

func (r *observationReader) observedData20(pointer string, data map[string]any) error {
	o, err := r.observation(pointer, data)
	if err != nil {
		return err
	}
	if objects, present := data["objects"]; present {
		held, ok := objects.(map[string]any)
		if !ok {
			return badObservation(pointer+"/objects", "the objects of observed-data must be a JSON object")
		}
		for id, value := range held {
			if properties, ok := value.(map[string]any); ok {
				kind, _ := properties["type"].(string)
				o.Objects = append(o.Objects, &Object{ID: id, Type: kind, Properties: properties})
			}
		}
	} else {
		return badObservation(pointer, "observed-data without objects must stand in a bundle with what it refers to")
	}
	sortObjects(o.Objects)
	r.observations = append(r.observations, o)
	r.refs = append(r.refs, nil)
	return nil
}

func (r *observationReader) observedData21(pointer string, data map[string]any) error {
	o, err := r.observation(pointer, data)
	if err != nil {
		return err
	}
	list, ok := data["object_refs"].([]any)
	if !ok {
		return badObservation(pointer, "observed-data must have object_refs")
	}
	refs := make([]string, 0, len(list))
	for i, value := range list {
		ref, ok := value.(string)
		if !ok {
			return badObservation(pointer+"/object_refs/"+strconv.Itoa(i), "a reference must be a string")
		}
		refs = append(refs, ref)
	}
	o.scos = true
	o.data = &Object{ID: o.ID, Type: "observed-data", Properties: data}
	r.observations = append(r.observations, o)
	r.refs = append(r.refs, refs)
	return nil
}

// refer gives the observations of STIX 2.1 their objects.
func (r *observationReader) refer() {
	for i := range r.observations {
		seen := make(map[string]bool, len(r.refs[i]))
		for _, ref := range r.refs[i] {
			if object := r.objects[ref]; object != nil && !seen[ref] {
				seen[ref] = true
				r.observations[i].Objects = append(r.observations[i].Objects, object)
			}
		}
	}
}
