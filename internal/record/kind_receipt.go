package record

// ReceiptState says how far a record came at the recipient.
type ReceiptState string

// The states of a receipt.
const (
	ReceiptFetched ReceiptState = "fetched"
	ReceiptOpened  ReceiptState = "opened"
	ReceiptRead    ReceiptState = "read" // by a person
)

// ReceiptBody says that the author of the receipt has a record of another party's log.
type ReceiptBody struct {
	Target string       `json:"target,omitzero"` // leaf hash
	Log    string       `json:"log,omitzero"`    // origin of the log that holds it
	State  ReceiptState `json:"state,omitzero"`
	At     Instant      `json:"at,omitzero"`
}

// Kind returns [KindReceipt].
func (*ReceiptBody) Kind() Kind { return KindReceipt }

func (r *ReceiptBody) check(c *checker, at string) {
	if c.required(r.Target != "", at+"/target") {
		c.hash(r.Target, at+"/target")
	}
	c.origin(r.Log, at+"/log")
	oneOf(c, r.State, at+"/state", ReceiptFetched, ReceiptOpened, ReceiptRead)
	c.required(!r.At.IsZero(), at+"/at")
}
