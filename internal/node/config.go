package node

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	toml "github.com/pelletier/go-toml/v2"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/fetch"
)

// ConfigName is the configuration file's name inside a node's directory.
const ConfigName = "mithaq.toml"

// configTemplate is what init writes: it names and explains every key, and a test holds it against [Config].
//
//go:embed mithaq.toml
var configTemplate string

// Config is a node's configuration file. The comments in mithaq.toml are its manual.
type Config struct {
	Listen    string   `toml:"listen"`
	PublicURL string   `toml:"public_url"`
	TLSCert   string   `toml:"tls_cert"`
	TLSKey    string   `toml:"tls_key"`
	Store     string   `toml:"store"`
	KeyFile   string   `toml:"key_file"`
	Followers []string `toml:"followers"`
	// FollowerTokens names, by the address of a follower, the file of the bearer token that it is sent.
	FollowerTokens map[string]string `toml:"follower_tokens"`
	LogLevel       string            `toml:"log_level"`
	LogFormat      string            `toml:"log_format"`
	Metrics        string            `toml:"metrics"`
	// Mirror keeps of followed logs what opens them for others too.
	Mirror bool `toml:"mirror"`
	// OutboundOnly is for a node that nobody can connect to.
	OutboundOnly bool `toml:"outbound_only"`
	// PrivatePeers says whether other nodes are reached at addresses of private networks and of this machine.
	PrivatePeers string `toml:"private_peers"`
	Quota        Quota  `toml:"quota"`

	// OIDC is the party's own OpenID provider, by which people may sign in.
	OIDC OIDC `toml:"oidc"`

	TAXIIRate         int                   `toml:"taxii_rate"`
	TAXIICertificates []account.Certificate `toml:"taxii_certificates"`
	Views             []View                `toml:"views"`
	// WarningLists are files and folders with lists of well-known harmless values.
	WarningLists []string `toml:"warning_lists"`
	Feeds        []Feed   `toml:"feeds"`

	// ReceiptKinds are the kinds of others' records of which their authors are told that they came and were opened here.
	ReceiptKinds []string `toml:"receipt_kinds"`
	ReceiptEvery string   `toml:"receipt_every"`
	// NoReceipts are agreements under which nobody is told, but for recalls and releases.
	NoReceipts []string `toml:"no_receipts"`
	// AuditDays is how long the rows of the audit table are kept.
	AuditDays int `toml:"audit_days"`
	// MapFile is the operator's own geometry for the map of parties.
	MapFile string `toml:"map_file"`
	// BackupFolder is where backups go that are asked for over the API, or that are made on a schedule.
	BackupFolder string `toml:"backup_folder"`
	// BackupEvery is how often a backup is made without being asked for. Empty: never.
	BackupEvery string `toml:"backup_every"`
	// BackupKeep is how many of the node's own backups stay in the folder. 0: all.
	BackupKeep int `toml:"backup_keep"`
	// Mail is the server by which notifications leave.
	Mail Mail `toml:"mail"`
}

// DefaultConfig is what holds where the file says nothing.
func DefaultConfig() Config {
	return Config{
		Listen:    "127.0.0.1:8470",
		Store:     "sqlite",
		KeyFile:   "unlock.key",
		LogLevel:  "info",
		LogFormat: "text",
		Metrics:   "loopback",
		TAXIIRate: 500,

		PrivatePeers: "auto",
		Quota:        Quota{Hours: 24, Records: 2_000_000, Megabytes: 16 << 10, Broken: 10_000, AllRecords: 50_000_000, AllMegabytes: 256 << 10},

		FollowerTokens: map[string]string{},

		ReceiptKinds: []string{"allegation", "intel", "report", "response", "sighting"},
		ReceiptEvery: "1m",
		NoReceipts:   []string{},
		AuditDays:    400,
		BackupFolder: "backups",
	}
}

// ReadConfig reads dir's configuration file. An unknown key, a wrong type or an impossible value is an error that
// names file, line and remedy.
func ReadConfig(dir string) (Config, error) {
	path := filepath.Join(dir, ConfigName)
	data, err := os.ReadFile(path) // #nosec G304 -- the operator names the directory
	if errors.Is(err, os.ErrNotExist) {
		return Config{}, fault.New(fault.Invalid, "make a node with 'mithaq init --dir "+dir+"'", "reading configuration: %s does not exist", path)
	}
	if err != nil {
		return Config{}, &fault.Fault{Code: fault.Invalid, What: "reading configuration", Err: err}
	}
	return parseConfig(path, data)
}

func parseConfig(path string, data []byte) (Config, error) {
	c := DefaultConfig()
	dec := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return Config{}, &fault.Fault{Code: fault.Invalid, What: "reading configuration", Err: located(path, err)}
	}
	if err := c.check(); err != nil {
		return Config{}, &fault.Fault{Code: fault.Invalid, What: "reading configuration: " + path, Err: err}
	}
	return c, nil
}

// located puts file:line:column before what the TOML decoder found.
func located(path string, err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		first := unknown.Errors[0]
		row, col := first.Position()
		return fmt.Errorf("%s:%d:%d: unknown key %q: remove it or correct its spelling", path, row, col, strings.Join(first.Key(), "."))
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		row, col := bad.Position()
		return fmt.Errorf("%s:%d:%d: %s", path, row, col, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	return fmt.Errorf("%s: %w", path, err)
}

func (c Config) check() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("listen = %q is not HOST:PORT: write for example \"127.0.0.1:8470\"", c.Listen)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("tls_cert and tls_key go together: set both or neither")
	}
	if c.PublicURL != "" {
		if err := checkURL("public_url", c.PublicURL); err != nil {
			return err
		}
	}
	for _, f := range c.Followers {
		if err := checkURL("followers", f); err != nil {
			return err
		}
	}
	for host, file := range c.FollowerTokens {
		if err := checkURL("follower_tokens", host); err != nil {
			return err
		}
		if !slices.ContainsFunc(c.Followers, func(f string) bool { return hostOf(f) == hostOf(host) }) {
			return fmt.Errorf("follower_tokens: %q is not among followers: add it there, or remove its token", host)
		}
		if file == "" {
			return fmt.Errorf("follower_tokens: %q names no file: write the name of the file that holds the token", host)
		}
	}
	if c.Store != "sqlite" && !strings.HasPrefix(c.Store, "postgres://") && !strings.HasPrefix(c.Store, "postgresql://") {
		return fmt.Errorf("store = %q: write \"sqlite\" or a postgres:// address", c.Store)
	}
	if c.TAXIIRate < 0 || c.TAXIIRate > 1_000_000 {
		return fmt.Errorf("taxii_rate = %d: write how many requests a second a token may make, 0 for any number", c.TAXIIRate)
	}
	for _, err := range []error{c.Quota.check(), c.OIDC.check(), account.CheckCertificates(c.TAXIICertificates), checkViews(c.Views), checkFeeds(c.Feeds), c.checkReceipts(), c.checkBackups(), c.Mail.check()} {
		if err != nil {
			return err
		}
	}
	for _, choice := range []struct {
		key, value string
		allowed    []string
	}{
		{"log_level", c.LogLevel, []string{"debug", "info", "warn", "error"}},
		{"log_format", c.LogFormat, []string{"text", "json"}},
		{"private_peers", c.PrivatePeers, []string{"auto", "yes", "no"}},
		{"metrics", c.Metrics, []string{"loopback", "token", "off"}},
	} {
		if !slices.Contains(choice.allowed, choice.value) {
			return fmt.Errorf("%s = %q: write one of %s", choice.key, choice.value, strings.Join(choice.allowed, ", "))
		}
	}
	return nil
}

// OIDC is an OpenID provider (OpenID Connect Core 1.0). Without an issuer there is none.
type OIDC struct {
	Issuer     string `toml:"issuer"`      // its address; /.well-known/openid-configuration lies below it
	Client     string `toml:"client"`      // the client id that it knows this node by
	SecretFile string `toml:"secret_file"` // of the client's secret; empty: a public client
	Claim      string `toml:"claim"`       // what of its word names a person: "sub" (default) or "email"
	Name       string `toml:"name"`        // what the button says
}

// The claims that name a person.
const (
	ClaimSubject = "sub"
	ClaimEmail   = "email" // one that the provider calls verified
)

func (o OIDC) check() error {
	if o.Issuer == "" {
		if o != (OIDC{}) {
			return errors.New("oidc: issuer is missing: write the provider's address, or leave oidc out")
		}
		return nil
	}
	if err := checkURL("oidc: issuer", o.Issuer); err != nil {
		return err
	}
	if o.Client == "" {
		return errors.New("oidc: client is missing: write the client id that the provider gave")
	}
	if o.Claim != "" && o.Claim != ClaimSubject && o.Claim != ClaimEmail {
		return fmt.Errorf("oidc: claim = %q: write \"sub\" or \"email\"", o.Claim)
	}
	return nil
}

func checkURL(key, value string) error {
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s: %q is not an http or https address: write for example \"https://node.example\"", key, value)
	}
	return nil
}

// reachesPrivate says whether other nodes are reached at private addresses: where nothing is said, only by a node that itself is
// at one.
func (c Config) reachesPrivate() bool {
	if c.PrivatePeers != "auto" {
		return c.PrivatePeers == "yes"
	}
	return c.PublicURL == "" || fetch.CheckURL(c.PublicURL, false) != nil
}

// BaseURL is the address that others reach this node under, without a slash at its end.
func (c Config) BaseURL() string {
	if c.PublicURL != "" {
		return strings.TrimRight(c.PublicURL, "/")
	}
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + c.Listen
}

// storeDSN is the store's address as package store takes it.
func (c Config) storeDSN(dir string) string {
	if c.Store == "sqlite" {
		return "sqlite:" + filepath.Join(dir, dbName)
	}
	return c.Store
}
