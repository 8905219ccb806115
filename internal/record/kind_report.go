package record

import "fmt"

// Report says how a party met commitments in a period. The commitments stand in the record's Serves, the evidence in
// its Refs.
type Report struct {
	Period     Period    `json:"period,omitzero"`
	Summary    Text      `json:"summary,omitzero"`
	Measures   []Measure `json:"measures,omitzero"`
	Challenges []Text    `json:"challenges,omitzero"`
	Gaps       []Text    `json:"gaps,omitzero"`
}

// Measure is one thing done or to be done.
type Measure struct {
	Text   Text          `json:"text,omitzero"`
	Status MeasureStatus `json:"status,omitzero"`
}

// MeasureStatus says how far a measure has come.
type MeasureStatus string

// The states of a measure.
const (
	MeasurePlanned  MeasureStatus = "planned"
	MeasureUnderWay MeasureStatus = "under-way"
	MeasureDone     MeasureStatus = "done"
)

const maxItems = 256 // measures, challenges or gaps of one report

// Kind returns [KindReport].
func (*Report) Kind() Kind { return KindReport }

func (r *Report) check(c *checker, at string) {
	c.required(r.Period != Period{}, at+"/period")
	c.period(r.Period, false, at+"/period")
	c.text(r.Summary, at+"/summary")
	c.count(len(r.Measures), maxItems, at+"/measures")
	for i, m := range r.Measures {
		place := fmt.Sprintf("%s/measures/%d", at, i)
		c.text(m.Text, place+"/text")
		oneOf(c, m.Status, place+"/status", MeasurePlanned, MeasureUnderWay, MeasureDone)
	}
	c.texts(r.Challenges, at+"/challenges")
	c.texts(r.Gaps, at+"/gaps")
}

func (c *checker) texts(list []Text, at string) {
	c.count(len(list), maxItems, at)
	for i, t := range list {
		c.text(t, fmt.Sprintf("%s/%d", at, i))
	}
}
