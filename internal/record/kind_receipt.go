package record

import "fmt"

// ReceiptState says how far a record came at the recipient.
type ReceiptState string

// The states of a receipt.
const (
	ReceiptFetched ReceiptState = "fetched" // the node has its object
	ReceiptOpened  ReceiptState = "opened"  // the node opened and verified it
	ReceiptRead    ReceiptState = "read"    // by a person
	ReceiptObeyed  ReceiptState = "obeyed"  // of a recall or release: every exit of the node holds to it
)

// ReceiptBody says that the author of the receipt has records of another party's log: one, or with Ranges many.
type ReceiptBody struct {
	Target string       `json:"target,omitzero"` // leaf hash; with ranges of the last leaf in them
	Log    string       `json:"log,omitzero"`    // origin of the log that holds it
	State  ReceiptState `json:"state,omitzero"`
	At     Instant      `json:"at,omitzero"`     // of several, when the last of them came so far
	Tree   *ReceiptTree `json:"tree,omitzero"`   // in which the ranges are counted
	Ranges []Range      `json:"ranges,omitzero"` // in order, apart from each other
}

// ReceiptTree is the state of a log as the recipient verified it.
type ReceiptTree struct {
	Size int64  `json:"size,omitzero"` // leaves
	Root string `json:"root,omitzero"` // hexadecimal
}

// A Range is the leaves from the first number up to, and without, the second.
type Range [2]int64

// Bounds of one receipt, so that what a reader keeps of it is bounded too.
const (
	MaxRanges    = 4096
	MaxRangeSpan = 1 << 24 // leaves from the first range's first to the last one's last
)

// Kind returns [KindReceipt].
func (*ReceiptBody) Kind() Kind { return KindReceipt }

func (r *ReceiptBody) check(c *checker, at string) {
	if c.required(r.Target != "", at+"/target") {
		c.hash(r.Target, at+"/target")
	}
	c.origin(r.Log, at+"/log")
	oneOf(c, r.State, at+"/state", ReceiptFetched, ReceiptOpened, ReceiptRead, ReceiptObeyed)
	c.required(!r.At.IsZero(), at+"/at")
	if r.Tree == nil && len(r.Ranges) == 0 {
		return
	}
	if c.required(r.Tree != nil, at+"/tree") {
		if c.required(r.Tree.Size != 0, at+"/tree/size") && (r.Tree.Size < 1 || r.Tree.Size > maxExact) {
			c.fail(CodeValue, at+"/tree/size", "a tree with something in it has 1 to %d leaves", int64(maxExact))
		}
		if c.required(r.Tree.Root != "", at+"/tree/root") {
			c.hash(r.Tree.Root, at+"/tree/root")
		}
	}
	c.required(len(r.Ranges) > 0, at+"/ranges")
	c.count(len(r.Ranges), MaxRanges, at+"/ranges")
	if c.err == nil {
		c.ranges(r.Ranges, r.Tree.Size, at+"/ranges")
	}
}

// ranges checks that ranges hold something, stand in order with something between them, and lie in a tree.
func (c *checker) ranges(list []Range, size int64, at string) {
	for i, r := range list {
		place := fmt.Sprintf("%s/%d", at, i)
		switch {
		case r[0] < 0 || r[0] > maxExact || r[1] < 1 || r[1] > maxExact:
			c.fail(CodeValue, place, "a place counts from 0, and the end of a range from 1")
		case r[0] >= r[1]:
			c.fail(CodeValue, place, "the range ends before it begins")
		case i > 0 && list[i-1][1] >= r[0]:
			c.fail(CodeValue, place, "out of order or repeated: sort the ranges and join those that touch")
		case r[1] > size:
			c.fail(CodeValue, place, "the range ends before it begins or after the tree of %d leaves", size)
		case r[1]-list[0][0] > MaxRangeSpan:
			c.fail(CodeSize, place, "the ranges reach over %d leaves: write several receipts", MaxRangeSpan)
		}
	}
}
