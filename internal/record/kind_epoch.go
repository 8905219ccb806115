package record

import "fmt"

// EpochMode says where an epoch's key comes from.
type EpochMode string

// The modes of an epoch record.
const (
	EpochFresh   EpochMode = "fresh"   // 32 random bytes, step 0
	EpochRatchet EpochMode = "ratchet" // derived from the step before
)

// EpochBody announces a step of an epoch: whom it is for, a commitment to its key, and where each recipient finds it.
type EpochBody struct {
	Epoch    string    `json:"epoch,omitzero"`
	Step     int64     `json:"step"`
	Mode     EpochMode `json:"mode,omitzero"`
	Audience *Audience `json:"audience,omitzero"` // nil: all members
	Commit   string    `json:"commit,omitzero"`   // [EpochKey.Commit]
	Wraps    []WrapRef `json:"wraps,omitzero"`    // sorted by To, without repeats
}

// WrapRef names the wrap for one recipient.
type WrapRef struct {
	To     string `json:"to,omitzero"`     // id of the seal key
	Object string `json:"object,omitzero"` // SHA-256 of the wrap
}

// maxWraps is one for each party, each person and the author.
const maxWraps = MaxParties + MaxPersons + 1

// Kind returns [KindEpoch].
func (*EpochBody) Kind() Kind { return KindEpoch }

func (e *EpochBody) defaults() { e.Step = -1 }

func (e *EpochBody) check(c *checker, at string) {
	c.id(e.Epoch, PrefixEpoch, at+"/epoch")
	oneOf(c, e.Mode, at+"/mode", EpochFresh, EpochRatchet)
	switch {
	case e.Step < 0:
		c.fail(CodeMissing, at+"/step", "the step is required, and counts from 0: add it")
	case e.Mode == EpochFresh && e.Step != 0:
		c.fail(CodeValue, at+"/step", "a fresh epoch begins at step 0")
	case e.Mode == EpochRatchet && e.Step == 0:
		c.fail(CodeValue, at+"/step", "a ratchet follows a step: it counts from 1")
	}
	c.audience(e.Audience, at+"/audience")
	if c.required(e.Commit != "", at+"/commit") {
		c.hash(e.Commit, at+"/commit")
	}
	c.required(len(e.Wraps) > 0, at+"/wraps")
	c.count(len(e.Wraps), maxWraps, at+"/wraps")
	for i, w := range e.Wraps {
		if c.err != nil {
			return
		}
		place := fmt.Sprintf("%s/wraps/%d", at, i)
		c.id(w.To, PrefixKey, place+"/to")
		if c.required(w.Object != "", place+"/object") {
			c.hash(w.Object, place+"/object")
		}
		if i > 0 && e.Wraps[i-1].To >= w.To {
			c.fail(CodeValue, place+"/to", "out of order or repeated: sort the wraps by their key and drop repeats")
		}
	}
}
