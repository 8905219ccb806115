package engine

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/index"
)

func describe(h *index.Hit) (Indicator, From) {
	in := Indicator{ID: h.Indicator.String(), Name: h.Name(), Kind: h.Kind.String(), ValidFrom: stamp(h.From), ValidUntil: stamp(h.Until)}
	switch {
	case h.Pattern:
		in.Kind = "pattern"
	case h.Kind == index.Other:
		_, in.Value, _ = strings.Cut(string(h.Key), "=")
	default:
		in.Value = index.Render(h.Kind, h.Key)
	}
	if h.Confidence != index.NoConfidence {
		n := int(h.Confidence)
		in.Confidence = &n
	}
	s := h.Source()
	return in, From(s)
}

func stamp(seconds uint32) string {
	if seconds == 0 {
		return ""
	}
	return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339)
}

func whereOf(ev *event.Event) Where {
	return Where{File: ev.File, Format: ev.Format, Log: ev.Log, Line: ev.Line, Packet: ev.Packet,
		UID: strings.ToValidUTF8(string(ev.UID), "\uFFFD"), Object: ev.Object}
}

func wherePlace(p *event.Place) Where {
	return Where{File: p.File, Format: p.Format, Log: p.Log, Line: p.Line, Packet: p.Packet, Object: p.Object}
}

func flowOf(ev *event.Event) *Flow {
	if !ev.Src.IsValid() && !ev.Dst.IsValid() {
		return nil
	}
	f := &Flow{SrcPort: ev.SrcPort, DstPort: ev.DstPort, Protocol: strings.Clone(ev.Protocol), Service: ev.Facts.Service}
	if ev.Src.IsValid() {
		f.Src = ev.Src.String()
	}
	if ev.Dst.IsValid() {
		f.Dst = ev.Dst.String()
	}
	return f
}

// placeName puts an event's place into an observation's name, so that a pattern's match can say where all its parts are.
func placeName(ev *event.Event) string {
	b, err := json.Marshal(whereOf(ev))
	if err != nil {
		return ev.File
	}
	return string(b)
}

func placeOf(name string) Where {
	var w Where
	if err := json.Unmarshal([]byte(name), &w); err != nil {
		w.File = name
	}
	return w
}
