package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
)

// Imported says what a file was and what became of it.
type Imported struct {
	What      string `json:"what" enum:"definition,act,roll"`
	Agreement string `json:"agreement,omitempty" doc:"Agreement id"`
	Label     string `json:"label,omitempty"`
	Entries   int    `json:"entries,omitempty" doc:"Entries of the roll as it is known here now"`
	Fresh     int    `json:"fresh" doc:"How many of them were not known before"`
	Act       string `json:"act,omitempty"`
	Party     string `json:"party,omitempty" doc:"Author of the act"`
	Phase     string `json:"phase,omitempty"`
	State     string `json:"state,omitempty"`
	Mark      string `json:"mark,omitempty" doc:"خيالي · Fictional · Fictif, where the agreement is invented"`
}

// Import takes in a file that somebody carried here: an agreement file goes on the shelf, a signed act into the roll that
// this node keeps, a roll beside the logs of those who do not keep it. name is what errors call the file.
func (n *Node) Import(ctx context.Context, name string, data []byte) (Imported, error) {
	if n.ledger == nil {
		return Imported{}, errReadOnly()
	}
	if len(data) > maxCarriedFile {
		return Imported{}, fault.New(fault.Invalid, "", "importing %s: %d bytes, at most %d", name, len(data), maxCarriedFile)
	}
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return n.importDefinition(ctx, name, data)
	}
	var head struct {
		Format string `json:"format"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Imported{}, &fault.Fault{Code: fault.Invalid, What: "importing " + name, Err: err, Remedy: "give a file that 'mithaq agreement' wrote"}
	}
	switch head.Format {
	case ActFormat:
		var s SignedAct
		if err := readStrict(data, &s); err != nil {
			return Imported{}, &fault.Fault{Code: fault.Invalid, What: "importing " + name, Err: err}
		}
		return n.importAct(ctx, name, s)
	case RollFormat:
		var f RollFile
		if err := readStrict(data, &f); err != nil {
			return Imported{}, &fault.Fault{Code: fault.Invalid, What: "importing " + name, Err: err}
		}
		return n.importRoll(ctx, name, f)
	}
	return Imported{}, fault.New(fault.Invalid, "give an agreement file (TOML), a signed act or a roll", "importing %s: format %s is none that this version reads", name, fault.Clip(head.Format))
}

func readStrict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func (n *Node) importAct(ctx context.Context, name string, s SignedAct) (out Imported, err error) {
	if !record.IsAgreementID(s.Agreement) {
		return out, fault.New(fault.Invalid, "", "importing %s: %s is not an agreement id", name, fault.Clip(s.Agreement))
	}
	signed, err := s.entry(n)
	if err != nil {
		return out, &fault.Fault{Code: fault.Invalid, What: "importing " + name, Err: err}
	}
	err = n.withRoll(ctx, s.Agreement, func(r *roll) error {
		if _, err := n.enterAct(ctx, r, signed); err != nil {
			return fmt.Errorf("importing %s: %w", name, err)
		}
		entered := r.placeOf(signed.Leaf)
		out = Imported{What: "act", Agreement: r.id, Entries: len(r.places), Fresh: 1, Act: string(entered.Act.Act), Party: entered.Party}
		out.after(r.state)
		return nil
	})
	return out, err
}

func (i *Imported) after(s agreement.State) {
	i.Phase, i.State = string(s.Phase()), s.Hash().String()
	if d := s.Definition(); d != nil {
		i.Label, i.Mark = d.Label, markOf(d)
	}
}

// importRoll keeps a roll of which the roll known here is the beginning. A roll that says otherwise anywhere is refused: the
// depositary then has shown two histories, or a file was forged.
func (n *Node) importRoll(ctx context.Context, name string, f RollFile) (out Imported, err error) {
	if !record.IsAgreementID(f.Agreement) {
		return out, fault.New(fault.Invalid, "", "importing %s: %s is not an agreement id", name, fault.Clip(f.Agreement))
	}
	fresh := &roll{id: f.Agreement, state: agreement.Begin(f.Agreement, definitionOptions()), keyrings: map[string]record.Keyring{}}
	if err := fresh.takeFile(f); err != nil {
		return out, &fault.Fault{Code: fault.Invalid, What: "importing " + name, Err: err, Remedy: "ask who kept the roll for it again"}
	}
	err = n.withRoll(ctx, f.Agreement, func(r *roll) error {
		if fresh.isPair() {
			out, err = n.importPair(ctx, name, r, fresh)
			return err
		}
		for i := range min(len(r.places), len(fresh.places)) {
			if r.places[i].entry.Result != fresh.places[i].entry.Result {
				return fault.New(fault.Conflict, "keep both files: their signatures prove it; compare with the other parties",
					"importing %s: history mismatch: entry %d leads to state %.12s…, the roll known here to %.12s…", name, i, fresh.places[i].entry.Result, r.places[i].entry.Result)
			}
		}
		out = Imported{What: "roll", Agreement: r.id, Entries: len(r.places), Fresh: max(0, len(fresh.places)-len(r.places))}
		if out.Fresh > 0 || len(fresh.places) == len(r.places) && r.lessSigned(fresh) {
			if err := n.keepRollCopy(ctx, r, fresh, f); err != nil {
				return err
			}
			out.Entries = len(r.places)
		}
		out.after(r.state)
		return nil
	})
	return out, err
}

// lessSigned says whether a roll with the same entries comes with more cosignatures than the file that is held.
func (r *roll) lessSigned(fresh *roll) bool {
	for i := range r.places {
		if held := r.places[i]; held.log == "" && moreSigned(fresh.places[i].proof, held.proof) {
			return true
		}
	}
	return false
}

// moreSigned says whether the checkpoint of one proof bears more signatures than that of another.
func moreSigned(proof, than string) bool {
	const line = "\n— "
	return strings.Count(proof, line) > strings.Count(than, line)
}

// keepRollCopy makes a longer roll durable, then takes it over. Who kept the roll and was succeeded takes over what the successor
// wrote; that another wrote in its name it does not believe.
func (n *Node) keepRollCopy(ctx context.Context, r, fresh *roll, f RollFile) error {
	for _, p := range fresh.places[len(r.places):] {
		if p.keeper == n.party.ID {
			return fault.New(fault.Conflict, "find out who else writes it", "importing a roll: this node keeps the roll of %s, and the file holds entries that it never wrote", r.id)
		}
	}
	if err := n.writeRollCopy(r.id, f); err != nil {
		return err
	}
	r.state, r.places, r.keyrings, r.policies = fresh.state, fresh.places, fresh.keyrings, nil
	return n.settleRoll(ctx, r)
}

// writeRollCopy makes the copy of a roll durable.
func (n *Node) writeRollCopy(id string, f RollFile) error {
	data, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("keeping a roll: %w", err)
	}
	if err := makeDir(filepath.Join(n.dir, rollsName)); err != nil {
		return err
	}
	return writeDurable(n.rollCopyPath(id), data, 0o600)
}
