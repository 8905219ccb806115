package pattern

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// decodeJSON reads one JSON text: UTF-8, no name twice in one object, no deeper
// than maxJSONDepth. Integers keep all their digits.
func decodeJSON(text []byte) (any, error) { return decodeFrom(text, 0) }

// decodeFrom is decodeJSON for text that begins at another depth.
func decodeFrom(text []byte, depth int) (any, error) {
	d := jsontext.NewDecoder(bytes.NewReader(text))
	value, err := decodeValue(d, depth)
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more text follows the JSON value")
	}
	return value, nil
}

func decodeValue(d *jsontext.Decoder, depth int) (any, error) {
	if depth > maxJSONDepth {
		return nil, fmt.Errorf("%s: arrays and objects go deeper than %d", d.StackPointer(), maxJSONDepth)
	}
	t, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return t.Bool(), nil
	case '"':
		return t.String(), nil
	case '0':
		return decodeNumber(t.String())
	case '[':
		list := []any{}
		for d.PeekKind() != ']' {
			value, err := decodeValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := d.ReadToken()
		return list, err
	}
	object := map[string]any{}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		value, err := decodeValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		object[key] = value
	}
	_, err = d.ReadToken()
	return object, err
}

// decodeNumber keeps what JSON's text says: 1 is an integer, 1.0 and 1e0 are not.
func decodeNumber(s string) (any, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	return parseNumber(s)
}

// parseNumber reads a number of any size as int64, *big.Int or float64. Floats
// beyond the range are infinite.
func parseNumber(s string) (any, error) {
	integer := true
	for i := 0; i < len(s); i++ {
		if s[i] == '.' || s[i] == 'e' || s[i] == 'E' {
			integer = false
		}
	}
	if !integer {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil && !math.IsInf(f, 0) {
			return nil, fmt.Errorf("reading a number: %w", err)
		}
		return f, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	const maxDigits = 1000
	n, ok := new(big.Int).SetString(s, 10)
	if len(s) > maxDigits || !ok {
		return nil, fmt.Errorf("reading a number: an integer of more than %d digits", maxDigits)
	}
	return n, nil
}
