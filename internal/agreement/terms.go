package agreement

import (
	"fmt"
	"strconv"
	"time"
)

// Threshold is how many of n must agree: "all", "two-thirds", "majority" or a number.
type Threshold string

// ParseThreshold reads a threshold.
func ParseThreshold(s string) (Threshold, error) {
	switch s {
	case "all", "two-thirds", "majority":
		return Threshold(s), nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 5000 || strconv.Itoa(n) != s {
		return "", fmt.Errorf("threshold %q is not all, two-thirds, majority or a number from 1 to 5000", clip(s))
	}
	return Threshold(s), nil
}

// Of is how many of n parties must agree: at least 1, so that nothing happens by itself, and never more than n of them
// unless a number asks for more, which then cannot be reached until others join. Two thirds are rounded up, a majority is more than half.
func (t Threshold) Of(n int) int {
	switch t {
	case "two-thirds":
		return max(1, (2*n+2)/3)
	case "majority":
		return n/2 + 1
	case "all", "":
		return max(1, n)
	}
	k, err := strconv.Atoi(string(t))
	if err != nil {
		return max(1, n)
	}
	return max(1, k)
}

// Period is a length of time as ISO 8601 writes it: P1Y, P1M, P2W, P30D, PT24H, P1DT12H. Years and months follow the calendar.
type Period struct {
	Years, Months, Days, Hours, Minutes int
}

var periodShape = shaped(`^P(?:(\d{1,3})Y)?(?:(\d{1,3})M)?(?:(\d{1,3})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?)?$`)

// ParsePeriod reads a period. A length of nothing is refused.
func ParsePeriod(s string) (Period, error) {
	m := periodShape().FindStringSubmatch(s)
	if m == nil || s[len(s)-1] == 'T' {
		return Period{}, fmt.Errorf("period %q is not like PT24H, P30D, P1M or P1Y", clip(s))
	}
	n := [7]int{}
	for i := 1; i < len(m); i++ {
		n[i], _ = strconv.Atoi(m[i])
	}
	p := Period{Years: n[1], Months: n[2], Days: 7*n[3] + n[4], Hours: n[5], Minutes: n[6]}
	if p == (Period{}) {
		return Period{}, fmt.Errorf("period %q has no length", clip(s))
	}
	return p, nil
}

// IsZero says that no period was given.
func (p Period) IsZero() bool { return p == Period{} }

// After is the moment one period after t. A month after 31 January is the last day of February, not a day in March.
func (p Period) After(t time.Time) time.Time { return p.shift(t, 1) }

// Before is the moment one period before t.
func (p Period) Before(t time.Time) time.Time { return p.shift(t, -1) }

func (p Period) shift(t time.Time, sign int) time.Time {
	t = t.UTC()
	months := sign * (12*p.Years + p.Months)
	if months != 0 {
		first := time.Date(t.Year(), t.Month(), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC).AddDate(0, months, 0)
		last := first.AddDate(0, 1, -1).Day()
		t = first.AddDate(0, 0, min(t.Day(), last)-1)
	}
	t = t.AddDate(0, 0, sign*p.Days)
	return t.Add(time.Duration(sign) * (time.Duration(p.Hours)*time.Hour + time.Duration(p.Minutes)*time.Minute))
}

// String writes the period back as ISO 8601.
func (p Period) String() string {
	part := func(n int, unit string) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n) + unit
	}
	s := "P" + part(p.Years, "Y") + part(p.Months, "M") + part(p.Days, "D")
	if p.Hours != 0 || p.Minutes != 0 {
		s += "T" + part(p.Hours, "H") + part(p.Minutes, "M")
	}
	return s
}

// Terms are the rules by which an agreement's own state changes.
type Terms struct {
	Founding   Threshold // of the founding parties, before the agreement is in force
	Amendment  Threshold // of the parties
	Accession  string    // "open", "invitation" or "approval"
	Admission  Threshold // of the parties, where accession needs approval, and for re-admission after a lost root key
	Removal    Threshold // of the parties, without the one to be removed
	Succession Threshold // of the parties, to name a new depositary
	Silence    Period    // how long the depositary may be silent before that
	Review     Period    // when the text is due for review, counted from its date
}

// Accession rules.
const (
	AccessionOpen       = "open"
	AccessionInvitation = "invitation"
	AccessionApproval   = "approval"
)

// DefaultTerms are the rules of a file that says nothing of them: everything needs everybody, and parties are invited.
func DefaultTerms() Terms {
	return Terms{Founding: "all", Amendment: "all", Accession: AccessionInvitation, Admission: "all", Removal: "all",
		Succession: "two-thirds", Silence: Period{Days: 30}}
}

// OfficerRule says how many officers of a party must sign certain acts.
type OfficerRule struct {
	Acts       []ActKind // empty: all acts
	Signatures int       // m
	Of         int       // n, the officers who may: 0 leaves it to the party's keyring
	Mandate    bool      // the act must say on what authority
}

// Witnesses is the rule on who watches the roll: k of the named parties must co-sign a checkpoint.
type Witnesses struct {
	K  int
	Of []string // labels of parties or outsiders, up to 15
}

// Check says what is wrong with the rule: k must be a majority that one liar cannot fake
// (2 of 3; from four on at least 1 + 2n/3 rounded down).
func (w Witnesses) Check() error {
	n := len(w.Of)
	least := n
	switch {
	case n == 0 && w.K == 0:
		return nil
	case n == 0 || n > 15:
		return fmt.Errorf("%d witnesses are named, not 1 to 15", n)
	case n == 3:
		least = 2
	case n > 3:
		least = 1 + 2*n/3
	}
	if w.K < least || w.K > n {
		return fmt.Errorf("k is %d: of %d witnesses at least %d and at most %d must agree", w.K, n, least, n)
	}
	return nil
}
