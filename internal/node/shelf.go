package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/facts"
	"github.com/mithaq/mithaq/internal/fault"
)

// shelfName is the folder with agreement files that were imported here.
const shelfName = "shelf"

// shelved is an agreement that is known and does not run by being known.
type shelved struct {
	*agreement.Agreement
	imported bool // a file of this node's, not one that ships
}

// shelf lists the agreements that ship with the program and those imported here.
func (n *Node) shelf() ([]shelved, error) {
	f, err := n.facts()
	if err != nil {
		return nil, err
	}
	var out []shelved
	for _, a := range f.Shelf.All() {
		out = append(out, shelved{Agreement: a})
	}
	entries, err := os.ReadDir(filepath.Join(n.dir, shelfName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the shelf: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".toml") {
			continue
		}
		path := filepath.Join(n.dir, shelfName, e.Name())
		data, err := os.ReadFile(path) // #nosec G304 -- below the node's directory
		if err != nil {
			return nil, fmt.Errorf("reading the shelf: %w", err)
		}
		a, err := agreement.Load(path, data, shelfOptions(f))
		if err != nil {
			return nil, &fault.Fault{Code: fault.Invalid, What: "reading the shelf", Err: err}
		}
		out = append(out, shelved{Agreement: a, imported: true})
	}
	return out, nil
}

// shelfOptions are those with which files for the shelf are read: they may name parties and sources of the register.
func shelfOptions(f *facts.Facts) agreement.Options {
	o := f.Options()
	o.Rules = ruleChecker{}
	return o
}

// importDefinition puts an agreement file on this node's shelf. It runs nothing: that takes a proposal.
func (n *Node) importDefinition(_ context.Context, name string, data []byte) (Imported, error) {
	f, err := n.facts()
	if err != nil {
		return Imported{}, err
	}
	options := shelfOptions(f)
	options.Elsewhere = f.Elsewhere
	a, err := agreement.Load(name, data, options)
	if err != nil {
		return Imported{}, &fault.Fault{Code: fault.Invalid, What: "importing an agreement", Err: err}
	}
	if _, ships := f.Shelf.Agreement(a.Label); ships {
		return Imported{}, fault.New(fault.Conflict, "give it another label", "importing %s: an agreement with the label %s ships with the program", name, a.Label)
	}
	dir := filepath.Join(n.dir, shelfName)
	if err := makeDir(dir); err != nil {
		return Imported{}, err
	}
	if err := writeDurable(filepath.Join(dir, a.Label+".toml"), data, 0o600); err != nil {
		return Imported{}, err
	}
	return Imported{What: "definition", Agreement: agreement.ID(data), Label: a.Label, Fresh: 1, Mark: markOf(a)}, nil
}
