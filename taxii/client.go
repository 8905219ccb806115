package taxii

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// ClientOptions set up a Client. All of it may be left out.
type ClientOptions struct {
	// HTTP makes the requests; nil: a client of its own with a timeout. Redirects are refused whatever it says: they could
	// carry credentials to somebody else.
	HTTP *http.Client
	// Authorize adds credentials to a request; see BasicCredentials and BearerCredentials. Client certificates belong into
	// HTTP's transport.
	Authorize func(*http.Request) error
	// Hosts are further origins ("https://other.example") that requests, and so credentials, may go to. A server's discovery
	// can name API roots anywhere; those elsewhere are refused unless they are here.
	Hosts []string

	MaxResponse int64         // bytes of one response; 0: 64 MiB
	Attempts    int           // tries of one request while the server says 429, 502, 503 or 504; 0: 6
	MaxWait     time.Duration // longest single wait, whatever Retry-After says; 0: 5 minutes
	UserAgent   string

	Clock func() time.Time // nil: time.Now. For a Retry-After that is a date
	Rand  *rand.Rand       // nil: seeded by the runtime. For the spread of waits
}

// Client talks to one TAXII 2.1 server. Its methods may be called from many goroutines, if Rand is nil.
type Client struct {
	o     ClientOptions
	hosts []string // origins that requests may go to
	base  *url.URL
}

// ErrElsewhere says that a server pointed to a host for which the client was not set up.
var ErrElsewhere = errors.New("refusing to leave the server")

// NewClient makes a client for the server at address, the URL of discovery ("https://node.example/taxii2/"), of an API root
// or of a collection.
func NewClient(address string, o ClientOptions) (*Client, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, fmt.Errorf("making a TAXII client: %q is no http or https URL", clip(address))
	}
	base.User = nil
	h := http.Client{Timeout: 5 * time.Minute}
	if o.HTTP != nil {
		h = *o.HTTP
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	o.HTTP = &h
	fill(&o.MaxResponse, 64<<20)
	fill(&o.Attempts, 6)
	fill(&o.MaxWait, 5*time.Minute)
	if o.UserAgent == "" {
		o.UserAgent = "mithaq-taxii/2.1"
	}
	if o.Clock == nil {
		o.Clock = time.Now //nolint:forbidigo // the parameter's documented default
	}
	c := &Client{o: o, base: base, hosts: []string{origin(base)}}
	for _, host := range o.Hosts {
		u, err := url.Parse(host)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("making a TAXII client: host %q is no URL", clip(host))
		}
		c.hosts = append(c.hosts, origin(u))
	}
	return c, nil
}

func origin(u *url.URL) string { return strings.ToLower(u.Scheme + "://" + u.Host) }

// BasicCredentials authorizes by user name and password.
func BasicCredentials(user, password string) func(*http.Request) error {
	return func(r *http.Request) error {
		r.SetBasicAuth(user, password)
		return nil
	}
}

// BearerCredentials authorizes by a token.
func BearerCredentials(token string) func(*http.Request) error {
	return func(r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
}

// Discover reads discovery, with the URLs of API roots made absolute. Those on other hosts are listed as they are; asking
// them for anything ends in ErrElsewhere.
func (c *Client) Discover(ctx context.Context) (Discovery, error) {
	var d Discovery
	if err := c.get(ctx, c.base.String(), nil, &d); err != nil {
		return d, fmt.Errorf("reading discovery: %w", err)
	}
	absolute := func(s string) string {
		if u, err := c.base.Parse(s); err == nil {
			return u.String()
		}
		return s
	}
	for i, root := range d.APIRoots {
		d.APIRoots[i] = absolute(root)
	}
	if d.Default != "" {
		d.Default = absolute(d.Default)
	}
	return d, nil
}

// APIRoot reads what an API root says about itself.
func (c *Client) APIRoot(ctx context.Context, root string) (APIRoot, error) {
	var r APIRoot
	if err := c.get(ctx, slashed(root), nil, &r); err != nil {
		return r, fmt.Errorf("reading an API root: %w", err)
	}
	return r, nil
}

// Collections lists the collections of an API root.
func (c *Client) Collections(ctx context.Context, root string) ([]Collection, error) {
	var list struct {
		Collections []Collection `json:"collections"`
	}
	if err := c.get(ctx, slashed(root)+"collections/", nil, &list); err != nil {
		return nil, fmt.Errorf("listing collections: %w", err)
	}
	return list.Collections, nil
}

// CollectionURL is where a collection of an API root is.
func CollectionURL(root, id string) string {
	return slashed(root) + "collections/" + url.PathEscape(id) + "/"
}

// Collection reads what a collection says about itself.
func (c *Client) Collection(ctx context.Context, collection string) (Collection, error) {
	var r Collection
	if err := c.get(ctx, slashed(collection), nil, &r); err != nil {
		return r, fmt.Errorf("reading a collection: %w", err)
	}
	return r, nil
}

// Manifest reads one page of a manifest, of at most limit records (0: as many as the server likes). next is "" for the
// first page; the next one is returned, "" at the end.
func (c *Client) Manifest(ctx context.Context, collection string, f Filter, limit int, next string) ([]ManifestRecord, string, error) {
	var page struct {
		More    bool             `json:"more"`
		Next    string           `json:"next"`
		Objects []ManifestRecord `json:"objects"`
	}
	if err := c.get(ctx, slashed(collection)+"manifest/", pageValues(f, limit, next), &page); err != nil {
		return nil, "", fmt.Errorf("reading a manifest: %w", err)
	}
	if !page.More {
		page.Next = ""
	}
	return page.Objects, page.Next, nil
}

// Object reads the versions of an object that a filter selects, up to one page, as the bytes that the server sent.
func (c *Client) Object(ctx context.Context, collection, id string, f Filter) ([][]byte, error) {
	f.IDs, f.Types = nil, nil
	p, err := c.page(ctx, slashed(collection)+"objects/"+url.PathEscape(id)+"/", f.values())
	if err != nil {
		return nil, fmt.Errorf("reading an object: %w", err)
	}
	return p.objects, nil
}

// Versions lists the versions of an object, up to one page, in the order in which they were added.
func (c *Client) Versions(ctx context.Context, collection, id string) ([]string, error) {
	var list struct {
		Versions []string `json:"versions"`
	}
	if err := c.get(ctx, slashed(collection)+"objects/"+url.PathEscape(id)+"/versions/", nil, &list); err != nil {
		return nil, fmt.Errorf("listing versions: %w", err)
	}
	return list.Versions, nil
}

// Delete deletes an object: all versions of it that the server takes an empty filter to mean, or those named.
func (c *Client) Delete(ctx context.Context, collection, id string, f Filter) error {
	f = Filter{Versions: f.Versions, SpecVersions: f.SpecVersions}
	response, err := c.do(ctx, http.MethodDelete, slashed(collection)+"objects/"+url.PathEscape(id)+"/", f.values(), nil)
	if err != nil {
		return fmt.Errorf("deleting an object: %w", err)
	}
	return response.Body.Close()
}

// Status reads the status of an earlier push.
func (c *Client) Status(ctx context.Context, root, id string) (Status, error) {
	var s Status
	if err := c.get(ctx, slashed(root)+"status/"+url.PathEscape(id)+"/", nil, &s); err != nil {
		return s, fmt.Errorf("reading a status: %w", err)
	}
	return s, nil
}

// get reads a resource.
func (c *Client) get(ctx context.Context, address string, values url.Values, into any) error {
	response, err := c.do(ctx, http.MethodGet, address, values, nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	return c.decode(response, into)
}

// decode reads a body into a resource; properties that the resource does not have are passed over.
func (c *Client) decode(response *http.Response, into any) error {
	body, err := c.read(response)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("the response is no such resource: %w", err)
	}
	return nil
}

func (c *Client) read(response *http.Response) ([]byte, error) {
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(response.Body, c.o.MaxResponse+1))
	if err != nil {
		return nil, fmt.Errorf("reading the response: %w", err)
	}
	if n > c.o.MaxResponse {
		return nil, fmt.Errorf("the response is over %d bytes", c.o.MaxResponse)
	}
	return b.Bytes(), nil
}

func slashed(address string) string {
	if strings.HasSuffix(address, "/") {
		return address
	}
	return address + "/"
}
