package pattern_test

import (
	"errors"
	"fmt"
	"os"

	"github.com/mithaq/mithaq/stix/pattern"
)

// Example is what a command that checks a pattern needs: exit status 0 when it
// is valid, 1 when it is not.
func ExampleCheck() {
	check := func(text string) int {
		problems, err := pattern.Check(text)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		for _, problem := range problems {
			fmt.Println(problem)
		}
		if !pattern.Valid(problems) {
			return 1
		}
		return 0
	}
	fmt.Println(check("[file:hashes.MD5 = 'f00']"))
	fmt.Println(check("[file:size = ]"))
	fmt.Println(check("[file:size = 3]"))
	// Output:
	// line 1, column 20: error: 'f00' is not a value of MD5, which has 32 hexadecimal digits
	// 1
	// parsing the pattern: line 1, column 14: found "]", expected a string, number, boolean, timestamp, hexadecimal or binary constant
	// 1
	// 0
}

// Example_match is what a command that matches needs: exit status 0 for a match,
// 1 for none, 2 when no verdict is possible.
func Example_match() {
	match := func(text, file string) (int, error) {
		p, err := pattern.Parse(text)
		if err != nil {
			return 2, err
		}
		m, err := pattern.Compile(p)
		if err != nil {
			return 2, err
		}
		observed, err := os.ReadFile(file)
		if err != nil {
			return 2, err
		}
		observations, err := pattern.ParseObservations(observed)
		if err != nil {
			return 2, err
		}
		result, err := m.Match(observations)
		if err != nil {
			return 2, err
		}
		if !result.Matched {
			return 1, nil
		}
		fmt.Println(result.IDs)
		return 0, nil
	}
	fmt.Println(match("[ipv4-addr:value ISSUBSET '198.51.100.0/24'] FOLLOWEDBY [file:name LIKE '%.exe']", "testdata/bundle.json"))
	fmt.Println(match("[ipv4-addr:value = '192.0.2.1']", "testdata/bundle.json"))
	_, err := match("[file:name IN ('a', 1)]", "testdata/bundle.json")
	var refused *pattern.MatchError
	fmt.Println(errors.As(err, &refused), refused.Code)
	// Output:
	// [observed-data--5f4a0d3c-6c5b-4a43-9b6b-0a4f5ac0a001 observed-data--5f4a0d3c-6c5b-4a43-9b6b-0a4f5ac0a002]
	// 0 <nil>
	// 1 <nil>
	// true mixed-set
}
