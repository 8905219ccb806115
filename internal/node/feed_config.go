package node

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/policy"
	"github.com/mithaq/mithaq/internal/record"
)

// Feed is what the node reads from elsewhere on a schedule. What it brings becomes intel records of this party.
type Feed struct {
	Name       string   `toml:"name"`       // letters, digits, - and _; how far it was read is kept under it
	Kind       string   `toml:"kind"`       // one of feedKinds; empty: taxii
	URL        string   `toml:"url"`        // TAXII: of discovery, of an API root or of a collection; MISP: the folder of manifest.json; else the file's
	Collection string   `toml:"collection"` // id, alias or title; empty when the URL is a collection's
	Every      string   `toml:"every"`      // "15m", "1h"; empty: 1h
	Agreement  string   `toml:"agreement"`  // under which its objects are published: id, or "own"
	TLP        string   `toml:"tlp"`        // of objects that bear no marking; empty: TLP:AMBER
	User       string   `toml:"user"`       // Basic; empty with a secret: a bearer token
	SecretFile string   `toml:"secret_file"`
	Types      []string `toml:"types"`            // STIX types; none: all
	Since      string   `toml:"since"`            // from when on, RFC 3339; empty: from the start
	Despite    bool     `toml:"despite_warnings"` // takes values on warning lists as well
}

// The kinds of feeds.
const (
	feedTAXII = "taxii" // a collection of a TAXII 2.1 server
	feedMISP  = "misp"  // a MISP feed: a folder of events
	feedFile  = "file"  // one file: a STIX bundle, MISP events, a table or a list of values
)

func feedKinds() []string { return []string{feedTAXII, feedMISP, feedFile} }

func (f Feed) kind() string {
	if f.Kind == "" {
		return feedTAXII
	}
	return f.Kind
}

// feedEvery is how often a feed is read that does not say; feedOften how often at most.
const (
	feedEvery = time.Hour
	feedOften = 10 * time.Second
)

func (f Feed) every() time.Duration {
	if f.Every == "" {
		return feedEvery
	}
	d, err := time.ParseDuration(f.Every)
	if err != nil {
		return feedEvery // check refused it
	}
	return d
}

func (f Feed) check() error {
	if !validName(f.Name) {
		return fmt.Errorf("feeds: name %q: use up to 64 letters, digits, - and _", f.Name)
	}
	if !slices.Contains(feedKinds(), f.kind()) {
		return fmt.Errorf("feeds: %s: kind %q: write one of %s", f.Name, f.Kind, strings.Join(feedKinds(), ", "))
	}
	if f.kind() != feedTAXII && (f.Collection != "" || len(f.Types) > 0) {
		return fmt.Errorf("feeds: %s: collection and types are for feeds of the kind taxii", f.Name)
	}
	if f.kind() == feedFile && f.Since != "" {
		return fmt.Errorf("feeds: %s: since is for feeds of the kinds taxii and misp", f.Name)
	}
	if err := checkURL("feeds: "+f.Name+": url", f.URL); err != nil {
		return err
	}
	if d, err := time.ParseDuration(f.Every); f.Every != "" && (err != nil || d < feedOften) {
		return fmt.Errorf("feeds: %s: every %q: write a duration of 10s or more, as \"15m\"", f.Name, f.Every)
	}
	if f.Agreement != record.OwnAgreement && !record.IsAgreementID(f.Agreement) {
		return fmt.Errorf("feeds: %s: agreement %q is none: write \"own\" or an id that 'mithaq agreement list' prints", f.Name, f.Agreement)
	}
	if f.TLP != "" && !policy.TLP(prefixed("TLP:", f.TLP)).Valid() {
		return fmt.Errorf("feeds: %s: tlp %q is not a TLP 2.0 label", f.Name, f.TLP)
	}
	if _, err := time.Parse(time.RFC3339, f.Since); f.Since != "" && err != nil {
		return fmt.Errorf("feeds: %s: since %q: write it as 2026-01-31T00:00:00Z", f.Name, f.Since)
	}
	return nil
}

func checkFeeds(feeds []Feed) error {
	seen := map[string]bool{}
	for _, f := range feeds {
		if err := f.check(); err != nil {
			return err
		}
		if seen[f.Name] {
			return errors.New("feeds: the name " + f.Name + " stands twice")
		}
		seen[f.Name] = true
	}
	return nil
}
