package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
)

// docketName is the folder with proofs of misconduct that wait for a person.
const docketName = "docket"

// CaseFormat is the format of a case's file.
const CaseFormat = "mithaq-case/1"

// Case is proof that a party gave its word for two children of one parent: both acts with their signatures. It is kept
// here and goes nowhere before a person has decided so: a mistake or a stolen key is no crime.
type Case struct {
	Format    string        `json:"format" enum:"mithaq-case/1"`
	Agreement string        `json:"agreement"`
	Party     string        `json:"party"`
	Parent    string        `json:"parent" doc:"The basis, or state, on which both were approved"`
	Found     time.Time     `json:"found"`
	First     SignedAct     `json:"first"`
	Second    SignedAct     `json:"second"`
	Decision  *CaseDecision `json:"decision,omitempty" doc:"Absent: it waits for a person"`
}

// CaseDecision is what a person decided on a case.
type CaseDecision struct {
	Publish bool      `json:"publish" doc:"Whether the parties are told, by an allegation under the agreement"`
	Why     string    `json:"why" minLength:"1" maxLength:"1000" doc:"The person's reason"`
	By      string    `json:"by,omitempty" doc:"Key id of the officer; absent in a request: the first who may issue allegations here"`
	At      time.Time `json:"at,omitzero"`
	Record  string    `json:"record,omitempty" doc:"Leaf of the allegation, once it was published"`
}

// CaseView points to a proof of misconduct.
type CaseView struct {
	ID       string        `json:"id"`
	Party    string        `json:"party"`
	Found    time.Time     `json:"found"`
	File     string        `json:"file"`
	Says     string        `json:"says" doc:"What it proves, in one line"`
	Decision *CaseDecision `json:"decision,omitempty" doc:"Absent: it waits for a person, and nothing of it is published"`
}

// Verify checks both acts of a case, from their signatures up, and says what they prove. It needs nothing else.
func (c Case) Verify() (agreement.Misconduct, error) {
	if c.Format != CaseFormat {
		return agreement.Misconduct{}, fault.New(fault.Invalid, "give a file that 'mithaq agreement case -o' wrote", "verifying a case: its format is %q, not %s", fault.Clip(c.Format), CaseFormat)
	}
	var words [2]agreement.Approval
	for i, act := range []SignedAct{c.First, c.Second} {
		act.Object = nil // only its hash counts here, which the proof is about
		e, err := act.entry(nil)
		var p provenAct
		if err == nil {
			p, err = proveAct(e, c.Agreement)
		}
		if err != nil {
			return agreement.Misconduct{}, &fault.Fault{Code: fault.Forbidden, What: fmt.Sprintf("verifying a case: act %d", i+1), Err: err}
		}
		word, ok := agreement.ApprovalOf(p.entry)
		if !ok {
			return agreement.Misconduct{}, fault.New(fault.Forbidden, "", "verifying a case: act %d gives nobody's word for anything", i+1)
		}
		words[i] = word
	}
	m, ok := agreement.Compare(words[0], words[1])
	if !ok || m.Party != c.Party || m.Parent != c.Parent {
		return m, fault.New(fault.Forbidden, "", "verifying a case: the two acts do not contradict each other as the case says")
	}
	return m, nil
}

// ParseCase reads a case's file.
func ParseCase(data []byte) (c Case, err error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err = dec.Decode(&c); err == nil && dec.More() {
		err = fmt.Errorf("more follows after it")
	}
	if err != nil {
		return c, &fault.Fault{Code: fault.Invalid, What: "reading a case", Err: err, Remedy: "give a file that 'mithaq agreement case -o' wrote"}
	}
	return c, nil
}

// SaysOf puts misconduct into one line, without a verdict.
func SaysOf(m agreement.Misconduct) string {
	return fmt.Sprintf("%s approved both %.12s… and %.12s… on parent %.12s…", m.Party, m.First.Child, m.Second.Child, m.Parent)
}

// keepCase keeps what proves that the act second contradicts one in the roll.
func (n *Node) keepCase(ctx context.Context, r *roll, second provenAct, m agreement.Misconduct) (string, error) {
	c := Case{Format: CaseFormat, Agreement: r.id, Party: m.Party, Parent: m.Parent, Found: n.now().UTC(), Second: r.signedAct(second.signed, nil)}
	if l, ok := r.lineWith(m.First.Leaf); ok {
		signed, err := n.signLine(ctx, l)
		if err != nil {
			return "", err
		}
		c.First = r.signedAct(signed, nil)
	}
	for i := range r.places {
		if !r.isPair() && r.places[i].entry.Leaf == m.First.Leaf {
			c.First = r.signedAct(r.places[i].act.signed, nil)
		}
	}
	id := m.First.Leaf[:16] + "-" + m.Second.Leaf[:16]
	if known, err := n.readCase(id); err == nil {
		return known.path, nil // the same act was offered again: what was decided stands
	}
	return n.writeCase(id, c)
}

func (n *Node) casePath(id string) string { return filepath.Join(n.dir, docketName, id+".json") }

func (n *Node) writeCase(id string, c Case) (string, error) {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return "", fmt.Errorf("keeping a case: %w", err)
	}
	if err := makeDir(filepath.Join(n.dir, docketName)); err != nil {
		return "", err
	}
	path := n.casePath(id)
	return path, writeDurable(path, append(data, '\n'), 0o600)
}

// keptCase is a case with its file.
type keptCase struct {
	Case
	id, path string
}

func (n *Node) readCase(id string) (keptCase, error) {
	k := keptCase{id: id, path: n.casePath(id)}
	data, err := os.ReadFile(k.path) // #nosec G304 -- callers take ids from the folder's own list
	if err == nil {
		k.Case, err = ParseCase(data)
	}
	if err != nil {
		return k, fmt.Errorf("reading %s: %w", k.path, err)
	}
	return k, nil
}

func (k keptCase) view() CaseView {
	v := CaseView{ID: k.id, Party: k.Party, Found: k.Found, File: k.path, Decision: k.Decision}
	if m, err := k.Verify(); err == nil {
		v.Says = SaysOf(m)
	} else {
		v.Says = err.Error()
	}
	return v
}

// casesUnder reads the cases under an agreement, in order of their ids.
func (n *Node) casesUnder(agreementID string) ([]keptCase, error) {
	all, err := n.allCases()
	return slices.DeleteFunc(all, func(k keptCase) bool { return k.Agreement != agreementID }), err
}

// allCases reads the cases that are kept here, in order of their ids.
func (n *Node) allCases() ([]keptCase, error) {
	entries, err := os.ReadDir(filepath.Join(n.dir, docketName))
	if err := ignoreMissing(err); err != nil {
		return nil, fmt.Errorf("reading the docket: %w", err)
	}
	var out []keptCase
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok {
			continue
		}
		k, err := n.readCase(id)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// Cases lists the proofs of misconduct under an agreement that are kept here.
func (n *Node) Cases(ctx context.Context, ref string) ([]CaseView, error) {
	id, err := n.rollID(ctx, ref)
	if err != nil {
		return nil, err
	}
	kept, err := n.casesUnder(id)
	out := []CaseView{}
	for _, k := range kept {
		out = append(out, k.view())
	}
	return out, err
}

// CaseFile is a case as it is kept: both acts with their proofs, which anybody can verify offline.
func (n *Node) CaseFile(ctx context.Context, ref, caseID string) (Case, error) {
	k, err := n.findCase(ctx, ref, caseID)
	return k.Case, err
}

// findCase finds a case by its id or the beginning of it.
func (n *Node) findCase(ctx context.Context, ref, caseID string) (keptCase, error) {
	id, err := n.rollID(ctx, ref)
	if err != nil {
		return keptCase{}, err
	}
	kept, err := n.casesUnder(id)
	if err != nil {
		return keptCase{}, err
	}
	found := slices.DeleteFunc(kept, func(k keptCase) bool { return caseID == "" || !strings.HasPrefix(k.id, caseID) })
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return keptCase{}, fault.New(fault.NotFound, "see 'mithaq agreement case "+id+"'", "there is no case %s under %s", fault.Clip(caseID), id)
	}
	return keptCase{}, fault.New(fault.Invalid, "give more of the id", "%s can mean %s and %s", fault.Clip(caseID), found[0].id, found[1].id)
}

// DecideCase records what a person decided on a case, once. To publish it is to make an allegation under the agreement,
// which names both acts as its evidence; the party that is named can respond to it, and both stand side by side.
func (n *Node) DecideCase(ctx context.Context, ref, caseID string, d CaseDecision) (CaseView, error) {
	if n.ledger == nil {
		return CaseView{}, errReadOnly()
	}
	n.ceremony.Lock() // two people who decide at once: the second finds it decided
	defer n.ceremony.Unlock()
	k, err := n.findCase(ctx, ref, caseID)
	if err != nil {
		return CaseView{}, err
	}
	if strings.TrimSpace(d.Why) == "" {
		return CaseView{}, fault.New(fault.Invalid, "give the reason", "deciding a case: a decision needs a reason")
	}
	unfinished := k.Decision != nil && k.Decision.Publish && k.Decision.Record == "" // a crash came between the two steps below
	if k.Decision != nil && !(unfinished && d.Publish) {
		return CaseView{}, fault.New(fault.Conflict, "", "deciding a case: it was decided on %s: %s", k.Decision.At.UTC().Format(time.DateOnly), fault.Clip(k.Decision.Why))
	}
	m, err := k.Verify()
	if err != nil {
		return CaseView{}, err
	}
	if d.By, err = n.deciderOf(k.Agreement, d.By); err != nil {
		return CaseView{}, err
	}
	d.At, d.Record = n.now().UTC(), ""
	k.Decision = &d
	if _, err := n.writeCase(k.id, k.Case); err != nil || !d.Publish {
		return k.view(), err
	}
	if d.Record, err = n.allege(ctx, k, m); err != nil {
		return k.view(), err
	}
	_, err = n.writeCase(k.id, k.Case)
	return k.view(), err
}

// deciderOf is the officer who decides: the one that was named, who must be able to sign here, or the first who may.
func (n *Node) deciderOf(agreementID, by string) (string, error) {
	l, err := n.resolveLog(context.Background(), agreementID)
	if err != nil {
		return "", err
	}
	k, err := n.keyring(l.ID)
	if err != nil {
		return "", err
	}
	if by != "" {
		key, ok := k.Find(by)
		if !ok || key.Role != record.RoleOfficer || !n.keys.holds(by) {
			return "", fault.New(fault.Forbidden, "see 'mithaq key list'", "deciding a case: %s is no officer whose key is here", fault.Clip(by))
		}
		return by, nil
	}
	officer, err := n.officerFor(k, record.KindAllegation)
	return officer.ID, err
}

// allege publishes a case as an allegation under its agreement and returns the record's leaf.
func (n *Node) allege(ctx context.Context, k keptCase, m agreement.Misconduct) (string, error) {
	name := map[string]string{"en": m.Party}
	err := n.withRoll(ctx, k.Agreement, func(r *roll) error {
		if _, names := r.nameOf(m.Party); len(names) > 0 {
			name = names
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(record.Allegation{
		Type: record.AllegeAttribution, Confidence: record.ConfidenceHigh,
		Against: []record.Accused{{Party: m.Party, Name: name}},
		Summary: record.Text{
			"ar": "وافقت جهة واحدة على بديلين متعارضين للنص نفسه.",
			"en": "One party approved two children of one parent.",
			"fr": "Une partie a approuvé deux suites d'un même texte.",
		},
		Basis: record.Text{"en": "Both acts bear the party's signatures and stand in its own log. " + SaysOf(m) + ".\n" + k.Decision.Why},
	})
	if err != nil {
		return "", fmt.Errorf("publishing a case: %w", err)
	}
	receipt, err := n.Publish(ctx, k.Agreement, Draft{Kind: string(record.KindAllegation), TLP: string(record.TLPGreen), Body: body,
		Refs: []string{"evidence:" + m.First.Leaf, "evidence:" + m.Second.Leaf}})
	return receipt.Leaf, err
}
