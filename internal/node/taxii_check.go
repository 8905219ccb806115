package node

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
	"github.com/mithaq/mithaq/taxii"
)

// valid takes out what breaks a MUST of STIX 2.1, each with the place and the rule, and what bears a tag that its taxonomy does not have.
func (p *posting) valid(objects []taxii.Object) []taxii.Object {
	if len(objects) == 0 {
		return nil
	}
	known := markingsAmong(objects)
	own, wrong := make([]int64, len(objects)), map[int]error{}
	marks := func(i int, v stix.Value) {
		own[i] = ownMarking(v, known)
		if err := p.tagged(v); err != nil {
			wrong[i] = err
		}
	}
	report := stix.Validate(bundleOf("00000000-0000-4000-8000-000000000000", objects), stix.Options{MaxFindings: 4 * len(objects), Object: marks})
	if report.Unreadable != nil {
		// Each object was read before, so that one of them must be beyond a bound of the validator's: find out which.
		return p.validOneByOne(objects, known)
	}
	first := map[int]stix.Finding{}
	for _, f := range report.Findings {
		if _, ok := first[f.Index]; !ok {
			first[f.Index] = f
		}
	}
	invalid := map[int]bool{}
	for _, i := range report.InvalidObjects() {
		invalid[i] = true
	}
	kept := objects[:0:0]
	for i, o := range objects {
		switch f, found := first[i]; {
		case !invalid[i] && wrong[i] != nil:
			p.fail(o, "/labels", wrong[i].Error())
		case !invalid[i]:
			kept, p.own = append(kept, o), append(p.own, own[i])
		case found:
			p.fail(o, f.Path, broken(f))
		default:
			p.fail(o, "", "is not valid STIX 2.1: see 'mithaq stix validate'")
		}
	}
	return kept
}

// tagged says what is wrong with an object's labels as tags of the taxonomies that are known here, unless the feed is taken whole.
func (p *posting) tagged(v stix.Value) error {
	if p.despite {
		return nil
	}
	for label := range v.Get("labels").Elements() {
		if bytes.IndexByte(label.TextBytes(), ':') < 0 {
			continue
		}
		f, err := p.n.facts()
		if err != nil {
			return err
		}
		if _, _, err := f.Tag(label.Text()); err != nil {
			return fmt.Errorf("the tag %q: %w", exchange.Clip(label.Text()), err)
		}
	}
	return nil
}

// markingsAmong reads the marking definitions that stand among objects; one that is not valid is refused, and marks nothing.
func markingsAmong(objects []taxii.Object) stix.Markings {
	known := stix.Markings{}
	for _, o := range objects {
		if o.Type != "marking-definition" || !stix.Validate(o.Raw, stix.Options{MaxFindings: 1}).Valid {
			continue
		}
		if parsed, err := stix.ParseObject(o.Raw); err == nil {
			if m, err := stix.ReadMarking(parsed); err == nil {
				known[m.ID] = m
			}
		}
	}
	return known
}

// broken says which rule an object breaks, and where.
func broken(f stix.Finding) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s: %s", f.Path, f.Level, f.Rule, f.Message))
}

func (p *posting) validOneByOne(objects []taxii.Object, known stix.Markings) []taxii.Object {
	kept := objects[:0:0]
	for _, o := range objects {
		own, wrong := int64(0), error(nil)
		marks := func(_ int, v stix.Value) { own, wrong = ownMarking(v, known), p.tagged(v) }
		report := stix.Validate(o.Raw, stix.Options{MaxFindings: 1, Object: marks})
		switch {
		case report.Unreadable != nil:
			p.fail(o, "", report.Unreadable.Error())
		case !report.Valid && len(report.Findings) > 0:
			f := report.Findings[0]
			p.fail(o, f.Path, broken(f))
		case wrong != nil:
			p.fail(o, "/labels", wrong.Error())
		default:
			kept, p.own = append(kept, o), append(p.own, own)
		}
	}
	return kept
}

// harmful takes out the indicators of what is well known and harmless, by the warning lists of the configuration.
func (p *posting) harmful(objects []taxii.Object) ([]taxii.Object, error) {
	if len(objects) == 0 || p.despite {
		return objects, nil
	}
	hits, err := p.n.warningsOf(bundleOf("00000000-0000-4000-8000-000000000000", objects), math.MaxInt)
	if err != nil || len(hits) == 0 {
		return objects, err
	}
	why := map[string]string{}
	for _, h := range hits {
		why[h.Object] = fmt.Sprintf("%s is on the warning list %s of what is well known and harmless", exchange.Clip(h.Value), exchange.Clip(h.List))
	}
	kept, own := objects[:0:0], p.own[:0]
	for i, o := range objects {
		if reason, warned := why[o.ID]; warned {
			p.fail(o, "/pattern", reason)
			continue
		}
		kept, own = append(kept, o), append(own, p.own[i])
	}
	p.own = own
	return kept, nil
}
