package pattern

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"strings"
)

// timestampValue is a timestamp constant, in microseconds since 1970.
type timestampValue int64

// constantValue gives the value of a constant in the types of Object.Properties,
// and bytesValue and timestampValue.
func constantValue(c Constant) (any, error) {
	switch c.Kind {
	case String:
		return c.Text, nil
	case Boolean:
		return c.Bool, nil
	case Hex, Binary:
		return bytesValue(c.Bytes), nil
	case Timestamp:
		micros, err := parseTimestamp(c.Text)
		if err != nil {
			return nil, &MatchError{Code: BadConstant, Position: c.At, Msg: err.Error()}
		}
		return timestampValue(micros), nil
	}
	number, err := parseNumber(c.Text)
	if err != nil {
		return nil, &MatchError{Code: BadConstant, Position: c.At, Msg: err.Error()}
	}
	return number, nil
}

// asTimestamp reads a string that is compared with a timestamp; other values
// are given back as they are.
func asTimestamp(value any) (any, error) {
	text, ok := value.(string)
	if !ok {
		return value, nil
	}
	micros, err := parseTimestamp(text)
	if err != nil {
		return nil, &MatchError{Code: BadValue, Msg: "a value that is compared with a timestamp: " + err.Error()}
	}
	return timestampValue(micros), nil
}

// compareValues orders two values. Without an order between them (they are of
// different kinds, or a string has characters beyond the bytes it is compared
// with) comparable says whether their kinds can be ordered at all.
func compareValues(a, b any) (order int, ordered, comparable bool) {
	switch b := b.(type) {
	case string:
		switch a := a.(type) {
		case string:
			return strings.Compare(a, b), true, true
		case bytesValue:
			text, ok := latin1(b)
			return bytes.Compare(a, text), ok, true
		}
	case bytesValue:
		switch a := a.(type) {
		case string:
			text, ok := latin1(a)
			return bytes.Compare(text, b), ok, true
		case bytesValue:
			return bytes.Compare(a, b), true, true
		}
	case timestampValue:
		if a, ok := a.(timestampValue); ok {
			return cmp.Compare(a, b), true, true
		}
	case int64, float64, *big.Int:
		if isNumber(a) {
			return compareNumbers(a, b), true, true
		}
	}
	return 0, false, false
}

// equalValues tells whether two values are of comparable kinds and equal.
func equalValues(a, b any) bool {
	if b, ok := b.(bool); ok {
		a, ok := a.(bool)
		return ok && a == b
	}
	order, ordered, _ := compareValues(a, b)
	return ordered && order == 0
}

// latin1 turns a string into bytes, one for each character; it fails when a
// character is beyond 255 (STIX 2.1, section 9.6.1, on strings and binaries).
func latin1(s string) ([]byte, bool) {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return nil, false
		}
		out = append(out, byte(r))
	}
	return out, true
}

func isNumber(value any) bool {
	switch value.(type) {
	case int64, float64, *big.Int:
		return true
	}
	return false
}

// compareNumbers orders by exact value, also where a float cannot hold an integer.
func compareNumbers(a, b any) int {
	switch a := a.(type) {
	case int64:
		switch b := b.(type) {
		case int64:
			return cmp.Compare(a, b)
		case float64:
			if exact := int64(1) << 53; -exact <= a && a <= exact {
				return cmp.Compare(float64(a), b)
			}
		}
	case float64:
		switch b := b.(type) {
		case float64:
			return cmp.Compare(a, b)
		case int64:
			return -compareNumbers(b, a)
		}
	}
	return exactFloat(a).Cmp(exactFloat(b))
}

// exactFloat holds any number without rounding: integers have 1,000 digits at most.
func exactFloat(value any) *big.Float {
	f := new(big.Float)
	switch value := value.(type) {
	case int64:
		f.SetInt64(value)
	case *big.Int:
		f.SetPrec(4096).SetInt(value)
	case float64:
		f.SetFloat64(value)
	}
	return f
}

// setKey gives members of a set a key that is equal for equal members. As in the
// reference, truth values and the numbers 1 and 0 are equal here (and only here).
func setKey(value any) (any, bool) {
	switch value := value.(type) {
	case string, int64, timestampValue:
		return value, true
	case bool:
		if value {
			return int64(1), true
		}
		return int64(0), true
	case bytesValue:
		return [1]string{string(value)}, true // no string is equal to it
	case *big.Int:
		return [2]string{value.String()}, true
	case float64:
		const limit = 1 << 63
		switch {
		case value != math.Trunc(value) || math.IsInf(value, 0):
			return value, true
		case value >= -limit && value < limit:
			return int64(value), true
		}
		integer, _ := big.NewFloat(value).Int(nil)
		return [2]string{integer.String()}, true
	}
	return nil, false
}
