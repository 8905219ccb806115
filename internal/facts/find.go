package facts

import (
	"strings"
)

// MentionKind says what a mention names.
type MentionKind string

// The kinds of mentions.
const (
	MentionAgreement MentionKind = "agreement"
	MentionParty     MentionKind = "party"
	MentionTerm      MentionKind = "term"
)

// By says with what word a party was named.
type By string

// The ways to name a party.
const (
	ByName    By = "name"
	ByCapital By = "capital" // a government by its capital, unless a preposition of place stands before it
	ByPlace   By = "place"   // a capital as a place
	ByDemonym By = "demonym"
)

// Mention is a name found in a text: bytes Start to End.
type Mention struct {
	Start, End int
	Kind       MentionKind
	Label      string
	By         By // for a party
}

// Find recognises names of agreements, parties and terms in running text, in any of the languages. The longest name
// wins: a city inside the name of an agreement is no government. Mentions do not overlap and come in order.
// The work is linear in the text; names have at most [maxNameWords] words.
func (f *Facts) Find(text string) []Mention {
	words := tokens(text)
	var out []Mention
	for i := 0; i < len(words); {
		hit, n := f.matcher.longest(text, words, i)
		if n == 0 {
			i++
			continue
		}
		m := Mention{Start: words[i].start, End: words[i+n-1].end, Kind: hit.kind, Label: hit.label, By: hit.by}
		if m.By == ByCapital && i > 0 && placePrepositions[words[i-1].folded] {
			m.By = ByPlace
		}
		out = append(out, m)
		i += n
	}
	return out
}

// maxNameWords is the length of the longest name that is looked for.
const maxNameWords = 16

// placePrepositions are the words, folded, after which a capital is a place. The map is never written to.
var placePrepositions = map[string]bool{"في": true, "من": true, "الي": true, "in": true, "at": true, "from": true, "near": true, "a": true, "depuis": true, "pres": true,
	"بلديه": true, "مدينه": true, "مطار": true, "العاصمه": true, "mairie": true}

type hit struct {
	kind  MentionKind
	label string
	by    By
}

// matcher is a tree of folded words.
type matcher struct {
	next map[string]*matcher
	hit  *hit
	// proper: the Latin name must begin with a capital letter in the text (Turkey, not turkey).
	proper bool
}

func newMatcher(f *Facts) *matcher {
	m := &matcher{}
	// What is added first keeps its place when two things have one name: agreements, then parties, then terms.
	for _, a := range f.Shelf.All() {
		h := hit{kind: MentionAgreement, label: a.Label}
		if a.Type == "list" {
			continue
		}
		m.addAll(f, h, a.Also)
		for _, t := range []map[string]string{a.Names, a.Short} {
			for _, name := range t {
				m.add(f, h, name)
			}
		}
	}
	for _, p := range f.Parties {
		h := hit{kind: MentionParty, label: p.Label, by: ByName}
		for _, name := range p.Names {
			m.add(f, h, name)
		}
		m.addAll(f, h, p.Also)
	}
	for _, a := range f.aliases {
		m.addAll(f, hit{MentionParty, a.party, ByName}, a.also)
		m.addAll(f, hit{MentionParty, a.party, ByCapital}, a.capital)
		for language, names := range a.adjective {
			for _, name := range names {
				for _, form := range demonyms(language, name) {
					m.add(f, hit{MentionParty, a.party, ByDemonym}, form)
				}
			}
		}
	}
	for _, t := range f.Terms {
		m.addAll(f, hit{kind: MentionTerm, label: t.Label}, t.Also)
		for _, name := range t.Also["ar"] {
			if !strings.Contains(name, " ") {
				for _, form := range demonyms("ar", name) {
					m.add(f, hit{kind: MentionTerm, label: t.Label}, form)
				}
			}
		}
	}
	return m
}

func (m *matcher) addAll(f *Facts, h hit, names map[string][]string) {
	for _, list := range names {
		for _, name := range list {
			m.add(f, h, name)
		}
	}
}

func (m *matcher) add(f *Facts, h hit, name string) {
	words := foldWords(name)
	if len(words) == 0 || len(words) > maxNameWords || f.ambiguous[strings.Join(words, " ")] {
		return
	}
	for _, w := range words {
		if m.next == nil {
			m.next = map[string]*matcher{}
		}
		if m.next[w] == nil {
			m.next[w] = &matcher{}
		}
		m = m.next[w]
	}
	if m.hit == nil {
		m.hit = &h
		m.proper = h.kind != MentionTerm
	}
}

// longest finds the longest name that begins at a word, trying the word's forms in turn.
func (m *matcher) longest(text string, words []token, at int) (hit, int) {
	var best hit
	length := 0
	for _, form := range words[at].forms() {
		node := m.next[form]
		for n := 1; node != nil; n++ {
			if node.hit != nil && n > length && (!node.proper || words[at].arabic || words[at].upper || node.hit.by == ByDemonym) {
				best, length = *node.hit, n
			}
			if at+n == len(words) || n == maxNameWords || strings.ContainsAny(text[words[at+n-1].end:words[at+n].start], "\n.;:!?؟؛") && !dotted(words[at+n-1]) {
				break
			}
			// Inside a name only the article comes and goes.
			next := node.next[withoutArticle(words[at+n].folded)]
			if next == nil {
				next = node.next[words[at+n].folded]
			}
			node = next
		}
	}
	return best, length
}

// dotted says that a word is one or two letters, as in U.S. and St., so that the full stop behind it ends no sentence.
func dotted(t token) bool { return t.end-t.start <= 2 }

// demonyms lists the forms of a demonym given in the masculine singular.
func demonyms(language, word string) []string {
	endings := []string{""}
	switch language {
	case "ar":
		endings = []string{"", "ة", "ون", "ين", "ان", "تان", "تين", "ات"}
	case "fr":
		endings = []string{"", "e", "s", "es"}
		if strings.HasSuffix(word, "ien") {
			endings = append(endings, "ne", "nes")
		}
	case "en":
		endings = []string{"", "s"}
	}
	out := make([]string, 0, len(endings))
	for _, e := range endings {
		out = append(out, word+e)
	}
	return out
}
