package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/mithaq/mithaq/internal/api"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/node"
)

type keyCmd struct {
	List   keyListCmd   `cmd:"" help:"List the keys in force and the revoked ones."`
	Add    keyAddCmd    `cmd:"" help:"Give the party another officer."`
	Rotate keyRotateCmd `cmd:"" help:"Replace a key by a new one."`
	Revoke keyRevokeCmd `cmd:"" help:"Revoke a key from a place in the log on."`
	Sign   keySignCmd   `cmd:"" help:"Sign proposed keyrings with the root key, on the machine that has it."`
	Apply  keyApplyCmd  `cmd:"" help:"Put signed keyrings into force."`
	Export keyExportCmd `cmd:"" help:"Write this party's keyring, for others to pin."`
	Pin    keyPinCmd    `cmd:"" help:"Pin another party's keyring, to seal records to it."`
}

// rootFlags are shared by the commands for which the root key has to sign.
type rootFlags struct {
	Root string `help:"The root key's file (default: root.age in DIR)." placeholder:"FILE"`
	Out  string `help:"Do not sign: write the proposal to this file, for 'mithaq key sign' elsewhere." placeholder:"FILE"`
}

// ceremony proposes, signs with the root key and applies; with --out it stops after the proposal.
func (r rootFlags) ceremony(ctx context.Context, a *app, d dirFlag, client *api.Client, change node.KeyChange) ([]node.Receipt, error) {
	proposal, err := client.ProposeKeyrings(ctx, change)
	if err != nil {
		return nil, err
	}
	if r.Out != "" {
		data, err := json.MarshalIndent(proposal, "", "  ")
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(r.Out, append(data, '\n'), 0o600); err != nil {
			return nil, err
		}
		fmt.Fprintf(a.stderr, "proposal written to %s\nnext, where the root key is: mithaq key sign %s --root root.age --out signed.json\nthen here:                   mithaq key apply signed.json\n", r.Out, r.Out)
		return nil, nil
	}
	root := r.Root
	if root == "" {
		dir, err := d.path(a)
		if err != nil {
			return nil, err
		}
		root = node.RootPath(dir)
	}
	signed, err := node.SignKeyrings(ctx, proposal, root, a.rootSecret())
	if err != nil {
		return nil, err
	}
	return client.ApplyKeyrings(ctx, signed)
}

// rootSecret opens the root key's file, which may have a secret of its own.
func (a *app) rootSecret() node.SecretSource {
	s := node.SecretSource{KeyFile: a.env("MITHAQ_ROOT_KEY_FILE"), PassphraseFile: a.env("MITHAQ_ROOT_PASSPHRASE_FILE"), Ask: a.askPassphrase}
	if s.KeyFile == "" && s.PassphraseFile == "" {
		s.KeyFile, s.PassphraseFile = a.env("MITHAQ_KEY_FILE"), a.env("MITHAQ_PASSPHRASE_FILE")
	}
	return s
}

type keyListCmd struct {
	dirFlag
	JSON bool `help:"Print as JSON."`
}

func (c *keyListCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		keys, err := client.Keys(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(a.stdout).Encode(keys)
		}
		for _, k := range keys {
			state := "in force"
			if k.Revoked != nil {
				state = fmt.Sprintf("revoked from place %d on (%s)", *k.Revoked, k.Reason)
			}
			fmt.Fprintf(a.stdout, "%s  %-8s %s  %s  %s\n", k.ID, k.Role, k.Log, state, k.Names["en"])
		}
		return nil
	})
}

type keyAddCmd struct {
	dirFlag
	rootFlags
	Name    map[string]string `help:"The officer's name by language." placeholder:"LANG=NAME"`
	Kinds   []string          `help:"Kinds of records that the officer may issue (default: all)." placeholder:"KIND"`
	Command string            `help:"Sign with this external command instead of a key kept here; needs --public." placeholder:"'CMD ARG…'"`
	Public  string            `help:"The command's Ed25519 public key, base64." placeholder:"BASE64"`
	JSON    bool              `help:"Print receipts as JSON lines."`
}

func (keyAddCmd) Help() string {
	return "Example: mithaq key add --name en='Deputy director' --kinds act --root /media/stick/root.age"
}

func (c *keyAddCmd) Run(ctx context.Context, a *app) error {
	change := node.KeyChange{Action: "add", Name: c.Name, Kinds: c.Kinds, Command: strings.Fields(c.Command), PublicKey: c.Public}
	return runCeremony(ctx, a, c.dirFlag, c.rootFlags, change, "added", c.JSON)
}

type keyRotateCmd struct {
	dirFlag
	rootFlags
	Role    string `arg:"" help:"log, node, http, witness, seal, officer or root; lost: every key that should be on this node and is not, after a restore." enum:"log,node,http,witness,seal,officer,root,lost"`
	Key     string `help:"Which key, where a role has several." placeholder:"ID"`
	Command string `help:"Sign with this external command instead of a key kept here; needs --public." placeholder:"'CMD ARG…'"`
	Public  string `help:"The command's Ed25519 public key, base64." placeholder:"BASE64"`
	JSON    bool   `help:"Print the receipts of the new keyrings as JSON lines."`
}

func (keyRotateCmd) Help() string {
	return `Examples:
  mithaq key rotate officer --root /media/stick/root.age
  mithaq key rotate officer --command '/usr/local/bin/sign-with-token officer' --public 'BASE64'

The command gets the bytes to sign on its standard input and prints the base64 signature. It is tried once, now.`
}

func (c *keyRotateCmd) Run(ctx context.Context, a *app) error {
	if c.Role == "root" {
		return runCeremony(ctx, a, c.dirFlag, c.rootFlags, node.KeyChange{Action: "root"}, "rotated", c.JSON)
	}
	change := node.KeyChange{Action: "rotate", Role: c.Role, Key: c.Key, Command: strings.Fields(c.Command), PublicKey: c.Public}
	return runCeremony(ctx, a, c.dirFlag, c.rootFlags, change, "rotated", c.JSON)
}

type keyRevokeCmd struct {
	dirFlag
	rootFlags
	Key    string `arg:"" help:"Key id (k-…)."`
	Size   int64  `help:"Up to which size of the log its records are vouched for (default: all so far)." default:"-1"`
	Reason string `help:"compromised, lost, left, superseded or other." enum:"compromised,lost,left,superseded,other" default:"compromised"`
	JSON   bool   `help:"Print the receipts of the new keyrings as JSON lines."`
}

func (keyRevokeCmd) Help() string {
	return "Example: mithaq key revoke k-… --size 120 --reason compromised --root /media/stick/root.age\n\nA key that the program needs itself is replaced by a new one in the same step."
}

func (c *keyRevokeCmd) Run(ctx context.Context, a *app) error {
	change := node.KeyChange{Action: "revoke", Key: c.Key, Reason: c.Reason}
	if c.Size >= 0 {
		change.Size = &c.Size
	}
	return runCeremony(ctx, a, c.dirFlag, c.rootFlags, change, "revoked", c.JSON)
}

func runCeremony(ctx context.Context, a *app, d dirFlag, r rootFlags, change node.KeyChange, done string, asJSON bool) error {
	return a.withNode(ctx, d, accessWrite, func(client *api.Client) error {
		receipts, err := r.ceremony(ctx, a, d, client, change)
		if err != nil {
			return err
		}
		return printKeyrings(a, receipts, done, asJSON)
	})
}

func printKeyrings(a *app, receipts []node.Receipt, done string, asJSON bool) error {
	for _, r := range receipts {
		if err := a.print(asJSON, r, "%s: keyring at place %d of %s\n", done, r.Index, r.Log); err != nil {
			return err
		}
	}
	return nil
}

type keySignCmd struct {
	Proposal string `arg:"" help:"File that 'key rotate --out' or 'key revoke --out' wrote."`
	Root     string `help:"The root key's file." required:"" placeholder:"FILE"`
	Out      string `help:"File for the signed keyrings (default: standard output)." placeholder:"FILE"`
}

func (c *keySignCmd) Run(ctx context.Context, a *app) error {
	var proposal node.KeyringProposal
	if err := readJSON(c.Proposal, &proposal); err != nil {
		return err
	}
	signed, err := node.SignKeyrings(ctx, proposal, c.Root, a.rootSecret())
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(signed, "", "  ")
	if err != nil {
		return err
	}
	if c.Out == "" {
		_, err = a.stdout.Write(append(data, '\n'))
		return err
	}
	return os.WriteFile(c.Out, append(data, '\n'), 0o600)
}

type keyApplyCmd struct {
	dirFlag
	Signed string `arg:"" help:"File that 'key sign' wrote."`
	JSON   bool   `help:"Print the receipts of the new keyrings as JSON lines."`
}

func (c *keyApplyCmd) Run(ctx context.Context, a *app) error {
	var signed node.SignedKeyrings
	if err := readJSON(c.Signed, &signed); err != nil {
		return err
	}
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		receipts, err := client.ApplyKeyrings(ctx, signed)
		return errors.Join(err, printKeyrings(a, receipts, "in force", c.JSON))
	})
}

func readJSON(path string, into any) error {
	data, err := readFile(path)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err = dec.Decode(into)
	if err == nil && len(bytes.TrimSpace(data[dec.InputOffset():])) > 0 {
		err = errors.New("something follows the JSON value")
	}
	if err != nil {
		return &fault.Fault{Code: fault.Invalid, What: "reading " + path, Err: err}
	}
	return nil
}

type keyExportCmd struct {
	dirFlag
	Log string `help:"Log or agreement whose keyring to write." default:"own"`
}

func (c *keyExportCmd) Run(ctx context.Context, a *app) error {
	return a.withNode(ctx, c.dirFlag, accessRead, func(client *api.Client) error {
		keyring, err := client.Keyring(ctx, c.Log)
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(append(keyring, '\n'))
		return err
	})
}

type keyPinCmd struct {
	dirFlag
	File string `arg:"" help:"Keyring that the other party exported."`
	JSON bool   `help:"Print the party as JSON."`
}

func (keyPinCmd) Help() string {
	return "Example: mithaq key pin norvia.keyring\n\nPrints the party's fingerprint in words: compare it by telephone before you seal anything to it."
}

func (c *keyPinCmd) Run(ctx context.Context, a *app) error {
	data, err := readFile(c.File)
	if err != nil {
		return err
	}
	return a.withNode(ctx, c.dirFlag, accessWrite, func(client *api.Client) error {
		party, err := client.Pin(ctx, data)
		if err != nil {
			return err
		}
		return a.print(c.JSON, party, "pinned %s %s\ncompare by telephone: %s\n", party.ID, party.Names["en"], party.Fingerprint)
	})
}
