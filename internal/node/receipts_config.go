package node

import (
	"fmt"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/record"
)

// receiptOften is how often receipts for one log are signed at most.
const receiptOften = time.Second

func (c Config) receiptEvery() time.Duration {
	d, err := time.ParseDuration(c.ReceiptEvery)
	if err != nil {
		return time.Minute // check refused it
	}
	return d
}

func (c Config) checkReceipts() error {
	for _, kind := range c.ReceiptKinds {
		if spec, err := record.LookupKind(record.Kind(kind)); err != nil || spec.Issuer != record.RoleOfficer {
			return fmt.Errorf("receipt_kinds: %q: write kinds of records that people publish", kind)
		}
	}
	if d, err := time.ParseDuration(c.ReceiptEvery); err != nil || d < receiptOften {
		return fmt.Errorf("receipt_every = %q: write a duration of 1s or more, as \"1m\"", c.ReceiptEvery)
	}
	for _, id := range c.NoReceipts {
		if !record.IsAgreementID(id) || id == record.OwnAgreement {
			return fmt.Errorf("no_receipts: %q is no agreement: write an id that 'mithaq agreement list' prints", id)
		}
	}
	if c.AuditDays < 0 {
		return fmt.Errorf("audit_days = %d: write how many days, 0 for good", c.AuditDays)
	}
	return nil
}

// wantsReceipt says whether the author of a record is told that it was opened here.
func (c Config) wantsReceipt(agreement, kind string) bool {
	return slices.Contains(c.ReceiptKinds, kind) && !slices.Contains(c.NoReceipts, agreement)
}
