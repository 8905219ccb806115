package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
	"github.com/mithaq/mithaq/taxii"
)

// TAXIIRoot is the name of the one API root: below it is a collection for each agreement.
const TAXIIRoot = "agreements"

// collections is the node as a TAXII backend: what stands in its index, read through the one decision.
type collections struct {
	n *Node
}

// TAXII is the node as a TAXII 2.1 backend (docs/taxii.md says what clients see). Callers are of type account.TAXIICaller.
func (n *Node) TAXII() taxii.Backend { return collections{n} }

// collection is one of them, as a caller may know it.
type collection struct {
	agreement string
	log       string // where what is posted is appended; empty: nowhere
	view      *View  // nil: all of the agreement
	read      bool
	write     bool
}

func (c collection) name() string {
	if c.view != nil {
		return c.view.Name
	}
	return ""
}

// id is a UUID that follows from the agreement and the view's name, so that it stays (RFC 9562, section 5.8).
func (c collection) id() string {
	b := sha256.Sum256([]byte("mithaq TAXII collection\n" + c.agreement + "\n" + c.name()))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// Roots implements taxii.Backend.
func (b collections) Roots(ctx context.Context, caller taxii.Caller) ([]taxii.Root, error) {
	list, err := b.list(ctx, caller)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return []taxii.Root{{Name: TAXIIRoot, Title: strings.TrimSpace(b.n.partyName() + " " + b.n.party.Mark),
		Description: "One collection for each agreement under which this node shares; views are parts of one."}}, nil
}

// Root implements taxii.Backend.
func (b collections) Root(ctx context.Context, caller taxii.Caller, name string) (taxii.Root, error) {
	roots, err := b.Roots(ctx, caller)
	if err != nil {
		return taxii.Root{}, err
	}
	for _, r := range roots {
		if r.Name == name {
			return r, nil
		}
	}
	return taxii.Root{}, taxii.ErrNotFound
}

// Collections implements taxii.Backend.
func (b collections) Collections(ctx context.Context, caller taxii.Caller, _ string) ([]taxii.Collection, error) {
	list, err := b.list(ctx, caller)
	if err != nil {
		return nil, err
	}
	out := make([]taxii.Collection, len(list))
	for i, c := range list {
		out[i] = b.resource(ctx, c)
	}
	return out, nil
}

// Collections lists this node's TAXII collections as their owner sees them.
func (n *Node) Collections(ctx context.Context) ([]taxii.Collection, error) {
	return collections{n}.Collections(ctx, account.TAXIICaller{Owner: true}, TAXIIRoot)
}

// Collection implements taxii.Backend.
func (b collections) Collection(ctx context.Context, caller taxii.Caller, _, name string) (taxii.Collection, error) {
	list, err := b.list(ctx, caller)
	if err != nil {
		return taxii.Collection{}, err
	}
	for _, c := range list {
		if c.id() == name || b.alias(c) == name {
			return b.resource(ctx, c), nil
		}
	}
	return taxii.Collection{}, taxii.ErrNotFound
}

// find is Collection for the other methods: what a caller may not know of is not there.
func (b collections) find(ctx context.Context, caller taxii.Caller, id string) (collection, error) {
	list, err := b.list(ctx, caller)
	if err != nil {
		return collection{}, err
	}
	for _, c := range list {
		if c.id() == id {
			return c, nil
		}
	}
	return collection{}, taxii.ErrNotFound
}

// alias is what may stand for the id in URLs: the view's name, else the agreement's id.
func (b collections) alias(c collection) string {
	if c.view != nil {
		return c.view.Name
	}
	return c.agreement
}

// list lists what the caller may know of: the agreements in the order in which their logs were opened, then the views.
func (b collections) list(ctx context.Context, caller taxii.Caller) ([]collection, error) {
	who, ok := caller.(account.TAXIICaller)
	if !ok {
		return nil, taxii.ErrUnauthenticated
	}
	infos, err := b.n.reader.Logs(ctx)
	if err != nil {
		return nil, fault.OfStore(err)
	}
	var out []collection
	for _, l := range infos {
		if !b.n.begun(l.ID) {
			continue
		}
		at := slices.IndexFunc(out, func(c collection) bool { return c.agreement == l.Agreement })
		if at < 0 {
			c := collection{agreement: l.Agreement}
			if c.read, err = b.mayRead(ctx, who, l.Agreement); err != nil {
				return nil, err
			}
			out, at = append(out, c), len(out)
		}
		if b.n.ledger != nil && who.Party == "" && who.May(account.ScopePublish, l.Agreement) && b.writable(l) {
			out[at].write, out[at].log = true, l.ID
		}
	}
	out = slices.DeleteFunc(out, func(c collection) bool { return !c.read && !c.write })
	for i := range b.n.cfg.Views {
		v := &b.n.cfg.Views[i]
		for _, c := range out {
			if c.agreement == v.Agreement && c.read {
				out = append(out, collection{agreement: c.agreement, view: v, read: true})
				break
			}
		}
	}
	return out, nil
}

// writable says whether this node appends to a log: it is open, and this party's own.
func (b collections) writable(l ledger.LogInfo) bool {
	k, err := b.n.keyring(l.ID)
	return err == nil && k.Party == b.n.party.ID && l.Retired.IsZero() && l.Behind == nil && !b.n.unsettled()
}

// mayRead says whether a caller may know that an agreement has a collection here. What it then sees of it is decided
// object by object.
func (b collections) mayRead(ctx context.Context, who account.TAXIICaller, agreement string) (bool, error) {
	if !who.May(account.ScopeRead, agreement) {
		return false, nil
	}
	if who.Party == "" || who.Named(account.ScopeRead, agreement) {
		return true, nil
	}
	_, membership, err := b.n.rulesFor(ctx, agreement, who.Party)
	return membership != policy.NoMember, err
}

func (b collections) resource(ctx context.Context, c collection) taxii.Collection {
	title := b.title(ctx, c.agreement)
	out := taxii.Collection{ID: c.id(), Alias: b.alias(c), Title: title, CanRead: c.read, CanWrite: c.write, MediaTypes: []string{taxii.ObjectMediaType}}
	if c.view != nil {
		out.Title, out.Description = title+": "+c.view.Name, c.view.Description
	}
	if b.n.party.Mark != "" || b.n.isInvented(ctx, c.agreement) {
		out.Title += " [" + fictionalMark + "]"
	}
	return out
}

// title is what people call the agreement.
func (b collections) title(ctx context.Context, id string) string {
	if id == record.OwnAgreement {
		return b.n.partyName()
	}
	title := id
	// A roll that cannot be read takes away the name, not the collection.
	_ = b.n.withRoll(ctx, id, func(r *roll) error {
		if d := r.text(); d != nil {
			title = d.Label
			if name := d.Names["en"]; name != "" {
				title = name
			}
		}
		return nil
	})
	return title
}

// partyName is what the node's party is called, in English where it has such a name.
func (n *Node) partyName() string {
	if name := n.party.Names["en"]; name != "" {
		return name
	}
	for _, tag := range slices.Sorted(maps.Keys(n.party.Names)) {
		return n.party.Names[tag]
	}
	return n.party.ID
}

// taxiiViewer is on whose behalf a TAXII caller reads.
func (n *Node) taxiiViewer(c account.TAXIICaller) Viewer {
	switch {
	case c.Owner:
		return n.Owner()
	case c.Party != "":
		return Viewer{Party: c.Party}
	}
	return Viewer{Own: true}
}

// taxiiBusy is the answer while something cannot be done yet.
func taxiiBusy(what string) error {
	return &taxii.Error{Title: http.StatusText(http.StatusServiceUnavailable), Description: what, HTTPStatus: "503",
		Status: http.StatusServiceUnavailable, RetryAfter: time.Second}
}

// taxiiFault is what a client is told of a request that may come again later.
func taxiiFault(err error) error {
	var f *fault.Fault
	var told *taxii.Error
	if errors.As(err, &told) || !errors.As(err, &f) || f.Code != fault.Unavailable {
		return err
	}
	return errors.Join(taxiiBusy(f.What+": "+f.Remedy), err)
}

// cursorSetting keeps the key under which TAXII cursors are sealed, so that they outlive a restart.
const cursorSetting = "taxii-cursor-key"

// TAXIICursorKey returns the key of TAXII cursors, 32 bytes. A node that only reads has none to keep.
func (n *Node) TAXIICursorKey() ([]byte, error) {
	ctx := context.Background()
	key, err := n.store.Setting(ctx, cursorSetting)
	if err == nil && len(key) == 32 {
		return key, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	key = make([]byte, 32)
	if _, err := io.ReadFull(n.rand, key); err != nil {
		return nil, fmt.Errorf("drawing a cursor key: %w", err)
	}
	if n.ledger == nil {
		return key, nil
	}
	return key, n.store.SetSetting(ctx, cursorSetting, key)
}
