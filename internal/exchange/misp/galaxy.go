package misp

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
)

// MaxClusters is how many clusters one galaxy may hold.
const MaxClusters = 50_000

// Galaxy is a galaxy as STIX.
type Galaxy struct {
	Bundle []byte
	Title  string
	Report exchange.Report
}

// ReadGalaxy turns the clusters of a galaxy (the files of MISP's galaxies that hold "values") into one bundle: an object for each
// cluster whose galaxy STIX has a type for, and relationships between those that stand in the same file. The same file becomes
// the same bundle everywhere, and a later version of it later versions of the objects.
func ReadGalaxy(b []byte) (Galaxy, error) {
	doc, err := decode(b)
	if err != nil {
		return Galaxy{}, err
	}
	m := objectOf(doc)
	values := m.list("values")
	switch {
	case m.text("type") == "" || len(values) == 0:
		return Galaxy{}, errors.New("reading a MISP galaxy: it has no type, or no values: the files with clusters have both")
	case len(values) > MaxClusters:
		return Galaxy{}, fmt.Errorf("reading a MISP galaxy: %d clusters, more than %d: split it", len(values), MaxClusters)
	}
	g := &galaxy{kind: m.text("type"), ids: map[string]string{}}
	whole := members{}
	whole.set("info", "galaxy "+g.kind)
	whole.setText("uuid", m.text("uuid"))
	g.c = &converter{event: Event{whole}, seen: map[string]bool{}}
	g.c.created, g.c.modified = epoch(), epoch()
	// A galaxy counts its versions (some in days, 20260131) and bears no dates.
	if version := m.seconds("version").Unix(); version > 0 && version < 1<<30 {
		g.c.modified = epoch().Add(time.Duration(version) * time.Second)
	}
	g.c.report.Read = len(values)
	g.author(m)
	typ := clusterType(g.kind)
	if typ == "" {
		return Galaxy{}, fmt.Errorf("reading a MISP galaxy: STIX has no type for %q: it becomes labels where an event is tagged with it", exchange.Clip(g.kind))
	}
	for i, v := range values {
		g.cluster(fmt.Sprintf("/values/%d", i), typ, v)
	}
	made := len(g.ids)
	for i, v := range values {
		g.relations(fmt.Sprintf("/values/%d", i), v)
	}
	if made == 0 {
		return Galaxy{}, errors.New("reading a MISP galaxy: no cluster of it can be carried")
	}
	bundle, err := g.c.bundle()
	if err != nil {
		return Galaxy{}, err
	}
	g.c.report.Made = made
	return Galaxy{Bundle: bundle, Title: m.text("name"), Report: g.c.report}, nil
}

// galaxy makes the objects of one galaxy.
type galaxy struct {
	c    *converter
	kind string
	ids  map[string]string // STIX ids by the clusters' UUIDs
}

// author makes the identity of the galaxy's source, where it names one.
func (g *galaxy) author(m members) {
	if source := m.text("source"); source != "" {
		org := members{}
		org.set("name", source)
		g.c.authorID = g.c.identity(org)
	}
}

// cluster makes the object for one cluster.
func (g *galaxy) cluster(place, typ string, v members) {
	name := v.text("value")
	if name == "" {
		g.c.report.Lose(place, "it has no name (value)")
		return
	}
	uuid := v.text("uuid")
	if !exchange.IsUUID(uuid) {
		uuid = exchange.UUID("misp-cluster", g.kind, name)
	}
	if g.ids[uuid] != "" {
		g.c.report.Lose(place, "another cluster has its UUID %s", uuid)
		return
	}
	p := g.c.begin(typ, uuid, g.c.created, g.c.modified)
	p["name"] = name
	p["labels"] = []string{fmt.Sprintf("misp-galaxy:%s=%q", g.kind, name)}
	if text := v.text("description"); text != "" {
		p["description"] = text
	}
	meta := v.object("meta")
	if typ == "malware" {
		p["is_family"] = true
	}
	if names := texts(meta, "synonyms"); len(names) > 0 && typ != "course-of-action" {
		p["aliases"] = names
	}
	if refs := g.references(meta); len(refs) > 0 {
		p["external_references"] = refs
	}
	d := difference{Kind: kindGalaxy}
	if raw, ok := v["meta"]; ok {
		d.Set = members{"meta": raw} // countries, dates and the like: STIX has no place for most
	}
	extend(p, d)
	if !g.c.valid(p) {
		g.c.report.Lose(place, "STIX does not take what it becomes: %s", g.why(p))
		return
	}
	g.ids[uuid] = p.ID()
	g.c.add(p)
}

// why says what is wrong with an object.
func (g *galaxy) why(p exchange.Properties) string {
	raw, err := p.Encode()
	if err != nil {
		return err.Error()
	}
	report := stix.Validate(raw, stix.Options{MaxFindings: 1})
	if report.Unreadable != nil {
		return report.Unreadable.Error()
	}
	for _, f := range report.Findings {
		return f.Path + " " + f.Message
	}
	return "it is not valid"
}

// references are the pages that a cluster refers to, and its number where it is of ATT&CK.
func (g *galaxy) references(meta members) []map[string]string {
	var refs []map[string]string
	for _, id := range texts(meta, "external_id") {
		if strings.HasPrefix(g.kind, "mitre-") {
			refs = append(refs, map[string]string{"source_name": "mitre-attack", "external_id": id})
		}
	}
	for _, ref := range texts(meta, "refs") {
		if u, err := url.Parse(ref); err == nil && u.Host != "" {
			refs = append(refs, map[string]string{"source_name": u.Hostname(), "url": ref})
		}
	}
	return refs
}

// relationType is what STIX 2.1, section 5.1, allows as the type of a relationship.
var relationType = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,249}$`) })

// relations makes the relationships of one cluster.
func (g *galaxy) relations(place string, v members) {
	uuid := v.text("uuid")
	if !exchange.IsUUID(uuid) {
		uuid = exchange.UUID("misp-cluster", g.kind, v.text("value"))
	}
	from := g.ids[uuid]
	if from == "" {
		return
	}
	elsewhere := 0
	for i, r := range v.list("related") {
		to := g.ids[r.text("dest-uuid")]
		if to == "" || to == from {
			elsewhere++
			continue
		}
		kind := strings.ReplaceAll(strings.ToLower(r.text("type")), "_", "-")
		if kind == "similar" || kind == "" {
			kind = "related-to"
		}
		if !relationType().MatchString(kind) {
			g.c.report.Lose(fmt.Sprintf("%s/related/%d", place, i), "%q is no type of a relationship: it is carried as related-to", exchange.Clip(kind))
			kind = "related-to"
		}
		p := g.c.begin("relationship", exchange.UUID("misp-cluster-relation", from, kind, to), g.c.created, g.c.modified)
		p["relationship_type"], p["source_ref"], p["target_ref"] = kind, from, to
		if tags := texts(r, "tags"); len(tags) > 0 {
			p["labels"] = tags
		}
		if !g.c.valid(p) {
			g.c.report.Lose(fmt.Sprintf("%s/related/%d", place, i), "STIX does not take what it becomes: %s", g.why(p))
			continue
		}
		g.c.add(p)
	}
	if elsewhere > 0 {
		g.c.report.Lose(place+"/related", "%d left out: they lead to clusters of other galaxies, whose types this file does not tell", elsewhere)
	}
}
