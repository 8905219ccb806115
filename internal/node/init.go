package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
)

// InitOptions say what a new node is.
type InitOptions struct {
	Names          map[string]string // the party's name by language tag
	Fictional      bool              // an invented party: its keyrings say so, and no real agreement takes it
	Public         bool              // whether everybody may read the first log
	Listen, Store  string            // for the configuration; empty: the defaults
	KeyFile        string            // what opens the keys; made when it is not there. Default: unlock.key in the directory
	PassphraseFile string            // instead of a key file
	Logger         *slog.Logger
}

// Init makes a party's node in dir: its keys, its configuration, and the log of its own house with the first keyring.
// The configuration is written last: a directory without one holds no node.
func Init(ctx context.Context, dir string, o InitOptions) (_ *Node, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("making a node: %w", err)
	}
	if err := checkVacant(dir); err != nil {
		return nil, err
	}
	cfg, text, err := initialConfig(dir, o)
	if err != nil {
		return nil, err
	}
	undo, err := claim(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, undo())
		}
	}()
	l, err := initialLock(dir, cfg, o)
	if err != nil {
		return nil, err
	}
	n := newNode(dir, cfg, o.Logger)
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close(context.WithoutCancel(ctx)))
		}
	}()
	names := maps.Clone(o.Names)
	if o.Fictional {
		names[record.FictionTag] = fictionalMark
	}
	first, root, err := n.makeParty(l, names)
	if err != nil {
		return nil, err
	}
	envelope, err := first.Sign(ctx, root)
	if err != nil {
		return nil, recordFault("making a node", err)
	}
	k, err := record.ParseKeyring(envelope)
	if err != nil {
		return nil, recordFault("making a node", err)
	}
	if err := n.openStore(ctx, false); err != nil {
		return nil, err
	}
	if err := n.openLedger(ctx); err != nil {
		return nil, err
	}
	if logs, err := n.reader.Logs(ctx); err != nil || len(logs) > 0 {
		return nil, errors.Join(err, fault.New(fault.Conflict, "choose another database", "making a node: the store holds %d logs already", len(logs)))
	}
	if _, err := n.putKeyring(ctx, k, o.Public); err != nil {
		return nil, err
	}
	n.party = viewParty(k)
	if err := writeDurable(filepath.Join(dir, ConfigName), []byte(text), 0o600); err != nil {
		return nil, err
	}
	if err := ignoreMissing(os.Remove(filepath.Join(dir, claimName))); err != nil {
		return nil, err
	}
	return n, fault.OfStore(n.startIndexer(ctx))
}

// claimName is in the directory while a node is being made there.
const claimName = "init-unfinished"

// claim makes the directory and takes it for this process alone. undo leaves it as it was.
func claim(dir string) (undo func() error, err error) {
	before := map[string]bool{}
	entries, err := os.ReadDir(dir)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return nil, fmt.Errorf("making a node: %w", err)
	}
	for _, e := range entries {
		before[e.Name()] = true
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making a node: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, claimName), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // #nosec G304 -- the operator names the directory
	if err != nil {
		return nil, fmt.Errorf("making a node: %w", err)
	}
	undo = func() error {
		entries, err := os.ReadDir(dir)
		for _, e := range entries {
			if !before[e.Name()] {
				err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
			}
		}
		if missing {
			err = errors.Join(err, ignoreMissing(os.Remove(dir)))
		}
		return err
	}
	return undo, f.Close()
}

// checkVacant refuses a directory with a node in it, or with what was left of one.
func checkVacant(dir string) error {
	for _, name := range []string{ConfigName, claimName, dbName, keysName, rootName, guardName} {
		_, err := os.Stat(filepath.Join(dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fmt.Errorf("making a node: %w", err)
		case name == ConfigName:
			return fault.New(fault.Conflict, "choose another directory", "making a node: %s holds one already", dir)
		default:
			return fault.New(fault.Conflict, "remove the directory when an interrupted 'mithaq init' left it, or put the configuration back",
				"making a node: %s holds %s and no %s", dir, name, ConfigName)
		}
	}
	return nil
}

func initialConfig(dir string, o InitOptions) (Config, string, error) {
	text := configTemplate
	set := func(key, was, now string) {
		if now != "" {
			text = strings.Replace(text, fmt.Sprintf("\n%s = %q\n", key, was), fmt.Sprintf("\n%s = %q\n", key, now), 1)
		}
	}
	defaults := DefaultConfig()
	set("listen", defaults.Listen, o.Listen)
	set("store", defaults.Store, o.Store)
	if o.PassphraseFile != "" {
		text = strings.Replace(text, fmt.Sprintf("\nkey_file = %q\n", defaults.KeyFile), "\nkey_file = \"\"\n", 1)
	}
	if o.KeyFile != "" {
		path, err := filepath.Abs(o.KeyFile)
		if err != nil {
			return Config{}, "", fmt.Errorf("making a node: %w", err)
		}
		set("key_file", defaults.KeyFile, path)
	}
	cfg, err := parseConfig(filepath.Join(dir, ConfigName), []byte(text))
	return cfg, text, err
}

func initialLock(dir string, cfg Config, o InitOptions) (lock, error) {
	if o.PassphraseFile != "" {
		return SecretSource{PassphraseFile: o.PassphraseFile}.find("")
	}
	path := Within(dir, cfg.KeyFile)
	if err := makeKeyFile(path); err != nil {
		return lock{}, err
	}
	return keyFileLock(path)
}

// makeParty makes the root key and the node's keys and drafts the first keyring.
func (n *Node) makeParty(l lock, names map[string]string) (record.Keyring, record.Signer, error) {
	none := record.Keyring{}
	root, err := record.GenerateSigningKey(n.rand, record.RoleRoot)
	if err != nil {
		return none, nil, err
	}
	roots := &keyset{path: RootPath(n.dir), lock: l}
	if err := roots.add(root); err != nil {
		return none, nil, err
	}
	var secrets []record.SecretKey
	var keys []record.Key
	for _, role := range []record.Role{record.RoleLog, record.RoleNode, record.RoleHTTP, record.RoleWitness, record.RoleOfficer, record.RoleSeal} {
		secret, err := newSecret(n.rand, role)
		if err != nil {
			return none, nil, err
		}
		public, err := secret.PublicKey()
		if err != nil {
			return none, nil, err
		}
		secrets = append(secrets, secret)
		keys = append(keys, record.NewKey(role, public))
	}
	n.keys = &keyset{path: filepath.Join(n.dir, keysName), lock: l}
	if err := n.keys.add(secrets...); err != nil {
		return none, nil, err
	}
	id, err := record.NewID(n.rand, record.PrefixLog)
	if err != nil {
		return none, nil, err
	}
	public, err := root.PublicKey()
	if err != nil {
		return none, nil, err
	}
	signer, err := root.Signer()
	if err != nil {
		return none, nil, err
	}
	log := record.LogIdentity{ID: id, Origin: record.LogOrigin(id), Agreement: record.OwnAgreement}
	return record.FirstKeyring(public, names, log, n.now(), keys...), signer, nil
}
