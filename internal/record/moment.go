package record

import "time"

// An Instant is a time as the formats write it: RFC 3339 in UTC with the letter Z and at most six fractional digits.
// The time is not embedded: its own JSON methods would come before these.
type Instant struct{ Time time.Time }

// IsZero says whether there is no time.
func (i Instant) IsZero() bool { return i.Time.IsZero() }

// At returns t as an Instant, cut to microseconds.
func At(t time.Time) Instant { return Instant{t.UTC().Truncate(time.Microsecond)} }

const instantLayout = "2006-01-02T15:04:05.999999Z"

// MarshalText implements encoding.TextMarshaler.
func (i Instant) MarshalText() ([]byte, error) {
	if y := i.Time.Year(); y < 0 || y > 9999 {
		return nil, fail(CodeValue, "", "the year %d has not four digits: check the clock", y)
	}
	return i.Time.UTC().AppendFormat(nil, instantLayout), nil
}

// UnmarshalText implements encoding.TextUnmarshaler. It refuses other offsets, lower case and leap seconds.
func (i *Instant) UnmarshalText(text []byte) error {
	s := string(text)
	t, err := time.Parse("2006-01-02T15:04:05Z", s)
	// The layout lets any number of digits follow the seconds, after a comma too.
	if err != nil || !instantForm(s) {
		return &Error{CodeValue, "", "not a time: write it in UTC as 2026-01-31T23:59:59.123456Z", err}
	}
	*i = Instant{t.UTC()}
	return nil
}

func instantForm(s string) bool {
	const whole = len("2006-01-02T15:04:05")
	if len(s) < whole+1 || s[len(s)-1] != 'Z' {
		return false
	}
	fraction := s[whole : len(s)-1]
	return fraction == "" || fraction[0] == '.' && len(fraction) >= 2 && len(fraction) <= 7
}

// A Date is a day as YYYY-MM-DD.
type Date string

// Time returns midnight UTC of the day.
func (d Date) Time() (time.Time, error) { return time.Parse(time.DateOnly, string(d)) }

func (c *checker) date(d Date, at string) {
	if !c.required(d != "", at) {
		return
	}
	if _, err := d.Time(); err != nil {
		c.fail(CodeValue, at, "%.40q is not a date: write it as 2026-01-31", string(d))
	}
}

func (c *checker) optionalDate(d Date, at string) {
	if d != "" {
		c.date(d, at)
	}
}

// A Period is a span of days; To may be open where the kind allows it.
type Period struct {
	From Date `json:"from,omitzero"`
	To   Date `json:"to,omitzero"`
}

func (c *checker) period(p Period, open bool, at string) {
	c.date(p.From, at+"/from")
	if p.To == "" && open {
		return
	}
	c.date(p.To, at+"/to")
	if p.To < p.From {
		c.fail(CodeValue, at+"/to", "the period ends before it begins: exchange the dates")
	}
}
