package node

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/stix"
)

// Draft is a record that a person wants to publish.
type Draft struct {
	Kind    string
	TLP     string // empty: the strictest in the bundle, else AMBER
	PAP     string
	Parties []string // audience
	Persons []string
	Serves  []string
	Refs    []string // "REL:LEAF"
	Expires string   // RFC 3339, or empty
	Body    []byte   // for intel the STIX bundle itself, kept byte for byte; else the body of the kind

	// DespiteWarnings publishes values that are on warning lists all the same.
	DespiteWarnings bool

	checked bool     // the body was checked before: what signing checks again is enough. A bundle is wrapped then
	ids     []string // of the objects of a bundle that was checked before
}

// defaultTLP marks what nobody marked: it stays with the recipients and their clients.
const defaultTLP = record.TLPAmber

// maxFenceRetries bounds how often a record is signed again because the keyring changed under it.
const maxFenceRetries = 16

// Publish composes, signs and seals a record and appends it to a log, named by its id or its agreement. It returns when
// the record is durable and covered by a signed, published checkpoint.
func (n *Node) Publish(ctx context.Context, ref string, d Draft) (Receipt, error) {
	if n.ledger == nil {
		return Receipt{}, errReadOnly()
	}
	rec, err := d.record()
	if err != nil {
		return Receipt{}, err
	}
	l, err := n.publishLog(ctx, ref)
	if err != nil {
		return Receipt{}, err
	}
	if err := n.settled(l); err != nil {
		return Receipt{}, err
	}
	if rec.Kind == record.KindIntel && !d.checked {
		b := readIntel(d.Body)
		if err := n.checkEntry(b, d.DespiteWarnings, rec.Marking); err != nil {
			return Receipt{}, err
		}
		d.ids = b.ids()
		done, err := n.backlog.admit(ctx, len(d.ids))
		if err != nil {
			return Receipt{}, err
		}
		defer done()
	}
	if err := n.checkPublishable(ctx, l, rec); err != nil {
		return Receipt{}, err
	}
	for try := 0; ; try++ {
		k, err := n.keyring(l.ID)
		if err != nil {
			return Receipt{}, err
		}
		officer, err := n.officerFor(k, rec.Kind)
		if err != nil {
			return Receipt{}, err
		}
		rec.Agreement, rec.Author, rec.Officer = k.Log.Agreement, k.Party, officer.ID
		receipt, err := n.append(ctx, l.ID, rec, officer, uint64(k.Serial), 0, nil)
		if err == nil && len(d.ids) > 0 {
			n.backlog.note(Place{Log: receipt.Log, Index: receipt.Index}, d.ids)
		}
		var fence *ledger.ErrFence
		if !errors.As(err, &fence) || try == maxFenceRetries {
			return receipt, err
		}
		if err := n.awaitCeremony(ctx, l.ID); err != nil {
			return Receipt{}, err
		}
	}
}

// publishLog finds the log to publish in, by its id, its agreement, or what people call the agreement, and learns whom
// records under it are sealed to.
func (n *Node) publishLog(ctx context.Context, ref string) (ledger.LogInfo, error) {
	l, err := n.resolveLog(ctx, ref)
	if fault.CodeOf(err) == fault.NotFound {
		if id, known := n.rollID(ctx, ref); known == nil {
			l, err = n.resolveLog(ctx, id)
		}
	}
	if err != nil {
		return l, err
	}
	if l.Followed() {
		return l, fault.New(fault.Invalid, "name the agreement, or a log of this party's own", "publishing: log %s is another party's, followed here", l.ID)
	}
	return l, n.loadMembers(ctx, l.Agreement)
}

// awaitCeremony waits until the change of keys that is under way has ended, and reads what it left.
func (n *Node) awaitCeremony(ctx context.Context, logID string) error {
	n.ceremony.Lock()
	defer n.ceremony.Unlock()
	return n.refreshBook(ctx, logID)
}

// settled refuses a log that may be behind its own published history.
func (n *Node) settled(l ledger.LogInfo) error {
	switch {
	case l.Behind != nil:
		return fault.OfStore(l.Behind)
	case n.unsettled():
		return errUnsettled("publishing")
	}
	return nil
}

// record makes a record of the draft, without what the node adds when it signs.
func (d Draft) record() (record.Record, error) {
	spec, err := record.LookupKind(record.Kind(d.Kind))
	if err != nil {
		return record.Record{}, recordFault("publishing", err)
	}
	if spec.Issuer != record.RoleOfficer {
		return record.Record{}, fault.New(fault.Forbidden, "", "publishing: records of kind %s are issued by the program itself", d.Kind)
	}
	r := record.Record{Kind: spec.Name, Audience: record.NewAudience(d.Parties, d.Persons), Serves: d.Serves, Body: d.Body}
	if spec.Name == record.KindIntel && !d.checked {
		r.Body = wrapBundle(d.Body)
	}
	if r.Refs, err = parseRefs(d.Refs); err != nil {
		return record.Record{}, err
	}
	if d.Expires != "" {
		t, err := time.Parse(time.RFC3339, d.Expires)
		if err != nil {
			return record.Record{}, fault.New(fault.Invalid, "write it as 2027-01-31T00:00:00Z", "publishing: expires %q is not a time", d.Expires)
		}
		t = t.UTC()
		r.Expires = &t
	}
	if !d.checked {
		if err := spec.Check(r.Body); err != nil {
			return record.Record{}, recordFault("publishing: the body of the "+d.Kind+" is not right", err)
		}
		if spec.Name == record.KindIntel {
			if err := checkSTIX(d.Body); err != nil {
				return record.Record{}, err
			}
		}
	}
	r.Marking, err = d.marking()
	return r, err
}

// checkSTIX refuses a bundle that breaks a MUST of STIX 2.1, naming the first object, place and rule.
func checkSTIX(bundle []byte) error {
	report := stix.Validate(bundle, stix.Options{MaxFindings: 1})
	switch {
	case report.Unreadable != nil:
		return &fault.Fault{Code: fault.Invalid, What: "publishing: the bundle cannot be read", Err: report.Unreadable}
	case report.Valid || len(report.Findings) == 0:
		return nil
	}
	f := report.Findings[0]
	place := f.Path
	if f.Index >= 0 {
		place = fmt.Sprintf("/objects/%d%s", f.Index, f.Path)
	}
	more := ""
	if report.Omitted > 0 {
		more = fmt.Sprintf(" (and %d more)", report.Omitted)
	}
	return fault.New(fault.Invalid, "see all with 'mithaq stix validate'", "publishing: the bundle is not valid STIX 2.1 at %s: %s, %s%s", place, f.Message, f.Rule, more)
}

// bundlePrefix and what wrapBundle adds around a bundle is all that stands between it and the record's body, so that
// unwrapBundle gives back the very bytes that came, white space included.
const bundlePrefix = `{"bundle":`

func wrapBundle(bundle []byte) []byte {
	out := make([]byte, 0, len(bundle)+len(bundlePrefix)+1)
	out = append(out, bundlePrefix...)
	out = append(out, bundle...)
	return append(out, '}')
}

func unwrapBundle(body []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(body, []byte(bundlePrefix))
	if !ok || !bytes.HasSuffix(rest, []byte("}")) {
		return nil, false
	}
	return rest[:len(rest)-1], true
}

func parseRefs(refs []string) ([]record.Ref, error) {
	var out []record.Ref
	for _, s := range refs {
		rel, leaf, ok := strings.Cut(s, ":")
		if !ok || len(leaf) != 64 {
			return nil, fault.New(fault.Invalid, "write about:LEAF with the 64 digits that 'mithaq show' prints", "publishing: reference %q is not REL:LEAF", s)
		}
		out = append(out, record.Ref{Rel: record.Rel(rel), Leaf: leaf})
	}
	return out, nil
}

// marking is what the person said, else what the bundle says, else the default.
func (d Draft) marking() (record.Marking, error) {
	m := record.Marking{TLP: defaultTLP}
	switch {
	case d.TLP != "":
		m.TLP = record.TLP(prefixed("TLP:", d.TLP))
		if !m.TLP.Valid() {
			return m, fault.New(fault.Invalid, "use TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT or TLP:RED", "publishing: %q is not a TLP 2.0 label", d.TLP)
		}
	case record.Kind(d.Kind) == record.KindIntel:
		if found, ok := bundleTLP(d.Body); ok || found.Stricter(m.TLP) {
			m.TLP = found
		}
	}
	if d.PAP != "" {
		m.PAP = record.PAP(prefixed("PAP:", d.PAP))
		if !m.PAP.Valid() {
			return m, fault.New(fault.Invalid, "use PAP:CLEAR, PAP:GREEN, PAP:AMBER or PAP:RED", "publishing: %q is not a PAP label", d.PAP)
		}
	}
	return m, nil
}

func prefixed(prefix, label string) string {
	label = strings.ToUpper(label)
	if !strings.HasPrefix(label, prefix) {
		label = prefix + label
	}
	return label
}

// officerFor picks the officer who signs: the first in the keyring who may issue the kind and whose key is here.
func (n *Node) officerFor(k record.Keyring, kind record.Kind) (record.Key, error) {
	for _, key := range k.WithRole(record.RoleOfficer) {
		if len(key.Kinds) > 0 && !slices.Contains(key.Kinds, kind) {
			continue
		}
		if n.keys.holds(key.ID) {
			return key, nil
		}
	}
	return record.Key{}, fault.New(fault.Forbidden, "see 'mithaq key list'", "publishing: no officer whose key is here may issue a %s under log %s", kind, k.Log.ID)
}

// append signs rec with the key signer, seals it for its audience and appends it. under is the serial of the keyring that
// it is signed under, sets the serial that it brings into force, or 0. Others may sign beside the signer.
func (n *Node) append(ctx context.Context, logID string, rec record.Record, signer record.Key, under, sets uint64, attachments [][]byte, others ...record.Key) (Receipt, error) {
	receipt, err := n.appendRecord(ctx, logID, rec, append([]record.Key{signer}, others...), under, sets, attachments)
	if err != nil {
		n.counts.failures.Add(1)
		return Receipt{}, err
	}
	n.counts.leaves.Add(1)
	n.takenBack.note(rec, logID, receipt.Index)
	n.besideRoll.note(rec, logID, receipt.Index)
	n.indexer.nudge()
	return receipt, nil
}

func (n *Node) appendRecord(ctx context.Context, logID string, rec record.Record, signers []record.Key, under, sets uint64, attachments [][]byte) (Receipt, error) {
	var err error
	if rec.ID, err = record.NewID(n.rand, record.PrefixRecord); err != nil {
		return Receipt{}, err
	}
	rec.Time = n.now()
	keys := make([]record.Signer, len(signers))
	for i, s := range signers {
		if keys[i], err = n.keys.signer(s.PublicKey()); err != nil {
			return Receipt{}, err
		}
	}
	envelope, err := rec.Sign(ctx, keys...)
	if err != nil {
		return Receipt{}, recordFault("publishing", err)
	}
	sealing, err := n.sealingFor(ctx, logID, rec)
	if err != nil {
		return Receipt{}, err
	}
	object, err := rec.Seal(n.rand, envelope, sealing)
	if err != nil {
		return Receipt{}, recordFault("sealing", err)
	}
	return n.appendObject(ctx, logID, rec, object, under, sets, attachments)
}

// appendSigned seals a signed record for its audience and appends it.
func (n *Node) appendSigned(ctx context.Context, logID string, rec record.Record, envelope []byte, under, sets uint64, attachments [][]byte) (Receipt, error) {
	sealing, err := n.sealingFor(ctx, logID, rec)
	if err != nil {
		return Receipt{}, err
	}
	object, err := record.SealObject(n.rand, envelope, sealing)
	if err != nil {
		return Receipt{}, recordFault("sealing", err)
	}
	return n.appendObject(ctx, logID, rec, object, under, sets, attachments)
}

func (n *Node) appendObject(ctx context.Context, logID string, rec record.Record, object []byte, under, sets uint64, attachments [][]byte) (Receipt, error) {
	defer n.quiet.enter(logID, rec.Kind == record.KindReceipt || rec.Kind == record.KindAudit)()
	r, err := n.ledger.Append(ctx, logID, ledger.Entry{Object: object, Attachments: attachments, Under: under, Sets: sets})
	if err != nil {
		return Receipt{}, fault.OfStore(err)
	}
	return Receipt{
		Record: rec.ID, Kind: string(rec.Kind), Log: logID, Index: r.Index, Leaf: hex.EncodeToString(r.LeafHash[:]),
		Object: record.ObjectHash(object), Size: r.Size, Duplicate: r.Duplicate,
	}, nil
}
