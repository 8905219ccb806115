package evidence

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/mithaq/mithaq/internal/detect/event"
	"github.com/mithaq/mithaq/internal/detect/index"
)

// Print is a client's fingerprint as it was met here.
type Print struct {
	Kind    string // ja3 or ja4
	Value   string
	Count   int64   // hellos that have it
	Sources float64 // about how many sources send it
}

// Prints is how the fingerprints of a network's clients are spread.
type Prints struct {
	Hellos  int64
	Sources float64 // about how many sources there are
	Settled bool    // enough was met to call a fingerprint rare
	Rarest  []Print // the rarest first
}

const (
	// enoughHellos and enoughSources are what has to be met before any fingerprint is called rare or common.
	enoughHellos  = 200
	enoughSources = 10
	// maxPrinted bounds the fingerprints whose text is kept, to be shown; of the others only their rarity is known.
	maxPrinted = 4096
)

// nameOf keeps what a fingerprint looks like.
func (h *History) nameOf(key uint64, v *event.Value) {
	if _, known := h.printed[key]; !known && len(h.printed) < maxPrinted && len(v.Text) <= 200 {
		kind := "ja4"
		if v.Kind == index.JA3 {
			kind = "ja3"
		}
		h.printed[key] = Print{Kind: kind, Value: strings.Clone(string(v.Text))}
	}
}

// Prints lists the rarest fingerprints, up to most.
func (h *History) Prints(most int) Prints {
	out := Prints{Hellos: h.hellos, Sources: math.Round(h.sources.about())}
	out.Settled = h.hellos >= enoughHellos && out.Sources >= enoughSources
	for key, p := range h.printed {
		e := h.prints.find(key)
		if e == nil {
			continue // it gave way to others
		}
		p.Count, p.Sources = int64(e.count), max(1, math.Round(about(e.sources)))
		out.Rarest = append(out.Rarest, p)
	}
	slices.SortStableFunc(out.Rarest, func(a, b Print) int {
		return cmp.Or(cmp.Compare(a.Sources, b.Sources), cmp.Compare(a.Count, b.Count), cmp.Compare(a.Value, b.Value))
	})
	out.Rarest = out.Rarest[:min(most, len(out.Rarest))]
	return out
}
