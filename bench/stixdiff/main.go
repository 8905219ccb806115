// Command stixdiff prints this project's verdict on every line of {"object": …, "options": […]} that it reads, as
// "strict must": 1 for valid, 0 for not, - for unreadable. mutate.py compares it with the OASIS validator's.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mithaq/mithaq/stix"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func run(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<26)
	w := bufio.NewWriter(out)
	for lines.Scan() {
		var c struct {
			Object  json.RawMessage
			Options []string
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return fmt.Errorf("reading a line: %w", err)
		}
		opts, err := stix.ParseOptions(c.Options)
		if err != nil {
			return err
		}
		strict := stix.Validate(c.Object, opts)
		opts.Strict = false
		must := stix.Validate(c.Object, opts)
		answer := map[string]any{"strict": strict.Valid, "must": must.Valid, "unreadable": strict.Unreadable != nil}
		if len(strict.Findings) > 0 {
			var said []string
			for _, f := range strict.Findings {
				said = append(said, f.String())
			}
			answer["findings"] = said
		}
		line, err := json.Marshal(answer)
		if err != nil {
			return fmt.Errorf("writing a verdict: %w", err)
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("writing a verdict: %w", err)
		}
	}
	return errors.Join(lines.Err(), w.Flush())
}
