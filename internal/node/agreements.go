package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
)

// rollIDs lists the agreements of which this node has a log or a copy of the roll.
func (n *Node) rollIDs() ([]string, error) {
	named := map[string]bool{}
	n.mu.RLock()
	for _, b := range n.books {
		if b.log.Agreement != record.OwnAgreement {
			named[b.log.Agreement] = true
		}
	}
	n.mu.RUnlock()
	entries, err := os.ReadDir(filepath.Join(n.dir, rollsName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing rolls: %w", err)
	}
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), ".json"); ok && record.IsAgreementID(id) {
			named[id] = true
		}
	}
	return slices.Sorted(maps.Keys(named)), nil
}

// rollID finds the agreement that runs here and that a person means: by its id, the beginning of it, or its label.
func (n *Node) rollID(ctx context.Context, ref string) (string, error) {
	ids, err := n.rollIDs()
	if err != nil {
		return "", err
	}
	if slices.Contains(ids, ref) {
		return ref, nil
	}
	var found []string
	for _, id := range ids {
		label := ""
		if err := n.withRoll(ctx, id, func(r *roll) error { label = r.label(); return nil }); err != nil {
			return "", err
		}
		if ref != "" && (label == ref || strings.HasPrefix(id, ref) && len(ref) > len(record.PrefixAgreement)) {
			found = append(found, id)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		if a, ok, err := n.onShelf(ref); err != nil {
			return "", err
		} else if ok {
			return "", fault.New(fault.Conflict, "see 'mithaq agreement show "+a.Label+"'", "%s is on the shelf and does not run here", a.Label)
		}
		return "", fault.New(fault.NotFound, "see 'mithaq agreement list'", "no agreement %s runs here", fault.Clip(ref))
	}
	return "", fault.New(fault.Invalid, "give more of the id", "%s can mean %s", fault.Clip(ref), strings.Join(found, " and "))
}

// label is what the agreement calls itself: by its text, or by the founding proposal that waits to be carried.
func (r *roll) label() string {
	if d := r.text(); d != nil {
		return d.Label
	}
	return ""
}

// text is the text of the roll, or the one that this party has proposed and that has not reached the roll.
func (r *roll) text() *agreement.Agreement {
	if d := r.effect.Definition(); d != nil {
		return d
	}
	if d := r.state.Definition(); d != nil {
		return d
	}
	for _, o := range r.own {
		if o.act.Act == agreement.ActPropose {
			if d, err := agreement.Load("definition", []byte(o.act.Definition), definitionOptions()); err == nil {
				return d
			}
		}
	}
	return nil
}

func (n *Node) onShelf(ref string) (shelved, bool, error) {
	all, err := n.shelf()
	if err != nil {
		return shelved{}, false, err
	}
	i := slices.IndexFunc(all, func(s shelved) bool { return s.Label == ref })
	if i < 0 {
		return shelved{}, false, nil
	}
	return all[i], true, nil
}

// Agreements lists what runs here and what is on the shelf, without the particulars.
func (n *Node) Agreements(ctx context.Context) ([]AgreementView, error) {
	ids, err := n.rollIDs()
	if err != nil {
		return nil, err
	}
	f, err := n.facts()
	if err != nil {
		return nil, err
	}
	out := []AgreementView{}
	running := map[string]bool{}
	for _, id := range ids {
		if err := n.withRoll(ctx, id, func(r *roll) error {
			v, err := n.viewRoll(ctx, r, f.Shelf)
			if err != nil {
				return err
			}
			v.Here.Members, v.Here.Acts, v.Here.Statements, v.Commitments, v.Text = nil, nil, nil, nil, ""
			running[v.Label] = true
			out = append(out, v)
			return nil
		}); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b AgreementView) int { return strings.Compare(a.Label, b.Label) }) // ids are in no order that means anything
	shelf, err := n.shelfViews(running)
	return append(out, shelf...), err
}

// shelfViews lists the shelf without the particulars, but for imported texts that run here: the roll knows more of them.
func (n *Node) shelfViews(running map[string]bool) ([]AgreementView, error) {
	all, err := n.shelf()
	if err != nil {
		return nil, err
	}
	out := []AgreementView{}
	for _, s := range all {
		if s.imported && running[s.Label] {
			continue
		}
		v, err := n.viewShelved(s)
		if err != nil {
			return nil, err
		}
		v.Shelf.Standings, v.Shelf.Claims, v.Shelf.Items, v.Commitments, v.Text = nil, nil, nil, nil, ""
		out = append(out, v)
	}
	return out, nil
}

// Agreement shows one agreement with all its particulars: the one that runs here, else the one on the shelf.
func (n *Node) Agreement(ctx context.Context, ref string) (v AgreementView, err error) {
	f, err := n.facts()
	if err != nil {
		return v, err
	}
	id, err := n.rollID(ctx, ref)
	if err == nil {
		err = n.withRoll(ctx, id, func(r *roll) error {
			if v, err = n.viewRoll(ctx, r, f.Shelf); err != nil {
				return err
			}
			return n.viewCases(&v)
		})
		return v, err
	}
	if code := fault.CodeOf(err); code != fault.NotFound && code != fault.Conflict {
		return v, err
	}
	return n.shelfView(ref)
}

// shelfView shows one agreement of the shelf.
func (n *Node) shelfView(ref string) (AgreementView, error) {
	s, ok, err := n.onShelf(ref)
	if err != nil {
		return AgreementView{}, err
	}
	if !ok {
		return AgreementView{}, fault.New(fault.NotFound, "see 'mithaq agreement list --all'", "there is no agreement %s, neither here nor on the shelf", fault.Clip(ref))
	}
	return n.viewShelved(s)
}

// Difference lists what a proposal changes in the text in force, article by article; what one that took force changed in the text
// before it.
func (n *Node) Difference(ctx context.Context, ref, proposal string) (out DifferenceView, err error) {
	id, err := n.rollID(ctx, ref)
	if err != nil {
		return out, err
	}
	err = n.withRoll(ctx, id, func(r *roll) error {
		p, err := pickProposal(r.state, proposal)
		if err != nil {
			return err
		}
		d := r.text()
		out = DifferenceView{Agreement: id, Label: d.Label, To: p.Text.Version, Proposal: p.Leaf, By: p.Party, Mark: markOf(d)}
		if p.Status == agreement.Enacted {
			d = r.replacedBy(p)
		}
		if d == nil {
			return nil // the first text changed none
		}
		out.From = d.Version
		if d != p.Definition {
			out.Changes = append(out.Changes, d.Compare(p.Definition)...)
		}
		return nil
	})
	return out, err
}

// replacedBy is the text that was in force before a proposal took force; nil: it was the first.
func (r *roll) replacedBy(p agreement.Proposal) *agreement.Agreement {
	if r.isPair() {
		if before := r.pair.TextOn(p.Parent); before != p.Definition {
			return before
		}
		return nil
	}
	i := slices.IndexFunc(r.places, func(at rollPlace) bool { return at.after.Text() == p.Text })
	if i <= 0 {
		return nil
	}
	return r.places[i-1].after.Definition()
}
