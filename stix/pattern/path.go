package pattern

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

// bytesValue is a property's value that is binary by its name (_hex, _bin).
type bytesValue []byte

// walker takes paths through the objects of one observation. Its buffers are
// used again for the next path.
type walker struct {
	observation   *Observation
	byID          map[string]*Object // built when an observation has many objects
	values, after []any
	steps         *int64
	room          [2][4]any // where values and after begin
}

func newWalker(steps *int64) *walker {
	w := &walker{steps: steps}
	w.values, w.after = w.room[0][:0], w.room[1][:0]
	return w
}

// reach gives the values that a path reaches from an object of its type. They
// stay good until the next call. Objects are *Object, other values as in
// Object.Properties, or bytesValue. An object is among them once at most, so that
// chains of reference lists stay linear.
func (w *walker) reach(object *Object, steps []Step) ([]any, error) {
	values, after := append(w.values[:0], object), w.after[:0]
	var err error
	for i := range steps {
		after = after[:0]
		if *w.steps -= int64(len(values)); *w.steps < 0 {
			return nil, errSteps
		}
		switch step := &steps[i]; step.Kind {
		case Key:
			after, err = w.key(values, step.Key, after)
		case Index:
			for _, value := range values {
				if list, ok := value.([]any); ok && step.Index >= 0 && step.Index < len(list) {
					after = append(after, list[step.Index])
				}
			}
		case Any:
			for _, value := range values {
				if list, ok := value.([]any); ok {
					after = append(after, list...)
				}
			}
		}
		if err != nil {
			return nil, err
		}
		if len(after) > 1 {
			after = uniqueObjects(after)
		}
		values, after = after, values
		if len(values) == 0 {
			break
		}
	}
	w.values, w.after = values, after
	*w.steps -= int64(len(values))
	return values, nil
}

// uniqueObjects keeps each *Object once.
func uniqueObjects(values []any) []any {
	objects := 0
	for _, value := range values {
		if _, ok := value.(*Object); ok {
			objects++
		}
	}
	if objects < 2 {
		return values
	}
	seen := make(map[*Object]bool, objects)
	return slices.DeleteFunc(values, func(value any) bool {
		object, ok := value.(*Object)
		if !ok {
			return false
		}
		again := seen[object]
		seen[object] = true
		return again
	})
}

func properties(value any) map[string]any {
	switch value := value.(type) {
	case *Object:
		return value.Properties
	case map[string]any:
		return value
	}
	return nil
}

// key goes to a property, and on to what it refers to.
func (w *walker) key(values []any, key string, after []any) ([]any, error) {
	for _, value := range values {
		property, ok := properties(value)[key]
		if !ok {
			continue
		}
		switch {
		case strings.HasSuffix(key, "_hex"):
			decoded, err := decodeHex(property)
			if err != nil {
				return nil, badProperty(key, err)
			}
			after = append(after, decoded)
		case strings.HasSuffix(key, "_bin"):
			decoded, err := decodeBase64(property)
			if err != nil {
				return nil, badProperty(key, err)
			}
			after = append(after, decoded)
		case strings.HasSuffix(key, "_ref"):
			id, ok := property.(string)
			if !ok {
				return nil, badProperty(key, errors.New("a reference must be a string"))
			}
			if object := w.resolve(id); object != nil {
				after = append(after, object)
			}
		case strings.HasSuffix(key, "_refs"):
			objects, err := w.references(property)
			if err != nil {
				return nil, badProperty(key, err)
			}
			if len(objects) > 0 {
				after = append(after, objects)
			}
		default:
			after = append(after, property)
		}
	}
	return after, nil
}

func badProperty(key string, err error) error {
	return &MatchError{Code: BadValue, Msg: "property " + quoteName(key) + ": " + err.Error()}
}

// references resolves a list of references; those that lead nowhere are left out.
func (w *walker) references(value any) ([]any, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, errors.New("references must be a list")
	}
	if *w.steps -= int64(len(list)); *w.steps < 0 {
		return nil, errSteps
	}
	objects := make([]any, 0, len(list))
	for _, item := range list {
		id, ok := item.(string)
		if !ok {
			return nil, errors.New("a reference must be a string")
		}
		if object := w.resolve(id); object != nil {
			objects = append(objects, object)
		}
	}
	return objects, nil
}

func (w *walker) resolve(id string) *Object {
	const few = 8
	if len(w.observation.Objects) <= few {
		return w.observation.resolve(id)
	}
	if w.byID == nil {
		w.byID = make(map[string]*Object, len(w.observation.Objects)+1)
		if data := w.observation.data; data != nil {
			w.byID[data.ID] = data
		}
		for _, object := range w.observation.Objects {
			w.byID[object.ID] = object
		}
	}
	return w.byID[id]
}

func decodeHex(value any) (bytesValue, error) {
	text, ok := value.(string)
	if !ok {
		return nil, errors.New("hexadecimal must be a string")
	}
	decoded, err := hex.DecodeString(text)
	if err != nil {
		return nil, errors.New("not hexadecimal")
	}
	return decoded, nil
}

// decodeBase64 reads base64 as the reference does: characters outside the
// alphabet are passed over, what follows the padding is not looked at.
func decodeBase64(value any) (bytesValue, error) {
	text, ok := value.(string)
	if !ok {
		return nil, errors.New("base64 must be a string")
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var out bytesValue
	quad, pads, left := 0, 0, 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= 0x80 {
			return nil, errors.New("base64 must be ASCII")
		}
		if c == '=' {
			if pads++; quad >= 2 && quad+pads >= 4 {
				return out, nil
			}
			continue
		}
		digit := bytes.IndexByte([]byte(alphabet), c)
		if digit < 0 {
			continue
		}
		pads = 0
		switch quad {
		case 0:
			left = digit
		case 1:
			out = append(out, byte(left<<2|digit>>4))
			left = digit & 0x0f
		case 2:
			out = append(out, byte(left<<4|digit>>2))
			left = digit & 0x03
		case 3:
			out = append(out, byte(left<<6|digit))
		}
		quad = (quad + 1) % 4
	}
	if quad != 0 {
		return nil, errors.New("not base64: the padding is missing")
	}
	return out, nil
}
