package record

import "fmt"

// AllegationType says what is alleged.
type AllegationType string

// The types of an allegation.
const (
	AllegeAttribution AllegationType = "attribution"
	AllegeTerritory   AllegationType = "territory" // activity from a territory
	AllegeCounter     AllegationType = "counter"
)

// Confidence says how sure the author is.
type Confidence string

// The degrees of confidence.
const (
	ConfidenceLow      Confidence = "low"
	ConfidenceModerate Confidence = "moderate"
	ConfidenceHigh     Confidence = "high"
)

// Allegation is an accusation by the author, with its basis. It is never merged into facts.
type Allegation struct {
	Type       AllegationType `json:"type,omitzero"`
	Against    []Accused      `json:"against,omitzero"`
	Summary    Text           `json:"summary,omitzero"`
	Basis      Text           `json:"basis,omitzero"`
	Confidence Confidence     `json:"confidence,omitzero"`
	Norms      []string       `json:"norms,omitzero"` // labels
	Period     *Period        `json:"period,omitzero"`
}

// Accused is whom an allegation names, a party of the agreement or not.
type Accused struct {
	Party string `json:"party,omitzero"`
	Name  Names  `json:"name,omitzero"`
}

const maxAccused = 64

// Kind returns [KindAllegation].
func (*Allegation) Kind() Kind { return KindAllegation }

func (a *Allegation) check(c *checker, at string) {
	oneOf(c, a.Type, at+"/type", AllegeAttribution, AllegeTerritory, AllegeCounter)
	c.required(len(a.Against) > 0, at+"/against")
	c.count(len(a.Against), maxAccused, at+"/against")
	for i, x := range a.Against {
		place := fmt.Sprintf("%s/against/%d", at, i)
		if x.Party != "" {
			c.id(x.Party, PrefixParty, place+"/party")
		}
		c.names(x.Name, place+"/name")
	}
	c.text(a.Summary, at+"/summary")
	c.text(a.Basis, at+"/basis")
	oneOf(c, a.Confidence, at+"/confidence", ConfidenceLow, ConfidenceModerate, ConfidenceHigh)
	c.labels(a.Norms, maxServes, at+"/norms")
	if a.Period != nil {
		c.period(*a.Period, true, at+"/period")
	}
}
