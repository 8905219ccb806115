package arabic

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// sentences are what the queries below look through: one per line, of this project's own writing.
var sentences = []string{
	"وقّعت الدولتان اتفاقيةً للتعاون السيبراني، وأكّدتا التزاماتهما بحماية البنى التحتيّة.",
	"أبلغت الهيئة عن حوادث إلكترونية أصابت شبكات الطاقة في ثلاث محافظات.",
	"شارك الخبراء في تمرينٍ إقليمي لتبادل مؤشرات الاختراق.",
	"تعرّضت مستشفيات المدينة لهجمات فدية في كانون الأول/ديسمبر ٢٠٢٢.",
	"على كل جهة أن تردّ على طلبات المساعدة خلال ٧٢ ساعة.",
	"اتّهمت الوزارة قراصنة بسرقة بيانات المواطنين من خوادمها.",
	"النـــداء يدعو الدول والشركات إلى احترام القوانين الدوليّة.",
	"أقرّت اللجان تقارير التنفيذ وأحالتها إلى المسؤولين.",
	"The parties' commitments cover critical infrastructure and the exchange of indicators.",
	"L'accord prévoit l'échange d'indicateurs et la protection des réseaux électriques.",
	"Les États signataires s'engagent à répondre aux demandes d'assistance.",
	"The loader fetched hxxps://cdn[.]evil-update[.]example/a/stage2.bin from 198.51.100[.]23 over TLS.",
	"Its SHA-256 is 9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08 (see CVE-2021-44228).",
	"Contact soc(at)cert[.]example or 2001:DB8:0:0:0:0:0:1 on port 8443.",
}

// TestQueriesThatDifferFromTheText is the table of the figure: each query differs from the text in the way named, and
// must find exactly the sentences named.
func TestQueriesThatDifferFromTheText(t *testing.T) {
	for _, c := range []struct {
		how, query string
		want       []int
	}{
		{"without diacritics and ta marbuta's dots", "اتفاقيه", []int{0}},
		{"with the article", "الاتفاقية", []int{0}},
		{"with conjunction, preposition and article", "وبالاتفاقية", []int{0}},
		{"plural for singular", "اتفاقيات", []int{0}},
		{"masculine for feminine, another plural", "اتفاق", []int{0}},
		{"singular for a plural with a pronoun", "التزام", []int{0}},
		{"article on a word that begins with its letters", "الالتزامات", []int{0}},
		{"broken plural, singular asked", "حادث", []int{1}},
		{"broken plural, singular with article and ta marbuta", "الحادثة", []int{1}},
		{"without hamza", "الكترونية", []int{1}},
		{"singular of a feminine plural", "شبكة", []int{1}},
		{"singular with preposition and article", "بالشبكة", []int{1}},
		{"broken plural without hamza, singular asked", "خبير", []int{2}},
		{"indefinite plural, final hamza left out", "خبرا", []int{2}},
		{"hamza on waw left out", "موشر", []int{2}},
		{"singular of a sound plural", "المؤشر", []int{2}},
		{"alef maqsura's plural", "مستشفى", []int{3}},
		{"yeh for alef maqsura", "مستشفي", []int{3}},
		{"another plural of the same root", "هجوم", []int{3}},
		{"Latin digits for Arabic ones", "2022", []int{3}},
		{"Persian digits", "۷۲ ساعة", []int{4}},
		{"singular with lam and article", "للطلب", []int{4}},
		{"plural for singular", "جهات", []int{4}},
		{"singular of a broken plural", "القرصان", []int{5}},
		{"broken plural under a pronoun", "خادم", []int{5}},
		{"tatweel in the text", "نداء", []int{6}},
		{"tatweel and diacritics in the query", "الشـــرِكَة", []int{6}},
		{"singular of a broken plural with conjunction", "والقانون", []int{6}},
		{"Persian keheh and yeh", "شرکت شركة", []int{6}},
		{"Persian yeh for Arabic", "دولی", []int{0, 6}},
		{"the other spelling of a hamza", "مسئول", []int{7}},
		{"singular of two broken plurals", "لجنة تقرير", []int{7}},
		{"presentation forms", "ﻗﺎﻧﻮﻥ", []int{6}},
		{"English singular, curly apostrophe", "party’s commitment", []int{8}},
		{"English other case", "INDICATOR", []int{8}},
		{"French elision", "accords", []int{9}},
		{"French without accents", "reseau electrique", []int{9}},
		{"French plural, without accents", "reseaux electrique", []int{9}},
		{"French elision asked with its article", "l'assistance", []int{10}},
		{"upper case with accents", "ÉTAT SIGNATAIRE", []int{10}},
		{"domain, fanged", "cdn.evil-update.example", []int{11}},
		{"the name above the domain", "evil-update.example", []int{11}},
		{"defanged another way", "evil-update(.)example", []int{11}},
		{"whole address", "https://cdn.evil-update.example/a/stage2.bin", []int{11}},
		{"IPv4, fanged", "198.51.100.23", []int{11}},
		{"hash, lower case", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", []int{12}},
		{"vulnerability", "cve-2021-44228", []int{12}},
		{"mailbox", "soc@cert.example", []int{13}},
		{"IPv6, compressed", "2001:db8::1", []int{13}},
		{"a word that is nowhere", "زلزال", nil},
		{"words of two sentences", "خبراء فدية", nil},
	} {
		q := ParseQuery(c.query, false)
		var got []int
		for i, s := range sentences {
			spans, found := q.Find(s, Unknown)
			if found {
				got = append(got, i)
			}
			if found && len(spans) == 0 {
				t.Errorf("%s: %q found in sentence %d without a place", c.how, c.query, i)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q found in %v, want %v\n%s", c.how, c.query, got, c.want, q.String())
		}
	}
}

// pairs are words of the field in two of their forms: each must find the other.
const pairs = `
اتفاقيه الاتفاقية | هجمة الهجمات | دوله للدول | خبراء الخبير | وزارات بوزارة | عضو الأعضاء
مبدأ ومبادئ | سيبراني السيبرانية | معلومة بالمعلومات | القرصنة قرصنة | مهاجم المهاجمين | مهاجمون مهاجم
برمجية برمجيات | خبيثة الخبيث | ثغرة ثغراتها | جهاز الأجهزة | مخترق المخترقون | مستخدم للمستخدمين
موقع مواقعها | انتخاب الانتخابات | بنية البنى | بنى بنية | حكومة والحكومات | مختبر مختبرات
جماعة الجماعات | جامعة جامعاتها | أمن الأمنية | حماية وحماية | منظمة منظماتهم | مشترك المشتركة
تدريب تدريبات | تمرين التمارين | لاجئ لاجئين | شرطة الشرطة | محكمة المحاكم | سفارة السفارات
مجموعة المجموعات | عملية العمليات | هوية الهويات | كلمة كلمات | أزمة أزمات | ضرر أضرار
خسارة خسائر | وكالة الوكالات | رئيس رؤساء | أمريكي أميركية | إنترنت الانترنت | قناة قنوات
مدينة مدن | دفاع الدفاعية | خط خطوط | إجراء الإجراءات | إستراتيجية الاستراتيجيات | مهمة مهام
صاروخ صواريخ | منشأة منشآت | سلطة السلطات | مسؤولة مسؤول | مسألة مسائل | ولاية ولايات
أولوية أولويات | حدث أحداث | نشاط أنشطة | مؤسسة مؤسسات | مؤتمر مؤتمرات | محادثة محادثات
ندوة ندوات | سيرفر سيرفرات | رابط روابط | عينة عينات | أسلوب أساليب | تقنية تقنيات
وسيلة وسائل | مورد موارد | نتيجة نتائج | حاجة حاجات | سيرة سير | قدرة قدرات
مساعدة المساعدات | تحذير تحذيرات | إنذار إنذارات | بلاغ بلاغات | توصية توصيات | لقاء لقاءات
زيارة زيارات | هاكر هاكرز | لص لصوص | شاهد شهود | سر أسرار | حساب حسابات
كود أكواد | حزمة حزم | بصمة بصمات | نسخة نسخ | فرع فروع | جانب جوانب
معاهدتان معاهدة | ردود الرد | مطلب مطالب | واجب واجبات | تعهد تعهدات | ميزانية ميزانيات
ثقة الثقة | تدبير التدابير | بروتوكول بروتوكولات | نموذج نماذج | شأن شؤون | منطقة مناطق
ساحل سواحل | مليار مليارات | مبلغ مبالغ | ضابط ضباط | مراقب مراقبون | حقوق الحق
آلية الآليات | آليات آلية | ناقل نواقل | تابع توابع | دائرة دوائر | قائمة قوائم
إدارة إدارات | مشروع مشاريع | منتدى منتديات | مصلحة مصالح | علاقة علاقات | شراكة شراكات
`

func TestFormsOfAWordMeet(t *testing.T) {
	for line := range strings.Lines(pairs) {
		for pair := range strings.SplitSeq(line, "|") {
			f := strings.Fields(pair)
			for i := range f {
				if _, found := ParseQuery(f[i], false).Find(f[1-i], Unknown); !found {
					t.Errorf("%s does not find %s: %s, %s", f[i], f[1-i], ParseQuery(f[i], false).String(), Index(f[1-i], Unknown))
				}
			}
		}
	}
}

// TestOtherWordsDoNotMeet: what looks alike to a crude stemmer and is another word.
func TestOtherWordsDoNotMeet(t *testing.T) {
	for _, pair := range []string{
		"خبر خبير", "عمل عامل", "حدث حادث", "كتب كاتب", "سلم سالم", "قرار قارة", "دول دليل", "نداء ندوة", "شبكة شك", "هجوم هجرة",
		"مؤشر مؤتمر", "التزام زمن", "بيانات بنية", "وزارة زيارة", "طاقة طريق", "فيروس فارس", "ميناء معنى", "نظام نظرة", "خطر خطة",
		"party parity", "commitment commission", "accord accroc", "indicator industry",
	} {
		f := strings.Fields(pair)
		for i := range f {
			if _, found := ParseQuery(f[i], false).Find(f[1-i], Unknown); found {
				t.Errorf("%s finds %s: %s, %s", f[i], f[1-i], ParseQuery(f[i], false).String(), Index(f[1-i], Unknown))
			}
		}
	}
}

// TestFindsAsOneTypes types each query letter by letter, as somebody would: no intermediate answer may lose the sentence.
func TestFindsAsOneTypes(t *testing.T) {
	for _, c := range []struct {
		text  string
		query string
		from  int // letters from which it must be found
	}{
		{sentences[2], "الخبراء", 4},
		{sentences[2], "مؤشرات", 2},
		{sentences[3], "مستشفيات", 2},
		{sentences[8], "commitments", 3},
		{sentences[9], "indicateurs", 3},
		{sentences[11], "cdn.evil-update.example", 3},
		{sentences[11], "198.51.100.23", 3},
		{sentences[12], "9f86d081884c7d65", 4},
		{sentences[12], "CVE-2021-44228", 3},
	} {
		letters := []rune(c.query)
		for n := c.from; n <= len(letters); n++ {
			typed := string(letters[:n])
			if _, ok := ParseQuery(typed, true).Find(c.text, Unknown); !ok {
				t.Errorf("%q lost while typing %q: %s", c.query, typed, ParseQuery(typed, true).String())
			}
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"أإآٱا":              "ااااا",
		"مُحَمَّد":           "محمد",
		"كتـــاب":            "كتاب",
		"مدرسة على":          "مدرسه علي",
		"ی ک ۀ":              "ي ك ه",
		"ﷲ ﻻ":                "الله لا",
		"١٢٣ ۴۵۶":            "123 456",
		"الرَّحْمَٰنِ ۞":     "الرحمن ۞",
		"Élève ŒUVRE Straße": "eleve oeuvre strasse",
		"l’accord":           "l'accord",
		"ＦＵＬＬ":               "full",
		"a\u200bb\u202ec":    "abc",
		"İstanbul ISI":       "istanbul isi",
		"bad\xff":            "bad\ufffd",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestFoldIsIdempotentForEveryRune tries all of Unicode.
func TestFoldIsIdempotentForEveryRune(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		once := Fold(string(r))
		if twice := Fold(once); twice != once {
			t.Fatalf("U+%04X folds to %q and then to %q", r, once, twice)
		}
	}
}

func TestGuess(t *testing.T) {
	for i, s := range sentences[:13] {
		want := Arabic
		switch i {
		case 8, 11, 12:
			want = English
		case 9, 10:
			want = French
		}
		if got := Guess(s); got != want {
			t.Errorf("Guess(%q) = %v, want %v", s, got, want)
		}
	}
	if got := Guess("8.8.8.8"); got != Unknown {
		t.Errorf("digits alone are %v", got)
	}
}

func TestTokensNameTheirBytes(t *testing.T) {
	text := "«وبالاتّفاق» l’accord hxxp://a[.]example/x"
	places := map[string]string{}
	for _, tok := range Tokens(text, Unknown) {
		places[tok.Term] = text[tok.Start:tok.End]
	}
	for term, want := range map[string]string{
		"اتفاق": "وبالاتّفاق", "accord": "accord", "http": "hxxp", "zidazdexample": "",
		"ziazdexample": "a[.]example", "ziazdexamplezsx": "a[.]example/x", "example": "example",
	} {
		if places[term] != want {
			t.Errorf("term %q stands for %q, want %q", term, places[term], want)
		}
	}
}

var arabicish = rapid.StringOfN(rapid.RuneFrom([]rune("ابتثجحخدذرزسشصضطظعغفقكلمنهويأإآٱءؤئةىیکـًٌَُّْٰ٠١٩۴ ،.'’-[]():/@azAZéÉœ0189\u200f\u202e\u200b\n")), 0, 80, -1)

func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(arabicish, rapid.String()).Draw(t, "text")
		checkText(t, text)
		// Whatever is in a text is found by its own words, however they were written.
		for w := range strings.FieldsSeq(text) {
			q := ParseQuery(w, rapid.Bool().Draw(t, "typing"))
			if _, found := q.Find(text, Unknown); !found && len(q.Clauses) > 0 {
				t.Fatalf("%q is not found in its own text %q: %s\n%s", w, text, q.String(), Index(text, Unknown))
			}
			if _, found := ParseQuery(Fold(w), false).Find(w, Unknown); !found && len(ParseQuery(w, false).Clauses) > 0 && isOneArabicWord(w) {
				t.Fatalf("%q is not found by its fold %q", w, Fold(w))
			}
		}
	})
}

func isOneArabicWord(w string) bool {
	for _, r := range w {
		if !isArabic(r) {
			return false
		}
	}
	return true
}

type failer interface {
	Fatalf(format string, args ...any)
}

// checkText asserts what holds for every text: folding twice changes nothing, tokens lie inside the text, in order of
// their windows, and their terms are plain.
func checkText(t failer, text string) {
	once := Fold(text)
	if twice := Fold(once); twice != once {
		t.Fatalf("Fold is not idempotent: %q, %q", once, twice)
	}
	valid := utf8.ValidString(text)
	for _, tok := range Tokens(text, Unknown) {
		if tok.Start < 0 || tok.Start >= tok.End || tok.End > len(text) {
			t.Fatalf("token %+v outside a text of %d bytes", tok, len(text))
		}
		if valid && !utf8.ValidString(text[tok.Start:tok.End]) {
			t.Fatalf("token %+v cuts a rune of %q", tok, text)
		}
		if tok.Term == "" || len(tok.Term) > maxTermBytes {
			t.Fatalf("term %q of %d bytes", tok.Term, len(tok.Term))
		}
		for _, r := range tok.Term {
			if !isTermRune(r) {
				t.Fatalf("term %q has %q", tok.Term, r)
			}
		}
		if f := Fold(tok.Term); f != tok.Term {
			t.Fatalf("term %q is not folded: %q", tok.Term, f)
		}
	}
}

func TestLightStemIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.StringOfN(rapid.RuneFrom([]rune("اتنهيوكملبس")), 1, 14, -1).Draw(t, "word")
		once := lightStem(w)
		if twice := lightStem(once); twice != once {
			t.Fatalf("%q stems to %q and then %q", w, once, twice)
		}
		if !strings.HasPrefix(w, once) || letters(once) < min(3, letters(w)) {
			t.Fatalf("%q stems to %q", w, once)
		}
	})
}

// TestHostileText: what has no spaces, no end or no sense costs little and yields bounded terms.
func TestHostileText(t *testing.T) {
	for name, text := range map[string]string{
		"no spaces":      strings.Repeat("ا", 200_000),
		"all separators": strings.Repeat("a.", 100_000),
		"brackets":       strings.Repeat("a[.]", 50_000),
		"colons":         strings.Repeat("1:", 100_000),
		"marks":          "ا" + strings.Repeat("\u064b", 100_000),
		"bidi":           strings.Repeat("\u202e", 100_000),
		"apostrophes":    strings.Repeat("l'", 100_000),
		"ligatures":      strings.Repeat("ﷺ", 20_000),
		"invalid":        strings.Repeat("\xff\xfe", 50_000),
		"slashes":        strings.Repeat("a.b/", 50_000),
	} {
		t.Run(name, func(t *testing.T) {
			checkText(t, text)
			if n := len(ParseQuery(text, true).Clauses); n > maxQueryClauses {
				t.Errorf("%d clauses", n)
			}
		})
	}
}

func TestQueryExpressions(t *testing.T) {
	q := ParseQuery(`the agreement" OR x*`, true)
	if got, want := q.String(), `(agreement OR agre) AND (x)`; got != want {
		t.Errorf("the query is %s, want %s", got, want)
	}
	if got := ParseQuery("", true); got.String() != "" {
		t.Errorf("an empty query looks for %q", got.String())
	}
	if got := ParseQuery("the", false).String(); got == "" {
		t.Error("a stop word alone must still be looked for")
	}
	if got := ParseQuery("cert", true).String(); got != "(cert* OR zicert*)" {
		t.Errorf("a word that is being typed: %s", got)
	}
}

// TestIndexerRemembersNothingWrong: what an Indexer learnt from one text must not change the next one's terms.
func TestIndexerRemembersNothingWrong(t *testing.T) {
	x := NewIndexer()
	for range 2 {
		for _, lang := range []Language{Unknown, French, English, Arabic} {
			for _, s := range append(sentences, "النص ألنص party parties nationaux") {
				if got, want := x.Index(s, lang), Index(s, lang); got != want {
					t.Fatalf("%v %q:\n got %s\nwant %s", lang, s, got, want)
				}
			}
		}
	}
}

func FuzzTokens(f *testing.F) {
	for _, s := range sentences {
		f.Add(s)
	}
	f.Add("a[.]b[@]c://d/e::f")
	f.Fuzz(func(t *testing.T, text string) {
		checkText(t, text)
		q := ParseQuery(text, true)
		q.Find(text, Unknown)
	})
}

func BenchmarkTokens(b *testing.B) {
	text := strings.Join(sentences, "\n")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	x := NewIndexer()
	for b.Loop() {
		x.Index(text, Unknown)
	}
}

func BenchmarkParseQuery(b *testing.B) {
	for b.Loop() {
		ParseQuery("حوادث الشبكات والهجمات", true)
	}
}

// TestNumbersAreThoseOfTheWholeText: what is remembered of a piece of text is what the piece gives in any text.
func TestNumbersAreThoseOfTheWholeText(t *testing.T) {
	x := NewIndexer()
	pieces := []string{"the", "l'accord", "'", "’s", "والاتفاقيات", "hxxps://www.example[.]com/a", "198.51.100.7", "[.]", "CVE-2021-44228,", "قاعدةx1", "x", ".", "-", strings.Repeat("ab1", 20), "é", "\u200f", "a\u00a0b"}
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(0, 12).Draw(t, "pieces") {
			b.WriteString(rapid.SampledFrom(pieces).Draw(t, "piece"))
			b.WriteString(rapid.SampledFrom([]string{" ", " ", "\n", "\t ", "", "  "}).Draw(t, "space"))
		}
		hint := Language(rapid.IntRange(0, 3).Draw(t, "language"))
		var got, want []string
		numbers := x.Numbers(nil, b.String(), hint)
		v := x.Vocabulary()
		for _, n := range numbers {
			if got = append(got, v.Term(n)); v.Place(n) >= v.Len() {
				t.Fatalf("%d is the place of %q among %d", v.Place(n), v.Term(n), v.Len())
			}
		}
		for _, token := range Tokens(b.String(), hint) {
			want = append(want, token.Term)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q: %q, want %q", b.String(), got, want)
		}
	})
}
