package agreement

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func side(d []Piece, without Op) string {
	var b strings.Builder
	for _, p := range d {
		if p.Op != without {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

func TestDiffWordsGivesBothTextsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"the ", "parties ", "shall ", "التعاون ", "may ", "a\n", "  "})
		join := func(w []string) string { return strings.Join(w, "") }
		a := join(rapid.SliceOfN(word, 0, 40).Draw(t, "a"))
		b := join(rapid.SliceOfN(word, 0, 40).Draw(t, "b"))
		d := DiffWords(a, b)
		if side(d, Insert) != a || side(d, Delete) != b {
			t.Fatalf("%q and %q became %q", a, b, d)
		}
	})
}

func TestDiffWordsIsShort(t *testing.T) {
	d := DiffWords("The parties meet once a year in Sahlan.", "The parties meet twice a year in Sahlan or Norvia.")
	want := "[{keep The parties meet } {delete once } {insert twice } {keep a year in } {delete Sahlan.} {insert Sahlan or Norvia.}]"
	if fmt.Sprint(d) != want {
		t.Fatalf("got %v", d)
	}
}

func TestDiffWordsIsBounded(t *testing.T) {
	a, b := strings.Repeat("x y ", 8000), strings.Repeat("p q r ", 6000)
	d := DiffWords(a, b)
	if len(d) != 2 || side(d, Insert) != a || side(d, Delete) != b {
		t.Fatalf("%d pieces", len(d))
	}
}
