package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mithaq/mithaq/stix"
	"github.com/mithaq/mithaq/stix/pattern"
)

type stixCmd struct {
	Validate stixValidateCmd `cmd:"" help:"Check STIX 2.1 files against the specification."`
	Search   stixSearchCmd   `cmd:"" help:"Find single STIX objects by their words, a value or an id."`
}

type stixValidateCmd struct {
	Strict           bool     `help:"Recommendations (SHOULD) count as errors too."`
	StrictTypes      bool     `help:"Report types that the specification does not define."`
	StrictProperties bool     `help:"Report properties that the specification does not define."`
	EnforceRefs      bool     `help:"Report relationships whose ends are not in the same bundle."`
	Interop          bool     `help:"Check the interoperability document's requirements too."`
	Disable          []string `help:"Recommendations to leave out, by name or code." placeholder:"CHECK"`
	Enable           []string `help:"The only recommendations to check, by name or code." placeholder:"CHECK"`
	Version          string   `help:"Treat every object as of STIX 2.0 or 2.1 (default: what it says)." enum:",2.0,2.1" default:""`
	JSON             bool     `help:"Print one report per file as JSON lines."`
	Files            []string `arg:"" name:"file" help:"Bundles or single objects, also gzipped; - is standard input."`
}

func (stixValidateCmd) Help() string {
	return `Example: mithaq stix validate --strict indicators.json

Exit code 0: all files are valid; 1: one is not; 2: one cannot be read. Each finding names the object's index, the JSON path and the rule.`
}

// validity is a file's report as --json prints it.
type validity struct {
	File string `json:"file"`
	stix.Report
	Error string `json:"error,omitempty"`
}

func (c *stixValidateCmd) Run(a *app) error {
	opts := stix.Options{
		Strict: c.Strict, Recommend: !c.Strict, StrictTypes: c.StrictTypes, StrictProperties: c.StrictProperties, EnforceRefs: c.EnforceRefs,
		Interop: c.Interop, Disabled: c.Disable, Enabled: c.Enable, Version: c.Version,
	}
	worst := exitOK
	for _, file := range c.Files {
		v := validity{File: file}
		code := exitUnread
		data, err := readInput(a, file)
		if err == nil {
			v.Report, err = stix.Check(data, opts)
			code = v.Report.ExitCode()
		}
		if err != nil {
			v.Error, code = err.Error(), exitUnread
		}
		worst = max(worst, code)
		if c.JSON {
			if err := json.NewEncoder(a.stdout).Encode(v); err != nil {
				return err
			}
			continue
		}
		v.print(a.stdout)
	}
	if worst != exitOK {
		return exitCode(worst)
	}
	return nil
}

func (v validity) print(w io.Writer) {
	switch {
	case v.Error != "":
		fmt.Fprintf(w, "%s: unreadable: %s\n", v.File, v.Error)
		return
	case v.Unreadable != nil:
		fmt.Fprintf(w, "%s: unreadable: %v\n", v.File, v.Unreadable)
		return
	case v.Valid:
		fmt.Fprintf(w, "%s: valid, %d objects\n", v.File, v.Objects)
	default:
		fmt.Fprintf(w, "%s: NOT VALID\n", v.File)
	}
	for _, f := range v.Findings {
		where := f.Path
		if f.Index >= 0 {
			where = fmt.Sprintf("/objects/%d%s", f.Index, f.Path)
		}
		if where == "" {
			where = "the whole"
		}
		fmt.Fprintf(w, "  %s at %s: %s (%s)\n", f.Level, where, f.Message, f.Rule)
	}
	if v.Omitted > 0 {
		fmt.Fprintf(w, "  and %d more findings\n", v.Omitted)
	}
}

type patternCmd struct {
	Check patternCheckCmd `cmd:"" help:"Check a STIX pattern."`
	Match patternMatchCmd `cmd:"" help:"Match a STIX pattern against observed data."`
}

type patternCheckCmd struct {
	JSON    bool   `help:"Print the verdict as JSON."`
	Pattern string `arg:"" help:"The pattern; - reads it from standard input."`
}

func (patternCheckCmd) Help() string {
	return `Example: mithaq pattern check "[domain-name:value = 'updates.example']"

Exit code 0: valid; 1: not valid. Every problem names its line and column.`
}

func (c *patternCheckCmd) Run(a *app) error {
	text, err := patternText(a, c.Pattern)
	if err != nil {
		return err
	}
	verdict := struct {
		Valid    bool     `json:"valid"`
		Problems []string `json:"problems,omitempty"`
	}{}
	problems, err := pattern.Check(text)
	verdict.Valid = err == nil && pattern.Valid(problems)
	if err != nil {
		verdict.Problems = append(verdict.Problems, err.Error())
	}
	for _, p := range problems {
		verdict.Problems = append(verdict.Problems, p.String())
	}
	switch {
	case c.JSON:
		if err := json.NewEncoder(a.stdout).Encode(verdict); err != nil {
			return err
		}
	case verdict.Valid:
		fmt.Fprintln(a.stdout, strings.Join(append([]string{"valid"}, verdict.Problems...), "\n  "))
	default:
		fmt.Fprintln(a.stdout, strings.Join(append([]string{"NOT VALID"}, verdict.Problems...), "\n  "))
	}
	if !verdict.Valid {
		return exitCode(exitNo)
	}
	return nil
}

type patternMatchCmd struct {
	Pattern  string `help:"The pattern; - reads it from standard input." required:""`
	JSON     bool   `help:"Print the ids of the matching observations as JSON."`
	Observed string `arg:"" help:"A JSON list of bundles or observed-data objects, or one bundle; - is standard input."`
}

func (patternMatchCmd) Help() string {
	return `Example: mithaq pattern match --pattern "[ipv4-addr:value = '192.0.2.45']" observed.json

Exit code 0: match; 1: no match; 2: refused (the pattern or the observations cannot be read, or no verdict is possible).`
}

func (c *patternMatchCmd) Run(a *app) error {
	result, err := c.match(a)
	if err != nil {
		fmt.Fprintln(a.stderr, "mithaq: matching:", strings.ReplaceAll(err.Error(), "\n", "; "))
		return exitCode(exitUnread)
	}
	if c.JSON {
		out := struct {
			Matched bool     `json:"matched"`
			IDs     []string `json:"ids"`
		}{result.Matched, append([]string{}, result.IDs...)}
		if err := json.NewEncoder(a.stdout).Encode(out); err != nil {
			return err
		}
	} else if result.Matched {
		fmt.Fprintln(a.stdout, "match:", strings.Join(result.IDs, " "))
	} else {
		fmt.Fprintln(a.stdout, "no match")
	}
	if !result.Matched {
		return exitCode(exitNo)
	}
	return nil
}

func (c *patternMatchCmd) match(a *app) (pattern.Result, error) {
	text, err := patternText(a, c.Pattern)
	if err != nil {
		return pattern.Result{}, err
	}
	p, err := pattern.Parse(text)
	if err != nil {
		return pattern.Result{}, err
	}
	m, err := pattern.Compile(p)
	if err != nil {
		return pattern.Result{}, err
	}
	data, err := readInput(a, c.Observed)
	if err != nil {
		return pattern.Result{}, err
	}
	observations, err := pattern.ParseObservations(data)
	if err != nil {
		return pattern.Result{}, err
	}
	return m.Match(observations)
}

// maxPattern bounds a pattern that is read from standard input.
const maxPattern = 1 << 20

func patternText(a *app, arg string) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	data, err := io.ReadAll(io.LimitReader(a.stdin, maxPattern))
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	return strings.TrimRight(string(data), "\r\n"), err
}
