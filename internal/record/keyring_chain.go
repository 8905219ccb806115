package record

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// SplitKeyrings reads the list under which a log's keyrings are served: a JSON array of their envelopes, in order.
func SplitKeyrings(list []byte) ([][]byte, error) {
	var raw []jsontext.Value
	if err := json.Unmarshal(list, &raw); err != nil {
		return nil, fmt.Errorf("the list of its keyrings is not a JSON array: %w", err)
	}
	out := make([][]byte, len(raw))
	for i, e := range raw {
		out[i] = e
	}
	return out, nil
}

// KeyringChain verifies the keyrings of a log, each of which follows from the one before; there is at least one. They
// carry their own proof, so it does not matter who passed them on.
func KeyringChain(envelopes [][]byte, origin string) ([]Keyring, error) {
	var out []Keyring
	for i, e := range envelopes {
		k, err := ParseKeyring(e)
		if err != nil {
			return nil, fmt.Errorf("keyring %d: %w", i+1, err)
		}
		if k.Log.Origin != origin {
			return nil, fmt.Errorf("keyring %d is of log %s", i+1, k.Log.Origin)
		}
		if i == 0 && k.Serial != 1 {
			return nil, fmt.Errorf("its keyrings begin with serial %d", k.Serial)
		}
		if i > 0 {
			if err := out[i-1].Next(k); err != nil {
				return nil, fmt.Errorf("keyring %d: %w", i+1, err)
			}
		}
		out = append(out, k)
	}
	if len(out) == 0 {
		return nil, fail(CodeChain, "", "the log has no keyring")
	}
	return out, nil
}
