package misp

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
	"github.com/mithaq/mithaq/stix"
)

// What MISP's members become when nothing but a STIX object is known. The way to STIX uses the same functions to find out
// what the extension has to carry.

func uuidIn(v stix.Value) string {
	_, uuid, _ := stix.SplitID(v.Get("id").Text())
	return uuid
}

func moment(v stix.Value, name string) time.Time {
	at, err := stix.ParseTimestamp(v.Get(name).Text())
	if err != nil {
		return time.Time{}
	}
	return at
}

func unix(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return strconv.FormatInt(at.Unix(), 10)
}

// isoFormat is how MISP writes first_seen and last_seen.
const isoFormat = "2006-01-02T15:04:05.000000+00:00"

// eventMembers makes an event's own members of a report.
func eventMembers(v, author stix.Value, known stix.Markings) members {
	m := members{}
	m.set("uuid", uuidIn(v))
	m.setText("info", v.Get("name").Text())
	m.setText("timestamp", unix(moment(v, "modified")))
	if at := moment(v, "created"); !at.IsZero() {
		m.set("date", at.Format(time.DateOnly))
	}
	if author.Exists() {
		org := members{}
		org.set("name", author.Get("name").Text())
		org.set("uuid", uuidIn(author))
		m.set("Orgc", org)
	}
	setTags(m, v, known)
	return m
}

func setTags(m members, v stix.Value, known stix.Markings) {
	if tags := markingTags(v, known); len(tags) > 0 {
		m.set("Tag", tags)
	}
}

// common makes the members that attributes of every type have.
func common(v stix.Value, known stix.Markings) members {
	m := members{}
	m.set("uuid", uuidIn(v))
	m.setText("timestamp", unix(moment(v, "modified")))
	if revoked, ok := v.Get("revoked").Bool(); ok && revoked {
		m.set("deleted", true)
	}
	setTags(m, v, known)
	return m
}

// attributeMembers makes an attribute of an object that stands for one; why says why it cannot.
func (t *table) attributeMembers(v stix.Value, lookup func(id string) stix.Value, known stix.Markings) (m members, why string) {
	m = common(v, known)
	var typ, value string
	detect := false
	switch v.Get("type").Text() {
	case "indicator":
		detect = true
		m.setText("comment", v.Get("description").Text())
		typ, value = t.indicatorValue(v)
		if at := moment(v, "valid_from"); !at.IsZero() && !at.Equal(moment(v, "created")) {
			m.set("first_seen", at.UTC().Format(isoFormat))
		}
	case "observed-data":
		var ok bool
		if typ, value, ok = t.observedValue(v, lookup); !ok {
			return nil, "what was observed has no type in MISP"
		}
		for _, id := range v.Get("object_refs").Texts() {
			if content := lookup(id); content.Get("type").Text() == "artifact" && content.Get("payload_bin").Exists() {
				m.set("data", content.Get("payload_bin").Text())
				typ = "attachment"
				if content.Get("encryption_algorithm").Exists() {
					typ = "malware-sample"
				}
			}
		}
		first, last := moment(v, "first_observed"), moment(v, "last_observed")
		if !first.Equal(moment(v, "created")) {
			m.set("first_seen", first.UTC().Format(isoFormat))
		}
		if last.After(first) {
			m.set("last_seen", last.UTC().Format(isoFormat))
		}
	case "vulnerability", "threat-actor", "campaign":
		m.setText("comment", v.Get("description").Text())
		typ = map[string]string{"vulnerability": "vulnerability", "threat-actor": "threat-actor", "campaign": "campaign-name"}[v.Get("type").Text()]
		value = v.Get("name").Text()
	case "note":
		typ, value = "comment", v.Get("content").Text()
	default:
		return nil, "MISP has no attribute for " + exchange.Clip(v.Get("type").Text())
	}
	m.set("type", typ)
	m.set("category", t.categoryOf(typ))
	m.set("value", value)
	m.set("to_ids", detect)
	return m, ""
}

// indicatorValue is the type and value of an indicator: a rule as it is, a pattern as the value it is about, and a pattern
// of another form whole.
func (t *table) indicatorValue(v stix.Value) (typ, value string) {
	text := v.Get("pattern").Text()
	switch kind := v.Get("pattern_type").Text(); kind {
	case "", "stix":
	case "yara", "sigma", "snort", "suricata", "zeek", "bro":
		return kind, text
	default:
		return "other", text
	}
	alternatives, err := exchange.Alternatives(text)
	if err == nil && len(alternatives) == 1 {
		if typ, value, ok := t.typeOf(alternatives[0]); ok {
			return typ, value
		}
	}
	return "stix2-pattern", text
}

// observedValue is the type and value of what was observed, when that is one thing.
func (t *table) observedValue(v stix.Value, lookup func(id string) stix.Value) (typ, value string, ok bool) {
	groups := observedTerms(v, lookup)
	if len(groups) != 1 {
		return "", "", false
	}
	return t.typeOf(groups[0])
}

// observedTerms are the values of the objects that observed data names, those left out that another of them refers to.
func observedTerms(v stix.Value, lookup func(id string) stix.Value) [][]exchange.Term {
	refs := v.Get("object_refs").Texts()
	part := map[string]bool{}
	for _, id := range refs {
		for name, value := range lookup(id).Members() {
			if strings.HasSuffix(name, "_ref") {
				part[value.Text()] = true
			} else if strings.HasSuffix(name, "_refs") {
				for _, one := range value.Texts() {
					part[one] = true
				}
			}
		}
	}
	var groups [][]exchange.Term
	for _, id := range refs {
		if terms := exchange.TermsOf(lookup(id), lookup); !part[id] && len(terms) > 0 {
			groups = append(groups, terms)
		}
	}
	return groups
}

// objectMembers makes an object's own members of a grouping.
func objectMembers(v stix.Value) members {
	m := common(v, nil)
	delete(m, "Tag")
	m.setText("name", v.Get("name").Text())
	m.setText("comment", v.Get("description").Text())
	return m
}

// referenceMembers makes a reference of a relationship.
func referenceMembers(v stix.Value) members {
	m := common(v, nil)
	delete(m, "Tag")
	_, target, _ := stix.SplitID(v.Get("target_ref").Text())
	m.set("referenced_uuid", target)
	m.setText("relationship_type", v.Get("relationship_type").Text())
	m.setText("comment", v.Get("description").Text())
	return m
}

// sightingMembers makes a sighting of a STIX sighting or opinion.
func sightingMembers(v stix.Value) members {
	m := members{}
	m.set("uuid", uuidIn(v))
	m.set("type", sightingSeen)
	at := moment(v, "last_seen")
	if v.Get("type").Text() == "opinion" {
		at = moment(v, "created")
		m.set("type", sightingFalsePositive)
		if v.Get("explanation").Text() == "expired" {
			m.set("type", sightingExpiration)
		}
	} else if at.IsZero() {
		at = moment(v, "created")
	}
	m.setText("date_sighting", unix(at))
	return m
}

// eventReportMembers makes a text about the event of a note.
func eventReportMembers(v stix.Value) members {
	m := common(v, nil)
	delete(m, "Tag")
	m.setText("name", v.Get("abstract").Text())
	m.setText("content", v.Get("content").Text())
	return m
}

// galaxyTag is the tag by which MISP knows an object of ATT&CK or the like.
func galaxyTag(v stix.Value) string {
	galaxy := map[string]string{"attack-pattern": "mitre-attack-pattern", "intrusion-set": "mitre-intrusion-set", "malware": "mitre-malware",
		"tool": "mitre-tool", "course-of-action": "mitre-course-of-action"}[v.Get("type").Text()]
	if galaxy == "" {
		return ""
	}
	name := strings.NewReplacer(`"`, "", `\`, "").Replace(exchange.OneLine(v.Get("name").Text()))
	for ref := range v.Get("external_references").Elements() {
		if ref.Get("source_name").Text() == "mitre-attack" {
			name += " - " + exchange.OneLine(ref.Get("external_id").Text())
			break
		}
	}
	return fmt.Sprintf(`misp-galaxy:%s="%s"`, galaxy, name)
}
