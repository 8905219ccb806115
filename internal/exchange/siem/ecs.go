package siem

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/exchange"
)

// fields is a level of an ECS document.
type fields map[string]any

func (f fields) put(name string, value any) {
	switch v := value.(type) {
	case string:
		if v == "" {
			return
		}
	case time.Time:
		if v.IsZero() {
			return
		}
		value = v.UTC().Format("2006-01-02T15:04:05.000Z")
	case fields:
		if len(v) == 0 {
			return
		}
	case []string:
		if len(v) == 0 {
			return
		}
	case int64:
		if v == 0 {
			return
		}
	}
	f[name] = value
}

// ECS is the event as one line of JSON in the Elastic Common Schema 8.11, without a line end.
func (e *Event) ECS() ([]byte, error) {
	doc := fields{"ecs": fields{"version": "8.11.0"}}
	doc.put("@timestamp", e.Time)
	doc.put("message", strings.TrimSpace(e.Origin.Mark+" "+e.Name))
	doc.put("tags", e.Labels)
	event := fields{"category": []string{"threat"}, "type": []string{"indicator"}, "dataset": "mithaq." + e.Kind, "module": "mithaq", "kind": "enrichment"}
	if e.Kind != Indicator {
		event["kind"] = "alert"
		event["severity"] = e.severity()
		event.put("start", e.First)
		event.put("end", e.Last)
	}
	event.put("id", e.ID)
	doc.put("event", event)
	doc.put("threat", fields{"indicator": e.indicator()})
	for name, end := range map[string]struct {
		address string
		port    int
	}{"source": {e.Source, e.SourcePort}, "destination": {e.Destination, e.DestPort}} {
		f := fields{}
		f.put("address", end.address)
		if a, err := netip.ParseAddr(end.address); err == nil {
			f.put("ip", a.String())
		}
		f.put("port", int64(end.port))
		doc.put(name, f)
	}
	rule := fields{}
	rule.put("id", e.Indicator)
	rule.put("description", e.Rule)
	rule.put("ruleset", e.RuleType)
	doc.put("rule", rule)
	// What ECS has no field for stands below a name of our own, as ECS asks.
	own := fields{}
	own.put("agreement", e.Origin.Agreement)
	own.put("record", e.Origin.Record)
	own.put("leaf", e.Origin.Leaf)
	own.put("author", e.Origin.Author)
	own.put("pap", e.Origin.PAP)
	own.put("mark", e.Origin.Mark)
	doc.put("mithaq", own)
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}

// indicator describes what was looked for in threat.indicator.
func (e *Event) indicator() fields {
	f := fields{}
	f.put("name", e.Name)
	f.put("description", e.Description)
	f.put("reference", e.Indicator)
	f.put("provider", e.Origin.Name)
	f.put("confidence", confidence(e.Confidence))
	f.put("modified_at", e.Time)
	if e.Kind == Indicator {
		f.put("first_seen", e.First)
	} else {
		f.put("first_seen", e.First)
		f.put("last_seen", e.Last)
		f.put("sightings", e.Count)
	}
	if e.Origin.TLP != "" {
		f["marking"] = fields{"tlp": strings.TrimPrefix(e.Origin.TLP, "TLP:"), "tlp_version": "2.0"}
	}
	value(f, e.Value)
	return f
}

// value puts a value where ECS has a field for it; what kind it is stands in STIX's own words.
func value(f fields, t exchange.Term) {
	typ, _, _ := strings.Cut(t.Path, ":")
	f.put("type", typ)
	switch t.Kind() {
	case exchange.Address:
		if p, ok := t.Prefix(); ok {
			f.put("ip", p.Addr().String())
		}
	case exchange.Domain:
		f.put("url", fields{"domain": t.Value})
	case exchange.URL:
		u := fields{"original": t.Value}
		if parsed, err := url.Parse(t.Value); err == nil {
			u.put("domain", parsed.Hostname())
		}
		f.put("url", u)
	case exchange.Email:
		f.put("email", fields{"address": t.Value})
	case exchange.FileHash:
		name := strings.ToLower(strings.ReplaceAll(t.Algorithm(), "-", ""))
		f.put("file", fields{"hash": fields{name: t.Value}})
	case exchange.FileName:
		f.put("file", fields{"name": t.Value})
	case exchange.JA3, exchange.JA3S, exchange.JA4:
		f.put("tls", fields{string(t.Kind()): t.Value})
	case exchange.RegistryKey:
		f.put("registry", fields{"key": t.Value})
	default:
		f.put("id", t.Value)
	}
}

// confidence is a number in ECS's words (STIX 2.1, appendix A, None/Low/Med/High).
func confidence(n int) string {
	switch {
	case n < 0:
		return "Not Specified"
	case n == 0:
		return "None"
	case n < 30:
		return "Low"
	case n < 70:
		return "Medium"
	}
	return "High"
}
