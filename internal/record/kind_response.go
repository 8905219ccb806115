package record

// Stance says how the responding party stands to what was said.
type Stance string

// The stances of a response.
const (
	StanceAccepts       Stance = "accepts"
	StanceRejects       Stance = "rejects"
	StancePartly        Stance = "partly"
	StanceInvestigating Stance = "investigating"
	StanceNeedsInfo     Stance = "needs-information"
	StanceCounter       Stance = "counter"
)

// Response answers an allegation; it stays beside it.
type Response struct {
	Target string `json:"target,omitzero"` // leaf hash
	Stance Stance `json:"stance,omitzero"`
	Text   Text   `json:"text,omitzero"`
}

// Kind returns [KindResponse].
func (*Response) Kind() Kind { return KindResponse }

func (r *Response) check(c *checker, at string) {
	if c.required(r.Target != "", at+"/target") {
		c.hash(r.Target, at+"/target")
	}
	oneOf(c, r.Stance, at+"/stance", StanceAccepts, StanceRejects, StancePartly, StanceInvestigating, StanceNeedsInfo, StanceCounter)
	c.text(r.Text, at+"/text")
}
