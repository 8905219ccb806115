package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sharedData is where the reference cases are kept beside the project; a clone has none and skips these tests. The
// packages' own tests carry cases of the same kinds.
const sharedData = "../../../shared/data"

func eachLine(t *testing.T, file string, into func(line []byte)) {
	t.Helper()
	f, err := os.Open(filepath.Join(sharedData, file))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the reference cases are not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		into(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func typed(stdin []byte, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(context.Background(), args, func(string) string { return "" }, bytes.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func TestValidateGivesTheReferencesVerdicts(t *testing.T) {
	eachLine(t, "stix-validation/cases.jsonl", func(line []byte) {
		var c struct {
			ID      string
			Object  json.RawMessage
			Options []string
			Must    bool `json:"valid_must_only"`
			Valid   bool
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		args := []string{"stix", "validate", "-"}
		for _, o := range c.Options {
			name, value, _ := strings.Cut(o, "=")
			flag := map[string]string{"strict": "--strict", "strict_types": "--strict-types", "strict_properties": "--strict-properties",
				"enforce_refs": "--enforce-refs", "interop": "--interop", "disabled": "--disable", "enabled": "--enable", "version": "--version"}[name]
			if flag == "" {
				t.Fatalf("%s: option %q has no flag", c.ID, o)
			}
			if value != "" {
				flag += "=" + value
			}
			args = append(args, flag)
		}
		if code, out, errs := typed(c.Object, args...); (code == 0) != c.Valid {
			t.Errorf("%s %v: exit code %d, the reference says valid=%v\n%s%s", c.ID, c.Options, code, c.Valid, out, errs)
		}
	})
}

func TestPatternCommandsGiveTheReferencesVerdicts(t *testing.T) {
	eachLine(t, "stix-patterns/validity.jsonl", func(line []byte) {
		var c struct {
			ID, Pattern string
			Valid       bool
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		if code, out, _ := typed([]byte(c.Pattern), "pattern", "check", "-"); (code == 0) != c.Valid {
			t.Errorf("%s: exit code %d, the reference says valid=%v: %s\n%s", c.ID, code, c.Valid, c.Pattern, out)
		}
	})
	eachLine(t, "stix-patterns/cases.jsonl", func(line []byte) {
		var c struct {
			ID, Pattern, Observations string
			Disputed                  bool
			Matches                   any
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		want, ok := map[any]int{true: 0, false: 1, "error": 2}[c.Matches]
		if !ok {
			t.Fatalf("%s: verdict %v", c.ID, c.Matches)
		}
		code, out, errs := typed(nil, "pattern", "match", "--pattern="+c.Pattern, filepath.Join(sharedData, "stix-patterns", c.Observations))
		if code != want {
			t.Errorf("%s: exit code %d, the reference %d: %s\n%s%s", c.ID, code, want, c.Pattern, out, errs)
		}
	})
}
