package intel

import (
	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/stix"
)

// opinion is what a party says of indicators (STIX 2.1, section 4.13): a partner's report of a false positive is one that
// disagrees.
type opinion struct {
	object    stix.Object
	author    string
	disagrees bool
	about     []string
}

// maxOpinions bounds the opinions that are kept.
const maxOpinions = 1 << 20

func (c *Compiler) readOpinion(o stix.Object) {
	v, err := o.Open()
	if err != nil {
		return
	}
	said := opinion{object: o, author: v.Get("created_by_ref").Text()}
	switch v.Get("opinion").Text() {
	case "disagree", "strongly-disagree":
		said.disagrees = !o.Revoked
	}
	said.about = v.Get("object_refs").Texts()
	if old, known := c.opinions[o.ID]; known && !stix.Newer(o, old.object) || len(c.opinions) >= maxOpinions {
		return
	}
	if c.opinions == nil {
		c.opinions = map[string]opinion{}
	}
	c.opinions[o.ID] = said
}

// doubted counts for each indicator the parties that report it as a false positive. The author of an indicator does not
// doubt it by an opinion (it revokes), and opinions by nobody count as one party's together.
func (c *Compiler) doubted() map[index.ID]int {
	parties := map[index.ID]map[string]struct{}{}
	for _, said := range c.opinions {
		if !said.disagrees {
			continue
		}
		for _, ref := range said.about {
			id, err := index.ParseID(ref)
			if err != nil {
				continue
			}
			if parties[id] == nil {
				parties[id] = map[string]struct{}{}
			}
			parties[id][said.author] = struct{}{}
		}
	}
	counts := make(map[index.ID]int, len(parties))
	for id, who := range parties {
		counts[id] = len(who)
	}
	return counts
}
