package main

import (
	"bytes"
	"fmt"
	"testing"
)

func TestOtherPeoplesWordsDoNotDisturbTheTerminal(t *testing.T) {
	var out bytes.Buffer
	a := (&app{stdout: &out}).plain()
	fmt.Fprintf(a.stdout, "%s (reported)\n", "a\u202e)deifirev(\x1b[31m\r\u2066ميثاق\u200f.\xff")
	want := "a<U+202E>)deifirev(<U+001B>[31m<U+000D><U+2066>ميثاق\u200f.<U+FFFD> (reported)\n"
	if out.String() != want {
		t.Fatalf("got  %q\nwant %q", out.String(), want)
	}
	if b := a.plain(); b != a {
		t.Fatal("what is plain already was wrapped again")
	}
}
