package agreement

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestKeptPromises(t *testing.T) {
	a := mustLoad(t, example(t))
	tally := NewTally(a)
	for i, s := range []Summary{
		{Kind: "intel", Serves: []string{"1"}, Time: at("2026-09-01 10:00")},
		{Kind: "request", Serves: []string{"1"}, Time: at("2026-09-02 10:00"), Leaf: "r1"},
		{Kind: "answer", Serves: []string{"1"}, Time: at("2026-09-02 20:00"), Answers: []string{"r1"}},
		{Kind: "answer", Serves: []string{"1"}, Time: at("2026-09-06 20:00"), Answers: []string{"r2"}}, // arrives before its request
		{Kind: "request", Serves: []string{"1"}, Time: at("2026-09-04 10:00"), Leaf: "r2"},
		{Kind: "request", Serves: []string{"1"}, Time: at("2026-09-08 10:00"), Leaf: "r3"},
		{Kind: "meeting", Serves: []string{"3", "3"}, Time: at("2026-03-08 10:00")},
		{Kind: "practice", Serves: []string{"4"}, Time: at("2026-03-08 10:00")},
	} {
		if s.Leaf == "" {
			s.Leaf = fmt.Sprint("leaf", i)
		}
		tally.Add(s)
	}
	see := func(now string) []Promise {
		return Promises(a, tally.Aggregates(), tally.Open(), at("2026-02-01 00:00"), at(now), Period{Months: 3})
	}
	p := see("2026-09-08 12:00")
	if p[0].Gap != NoGap || p[0].Count != 6 || p[0].Last != at("2026-09-08 10:00") || p[0].Evidence[0] != "r3" || len(p[0].Evidence) != MaxSamples {
		t.Errorf("commitment 1: %+v", p[0])
	}
	d := p[0].Deadlines[0]
	if d.Met != 1 || d.Late != 1 || d.Open != 1 || len(d.Overdue) != 0 || d.Next != at("2026-09-09 10:00") {
		t.Errorf("answers: %+v", d)
	}
	if p[1].Gap != NoActivity {
		t.Errorf("commitment 2 has had no record: %+v", p[1])
	}
	if p[2].Gap != Quiet || p[2].Count != 1 || p[2].Deadlines[0].Missing != 0 {
		t.Errorf("commitment 3 has been quiet, its first year is not over: %+v", p[2])
	}
	if p[3].Gap != NoMechanism || p[3].Count != 1 || p[3].Kinds[0].Mechanism {
		t.Errorf("commitment 4 has a record and still no mechanism: %+v", p[3])
	}
	later := see("2027-02-15 12:00")
	if later[0].Gap != Overdue || len(later[0].Deadlines[0].Overdue) != 1 || later[0].Deadlines[0].Overdue[0].Leaf != "r3" {
		t.Errorf("the answer is overdue: %+v", later[0])
	}
	if later[2].Gap != Overdue || later[2].Deadlines[0].Missing != 1 {
		t.Errorf("one meeting of two: %+v", later[2])
	}
}

func TestStagesOfOneKind(t *testing.T) {
	a := &Agreement{Deadlines: []Deadline{{Label: "early", Starts: "incident/aware", Due: "incident/early-warning", Within: Period{Hours: 24}},
		{Label: "final", Starts: "incident/notification", Due: "incident/final", Within: Period{Months: 1}}},
		Commitments: []Commitment{{Label: "23", Deadlines: []string{"early", "final"}}}}
	tally := NewTally(a)
	tally.Add(Summary{Kind: "incident", Stage: "aware", Leaf: "i", Time: at("2026-01-31 10:00")})
	tally.Add(Summary{Kind: "incident", Stage: "notification", Leaf: "n", Time: at("2026-01-31 12:00"), Answers: []string{"i"}})
	p := Promises(a, tally.Aggregates(), tally.Open(), at("2026-01-01 00:00"), at("2026-02-28 11:00"), Period{})[0]
	if len(p.Deadlines[0].Overdue) != 1 || len(p.Deadlines[1].Overdue) != 0 || p.Deadlines[1].Next != at("2026-02-28 12:00") {
		t.Fatalf("a notification is no early warning, and a month after 31 January is 28 February: %+v", p.Deadlines)
	}
}

func TestTallyDoesNotDependOnOrder(t *testing.T) {
	a := mustLoad(t, example(t))
	rapid.Check(t, func(t *rapid.T) {
		var records []Summary
		for i := range rapid.IntRange(0, 30).Draw(t, "n") {
			s := Summary{Kind: rapid.SampledFrom([]string{"request", "answer", "meeting"}).Draw(t, "kind"), Leaf: fmt.Sprint(i),
				Serves: []string{rapid.SampledFrom([]string{"1", "3"}).Draw(t, "serves")}, Time: start.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "h")) * time.Hour)}
			if s.Kind == "answer" {
				s.Answers = []string{fmt.Sprint(rapid.IntRange(0, 30).Draw(t, "to"))}
			}
			records = append(records, s)
		}
		one, two := NewTally(a), NewTally(a)
		for i := range records {
			one.Add(records[i])
		}
		for _, s := range rapid.Permutation(records).Draw(t, "order") {
			two.Add(s)
		}
		if !reflect.DeepEqual(one.Aggregates(), two.Aggregates()) || !reflect.DeepEqual(one.Open(), two.Open()) {
			t.Fatal("the order in which records arrived matters")
		}
	})
}

func TestTerms(t *testing.T) {
	for _, c := range []struct {
		k    Threshold
		n, w int
	}{{"all", 5, 5}, {"all", 0, 1}, {"two-thirds", 3, 2}, {"two-thirds", 4, 3}, {"two-thirds", 7, 5}, {"majority", 4, 3}, {"majority", 5, 3}, {"majority", 0, 1}, {"3", 9, 3}} {
		if got := c.k.Of(c.n); got != c.w {
			t.Errorf("%s of %d is %d, want %d", c.k, c.n, got, c.w)
		}
	}
	for n, k := range map[int]int{1: 1, 2: 2, 3: 2, 4: 3, 5: 4, 6: 5, 9: 7, 15: 11} {
		of := make([]string, n)
		if err := (Witnesses{K: k, Of: of}).Check(); err != nil {
			t.Errorf("%d of %d: %v", k, n, err)
		}
		if (Witnesses{K: k - 1, Of: of}).Check() == nil || (Witnesses{K: n + 1, Of: of}).Check() == nil {
			t.Errorf("%d of %d was accepted", k-1, n)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := Period{Years: rapid.IntRange(0, 5).Draw(t, "y"), Months: rapid.IntRange(0, 11).Draw(t, "m"), Days: rapid.IntRange(0, 90).Draw(t, "d"),
			Hours: rapid.IntRange(0, 100).Draw(t, "h"), Minutes: rapid.IntRange(1, 59).Draw(t, "min")}
		again, err := ParsePeriod(p.String())
		if err != nil || again != p {
			t.Fatalf("%s became %v, %v", p, again, err)
		}
		day := fromUnixDay(rapid.IntRange(0, 40000).Draw(t, "day"))
		if !p.After(day).After(day) || !p.Before(day).Before(day) {
			t.Fatalf("%s after %s is %s", p, day, p.After(day))
		}
	})
}

// BenchmarkPromises measures the page over what an index keeps of 1,000,000 records: their number does not matter,
// that of the commitments, kinds, months and open deadlines does.
func BenchmarkPromises(b *testing.B) {
	a := mustLoad(b, example(b))
	tally := NewTally(a)
	random := rand.New(rand.NewPCG(1, 2))
	kinds := []string{"intel", "request", "incident", "meeting"}
	for i := range 1_000_000 {
		s := Summary{Kind: kinds[i%4], Serves: []string{fmt.Sprint(1 + i%4)}, Leaf: fmt.Sprint(i), Time: start.Add(time.Duration(random.IntN(20000)) * time.Hour)}
		if s.Kind == "request" && i%100 != 1 {
			s.Kind, s.Answers = "answer", []string{fmt.Sprint(i - 4)}
		}
		tally.Add(s)
	}
	aggregates, open := tally.Aggregates(), tally.Open()
	for b.Loop() {
		if p := Promises(a, aggregates, open, start, start.AddDate(3, 0, 0), Period{}); len(p) != 4 {
			b.Fatal(len(p))
		}
	}
}

// BenchmarkTally is the cost of one record on its way into the aggregates.
func BenchmarkTally(b *testing.B) {
	a := mustLoad(b, example(b))
	tally := NewTally(a)
	s := Summary{Kind: "intel", Serves: []string{"1"}, Time: start, Leaf: "x"}
	for b.Loop() {
		s.Time = s.Time.Add(time.Minute)
		tally.Add(s)
	}
}

func TestCompareVersionsByArticle(t *testing.T) {
	old := mustLoad(t, example(t))
	newer := *old
	newer.Version = "2"
	newer.Commitments = append([]Commitment(nil), old.Commitments...)
	newer.Commitments[0].Text = Text{"en": "The parties share indicators of attacks within an hour.\nEach answers the other's requests within a day."}
	newer.Commitments[3] = Commitment{Label: "5", Names: Text{"en": "Exercises"}, Kinds: []string{"exercise"}}
	got := old.Compare(&newer)
	if len(got) != 4 || got[0].Section != "agreement" || got[1].Label != "1" || got[1].Change != Rewritten || got[2].Label != "5" || got[2].Change != Added || got[3].Label != "4" || got[3].Change != Dropped {
		t.Fatalf("got %+v", got)
	}
	f := got[1].Fields[0]
	if f.Field != "text" || f.Language != "en" || side(f.Words, Insert) != old.Commitments[0].Text["en"] || side(f.Words, Delete) != newer.Commitments[0].Text["en"] {
		t.Fatalf("got %+v", f)
	}
	if len(old.Compare(old)) != 0 {
		t.Fatal("an agreement differs from itself")
	}
}

func TestStandingIsFoldedByDateAndGovernment(t *testing.T) {
	a := &Agreement{Acts: []WorldAct{
		{Party: "us", Act: ActJoin, Date: FuzzyDate{At: "2021-11-10"}, Government: Text{"en": "Biden"}, Status: Verified},
		{Party: "us", Act: ActDecline, Date: FuzzyDate{At: "2018-11"}, Government: Text{"en": "Trump"}, Status: Reported},
		{Party: "us", Act: ActReview, Date: FuzzyDate{At: "2022"}},
		{Party: "fr", Act: ActPropose, Date: FuzzyDate{At: "2018-11-12"}},
	}}
	s := a.StandingOf("us")
	if s.Act != ActJoin || !s.Stands() || s.Since.At != "2021-11-10" || len(s.History) != 3 || s.History[0].Act != ActDecline || s.Status != Verified {
		t.Fatalf("got %+v", s)
	}
	if all := a.Standings(); len(all) != 2 || all[0].Party != "fr" {
		t.Fatalf("got %+v", all)
	}
	if a.StandingOf("cn").Stands() {
		t.Fatal("nothing is known of it")
	}
}
