package facts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/mithaq/mithaq/internal/agreement"
)

func load(t testing.TB) *Facts {
	t.Helper()
	f, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEveryReportedFactIsThereWithASource(t *testing.T) {
	f := load(t)
	for _, doc := range []struct {
		name  string
		count int
	}{{"000", 9}, {"001", 12}, {"002", 9}, {"003", 8}, {"004", 6}} {
		for n := 1; n <= doc.count; n++ {
			ref := doc.name + "-" + string(rune('0'+n%10))
			if n > 9 {
				ref = doc.name + "-1" + string(rune('0'+n%10))
			}
			facts := f.ByRef(ref)
			if len(facts) == 0 {
				t.Errorf("there is no fact %s", ref)
				continue
			}
			if facts[0].Source != "doc-"+doc.name || facts[0].Status != agreement.Reported {
				t.Errorf("%s does not begin with what its document reports", ref)
			}
		}
	}
	for _, x := range f.Facts {
		if s, ok := f.Source(x.Source); !ok || s.Publisher == "" {
			t.Errorf("%s has no source", x.Label)
		}
		if x.Place == "" && strings.HasPrefix(x.Source, "doc-") {
			t.Errorf("%s does not say where in its document", x.Label)
		}
	}
}

// What stands on the shelf rests on a source: its head, every act, claim and deadline; and verified means official.
func TestEveryStatementOnTheShelfHasASource(t *testing.T) {
	f := load(t)
	source := func(where, label string) agreement.Source {
		s, ok := f.Source(label)
		if !ok {
			t.Errorf("%s has no source", where)
		}
		return s
	}
	for _, a := range f.Shelf.All() {
		source(a.Label, a.Source)
		for _, x := range a.Acts {
			if s := source(a.Label+" "+x.Party, x.Source); x.Status == agreement.Verified && !s.Reliable() {
				t.Errorf("%s: %s is verified by %s", a.Label, x.Party, s.Label)
			}
		}
		for _, c := range a.Claims {
			if s := source(a.Label+" "+c.Label, c.Source); c.Status == agreement.Verified && (!s.Reliable() || c.Kind == "accusation") {
				t.Errorf("%s: claim %s is verified by %s", a.Label, c.Label, s.Label)
			}
		}
		for _, d := range a.Deadlines {
			source(a.Label+" "+d.Label, d.Source)
		}
	}
}

func TestEveryCorrespondenceResolvesBothWays(t *testing.T) {
	f := load(t)
	count := 0
	for _, a := range f.Shelf.All() {
		for _, c := range a.Crosswalks {
			count++
			here := a.Label + "/" + c.From
			if _, names, ok := f.Shelf.Place(c.To); !ok || len(names) == 0 {
				t.Errorf("%s leads to %s, which is not there", here, c.To)
			}
			there := slices.ContainsFunc(f.Shelf.Correspondences(here), func(x agreement.Correspondence) bool { return x.There == c.To && x.Relation == c.Relation })
			back := slices.ContainsFunc(f.Shelf.Correspondences(c.To), func(x agreement.Correspondence) bool { return x.There == here && x.Relation == c.Relation.Inverse() })
			if !there || !back {
				t.Errorf("%s and %s do not find each other", here, c.To)
			}
			if len(c.Note) == 0 {
				t.Errorf("%s to %s has no note", here, c.To)
			}
		}
	}
	if count < 40 {
		t.Errorf("only %d correspondences", count)
	}
	// Every bullet of the page finds its principle, every norm that corresponds its own.
	for i := 1; i <= 9; i++ {
		if len(f.Shelf.Correspondences("paris-call/"+string(rune('0'+i)))) == 0 {
			t.Errorf("principle %d corresponds to nothing", i)
		}
	}
}

func TestNobodyInventedStandsOnTheShelf(t *testing.T) {
	f := load(t)
	for _, p := range f.Parties {
		if p.Fictional || p.ID != "" {
			t.Errorf("party %s is invented or has an id here", p.Label)
		}
	}
	for _, a := range f.Shelf.All() {
		if a.Fictional || a.Mode != agreement.Shelf {
			t.Errorf("%s is not a shelf copy of a real agreement", a.Label)
		}
		for _, p := range a.Parties {
			t.Errorf("%s brings its own party %s instead of one of the register", a.Label, p.Label)
		}
		for _, name := range []string{"sahlan", "norvia", "darb"} {
			b, _ := f.File(a.Label)
			if strings.Contains(strings.ToLower(string(b)), name) {
				t.Errorf("%s names %s", a.Label, name)
			}
		}
	}
}

func TestAllThreeLanguages(t *testing.T) {
	f := load(t)
	check := func(where string, text agreement.Text) {
		if text == nil {
			return
		}
		for _, l := range Languages() {
			if text[l] == "" {
				t.Errorf("%s is not in %s", where, l)
			}
		}
		if ar := text["ar"]; ar != "" && where != "short" && !strings.ContainsFunc(ar, func(r rune) bool { return unicode.Is(unicode.Arabic, r) }) && len(ar) > 5 && !latinNames[ar] {
			t.Errorf("%s: %q is no Arabic", where, ar)
		}
	}
	for _, c := range f.Countries {
		check(c.Code, c.Names)
	}
	for _, p := range f.Parties {
		check(p.Label, p.Names)
		check(p.Label, p.Office)
	}
	for _, s := range f.Sources {
		check(s.Label, s.Title)
	}
	for _, x := range f.Facts {
		check(x.Label, x.Says)
		check(x.Label, x.SaidBy)
	}
	for _, a := range f.Shelf.All() {
		for _, x := range []agreement.Text{a.Names, a.Short, a.Purpose, a.Place} {
			check(a.Label, x)
		}
		if len(a.Names) < 3 {
			t.Errorf("%s has %d names", a.Label, len(a.Names))
		}
		for _, c := range a.Commitments {
			check(a.Label+"/"+c.Label, c.Names)
			check(a.Label+"/"+c.Label, c.Note)
		}
		for _, i := range a.Items {
			check(a.Label+"/"+i.Label, i.Names)
			check(a.Label+"/"+i.Label, i.Note)
		}
		for _, c := range a.Claims {
			check(a.Label+" "+c.Label, c.Says)
			check(a.Label+" "+c.Label, c.SaidBy)
		}
		for _, c := range a.Crosswalks {
			check(a.Label+" "+c.To, c.Note)
		}
		for _, d := range a.Deadlines {
			check(a.Label+" "+d.Label, d.Names)
		}
	}
}

// latinNames are written in Latin letters in Arabic too.
var latinNames = map[string]bool{"Trusted Introducer": true}

func TestFilesAreInTheStableForm(t *testing.T) {
	f := load(t)
	for _, a := range f.Shelf.All() {
		b, ok := f.File(a.Label)
		if !ok || string(b) != string(agreement.Print(a)) {
			t.Errorf("%s.toml is not as it would be printed", a.Label)
		}
	}
}

func TestParisCallOnTheShelf(t *testing.T) {
	f := load(t)
	a, ok := f.Shelf.Agreement("paris-call")
	if !ok || len(a.Commitments) != 9 {
		t.Fatal("the Paris Call has nine principles")
	}
	us := a.StandingOf("us")
	if !us.Stands() || us.Since.At != "2021-11-10" || us.Status != agreement.Verified || us.History[0].Act != agreement.ActDecline ||
		us.History[0].Government["en"] != "Trump administration" || us.History[0].Status != agreement.Reported {
		t.Fatalf("the United States declined and later joined: %+v", us)
	}
	counts := a.CountsOf("states")
	if len(counts) != 4 || counts[0].Count.Number != 51 {
		t.Fatalf("four counts of states stand side by side: %+v", counts)
	}
	if c, _ := f.Shelf.Agreement("us-china-wg"); len(c.Commitments[1].Kinds) != 0 {
		t.Fatal("nothing puts the second promise of the working group into practice, and the file says so")
	}
	jp, _ := f.Shelf.Agreement("us-japan-moc")
	if s := jp.StandingOf("dhs"); s.Since.At != "2023-01-06" || s.Status != agreement.Verified || s.History[0].Status != agreement.Reported {
		t.Fatalf("the memorandum was updated on 6 January 2023: %+v", s)
	}
}

func TestLists(t *testing.T) {
	f := load(t)
	count := func(label string, top bool) (n int) {
		a, _ := f.Shelf.Agreement(label)
		for _, i := range a.Items {
			if (i.Group == "") == top {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		label string
		top   bool
		want  int
	}{{"rsit", true, 11}, {"rsit", false, 39}, {"us-sectors", true, 16}, {"nis2-sectors", false, 18}, {"tlp", true, 5}, {"paris-call-bullets", true, 9}} {
		if got := count(c.label, c.top); got != c.want {
			t.Errorf("%s has %d entries, want %d", c.label, got, c.want)
		}
	}
	norms, _ := f.Shelf.Agreement("un-norms")
	osce, _ := f.Shelf.Agreement("osce-cbm")
	if len(norms.Commitments) != 11 || len(osce.Commitments) != 16 {
		t.Errorf("%d norms, %d measures", len(norms.Commitments), len(osce.Commitments))
	}
	status := map[string]int{}
	for _, c := range f.Countries {
		status[c.Status]++
	}
	if status["member"] != 193 || status["observer"] != 2 {
		t.Errorf("members and observers of the United Nations: %v", status)
	}
	for code, want := range map[string]string{"PS": "State of Palestine", "MK": "North Macedonia", "SZ": "Eswatini", "JP": "Japan",
		"IR": "Islamic Republic of Iran", "TR": "Türkiye", "TT": "Trinidad and Tobago", "LC": "Saint Lucia"} {
		if c, _ := f.Country(code); c.Names["en"] != want {
			t.Errorf("%s is %q", code, c.Names["en"])
		}
	}
}

func TestFind(t *testing.T) {
	f := load(t)
	for _, c := range []struct{ text, want string }{
		{"انضمت الولايات المتحدة إلى دعوة باريس", "us:name paris-call"},
		{"نداء باريس من أجل الثقة والأمن في الفضاء الإلكتروني", "paris-call"},
		{`"دعوة باريس للثقة والأمن في الفضاء الإلكتروني"`, "paris-call"},
		{"العلاقات بين واشنطن وباريس", "us:capital fr:capital"},
		{"أعلنت في باريس", "fr:place"},
		{"واشنطن وطوكيو تُحدّثان مذكرة التعاون في مجال الأمن السيبراني", "us:capital jp:capital us-japan-moc"},
		{"الرئيس الأمريكي والرئيس الأميركي والإدارة الأميركية", "us:demonym us:demonym us:demonym"},
		{"دونالد ترمب ودونالد ترامب", "trump:name trump:name"},
		{"فوميو كيسيدا ثم كيشيدا", "kishida:name kishida:name"},
		{"ضغوط على بكين", "cn:capital"},
		{"مع الروس والصينيين", "ru:name cn:demonym"},
		{"للصين وبالصين والصين", "cn:name cn:name cn:name"},
		{"مجلس الأمن التابع للأمم المتحدة", "un-sc:name"},
		{"حلف شمال الأطلسي (الناتو)", "nato:name nato:name"},
		{"منتدى باريس للسلام", "paris-peace-forum:name"},
		{"الهجمات الإلكترونية والأمن السيبراني", "cyber cyber-security"},
		{"The United States joined the Paris Call in Paris.", "us:name paris-call fr:place"},
		{"Turkey, but no turkey; Chad has no chad", "tr:name td:name"},
		{"Les États-Unis et le Japon; l'Appel de Paris", "us:name jp:name paris-call"},
		{"ETATS-UNIS", "us:name"},
		{"U.S. and UK officials", "us:name gb:name"},
		{"دعم مالي", ""},
		{"سلطنة عمان", "om:name"},
		{"", ""},
	} {
		var got []string
		for _, m := range f.Find(c.text) {
			s := m.Label
			if m.Kind == MentionParty {
				s += ":" + string(m.By)
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, strings.Join(got, " "), c.want)
		}
	}
}

func TestEveryCountryIsFoundByItsName(t *testing.T) {
	f := load(t)
	for _, p := range f.Parties {
		if p.Kind != agreement.KindState {
			continue
		}
		for _, l := range Languages() {
			name := p.Names[l]
			if f.ambiguous[strings.Join(foldWords(name), " ")] {
				continue
			}
			m := f.Find(name)
			if len(m) != 1 || m[0].Label != p.Label || m[0].Start != 0 || m[0].End != len(strings.TrimRight(name, ")")) {
				t.Errorf("%s: %q gives %+v", p.Label, name, m)
			}
		}
	}
}

func FuzzFind(f *testing.F) {
	facts, err := Load()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("واشنطن وطوكيو تُحدّثان مذكرة")
	f.Add("U.S. and l'Appel de Paris\x00\xff")
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		for _, m := range facts.Find(text) {
			if m.Start < end || m.End <= m.Start || m.End > len(text) {
				t.Fatalf("mention %+v after byte %d of %d", m, end, len(text))
			}
			end = m.End
		}
	})
}

// documents reads the texts the facts come from, where they are at hand.
func documents(t *testing.T) map[string]string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no module root")
		}
		dir = filepath.Dir(dir)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "..", "shared", "documents", "0*.txt"))
	out := map[string]string{}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)[:3]] = string(b)
	}
	return out
}

// The facts are told in our own words: no seven words in a row are those of a document, names of agreements apart.
func TestNoSentenceIsCopied(t *testing.T) {
	docs := documents(t)
	if len(docs) == 0 {
		t.Skip("the documents are not here")
	}
	f := load(t)
	var texts []string
	for _, x := range f.Facts {
		texts = append(texts, x.Says["ar"])
	}
	for _, a := range f.Shelf.All() {
		texts = append(texts, a.Purpose["ar"])
		for _, c := range a.Commitments {
			texts = append(texts, c.Names["ar"], c.Note["ar"])
		}
		for _, i := range a.Items {
			texts = append(texts, i.Names["ar"])
		}
		for _, c := range a.Claims {
			texts = append(texts, c.Says["ar"])
		}
	}
	for name, doc := range docs {
		whole := " " + strings.Join(foldWords(doc), " ") + " "
		for _, text := range texts {
			words := foldWords(text)
			for i := 0; i+7 <= len(words); i++ {
				if strings.Contains(whole, " "+strings.Join(words[i:i+7], " ")+" ") {
					t.Errorf("%s is copied: %s", name, strings.Join(words[i:i+7], " "))
				}
			}
		}
	}
}

// What a date says was printed stands in its document, letter for letter.
func TestWhatWasPrintedStandsInItsDocument(t *testing.T) {
	docs := documents(t)
	if len(docs) == 0 {
		t.Skip("the documents are not here")
	}
	f := load(t)
	checked := 0
	check := func(where, source string, d agreement.FuzzyDate) {
		s, _ := f.Source(source)
		doc, ok := docs[s.Document]
		if !ok {
			return
		}
		printed := []string{d.Printed}
		for _, b := range d.Also {
			printed = append(printed, b.Printed)
		}
		for _, words := range printed {
			if words == "" {
				continue
			}
			checked++
			if !strings.Contains(doc, words) {
				t.Errorf("%s: %q is not in %s", where, words, s.Document)
			}
		}
	}
	for _, s := range f.Sources {
		check(s.Label, s.Label, s.Date)
	}
	for _, x := range f.Facts {
		check(x.Label, x.Source, x.Date)
	}
	for _, a := range f.Shelf.All() {
		check(a.Label, a.Source, a.Date)
		for _, x := range a.Acts {
			check(a.Label+" "+x.Party, x.Source, x.Date)
		}
		for _, c := range a.Claims {
			check(a.Label+" "+c.Label, c.Source, c.Date)
		}
		for _, x := range a.Texts {
			check(a.Label, x.Source, x.Modified)
		}
	}
	if checked < 15 {
		t.Errorf("only %d printed dates were compared", checked)
	}
}

// An exercise or a meeting of several days keeps its first and its last.
func TestEventsOfSeveralDays(t *testing.T) {
	f := load(t)
	for ref, want := range map[string]string{"003-6": "2022-11-28/2022-12-02", "004-4": "2018-11-12/2018-11-14"} {
		facts := f.ByRef(ref)
		if got := facts[len(facts)-1].Date.At; got != want {
			t.Errorf("%s is dated %s, want %s", ref, got, want)
		}
	}
}

// Whoever is named in a document is found in it.
func TestDocumentsNameWhomTheFactsName(t *testing.T) {
	docs := documents(t)
	if len(docs) == 0 {
		t.Skip("the documents are not here")
	}
	f := load(t)
	for name, want := range map[string]string{
		"000": "un-sc us biden ru putin ch un ee nakamitsu",
		"001": "us harris macron trump microsoft google paris-call white-house g7 nato us-congress sanders-symone fr au gb",
		"002": "us cn ru daniel obama kerry wang-yi",
		"003": "us jp us-japan-moc dhs mayorkas nishimura kishida biden zscaler nato cn kp ru fr it gb ca",
		"004": "macron paris-call igf unesco le-drian paris-peace-forum",
	} {
		found := map[string]bool{}
		for _, m := range f.Find(docs[name]) {
			found[m.Label] = true
		}
		for _, label := range strings.Fields(want) {
			if !found[label] {
				t.Errorf("%s: %s is not found", name, label)
			}
		}
	}
	for _, m := range f.Find(docs["004"]) {
		if m.Label == "fr" && m.By == ByCapital {
			t.Errorf("%q at %d is taken for the French government", docs["004"][m.Start:m.End], m.Start)
		}
	}
}

// ميثاق is the program's name and never stands for an agreement.
func TestTheProgramsNameNamesNoAgreement(t *testing.T) {
	f := load(t)
	for _, a := range f.Shelf.All() {
		b, _ := f.File(a.Label)
		if strings.Contains(strings.ReplaceAll(string(b), "برنامج ميثاق", ""), "ميثاق") {
			t.Errorf("%s uses the program's name", a.Label)
		}
	}
}

func TestEverySourceIsUsed(t *testing.T) {
	f := load(t)
	used := map[string]bool{"mithaq-editors": true}
	for _, x := range f.Facts {
		used[x.Source] = true
	}
	for _, a := range f.Shelf.All() {
		used[a.Source] = true
		for _, x := range a.Acts {
			used[x.Source] = true
		}
		for _, x := range a.Claims {
			used[x.Source] = true
		}
		for _, x := range a.Commitments {
			used[x.Source] = true
		}
		for _, x := range a.Deadlines {
			used[x.Source] = true
		}
	}
	for _, x := range f.Taxonomies {
		used[x.Source] = true
	}
	for _, s := range f.Sources {
		if !used[s.Label] {
			t.Errorf("nothing rests on source %s", s.Label)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	f := load(b)
	text := strings.Repeat("أعلنت الولايات المتحدة في باريس انضمامها إلى دعوة باريس للثقة والأمن في الفضاء الإلكتروني. ", 100)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		f.Find(text)
	}
}
