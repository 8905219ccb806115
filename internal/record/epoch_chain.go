package record

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"time"
)

// An EpochChain is what an author has given to whom of the epochs of one audience, in the order in which they were begun.
// It decides what the next record takes, and what somebody is owed; it holds no keys.
type EpochChain struct{ Epochs []EpochState }

// EpochState is one epoch of a chain.
type EpochState struct {
	ID    string
	Steps []EpochStep     // that were announced, ascending; never empty
	Given map[string]Gift // by id of a seal key: the earliest step that was wrapped for it
}

// EpochStep is a step of an epoch and when it was announced.
type EpochStep struct {
	Step int64
	At   time.Time
}

// Gift is a step that a key was given. Its wrap may have been lost with the store it was in.
type Gift struct {
	Step int64
	Lost bool
}

// A Holder is one recipient of an audience: a party, or a person of one.
type Holder struct {
	Keys []Key // seal keys in force
	// Replaced are ids of its seal keys that were replaced in good order: who has them is the holder itself.
	Replaced []string
	// Former are ids of all seal keys that it ever had: what they were given, the holder was given.
	Former []string
	// From is since when the holder may have what was sealed before it came; nil: nothing of that.
	From *time.Time
}

// A Grant hands one step of an epoch to more keys. Who has it derives the steps that follow.
type Grant struct {
	Epoch string
	Step  int64
	Keys  []Key // sorted by id
}

// last returns the newest epoch.
func (c EpochChain) last() (EpochState, bool) {
	if len(c.Epochs) == 0 {
		return EpochState{}, false
	}
	return c.Epochs[len(c.Epochs)-1], true
}

// newest is the newest step of an epoch.
func (e EpochState) newest() int64 { return e.Steps[len(e.Steps)-1].Step }

// Next says how the next record to these holders is sealed, and for which keys the step is wrapped: with the newest step as it
// is (empty mode), after a ratchet for those who joined, or with a fresh key when somebody has the newest epoch who must not
// have what comes now. What the holders are owed of the newest epoch must be granted before.
func (c EpochChain) Next(to []Holder) (EpochMode, []Key) {
	last, ok := c.last()
	if !ok || last.newest() >= last.Steps[0].Step+maxRatchet-1 {
		return EpochFresh, SealKeysOf(to)
	}
	may := map[string]bool{}
	for _, h := range to {
		for _, k := range h.Keys {
			may[k.ID] = true
		}
		for _, id := range h.Replaced {
			may[id] = true
		}
	}
	for id := range last.Given {
		if !may[id] {
			return EpochFresh, SealKeysOf(to)
		}
	}
	var join []Holder
	for _, h := range to {
		_, owed := c.entitled(len(c.Epochs)-1, h)
		keys := slices.DeleteFunc(slices.Clone(h.Keys), func(k Key) bool { _, has := last.Given[k.ID]; return has || owed })
		if len(keys) > 0 {
			join = append(join, Holder{Keys: keys})
		}
	}
	if len(join) == 0 {
		return "", nil
	}
	return EpochRatchet, SealKeysOf(join)
}

// Owed lists what these holders may have of the chain and do not: earlier epochs by the agreement's rule, and what was given to
// a key that another has taken the place of, or in a wrap that was lost.
func (c EpochChain) Owed(to []Holder) []Grant {
	var out []Grant
	for i, e := range c.Epochs {
		byStep := map[int64][]Holder{}
		for _, h := range to {
			step, ok := c.entitled(i, h)
			if !ok {
				continue
			}
			keys := slices.DeleteFunc(slices.Clone(h.Keys), func(k Key) bool {
				g, has := e.Given[k.ID]
				return has && !g.Lost && g.Step <= step
			})
			if len(keys) > 0 {
				byStep[step] = append(byStep[step], Holder{Keys: keys})
			}
		}
		for step, holders := range byStep {
			out = append(out, Grant{Epoch: e.ID, Step: step, Keys: SealKeysOf(holders)})
		}
		slices.SortStableFunc(out[len(out)-len(byStep):], func(a, b Grant) int { return cmp.Compare(a.Step, b.Step) })
	}
	return out
}

// entitled returns the earliest step of an epoch that a holder may have, whether it has it or not.
func (c EpochChain) entitled(at int, h Holder) (step int64, ok bool) {
	e := c.Epochs[at]
	for _, ids := range [][]string{h.Former, keyIDs(h.Keys)} {
		for _, id := range ids {
			if g, had := e.Given[id]; had && (!ok || g.Step < step) {
				step, ok = g.Step, true
			}
		}
	}
	if h.From == nil || at+1 < len(c.Epochs) && !c.Epochs[at+1].Steps[0].At.After(*h.From) {
		return step, ok // it ended before
	}
	inForce := e.Steps[0].Step
	for _, s := range e.Steps {
		if !s.At.After(*h.From) {
			inForce = s.Step
		}
	}
	if !ok || inForce < step {
		step = inForce
	}
	return step, true
}

func keyIDs(keys []Key) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k.ID
	}
	return out
}

// SealKeysOf lists the keys of all holders, sorted and without repeats.
func SealKeysOf(to []Holder) []Key {
	var out []Key
	for _, h := range to {
		out = append(out, h.Keys...)
	}
	slices.SortStableFunc(out, func(a, b Key) int { return compareStrings(a.ID, b.ID) })
	return slices.CompactFunc(out, func(a, b Key) bool { return a.ID == b.ID })
}

// SealedBy returns the epoch and the step that seal an object, having looked at its head alone; ok is false for one that is
// clear or sealed directly.
func SealedBy(object []byte) (epoch string, step int64, ok bool) {
	if form, err := ObjectForm(object); err != nil || form != FormSealed {
		return "", 0, false
	}
	head := object[objectHeader:min(len(object), objectHeader+256)]
	_, head, ok = bytes.Cut(head, []byte("\n-> "+epochStanza+" "))
	if !ok {
		return "", 0, false
	}
	line, _, _ := bytes.Cut(head, []byte{'\n'})
	args := bytes.Fields(line)
	if len(args) != 3 || !IsID(string(args[0]), PrefixEpoch) {
		return "", 0, false
	}
	step, err := strconv.ParseInt(string(args[1]), 10, 64)
	return string(args[0]), step, err == nil && step >= 0
}
