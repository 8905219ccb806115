package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/mithaq/mithaq/internal/detect/index"
	"github.com/mithaq/mithaq/internal/detect/intel"
	"github.com/mithaq/mithaq/internal/detect/warning"
	"github.com/mithaq/mithaq/internal/entry"
	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/stix"
)

// WarningView is a value that a warning list says is well known and harmless.
type WarningView struct {
	Object string `json:"object,omitempty" doc:"STIX id of the indicator"`
	Value  string `json:"value"`
	List   string `json:"list" doc:"Name of the warning list"`
}

// TagView is what a tag of a known taxonomy means.
type TagView struct {
	Tag   string            `json:"tag"`
	Names map[string]string `json:"names" doc:"By language"`
}

// maxWarnings is how many values on warning lists one record is shown with.
const maxWarnings = 100

// warningLists reads the configured warning lists, once.
type warningLists struct {
	once  sync.Once
	lists *warning.Lists
	err   error
}

// warnings gives the warning lists of the configuration; nil where there are none.
func (n *Node) warnings() (*warning.Lists, error) {
	n.harmless.once.Do(func() { n.harmless.lists, n.harmless.err = readWarningLists(n.dir, n.cfg.WarningLists) })
	return n.harmless.lists, n.harmless.err
}

// readWarningLists reads files in MISP's format, and every list.json and *.json below folders.
func readWarningLists(dir string, paths []string) (*warning.Lists, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	lists := &warning.Lists{}
	add := func(path string) error {
		text, err := os.ReadFile(path) // #nosec G304 -- the operator names the file
		if err == nil {
			err = lists.Add(text)
		}
		if err != nil {
			return &fault.Fault{Code: fault.Invalid, What: "reading warning_lists: " + path, Err: err, Remedy: "correct or remove it"}
		}
		return nil
	}
	for _, path := range paths {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, &fault.Fault{Code: fault.Invalid, What: "reading warning_lists", Err: err, Remedy: "correct the configuration"}
		}
		if !info.IsDir() {
			if err := add(path); err != nil {
				return nil, err
			}
			continue
		}
		if err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".json") {
				return err
			}
			return add(name)
		}); err != nil {
			return nil, err
		}
	}
	return lists, nil
}

// warningsOf checks the indicators among objects against the warning lists, and names up to most of the values that are on one.
// It compares values the way detection does.
func (n *Node) warningsOf(objects []stix.Object, most int) ([]WarningView, error) {
	lists, err := n.warnings()
	if err != nil || lists == nil {
		return nil, err
	}
	var out []WarningView
	c := intel.Compiler{Warnings: lists, Warned: func(r intel.Refusal) {
		if len(out) < most {
			out = append(out, WarningView{Object: r.Indicator, Value: r.Value, List: strings.TrimPrefix(r.Reason, "on the warning list: ")})
		}
	}}
	for _, o := range objects {
		if o.Type == "indicator" {
			c.Take(o, index.Source{Feed: "record"})
		}
	}
	c.Compiled()
	return out, nil
}

// warningsOn are the warning lists that a text is on, as an address, name, URL, mailbox or hash.
func (n *Node) warningsOn(text string) ([]WarningView, error) {
	lists, err := n.warnings()
	if err != nil || lists == nil {
		return nil, err
	}
	var out []WarningView
	for _, kind := range []index.Kind{index.Address, index.Domain, index.URL, index.Email, index.FileHash} {
		key, ok := index.AppendKey(nil, kind, []byte(strings.TrimSpace(text)))
		if !ok {
			continue
		}
		for _, list := range lists.Check(kind, key) {
			one := WarningView{Value: index.Render(kind, key), List: list.Name}
			if !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	return out, nil
}

// tagsOf reads the labels of a bundle's objects, which travel under a marking. The error is about a tag that a known taxonomy does
// not have, or of TLP or PAP that says more than the object's marking.
func (n *Node) tagsOf(b intelBody, under policy.Marking) ([]TagView, error) {
	f, err := n.facts()
	if err != nil {
		return nil, err
	}
	var out []TagView
	var wrong error
	seen, markings := map[string]bool{}, stix.MarkingsOf(b.objects)
	for i, v := range b.values {
		for j, label := range v.Get("labels").Texts() {
			if !strings.Contains(label, ":") {
				continue
			}
			if err := tagBeyond(label, under, entry.OwnMarking(v, markings)); err != nil && wrong == nil {
				wrong = fmt.Errorf("at /objects/%d/labels/%d: %w", i, j, err)
			}
			if seen[label] {
				continue
			}
			seen[label] = true
			tag, known, err := f.Tag(label)
			if err != nil && wrong == nil {
				wrong = fmt.Errorf("the tag %q at /objects/%d/labels/%d: %w", exchange.Clip(label), i, j, err)
			}
			if known && err == nil {
				out = append(out, TagView{Tag: label, Names: tag.Names})
			}
		}
	}
	return out, wrong
}

// tagBeyond refuses a tag of TLP or PAP that is stricter than the marking of the object that bears it: only markings are obeyed, and
// who wrote the tag means to be obeyed.
func tagBeyond(label string, under policy.Marking, own int64) error {
	namespace, value, _ := strings.Cut(strings.ToUpper(label), ":")
	if namespace != "TLP" && namespace != "PAP" {
		return nil
	}
	m := entry.WithOwn(under, own)
	if value == "WHITE" {
		return nil
	}
	var beyond bool
	if namespace == "TLP" {
		said := policy.TLP("TLP:" + value)
		beyond = said.Valid() && said.Stricter(m.TLP)
	} else {
		said := policy.PAP("PAP:" + value)
		beyond = said.Valid() && said.Stricter(m.PAP)
	}
	if beyond {
		return fmt.Errorf("the tag %q is stricter than %s, the marking that holds: mark the object or the record as strictly, or leave the tag out", exchange.Clip(label), m)
	}
	return nil
}

// checkEntry refuses intelligence with an object that is marked more strictly than the whole, with a tag that its taxonomy does not have, and, unless the author insists, with values
// that are well known and harmless.
func (n *Node) checkEntry(b intelBody, despite bool, under policy.Marking) error {
	if err := b.fitsUnder(under); err != nil {
		return err
	}
	if _, err := n.tagsOf(b, under); err != nil {
		return &fault.Fault{Code: fault.Invalid, What: "publishing", Err: err}
	}
	if despite {
		return nil
	}
	hits, err := n.warningsOf(b.objects, maxWarnings)
	if err != nil || len(hits) == 0 {
		return err
	}
	var shown []string
	for _, h := range hits[:min(len(hits), 3)] {
		shown = append(shown, fmt.Sprintf("%s (%s)", exchange.Clip(h.Value), exchange.Clip(h.List)))
	}
	more := ""
	if len(hits) > len(shown) {
		more = fmt.Sprintf(" and %d more", len(hits)-len(shown))
	}
	return &fault.Fault{Code: fault.Conflict, What: fmt.Sprintf("publishing: values on warning lists of what is well known and harmless: %s%s", strings.Join(shown, ", "), more),
		Err: errWarned, Remedy: "take them out, or publish them all the same with --despite-warnings"}
}

var errWarned = errors.New("detection would fire on everybody's traffic")

// annotate adds to an intel record what lists and taxonomies say of it.
func (n *Node) annotate(ctx context.Context, v Viewer, o *opened) error {
	if o.record.Kind != "intel" {
		return nil
	}
	body, ok := unwrapBundle(o.record.Body)
	if !ok {
		body = o.record.Body
	}
	b := readIntel(body)
	var err error
	if o.view.Warnings, err = n.warningsOf(b.objects, maxWarnings); err != nil {
		return err
	}
	if o.view.Galaxies, err = n.galaxiesOf(ctx, v, b); err != nil {
		return err
	}
	o.view.Tags, _ = n.tagsOf(b, policy.Marking{TLP: policy.TLPRed, PAP: policy.PAPRed}) // what others published is shown with the tags that are known
	return nil
}
