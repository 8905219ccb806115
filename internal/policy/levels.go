package policy

import "math/bits"

// levels is a set of labels by their level: bit 0 is the laxest. A rule whose conditions compare the label only with
// some labels written out cannot tell the others apart, so it need not be asked for each.
type levels uint8

const (
	allTLPs levels = 1<<5 - 1
	allPAPs levels = 1<<4 - 1
)

// with returns the set with one more level; a level under 0 adds nothing.
func (l levels) with(level int) levels {
	if level < 0 {
		return l
	}
	return l | 1<<level
}

func (l levels) has(level int) bool { return level >= 0 && l>>level&1 == 1 }

// asks returns for how many labels a rule must be asked at most.
func (l levels) asks() int { return bits.OnesCount8(uint8(l)) + 1 }

// between returns the levels from one to another (the first included, the last too, in either direction) at which rules
// must be asked that tell apart l: those of l, and the first of the others. The answer at any level between is among
// the answers there.
func (l levels) between(from, to int) levels {
	step := 1
	if to < from {
		step = -1
	}
	var ask levels
	other := false
	for level := from; level != to+step; level += step {
		if l.has(level) || !other {
			ask = ask.with(level)
			other = other || !l.has(level)
		}
	}
	return ask
}
