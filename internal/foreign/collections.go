package foreign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/taxii"
)

// A Right is what somebody wants to do with a collection.
type Right int

// The rights.
const (
	ToRead Right = iota
	ToWrite
)

func (r Right) held(c taxii.Collection) bool {
	if r == ToWrite {
		return c.CanWrite
	}
	return c.CanRead
}

// collectionURL is the address of a collection when address names one already.
func collectionURL(address string) (string, bool) {
	root, rest, ok := strings.Cut(address, "/collections/")
	id, _, _ := strings.Cut(rest, "/")
	return root + "/collections/" + id + "/", ok && id != ""
}

// located is a collection with its address.
type located struct {
	taxii.Collection
	url string
}

// collections lists what is below an address: of discovery, or of an API root.
func collections(ctx context.Context, client *taxii.Client, address string) ([]located, error) {
	roots := []string{strings.TrimRight(address, "/") + "/"}
	if d, err := client.Discover(ctx); err == nil && len(d.APIRoots) > 0 {
		roots = d.APIRoots
	}
	var out []located
	var failed error
	for _, root := range roots {
		list, err := client.Collections(ctx, root)
		if err != nil {
			failed = err
			continue
		}
		for _, c := range list {
			out = append(out, located{c, strings.TrimRight(root, "/") + "/collections/" + c.ID + "/"})
		}
	}
	if len(out) == 0 && failed != nil {
		return nil, Fault(failed)
	}
	return out, nil
}

// Collections lists the collections of another server, from its discovery or an API root.
func Collections(ctx context.Context, client *taxii.Client, address string) ([]taxii.Collection, error) {
	list, err := collections(ctx, client, address)
	out := make([]taxii.Collection, len(list))
	for i, c := range list {
		out[i] = c.Collection
	}
	return out, err
}

// FindCollection returns the URL of the collection that a person means below an address: by its id, alias or title, or the
// only one with the right.
func FindCollection(ctx context.Context, client *taxii.Client, address, name string, right Right) (string, error) {
	if u, ok := collectionURL(address); ok {
		return u, nil
	}
	list, err := collections(ctx, client, address)
	if err != nil {
		return "", err
	}
	var found, names []string
	for _, c := range list {
		if !right.held(c.Collection) {
			continue
		}
		names = append(names, c.Title+" ("+c.ID+")")
		if name == "" || c.ID == name || c.Alias == name || c.Title == name {
			found = append(found, c.url)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(names) == 0:
		return "", fault.New(fault.NotFound, "check the URL and the credentials", "%s has no collection with the right that this needs", address)
	case len(found) == 0:
		return "", fault.New(fault.NotFound, "name one of "+clipList(names), "%s has no collection %s", address, fault.Clip(name))
	}
	return "", fault.New(fault.Invalid, "name one of "+clipList(names), "%s has %d collections that fit", address, len(found))
}

// clipList joins names as far as they fit into a line.
func clipList(names []string) string {
	const most = 10
	out := make([]string, 0, most)
	for _, name := range names[:min(len(names), most)] {
		out = append(out, fault.Clip(name))
	}
	if len(names) > most {
		out = append(out, fmt.Sprintf("%d more", len(names)-most))
	}
	return strings.Join(out, ", ")
}

// Fault gives an error of reading from a server its code and what to do: one that answers wrongly is told from one that does not answer.
func Fault(err error) error {
	var e *taxii.Error
	switch {
	case fault.CodeOf(err) != "":
		return err
	case errors.Is(err, taxii.ErrForeignCursor):
		return &fault.Fault{Code: fault.Conflict, What: "pulling", Err: err, Remedy: "give the feed another name"}
	case errors.As(err, &e) && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden):
		return &fault.Fault{Code: fault.Forbidden, What: "pulling", Err: err, Remedy: "check user and secret"}
	case errors.As(err, &e) && e.Status == http.StatusNotFound:
		return &fault.Fault{Code: fault.NotFound, What: "pulling", Err: err, Remedy: "check the URL"}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return &fault.Fault{Code: fault.Unavailable, What: "pulling", Err: err, Remedy: cmp.Or(fetch.Distrust(err), "try again later; what was read is kept")}
}
