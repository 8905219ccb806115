package main

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestGrammarOfOneCommand: help, and what is said of a wrong command line, is that of the whole grammar.
func TestGrammarOfOneCommand(t *testing.T) {
	var out bytes.Buffer
	parserOf := func(grammar any) *kong.Kong {
		parser, err := kong.New(grammar, kong.Name("mithaq"), kong.Writers(&out, io.Discard), kong.Exit(func(int) {}), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
		if err != nil {
			t.Fatal(err)
		}
		return parser
	}
	say := func(parser *kong.Kong, args ...string) string {
		out.Reset()
		if _, err := parser.Parse(args); err != nil {
			return err.Error()
		}
		return out.String()
	}
	whole := parserOf(new(cli))
	all := reflect.TypeFor[cli]()
	for i := range all.NumField() {
		name := strings.ToLower(all.Field(i).Name)
		part := grammar([]string{name})
		if reflect.TypeOf(part).Elem().NumField() != 1 {
			t.Fatalf("%s takes the whole grammar", name)
		}
		parser := parserOf(part)
		for _, more := range []string{"--help", "--no-such-flag", "no-such-command"} {
			args := []string{name, more}
			if got, want := say(parser, args...), say(whole, args...); got != want {
				t.Errorf("%v: %q, not %q", args, got, want)
			}
		}
	}
	if _, all := grammar([]string{"--help"}).(*cli); !all {
		t.Error("help is not that of all commands")
	}
}
