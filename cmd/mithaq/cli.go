package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/mithaq/mithaq/internal/fault"
)

// Exit codes, the same for every command: 0 done, 1 refused or found wrong, 2 could not read or understand.
const (
	exitOK     = 0
	exitNo     = 1
	exitUnread = 2
)

// app is what every command gets: the streams and the environment of this run.
type app struct {
	env    func(string) string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	clock  func() time.Time
	marked *bool // whether this run has said that what it prints is invented
}

// cli is the grammar of the command line. One file per command holds its struct and its Run method.
type cli struct {
	Demo        demoCmd        `cmd:"" help:"Run the story of three fictional parties on this machine."`
	Init        initCmd        `cmd:"" help:"Make a party's node: directory, keys, first log."`
	Serve       serveCmd       `cmd:"" help:"Run the node."`
	Agreement   agreementCmd   `cmd:"" help:"Agreements: the shelf, the rolls, acts, kept promises."`
	Peer        peerCmd        `cmd:"" help:"Other parties' nodes: add, list, show, remove."`
	Bundle      bundleCmd      `cmd:"" help:"Carry logs between nodes as files."`
	Party       partyCmd       `cmd:"" help:"A party: who it is, where it stands, what it runs."`
	Facts       factsCmd       `cmd:"" help:"What the documents report of the world, each statement with its source."`
	Publish     publishCmd     `cmd:"" help:"Sign records and append them to the log."`
	Export      exportCmd      `cmd:"" help:"Write what was shared for other programs: STIX, CSV, MISP, Suricata, Zeek, RPZ, CEF, ECS."`
	Misp        mispCmd        `cmd:"" help:"Bring MISP feeds in."`
	Show        showCmd        `cmd:"" help:"Show one record."`
	Search      searchCmd      `cmd:"" help:"Find records by their words or indicators."`
	Recall      recallCmd      `cmd:"" help:"Withdraw or narrow a record of this party."`
	Release     releaseCmd     `cmd:"" help:"Widen a record of this party."`
	Receipt     receiptCmd     `cmd:"" help:"Who has a record, who opened it, who read it."`
	Log         logCmd         `cmd:"" help:"List, verify and prove logs."`
	Witness     witnessCmd     `cmd:"" help:"Co-sign others' logs; who must co-sign under an agreement."`
	Stix        stixCmd        `cmd:"" help:"Check and find STIX 2.1 objects."`
	Taxii       taxiiCmd       `cmd:"" help:"TAXII 2.1: this node's collections, foreign ones in and out."`
	Pattern     patternCmd     `cmd:"" help:"Check and match STIX patterns."`
	Detect      detectCmd      `cmd:"" help:"Indicators against captures and logs: matches as JSON lines, STIX sightings."`
	Sensor      sensorCmd      `cmd:"" help:"Match an interface, a folder or a stream for months, with the indicators of a node."`
	Sighting    sightingCmd    `cmd:"" help:"What detection found of shared indicators: a person sends it back, or not."`
	Fingerprint fingerprintCmd `cmd:"" help:"TLS and QUIC hellos of captures, with their fingerprints."`
	Key         keyCmd         `cmd:"" help:"List, rotate and revoke keys."`
	Token       tokenCmd       `cmd:"" help:"Tokens for the API and for readers of restricted logs."`
	User        userCmd        `cmd:"" help:"People who sign in to the screens."`
	Notifier    notifierCmd    `cmd:"" help:"Who is told by mail or webhook that something waits."`
	Audit       auditCmd       `cmd:"" help:"What was given or refused at this node's exits, and whether the log agrees."`
	Backup      backupCmd      `cmd:"" help:"Write a consistent copy of a node into one file."`
	Restore     restoreCmd     `cmd:"" help:"Bring a node back from a backup without ever forking its logs."`
	Reindex     reindexCmd     `cmd:"" help:"Throw the index away and build it again from the logs."`
	Erase       eraseCmd       `cmd:"" help:"Destroy the contents of one record; its place in the log stays."`
	Openapi     openapiCmd     `cmd:"" help:"Print the description of the API (OpenAPI 3.1)."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// exitCode is an error that carries the exit code of a command which has already said what it had to say.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// unreadable marks an error of reading what the user named, for exit code 2.
type unreadable struct{ error }

func (u unreadable) Unwrap() error { return u.error }

// readFile reads a file that the user named.
func readFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path) // #nosec G304 -- the user names the file
	if err != nil {
		return nil, unreadable{err}
	}
	return data, nil
}

// run is the whole program: main and the end-to-end tests call nothing else.
func run(ctx context.Context, args []string, env func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	return (&app{env: env, stdin: stdin, stdout: stdout, stderr: stderr, clock: time.Now, marked: new(bool)}).run(ctx, args)
}

func (a *app) run(ctx context.Context, args []string) int {
	exited := -1
	parser, err := kong.New(grammar(args),
		kong.Name("mithaq"),
		kong.Description("The program on which a cyber-cooperation agreement runs. Start with: mithaq demo"),
		kong.Writers(a.stdout, a.stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(a),
	)
	if err != nil {
		fmt.Fprintln(a.stderr, "mithaq:", err)
		return exitUnread
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(a.stderr, "mithaq: %v (see 'mithaq --help')\n", err)
		return exitUnread
	}
	return a.report(parsed.Run())
}

// report writes err as one line and gives its exit code.
func (a *app) report(err error) int {
	var code exitCode
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(a.stderr, "mithaq: interrupted")
		return exitNo
	}
	fmt.Fprintln(a.stderr, "mithaq:", strings.ReplaceAll(err.Error(), "\n", "; "))
	var unread unreadable
	if fault.CodeOf(err) == fault.Invalid || errors.As(err, &unread) || errors.Is(err, os.ErrNotExist) {
		return exitUnread
	}
	return exitNo
}

// print writes v as JSON where a program reads, else the text that a person reads.
func (a *app) print(asJSON bool, v any, format string, args ...any) error {
	if asJSON {
		return json.NewEncoder(a.stdout).Encode(v)
	}
	_, err := fmt.Fprintf(a.stdout, format, args...)
	return err
}

// dirFlag is the --dir flag that all commands of a node share.
type dirFlag struct {
	Dir string `help:"The node's directory (default: $MITHAQ_DIR, else ~/.local/share/mithaq)." placeholder:"DIR"`
}

func (d dirFlag) path(a *app) (string, error) {
	for _, dir := range []string{d.Dir, a.env("MITHAQ_DIR")} {
		if dir != "" {
			return dir, nil
		}
	}
	if data := a.env("XDG_DATA_HOME"); data != "" {
		return filepath.Join(data, "mithaq"), nil
	}
	if home := a.env("HOME"); home != "" {
		return filepath.Join(home, ".local", "share", "mithaq"), nil
	}
	return "", errors.New("finding the node's directory: neither --dir nor MITHAQ_DIR nor HOME is set: give --dir DIR")
}
