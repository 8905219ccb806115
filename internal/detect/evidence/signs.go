package evidence

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/index"
)

// Signs appends what speaks for or against an event that was observed.
func (h *History) Signs(signs []Sign, ev *event.Event) []Sign {
	signs = h.certificate(signs, ev)
	if !ev.Src.IsValid() {
		return signs
	}
	signs = h.destination(signs, ev)
	signs = h.fingerprint(signs, ev)
	signs = h.unresolved(signs, ev)
	return h.beacon(signs, ev)
}

// target gives what an event is about: the name that was asked for, or the address that was spoken to.
func (h *History) target(ev *event.Event) (e *entry, key uint64, what string) {
	for i := range ev.Values {
		if v := &ev.Values[i]; v.Kind == index.Domain && partOf(v.Field) == query {
			key = h.text(v.Text)
			return h.names.find(key), key, "the name"
		}
	}
	if !ev.Dst.IsValid() {
		return nil, 0, ""
	}
	key = h.address(ev.Dst)
	return h.destinations.find(key), h.end(key, ev.DstPort), "the destination"
}

// destination says how new it is here, and how many sources visit it.
func (h *History) destination(signs []Sign, ev *event.Event) []Sign {
	e, _, what := h.target(ev)
	if e == nil {
		return signs
	}
	rows := []event.Place{h.files.place(spot{e.at, e.file})}
	at := max(ev.Facts.Begin, ev.Time)
	settled := int64(h.options.Settled)
	if e.first != 0 && e.first-h.first >= settled && at-e.first < settled {
		signs = append(signs, Sign{Name: "new-destination", Weight: weightNew, Why: fmt.Sprintf("%s was first seen here at %s", what, stamp(e.first)),
			Details: map[string]any{"what": what, "at": stamp(e.first)}, Rows: rows})
	}
	all, some := math.Round(h.sources.about()), math.Round(about(e.sources))
	switch {
	case all < 10:
	case some < 3 && some <= 0.05*all:
		signs = append(signs, Sign{Name: "rare-destination", Weight: weightRare, Why: fmt.Sprintf("about %.0f of %.0f sources here visit %s", max(1, some), all, what),
			Details: map[string]any{"some": max(1, some), "all": all, "what": what}, Rows: rows})
	case some >= 10 && some >= 0.2*all || some >= 300:
		signs = append(signs, Sign{Name: "popular-destination", Weight: weightPopular, Why: fmt.Sprintf("at least %.0f of about %.0f sources here visit %s", min(some, all), all, what),
			Details: map[string]any{"some": min(some, all), "all": all, "what": what}, Rows: rows})
	}
	return signs
}

// fingerprint says how rare a client's fingerprint is here. There is no verdict before 200 hellos.
func (h *History) fingerprint(signs []Sign, ev *event.Event) []Sign {
	if h.hellos < enoughHellos {
		return signs
	}
	for i := range ev.Values {
		v := &ev.Values[i]
		if v.Kind != index.JA4 && v.Kind != index.JA3 {
			continue
		}
		e := h.prints.find(h.text(v.Text))
		if e == nil {
			continue
		}
		share := float64(e.count) / float64(h.hellos)
		rows := []event.Place{h.files.place(spot{e.at, e.file})}
		switch some := about(e.sources); {
		case share <= 0.05 && some < 3 && h.sources.about() >= enoughSources:
			signs = append(signs, Sign{Name: "rare-fingerprint", Weight: weightRarePrint, Why: fmt.Sprintf("%d of %d hellos here have this %s, from about %.0f sources", e.count, h.hellos, v.Kind, max(1, some)),
				Details: map[string]any{"some": e.count, "all": h.hellos, "kind": v.Kind.String(), "sources": math.Round(max(1, some))}, Rows: rows})
		case share >= 0.1 && some >= 3:
			signs = append(signs, Sign{Name: "common-fingerprint", Weight: weightCommonPrint, Why: fmt.Sprintf("%d of %d hellos here have this %s", e.count, h.hellos, v.Kind),
				Details: map[string]any{"some": e.count, "all": h.hellos, "kind": v.Kind.String()}, Rows: rows})
		default:
			continue
		}
		return signs
	}
	return signs
}

// unresolved holds the name in a hello or request against what DNS answered for it.
func (h *History) unresolved(signs []Sign, ev *event.Event) []Sign {
	if !ev.Dst.IsValid() {
		return signs
	}
	for i := range ev.Values {
		v := &ev.Values[i]
		if v.Kind != index.Domain || partOf(v.Field) != visited {
			continue
		}
		r := h.resolved.get(h.text(v.Text))
		if known, agrees := r.agrees(h.address(ev.Dst)); known && !agrees {
			rows := []event.Place{h.files.place(spot{r.at, r.file}), ev.Place}
			return append(signs, Sign{Name: "name-not-resolved-to-address", Weight: weightUnresolved,
				Why: fmt.Sprintf("%.100q was never answered with %s here", v.Text, ev.Dst), Details: map[string]any{"name": fmt.Sprintf("%.100s", v.Text), "address": ev.Dst.String()}, Rows: rows})
		}
	}
	return signs
}

// certificate names what is odd about the server's certificate.
func (h *History) certificate(signs []Sign, ev *event.Event) []Sign {
	c := &ev.Facts.Certificate
	row := []event.Place{ev.Place}
	at := ev.Time / int64(time.Second)
	if len(c.Subject) > 0 && string(c.Subject) == string(c.Issuer) {
		signs = append(signs, Sign{Name: "certificate-self-signed", Weight: weightSelfSigned, Why: "the certificate names itself as its issuer", Rows: row})
	} else if c.Trusted == event.No {
		signs = append(signs, Sign{Name: "certificate-not-trusted", Weight: weightSelfSigned, Why: "the certificate leads to no authority that is trusted", Rows: row})
	}
	if at > 0 && c.Until != 0 && at >= c.Until || at > 0 && c.From != 0 && at < c.From {
		signs = append(signs, Sign{Name: "certificate-out-of-date", Weight: weightOutdated, Why: fmt.Sprintf("it is valid from %s to %s", stamp(c.From*1e9), stamp(c.Until*1e9)),
			Details: map[string]any{"from": stamp(c.From * 1e9), "until": stamp(c.Until * 1e9)}, Rows: row})
	}
	if c.Name == event.No {
		signs = append(signs, Sign{Name: "certificate-wrong-name", Weight: weightWrongName, Why: "it is not for the name that the client asked for", Rows: row})
	}
	const day = 24 * 3600
	if c.From != 0 && c.Until-c.From > 5*365*day {
		signs = append(signs, Sign{Name: "certificate-long-lived", Weight: weightLongLived, Why: fmt.Sprintf("it is valid for %d years", (c.Until-c.From)/(365*day)),
			Details: map[string]any{"n": (c.Until - c.From) / (365 * day)}, Rows: row})
	}
	if at > 0 && c.From != 0 && at >= c.From && at-c.From < 3*day {
		signs = append(signs, Sign{Name: "certificate-fresh", Weight: weightFresh, Why: "it was issued within three days before", Rows: row})
	}
	return signs
}

// beacon says whether this source calls this destination like clockwork.
func (h *History) beacon(signs []Sign, ev *event.Event) []Sign {
	_, key, what := h.target(ev)
	if key == 0 {
		return signs
	}
	s := h.series.get(pair(h.address(ev.Src), key))
	r := s.rhythm(&h.room)
	if !r.Beacon() {
		return signs
	}
	return append(signs, h.beaconSign(s, r, what))
}

// Beacon is a series with the rhythm of one, whether an indicator names it or not. It is context.
type Beacon struct {
	Src, Dst netip.Addr // Dst is invalid where it is a name that was asked for: see the rows
	Port     uint16
	Last     int64 // time of the last call, in nanoseconds since 1970
	Signs    []Sign
}

// Beacons calls yield for every series that has the rhythm of a beacon now and does not go where many here go.
func (h *History) Beacons(yield func(Beacon)) {
	h.series.settle()
	for i := range h.series.all {
		s := &h.series.all[i]
		r := s.rhythm(&h.room)
		if !r.Beacon() {
			continue
		}
		b := Beacon{Src: netip.AddrFrom16(s.src).Unmap(), Port: s.port, Last: s.calls[len(s.calls)-1].time}
		what := "a name"
		ev := event.Event{Src: b.Src, Time: b.Last}
		if s.dst != [16]byte{} {
			b.Dst = netip.AddrFrom16(s.dst).Unmap()
			ev.Dst, ev.DstPort = b.Dst, s.port
			what = "the destination"
		}
		b.Signs = append(h.destination(b.Signs, &ev), h.beaconSign(s, r, what))
		if !slices.ContainsFunc(b.Signs, func(s Sign) bool { return s.Name == "popular-destination" }) {
			yield(b)
		}
	}
}

func (h *History) beaconSign(s *series, r Rhythm, what string) Sign {
	sign := Sign{Name: "beacon", Weight: weightBeacon * (r.Score - beaconScore + 0.1) / (1 - beaconScore + 0.1),
		Why: fmt.Sprintf("%d calls to %s, every %s or so (rhythm %.2f: gaps %.2f, spread over time %.2f%s%s)", r.Calls, what,
			time.Duration(r.Period).Round(time.Second), r.Score, r.Interval, r.Histogram, known(", sizes", r.Size), known(", durations", r.Duration)),
		Details: map[string]any{"n": r.Calls, "what": what, "seconds": math.Round(float64(r.Period) / float64(time.Second)), "rhythm": math.Round(100*r.Score) / 100}}
	from := max(0, len(s.calls)-maxRows)
	for _, c := range s.calls[from:] {
		sign.Rows = append(sign.Rows, h.files.place(spot{c.at, c.file}))
	}
	calls := s.calls[max(0, len(s.calls)-maxTimes):]
	sign.Times = make([]int64, len(calls))
	for i, c := range calls {
		sign.Times[i] = c.time
	}
	return sign
}

func known(what string, score float64) string {
	if score != score { // NaN: not known
		return ""
	}
	return fmt.Sprintf("%s %.2f", what, score)
}

func stamp(nanos int64) string {
	if nanos == 0 {
		return "an unknown time"
	}
	return time.Unix(0, nanos).UTC().Format(time.RFC3339)
}
