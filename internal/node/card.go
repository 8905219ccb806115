package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/record"
)

// CardPath is where a node introduces itself.
const CardPath = "/.well-known/mithaq"

// CardFormat names the form of a card.
const CardFormat = "mithaq-card/1"

// Card is how a node introduces itself to another: the keyring of its party's own house, and where it is reached. The keyring
// proves itself; that it is the party one means, a person finds out by comparing its fingerprint.
type Card struct {
	Format   string          `json:"format" enum:"mithaq-card/1"`
	Software string          `json:"software"`
	URL      string          `json:"url,omitempty" doc:"Where the node is reached; absent: it accepts no connection and comes by itself"`
	Keyring  json.RawMessage `json:"keyring" doc:"DSSE envelope of the party's keyring"`
}

const (
	software = "mithaq"
	// maxCard bounds a card: a keyring of 256 officers is far below it.
	maxCard = 1 << 20
	// cardPatience is how long a stranger may take to send one.
	cardPatience = 15 * time.Second
)

// Card is this node's.
func (n *Node) Card(ctx context.Context) (Card, error) {
	house, err := n.Keyring(ctx, record.OwnAgreement)
	if err != nil {
		return Card{}, err
	}
	c := Card{Format: CardFormat, Software: software, Keyring: house}
	if !n.cfg.OutboundOnly {
		c.URL = n.baseURL()
	}
	return c, nil
}

// read checks a card and returns the keyring in it.
func (c Card) read() (record.Keyring, error) {
	if c.Format != CardFormat {
		return record.Keyring{}, fault.New(fault.Invalid, "compare versions", "reading a card: format %s is not %s", fault.Clip(c.Format), CardFormat)
	}
	if c.URL != "" {
		if err := checkURL("url", c.URL); err != nil {
			return record.Keyring{}, &fault.Fault{Code: fault.Invalid, What: "reading a card", Err: err}
		}
	}
	k, err := record.ParseKeyring(c.Keyring)
	if err != nil {
		return k, recordFault("reading a card: its keyring does not verify", err)
	}
	return k, nil
}

// ReadCard reads a card's bytes: a file that somebody carried, or what a node answered.
func ReadCard(data []byte) (Card, error) {
	var c Card
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&c); err != nil {
		return c, &fault.Fault{Code: fault.Invalid, What: "reading a card", Err: err, Remedy: "give what 'mithaq peer card' printed, or the address of a mithaq node"}
	}
	_, err := c.read()
	return c, err
}

// fetchCard asks the node at an address who it is.
func (n *Node) fetchCard(ctx context.Context, address string) (Card, error) {
	if err := checkURL("address", address); err != nil {
		return Card{}, &fault.Fault{Code: fault.Invalid, What: "asking a node who it is", Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(address, "/")+CardPath, nil)
	if err != nil {
		return Card{}, &fault.Fault{Code: fault.Invalid, What: "asking a node who it is", Err: err}
	}
	status := 0
	data, err := fetch.Again(ctx, func() ([]byte, error) {
		a, err := fetch.Open(n.outbound, req, fetch.Limits{Bytes: maxCard, Types: jsonTypes(), Patience: cardPatience})
		if err != nil {
			return nil, err
		}
		defer func() { _ = a.Close() }()
		status = a.Status
		return a.All()
	})
	n.refusals.answer(err, n.now(), hostOf(address))
	if err != nil {
		return Card{}, &fault.Fault{Code: fault.Unavailable, What: "asking a node who it is", Err: err, Remedy: "compare the address with the party"}
	}
	if status != http.StatusOK {
		return Card{}, fault.New(fault.NotFound, "compare the address with the party", "asking %s who it is: it answers %d", address, status)
	}
	c, err := ReadCard(data)
	if err != nil {
		n.refusals.answer(fetch.As(fetch.Malformed, err), n.now(), hostOf(address))
		return c, err
	}
	c.URL = strings.TrimRight(address, "/") // where it was found; what it says of itself may lead elsewhere
	return c, nil
}

// jsonTypes are the media types of nodes' answers.
func jsonTypes() []string { return []string{"application/json", "application/problem+json"} }

// errTooLong says that a file is longer than it may be.
var errTooLong = errors.New("it is longer than it may be")

// newOutbound is the client for requests to other nodes: no redirects, which could lead inside this network, and bounds on
// everything that the other side can make us wait for or hold.
func newOutbound(private bool) *http.Client {
	return &http.Client{Transport: fetch.NewTransport(fetch.TransportOptions{Private: private}), CheckRedirect: fetch.NoRedirect}
}
