package traffic

import (
	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/hello"
	"github.com/mithaq/mithaq/internal/detect/index"
)

// chains remembers the values of certificate chains. A chain that was seen before is the same in memory, see
// hello.Memory, so that it is known by its first certificate.
type chains struct {
	groups map[*hello.Certificate]*event.Group
}

// mostChains is how many are remembered, about twice as many as hello.Memory does; then it begins anew.
const mostChains = 1 << 9

// add adds the values of a chain to groups.
func (c *chains) add(groups []*event.Group, chain []hello.Certificate) []*event.Group {
	if len(chain) == 0 {
		return groups
	}
	group, ok := c.groups[&chain[0]]
	if !ok {
		if c.groups == nil || len(c.groups) >= mostChains {
			c.groups = map[*hello.Certificate]*event.Group{}
		}
		group = &event.Group{Values: valuesOf(chain)}
		c.groups[&chain[0]] = group
	}
	return append(groups, group)
}

func valuesOf(chain []hello.Certificate) []event.Value {
	var ev event.Event
	for i := range chain {
		c := &chain[i]
		ev.AddString(index.CertHash, "certificate.sha256", c.SHA256)
		ev.AddString(index.CertHash, "certificate.sha1", c.SHA1)
		ev.AddString(index.CertSerial, "certificate.serial", c.Serial)
		for _, name := range c.DNS {
			ev.AddHost("certificate.san", ev.Bytes(name))
		}
		for _, a := range c.IP {
			ev.AddString(index.Address, "certificate.san", a)
		}
	}
	return ev.Values
}
