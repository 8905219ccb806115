package node

import (
	"bytes"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
	"github.com/mithaq/mithaq/taxii"
)

// verdict is what an object says of its own marking, or what is wrong with it and where.
type verdict struct {
	own            int64
	pointer, wrong string
}

// judgeAlone is how many objects one processor validates.
const judgeAlone = 256

// judge says of each object whether it breaks a MUST of STIX 2.1, with the place and the rule, or bears a tag that its taxonomy does not have.
// Many are parted among two processors.
func (p *posting) judge(objects []taxii.Object) []verdict {
	known, verdicts, half := markingsAmong(objects), make([]verdict, len(objects)), 0
	if len(objects) > judgeAlone && runtime.GOMAXPROCS(0) > 1 {
		half = len(objects) / 2
	}
	var other sync.WaitGroup
	other.Go(func() { p.judgeSome(verdicts[:half], objects[:half], known) })
	p.judgeSome(verdicts[half:], objects[half:], known)
	other.Wait()
	return verdicts
}

func (p *posting) judgeSome(verdicts []verdict, objects []taxii.Object, known stix.Markings) {
	if len(objects) == 0 {
		return
	}
	tags := map[int]error{}
	marks := func(i int, v stix.Value) {
		verdicts[i].own = entry.OwnMarking(v, known)
		if err := p.tagged(v, verdicts[i].own); err != nil {
			tags[i] = err
		}
	}
	report := stix.Validate(plainBundle(objects), stix.Options{MaxFindings: 4 * len(objects), Object: marks})
	if report.Unreadable != nil {
		// Each object was read before, so that one of them must be beyond a bound of the validator's: find out which.
		p.judgeOneByOne(verdicts, objects, known)
		return
	}
	for i, err := range tags {
		verdicts[i].pointer, verdicts[i].wrong = "/labels", err.Error()
	}
	invalid := map[int]bool{}
	for _, i := range report.InvalidObjects() {
		invalid[i] = true
		verdicts[i].pointer, verdicts[i].wrong = "", "is not valid STIX 2.1: see 'mithaq stix validate'"
	}
	for _, f := range slices.Backward(report.Findings) { // of several the first
		if invalid[f.Index] {
			verdicts[f.Index].pointer, verdicts[f.Index].wrong = f.Path, broken(f)
		}
	}
}

// tagged says what is wrong with an object's labels as tags of the taxonomies that are known here. Nobody can insist on those: a tag
// that is stricter than the marking would not be obeyed.
func (p *posting) tagged(v stix.Value, own int64) error {
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
		if err := tagBeyond(label.Text(), p.effective(own), own); err != nil {
			return err
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

func (p *posting) judgeOneByOne(verdicts []verdict, objects []taxii.Object, known stix.Markings) {
	for i, o := range objects {
		v := &verdicts[i]
		var tags error
		marks := func(_ int, read stix.Value) { v.own = entry.OwnMarking(read, known); tags = p.tagged(read, v.own) }
		report := stix.Validate(o.Raw, stix.Options{MaxFindings: 1, Object: marks})
		switch {
		case report.Unreadable != nil:
			v.wrong = report.Unreadable.Error()
		case !report.Valid && len(report.Findings) > 0:
			v.pointer, v.wrong = report.Findings[0].Path, broken(report.Findings[0])
		case tags != nil:
			v.pointer, v.wrong = "/labels", tags.Error()
		}
	}
}

// harmful takes out the indicators of what is well known and harmless, by the warning lists of the configuration.
func (p *posting) harmful(objects []taxii.Object) ([]taxii.Object, error) {
	if len(objects) == 0 || p.despite {
		return objects, nil
	}
	if lists, err := p.n.warnings(); err != nil || lists == nil {
		return objects, err
	}
	var indicators []stix.Object
	for _, o := range objects {
		if o.Type != "indicator" {
			continue
		}
		if read, err := stix.ParseObject(o.Raw); err == nil {
			indicators = append(indicators, read)
		}
	}
	hits, err := p.n.warningsOf(indicators, math.MaxInt)
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
